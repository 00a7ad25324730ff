//! Many runs in one table: methods x seeds, with paired differences to one of them.

use crate::{RunsError, Summary};
use hybridrepair_core::metrics::MeanInterval;
use serde::Serialize;

/// A table of runs on one holdout. Accuracies are fractions; [`Comparison::markdown`] and [`Comparison::csv`] print it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Version of this format: 1.
    pub format_version: u32,
    /// The method that the others are measured against.
    pub baseline: String,
    /// Samples of the holdout.
    pub holdout: usize,
    /// One row per method and budget, in the order in which they first occur.
    pub rows: Vec<Row>,
    /// Runs whose repair the guards refused: they are in no row and no mean.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

/// All seeds of one method at one budget.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The method, with whatever else sets it apart from other rows of the same method.
    pub label: String,
    /// The method.
    pub method: String,
    /// Selection rule.
    pub strategy: String,
    /// Objective.
    pub trainer: String,
    /// Set of values.
    pub preset: String,
    /// Extractor of the embeddings.
    pub features: String,
    /// Labels that might be bought.
    pub budget: usize,
    /// One per seed, in increasing order.
    pub seeds: Vec<Cell>,
    /// Accuracy of the repaired model.
    pub after: MeanInterval,
    /// `after - before`, paired by seed.
    pub gain: MeanInterval,
    /// `after` minus the baseline's `after` of the same seed; none for the baseline, and where no seed is shared.
    pub difference: Option<MeanInterval>,
}

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Its seed.
    pub seed: u64,
    /// Accuracy of the deployed model.
    pub raw: f64,
    /// Accuracy after the replay fine-tune.
    pub before: f64,
    /// Accuracy of the repaired model.
    pub after: f64,
    /// `after` minus the baseline's.
    pub difference: Option<f64>,
    /// Wrong before, right after.
    pub repaired: usize,
    /// Right before, wrong after.
    pub broken: usize,
    /// Labels bought.
    pub labels: usize,
    /// Images times backward passes.
    pub images_trained: u64,
    /// Seconds of all stages.
    pub seconds: f64,
}

/// What the seeds of one row share.
fn same_row(a: &Summary, b: &Summary) -> bool {
    a.budget.count == b.budget.count && fields(a) == fields(b)
}

fn fields(s: &Summary) -> [&str; 5] {
    [&s.method, &s.strategy, &s.trainer, &s.preset, &s.features]
}

impl Comparison {
    /// Puts runs into one table, with the method `baseline` to be measured against.
    ///
    /// A run is paired with the run of the baseline that has its seed and budget; a baseline that buys nothing is the
    /// same at every budget.
    ///
    /// # Errors
    /// [`RunsError::NotComparable`] when there is no run, none of the baseline, a run twice, two that could be the
    /// baseline of one run, or different holdouts.
    pub fn of(runs: &[Summary], baseline: &str) -> Result<Self, RunsError> {
        let refuse = |why: String| Err(RunsError::NotComparable(why));
        let Some(first) = runs.first() else { return refuse("there is none".into()) };
        if let Some(other) = runs.iter().find(|r| r.holdout.n != first.holdout.n) {
            return refuse(format!("holdouts of {} and {} samples", first.holdout.n, other.holdout.n));
        }
        if !runs.iter().any(|r| r.method == baseline) {
            let mut known: Vec<_> = runs.iter().map(|r| r.method.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            return refuse(format!("no run of the baseline `{baseline}` among {}", known.join(", ")));
        }
        let mut groups: Vec<Vec<&Summary>> = Vec::new();
        for run in runs {
            match groups.iter_mut().find(|g| same_row(g[0], run)) {
                Some(group) if group.iter().any(|r| r.seed == run.seed) => {
                    return refuse(format!("`{}` with seed {} stands twice", run.method, run.seed));
                }
                Some(group) => group.push(run),
                None => groups.push(vec![run]),
            }
        }
        let mut rows = Vec::with_capacity(groups.len());
        for group in &mut groups {
            group.sort_by_key(|r| r.seed);
            let mut seeds = Vec::with_capacity(group.len());
            for run in group.iter() {
                let against = if run.method == baseline { None } else { partner(run, runs, baseline)? };
                seeds.push(Cell::of(run, against));
            }
            rows.push(Row::of(group[0], seeds));
        }
        label(&mut rows);
        Ok(Self {
            format_version: 1,
            baseline: baseline.to_owned(),
            holdout: first.holdout.n,
            rows,
            refused: Vec::new(),
        })
    }
}

/// The run of the baseline that a run is paired with: same seed, same budget or none spent; among several, the one with
/// the same objective, values and features.
fn partner<'a>(run: &Summary, runs: &'a [Summary], baseline: &str) -> Result<Option<&'a Summary>, RunsError> {
    let fits = |r: &&Summary| {
        r.method == baseline && r.seed == run.seed && (r.budget.count == run.budget.count || r.labels_bought == 0)
    };
    let likeness = |r: &Summary| {
        let same = |i: usize| u32::from(fields(r)[i] == fields(run)[i]);
        (r.budget.count == run.budget.count, same(2) + same(3) + same(4))
    };
    let candidates: Vec<_> = runs.iter().filter(fits).collect();
    let Some(best) = candidates.iter().map(|r| likeness(r)).max() else { return Ok(None) };
    let mut closest = candidates.into_iter().filter(|r| likeness(r) == best);
    match (closest.next(), closest.next()) {
        (Some(_), Some(_)) => Err(RunsError::NotComparable(format!(
            "several runs of the baseline `{baseline}` with seed {} fit `{}`",
            run.seed, run.method
        ))),
        (only, _) => Ok(only),
    }
}

