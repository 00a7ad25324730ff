//! From cells to answers: which checkpoint, repaired, is the best.

use super::{
    EarlyConfig,
    grid::{Cell, Prepared, right_of},
};
use crate::Error;
use hybridrepair_core::{ClassId, Streams, metrics::MeanInterval};
use hybridrepair_patch::{
    early::{
        AlphaInterval, Interval, Pattern, Quality, Readiness, alpha_intervals, groups, paired_bootstrap, pattern,
        switch_at,
    },
    seedless,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the best checkpoint is picked and judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// As published: one repair per checkpoint, the largest quality on the test.
    Published,
    /// The same, with checkpoints that cannot be told apart from the converged one counted as it.
    Merged,
    /// The same, without repaired models that have collapsed.
    Guarded,
    /// Merged and guarded, over all seeds, chosen on samples of their own.
    Chosen,
    /// The same, and an earlier checkpoint counts only where the test shows it better than the converged one beyond chance.
    Beyond,
}

/// A checkpoint before and after its repair.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EpochRow {
    /// Epochs.
    pub epoch: usize,
    /// Group of checkpoints that cannot be told apart.
    pub group: usize,
    /// As it is, on the test.
    pub base: Quality,
    /// Repaired, on the test: accuracy on the class over the seeds.
    pub class: MeanInterval,
    /// Repaired, on the test: accuracy on all over the seeds.
    pub total: MeanInterval,
    /// Repair rate over the seeds.
    pub rr: MeanInterval,
    /// Break rate over the seeds.
    pub br: MeanInterval,
    /// Repair rate above that of a moved threshold with the same break rate, over the seeds.
    pub above: MeanInterval,
    /// Repairs that may be chosen, and repairs.
    pub admissible: (usize, usize),
    /// Objections to the others, each once.
    pub objections: Vec<String>,
}

/// One method on one class of one training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassReport {
    /// The training.
    pub run: u64,
    /// The class.
    pub class: ClassId,
    /// Its name.
    pub class_name: String,
    /// The method.
    pub method: String,
    /// Every checkpoint.
    pub rows: Vec<EpochRow>,
    /// Which repaired checkpoint is the best on the test for which weight of the class, of those that may be chosen.
    pub intervals: Vec<AlphaInterval>,
    /// Pattern by rule, for each alpha of the settings.
    pub patterns: BTreeMap<Rule, Vec<Pattern>>,
    /// For each alpha: quality on the test of the chosen checkpoint minus that of the converged one, both repaired and
    /// averaged over the seeds, with the interval of a paired bootstrap over the test samples; none where nothing may be
    /// chosen. A converged checkpoint of which no repair may be chosen stays as it is.
    pub gain_of_stopping: Vec<Option<Interval>>,
    /// What the features say about each checkpoint.
    pub readiness: Vec<Readiness>,
    /// Epoch at which the features say to switch.
    pub switch_epoch: usize,
    /// For each alpha: quality on the test that is lost by switching there instead of at the best checkpoint in hindsight.
    pub regret: Vec<f64>,
}

/// All answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EarlyReport {
    /// Version of this format.
    pub format_version: u32,
    /// Weights of the class in the tables.
    pub alphas: Vec<f64>,
    /// Samples to search on, to choose by, and to judge by.
    pub samples: [usize; 3],
    /// Every method on every class of every training.
    pub classes: Vec<ClassReport>,
    /// By method and rule: pre, post and none for each alpha.
    pub counts: BTreeMap<String, BTreeMap<Rule, Vec<[usize; 3]>>>,
    /// Seconds of all repairs, one after the other.
    pub repair_seconds: f64,
}

/// Slope of the probe and worth of a repair at which the signal switches.
const SLOPE: f64 = 0.005;
const WORTH: f64 = 0.002;
/// Bootstrap samples of an interval.
const RESAMPLES: usize = 1000;

