use super::{Clock, harmonic_mean, median};
use crate::{ArenaError, Limits, Outcome, Trial};
use hybridrepair_core::Streams;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Resamples of the bootstrap interval.
const RESAMPLES: usize = 2000;

/// The score of an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The entry.
    pub entry: String,
    /// Tasks that more than half of its runs solved.
    pub solved: usize,
    /// Runs that failed, over all tasks.
    pub failed_runs: usize,
    /// Harmonic mean over the tasks of the speed-up over the baseline.
    pub score: f64,
    /// 95 % interval of the score by bootstrap over the repeats (percentiles).
    pub interval: (f64, f64),
    /// Speed-up by task.
    pub speedups: BTreeMap<String, f64>,
    /// Median time by task, failures charged.
    pub times: BTreeMap<String, f64>,
    /// Time over that of the best entry by task; none where the task is not solved.
    pub ratios: BTreeMap<String, Option<f64>>,
}

/// Scores on one clock, best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// What time is counted in.
    pub clock: Clock,
    /// What speed-ups are over.
    pub baseline: String,
    /// Tasks.
    pub tasks: usize,
    /// Runs of each entry on each task.
    pub repeats: usize,
    /// The entries.
    pub entries: Vec<Score>,
}

type Charges = BTreeMap<String, Vec<f64>>;

impl Scores {
    /// Scores finished runs. `limits` are those of the tasks.
    ///
    /// # Errors
    /// When the baseline has no run, or a run names a task without limits.
    pub fn new(
        trials: &[Trial],
        limits: &BTreeMap<String, Limits>,
        baseline: &str,
        clock: Clock,
    ) -> Result<Self, ArenaError> {
        let mut by_entry: BTreeMap<&str, (Charges, Vec<&Trial>)> = BTreeMap::new();
        for trial in trials {
            let limits = limits.get(&trial.task).ok_or_else(|| ArenaError::Unknown {
                what: "task",
                given: trial.task.clone(),
                known: limits.keys().cloned().collect::<Vec<_>>().join(", "),
            })?;
            let (charges, own) = by_entry.entry(&trial.entry).or_default();
            charges.entry(trial.task.clone()).or_default().push(clock.charge(trial, limits));
            own.push(trial);
        }
        let Some((base, _)) = by_entry.get(baseline).cloned() else {
            return Err(ArenaError::Unknown {
                what: "baseline",
                given: baseline.to_owned(),
                known: by_entry.keys().copied().collect::<Vec<_>>().join(", "),
            });
        };
        let medians = |charges: &Charges| -> BTreeMap<String, f64> {
            charges.iter().map(|(task, times)| (task.clone(), median(times))).collect()
        };
        let solved = |own: &[&Trial], task: &str| {
            let runs = own.iter().filter(|t| t.task == task);
            let reached = runs.clone().filter(|t| t.outcome == Outcome::Reached).count();
            2 * reached > runs.count()
        };
        let mut best: BTreeMap<&String, f64> = BTreeMap::new();
        for (charges, own) in by_entry.values() {
            for (task, times) in charges.iter().filter(|(task, _)| solved(own, task)) {
                let least = best.entry(task).or_insert(f64::INFINITY);
                *least = least.min(median(times));
            }
        }
        let base_times = medians(&base);
        let mut entries: Vec<Score> = by_entry
            .iter()
            .map(|(entry, (charges, own))| {
                let times = medians(charges);
                let speedups: BTreeMap<String, f64> =
                    base_times.iter().map(|(task, b)| (task.clone(), speedup(*b, times.get(task)))).collect();
                let ratio =
                    |task: &String| solved(own, task).then(|| Some(times.get(task)? / best.get(task)?)).flatten();
                Score {
                    entry: (*entry).to_owned(),
                    solved: base_times.keys().filter(|task| solved(own, task)).count(),
                    failed_runs: own.iter().filter(|t| t.outcome != Outcome::Reached).count(),
                    score: harmonic_mean(&speedups.values().copied().collect::<Vec<_>>()),
                    interval: interval(charges, &base, *entry == baseline),
                    ratios: base_times.keys().map(|task| (task.clone(), ratio(task))).collect(),
                    speedups,
                    times,
                }
            })
            .collect();
        entries.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.entry.cmp(&b.entry)));
        let repeats = base.values().map(Vec::len).min().unwrap_or(0);
        Ok(Self { clock, baseline: baseline.to_owned(), tasks: base_times.len(), repeats, entries })
    }

    /// The score of an entry.
    pub fn of(&self, entry: &str) -> Option<&Score> {
        self.entries.iter().find(|s| s.entry == entry)
    }
}