impl Cell {
    fn of(run: &Summary, baseline: Option<&Summary>) -> Self {
        let h = &run.holdout;
        Self {
            seed: run.seed,
            raw: h.raw,
            before: h.before,
            after: h.after,
            difference: baseline.map(|b| h.after - b.holdout.after),
            repaired: h.repaired,
            broken: h.broken,
            labels: run.labels_bought,
            images_trained: run.images_trained,
            seconds: run.seconds.values().sum(),
        }
    }
}

impl Row {
    fn of(run: &Summary, seeds: Vec<Cell>) -> Self {
        let over = |f: fn(&Cell) -> f64| MeanInterval::of(&seeds.iter().map(f).collect::<Vec<_>>());
        let differences: Vec<f64> = seeds.iter().filter_map(|c| c.difference).collect();
        Self {
            label: run.method.clone(),
            method: run.method.clone(),
            strategy: run.strategy.clone(),
            trainer: run.trainer.clone(),
            preset: run.preset.clone(),
            features: run.features.clone(),
            budget: run.budget.count,
            after: over(|c| c.after),
            gain: over(|c| c.after - c.before),
            difference: (!differences.is_empty()).then(|| MeanInterval::of(&differences)),
            seeds,
        }
    }

    fn parts(&self) -> [String; 5] {
        let budget = format!("{} labels", self.budget);
        [self.strategy.clone(), self.trainer.clone(), self.preset.clone(), self.features.clone(), budget]
    }
}

/// Adds to the label of rows of the same method what tells them apart.
fn label(rows: &mut [Row]) {
    let labels: Vec<String> = rows
        .iter()
        .map(|row| {
            let (own, namesakes) = (row.parts(), rows.iter().filter(|r| r.method == row.method));
            let others: Vec<_> = namesakes.map(Row::parts).collect();
            let apart: Vec<_> =
                (0..own.len()).filter(|&i| others.iter().any(|o| o[i] != own[i])).map(|i| own[i].as_str()).collect();
            if apart.is_empty() { row.method.clone() } else { format!("{} ({})", row.method, apart.join(", ")) }
        })
        .collect();
    for (row, label) in rows.iter_mut().zip(labels) {
        row.label = label;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::example;

    pub(crate) fn three_methods() -> Vec<Summary> {
        let mut runs = Vec::new();
        for (seed, random, hybrid) in [(10, 0.74, 0.78), (20, 0.75, 0.78), (30, 0.73, 0.78)] {
            let mut idle = example("no-repair", seed, 0.72);
            idle.labels_bought = 0;
            runs.extend([idle, example("random", seed, random), example("hybrid", seed, hybrid)]);
        }
        runs
    }

    #[test]
    fn paired_differences_by_hand() {
        let table = Comparison::of(&three_methods(), "random").unwrap();
        assert_eq!(table.rows.iter().map(|r| r.label.as_str()).collect::<Vec<_>>(), ["no-repair", "random", "hybrid"]);
        let difference = table.rows[2].difference.unwrap();
        // differences .04 .03 .05: mean .04, sd .01, t(2) = 4.302653, half width 4.302653 * .01 / sqrt 3
        assert!((difference.mean - 0.04).abs() < 1e-12 && (difference.sd - 0.01).abs() < 1e-12);
        assert!((difference.half_width - 0.024_841_4).abs() < 1e-6, "{difference:?}");
        assert_eq!(table.rows[1].difference, None, "the baseline is not measured against itself");
        assert!((table.rows[2].gain.mean - 0.06).abs() < 1e-12);
    }

    #[test]
    fn a_baseline_that_buys_nothing_serves_every_budget() {
        let mut runs = three_methods();
        for run in three_methods().iter().filter(|r| r.method != "no-repair") {
            let mut larger = run.clone();
            larger.budget.count = 300;
            runs.push(larger);
        }
        let table = Comparison::of(&runs, "no-repair").unwrap();
        assert_eq!(table.rows.len(), 5);
        assert!(table.rows.iter().filter(|r| r.method != "no-repair").all(|r| r.difference.is_some_and(|d| d.n == 3)));
        assert_eq!(table.rows[3].label, "random (300 labels)");
        // and one that buys is paired within its budget
        let table = Comparison::of(&runs, "random").unwrap();
        assert!(table.rows[4].difference.is_some());
    }

    #[test]
    fn seeds_that_only_one_has_are_left_out_of_the_difference() {
        let mut runs = three_methods();
        runs.retain(|r| !(r.method == "random" && r.seed == 30));
        let table = Comparison::of(&runs, "random").unwrap();
        let hybrid = &table.rows[2];
        assert_eq!((hybrid.after.n, hybrid.difference.unwrap().n), (3, 2));
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let message = |runs: &[Summary], baseline| Comparison::of(runs, baseline).unwrap_err().to_string();
        let runs = three_methods();
        assert!(message(&[], "random").contains("there is none"));
        assert!(message(&runs, "gini").contains("`gini` among hybrid, no-repair, random"));
        let mut twice = runs.clone();
        twice.push(runs[0].clone());
        assert!(message(&twice, "random").contains("`no-repair` with seed 10 stands twice"));
        let mut other = runs.clone();
        other[4].holdout.n = 999;
        assert!(message(&other, "random").contains("holdouts of 1000 and 999"));
        let mut ambiguous = runs.clone();
        let mut second = runs[1].clone();
        second.strategy = "random-too".into();
        ambiguous.push(second);
        assert!(message(&ambiguous, "random").contains("several runs of the baseline"));
    }
}