pub(super) fn analyse(
    config: &EarlyConfig,
    names: &[String],
    classes: &[ClassId],
    prepared: &[Prepared],
    cells: &[Cell],
) -> Result<EarlyReport, Error> {
    let mut reports = Vec::new();
    for run in 0..config.runs {
        let line = prepared.iter().filter(|p| p.run == run).collect::<Vec<_>>();
        for &class in classes {
            let readiness = line.iter().map(|p| p.readiness(class)).collect::<Result<Vec<_>, _>>()?;
            for method in &config.methods {
                let of = |c: &&Cell| c.run == run && c.class == class && c.method == *method;
                let own = cells.iter().filter(of).collect::<Vec<_>>();
                let case = Case { config, line: &line, cells: &own, class };
                reports.push(case.report(run, &names[class.column()], method, &readiness));
            }
        }
    }
    let mut counts: BTreeMap<String, BTreeMap<Rule, Vec<[usize; 3]>>> = BTreeMap::new();
    for report in &reports {
        for (rule, patterns) in &report.patterns {
            let by_rule = counts.entry(report.method.clone()).or_default();
            let slots = by_rule.entry(*rule).or_insert_with(|| vec![[0; 3]; config.alphas.len()]);
            for (slot, pattern) in slots.iter_mut().zip(patterns) {
                slot[*pattern as usize] += 1;
            }
        }
    }
    let samples = prepared.first().map_or([0; 3], |p| [p.search.len(), p.choice.len(), p.test.len()]);
    let repair_seconds = cells.iter().map(|c| c.seconds).sum();
    Ok(EarlyReport {
        format_version: 2,
        alphas: config.alphas.clone(),
        samples,
        classes: reports,
        counts,
        repair_seconds,
    })
}

/// One method on one class of one training.
struct Case<'a> {
    config: &'a EarlyConfig,
    line: &'a [&'a Prepared],
    cells: &'a [&'a Cell],
    class: ClassId,
}