/// A task that an entry never ran counts as infinitely slow.
fn speedup(base: f64, time: Option<&f64>) -> f64 {
    time.map_or(0.0, |t| base / t)
}

/// 95 % of the scores of resampled repeats, of the entry and of the baseline.
fn interval(charges: &Charges, base: &Charges, same: bool) -> (f64, f64) {
    let mut stream = Streams::new(0).named("arena.bootstrap");
    let mut scores: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut resampled = |times: &[f64]| {
                let drawn: Vec<f64> = times.iter().map(|_| times[stream.gen_range(0..times.len())]).collect();
                median(&drawn)
            };
            let speedups: Vec<f64> = base
                .iter()
                .map(|(task, b)| {
                    let b = resampled(b);
                    // the baseline against itself is 1, whatever is drawn
                    if same { 1.0 } else { speedup(b, charges.get(task).map(|t| resampled(t)).as_ref()) }
                })
                .collect();
            harmonic_mean(&speedups)
        })
        .collect();
    scores.sort_by(f64::total_cmp);
    let at = |share: f64| scores[((RESAMPLES - 1) as f64 * share).round() as usize];
    (at(0.025), at(0.975))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(task: &str, entry: &str, seed: u64, work: Option<f64>) -> Trial {
        Trial {
            v: 1,
            task: task.into(),
            entry: entry.into(),
            seed,
            outcome: if work.is_some() { Outcome::Reached } else { Outcome::Limit },
            seconds: 1.0,
            work: work.unwrap_or(1000.0),
            probes: 1,
            loss: Some(0.1),
            holdout_loss: Some(0.1),
            note: None,
        }
    }

    fn limits() -> BTreeMap<String, Limits> {
        let limit = Limits { work: 1000.0, seconds: 10.0, memory: 1 };
        ["a", "b", "c"].map(|t| (t.to_owned(), limit)).into()
    }

    fn scored(fast: [Option<f64>; 3]) -> Scores {
        let mut trials = Vec::new();
        for (task, work) in ["a", "b", "c"].into_iter().zip(fast) {
            for seed in 0..3 {
                trials.push(trial(task, "adam", seed, Some(100.0)));
                trials.push(trial(task, "fast", seed, work));
            }
        }
        Scores::new(&trials, &limits(), "adam", Clock::Work).unwrap()
    }

    #[test]
    fn the_harmonic_mean_of_1_2_4() {
        let scores = scored([Some(100.0), Some(50.0), Some(25.0)]);
        let fast = scores.of("fast").unwrap();
        assert!((fast.score - 12.0 / 7.0).abs() < 1e-12);
        assert_eq!((fast.solved, fast.failed_runs, scores.entries[0].entry.as_str()), (3, 0, "fast"));
        assert_eq!(fast.interval, (fast.score, fast.score), "equal repeats leave no doubt");
        let adam = scores.of("adam").unwrap();
        assert_eq!((adam.score, adam.interval), (1.0, (1.0, 1.0)));
        assert_eq!(adam.ratios["c"], Some(4.0));
    }

    #[test]
    fn a_failure_is_charged_twice_the_limit() {
        // speed-ups 1, 2 and 100 / 2000
        let scores = scored([Some(100.0), Some(50.0), None]);
        let fast = scores.of("fast").unwrap();
        assert!((fast.score - 3.0 / (1.0 + 0.5 + 20.0)).abs() < 1e-12);
        assert_eq!((fast.solved, fast.failed_runs), (2, 3));
        assert_eq!((fast.ratios["c"], scores.of("adam").unwrap().ratios["c"]), (None, Some(1.0)));
        assert_eq!(scores.entries[0].entry, "adam");
    }

    #[test]
    fn repeats_that_differ_give_an_interval_around_the_score() {
        let mut trials = Vec::new();
        for seed in 0..5 {
            trials.push(trial("a", "adam", seed, Some(100.0)));
            trials.push(trial("a", "x", seed, Some(40.0 + 5.0 * seed as f64)));
        }
        let scores = Scores::new(&trials, &limits(), "adam", Clock::Work).unwrap();
        let x = scores.of("x").unwrap();
        assert_eq!(x.score, 2.0);
        assert!(x.interval.0 < 2.0 && 2.0 < x.interval.1 && x.interval.0 >= 100.0 / 60.0 && x.interval.1 <= 2.5);
        assert!(Scores::new(&trials, &limits(), "y", Clock::Work).is_err());
    }

    #[test]
    fn the_wall_clock_counts_seconds() {
        let scores = Scores::new(&[trial("a", "adam", 0, None)], &limits(), "adam", Clock::Wall).unwrap();
        assert_eq!(scores.of("adam").unwrap().times["a"], 20.0);
    }
}