impl Case<'_> {
    /// Repairs of a checkpoint, by seed.
    fn at(&self, epoch: usize) -> Vec<&Cell> {
        self.cells.iter().copied().filter(|c| c.epoch == epoch).collect()
    }

    fn report(&self, run: u64, name: &str, method: &str, readiness: &[Readiness]) -> ClassReport {
        let base = self.line.iter().map(|p| p.said_choice.clone()).collect::<Vec<_>>();
        let truth = self.line.first().map_or(&[][..], |p| &p.choice.labels);
        let groups = groups(&base, truth, self.class);
        let rows = self.line.iter().zip(&groups).map(|(p, &group)| self.row(p, group)).collect::<Vec<_>>();
        let switch = switch_at(readiness, SLOPE, WORTH);
        let mut patterns: BTreeMap<Rule, Vec<Pattern>> = BTreeMap::new();
        let (mut gains, mut regret) = (Vec::new(), Vec::new());
        for &alpha in &self.config.alphas {
            let gain = self.gain(alpha, run);
            for rule in [Rule::Published, Rule::Merged, Rule::Guarded, Rule::Chosen, Rule::Beyond] {
                patterns.entry(rule).or_default().push(self.pattern(rule, alpha, &groups, gain));
            }
            gains.push(gain);
            let tested = self.line.iter().map(|p| self.mean(p.epoch, |c| c.test.at(alpha), true)).collect::<Vec<_>>();
            let best = tested.iter().flatten().copied().fold(0.0, f64::max);
            // where the signal's checkpoint may not be chosen, training goes on to the end
            let taken = tested.get(switch).copied().flatten().or(tested.last().copied().flatten());
            regret.push(taken.map_or(0.0, |q| best - q));
        }
        ClassReport {
            run,
            class: self.class,
            class_name: name.to_owned(),
            method: method.to_owned(),
            intervals: self.intervals(&rows),
            rows,
            patterns,
            gain_of_stopping: gains,
            readiness: readiness.to_vec(),
            switch_epoch: self.line.get(switch).map_or(0, |p| p.epoch),
            regret,
        }
    }

    fn row(&self, p: &Prepared, group: usize) -> EpochRow {
        let cells = self.at(p.epoch);
        let over = |f: &dyn Fn(&Cell) -> f64| MeanInterval::of(&cells.iter().map(|c| f(c)).collect::<Vec<_>>());
        let mut objections = cells.iter().flat_map(|c| c.objections.clone()).collect::<Vec<_>>();
        objections.sort();
        objections.dedup();
        EpochRow {
            epoch: p.epoch,
            group,
            base: Prepared::quality(&p.said_test, &p.test, self.class),
            class: over(&|c| c.test.class),
            total: over(&|c| c.test.total),
            rr: over(&|c| c.rr),
            br: over(&|c| c.br),
            above: over(&|c| c.above),
            admissible: (cells.iter().filter(|c| c.objections.is_empty()).count(), cells.len()),
            objections,
        }
    }

    /// Mean of a checkpoint's repairs; of those that may be chosen, if that is asked for.
    fn mean(&self, epoch: usize, f: impl Fn(&Cell) -> f64, admissible: bool) -> Option<f64> {
        let cells = self.at(epoch);
        let kept = cells.iter().filter(|c| !admissible || c.objections.is_empty()).map(|c| f(c)).collect::<Vec<_>>();
        (!kept.is_empty()).then(|| kept.iter().sum::<f64>() / kept.len() as f64)
    }

    fn pattern(&self, rule: Rule, alpha: f64, groups: &[usize], gain: Option<Interval>) -> Pattern {
        let first = |p: &&Prepared, admissible: bool| {
            let cell = self.at(p.epoch).into_iter().find(|c| c.seed == 0)?;
            (!admissible || cell.objections.is_empty()).then(|| cell.test.at(alpha))
        };
        let each = (0..self.line.len()).collect::<Vec<_>>();
        match rule {
            Rule::Published => {
                let all = self.line.iter().map(|p| first(p, false)).collect::<Vec<_>>();
                pattern(&all, &each)
            }
            Rule::Merged => pattern(&self.line.iter().map(|p| first(p, false)).collect::<Vec<_>>(), groups),
            Rule::Guarded => pattern(&self.line.iter().map(|p| first(p, true)).collect::<Vec<_>>(), groups),
            Rule::Chosen => pattern(&self.choices(alpha), groups),
            Rule::Beyond => match pattern(&self.choices(alpha), groups) {
                Pattern::Pre if gain.is_none_or(|g| g.low <= 0.0) => Pattern::Post,
                other => other,
            },
        }
    }

    /// Quality on the choosing samples, for each checkpoint.
    fn choices(&self, alpha: f64) -> Vec<Option<f64>> {
        self.line.iter().map(|p| self.mean(p.epoch, |c| c.choice.at(alpha), true)).collect()
    }

    /// How often each test sample is right, over the repairs of a checkpoint that may be chosen.
    fn right(&self, p: &Prepared) -> Option<Vec<f32>> {
        let cells = self.at(p.epoch).into_iter().filter(|c| c.objections.is_empty()).collect::<Vec<_>>();
        let mut sum = vec![0f32; p.test.len()];
        for cell in &cells {
            sum.iter_mut().zip(right_of(&cell.right, p.test.len())).for_each(|(s, r)| *s += f32::from(u8::from(r)));
        }
        let n = cells.len() as f32;
        (!cells.is_empty()).then(|| sum.into_iter().map(|s| s / n).collect())
    }

    fn gain(&self, alpha: f64, run: u64) -> Option<Interval> {
        let choices = self.choices(alpha).into_iter().enumerate().filter_map(|(i, q)| q.map(|q| (i, q)));
        let best = choices.reduce(|a, b| if b.1 >= a.1 { b } else { a })?.0;
        let last = self.line.last()?;
        let here = self.right(self.line[best])?;
        let as_it_is =
            || last.said_test.iter().zip(&last.test.labels).map(|(s, t)| f32::from(u8::from(s == t))).collect();
        let there = self.right(last).unwrap_or_else(as_it_is);
        let difference = here.iter().zip(&there).map(|(a, b)| a - b).collect::<Vec<_>>();
        let member = last.test.labels.iter().map(|t| *t == self.class).collect::<Vec<_>>();
        let mut rng = Streams::new(self.config.train.seed).at("early-bootstrap", run, u64::from(self.class.0));
        Some(paired_bootstrap(&difference, &member, alpha, RESAMPLES, &mut rng))
    }

    fn intervals(&self, rows: &[EpochRow]) -> Vec<AlphaInterval> {
        let may = rows.iter().enumerate().filter(|(_, r)| r.admissible.0 > 0).map(|(i, _)| i).collect::<Vec<_>>();
        let test = |i: usize, f: fn(&Cell) -> f64| self.mean(rows[i].epoch, f, true).unwrap_or(0.0);
        let points =
            may.iter().map(|&i| Quality { class: test(i, |c| c.test.class), total: test(i, |c| c.test.total) });
        let points = points.collect::<Vec<_>>();
        alpha_intervals(&points).into_iter().map(|v| AlphaInterval { index: may[v.index], ..v }).collect()
    }
}

/// Whether a method's repairs differ by seed.
pub(super) fn by_seed(method: &str) -> bool {
    !seedless(method)
}
