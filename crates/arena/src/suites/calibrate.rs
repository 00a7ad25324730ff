use super::Assignment;
use crate::{ArenaError, Entries, Limits, Referee, Seen, play};
use rayon::prelude::*;

/// Seeds that a target is calibrated on.
pub const CALIBRATION_SEEDS: u64 = 5;

/// Share of the budget after which the baseline's best loss becomes the target.
const SHARE: f64 = 0.6;

/// How a target came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The target: the median over the seeds of the baseline's best loss at 60 % of its budget, rounded up to 0.001.
    pub target: f64,
    /// Work after which each seed got below it.
    pub reached: Vec<f64>,
}

/// Sets the target of a task by the baseline.
///
/// # Errors
/// [`ArenaError::Unreliable`] when the baseline misses the target within its budget with any seed.
pub fn calibrate(task: &Assignment, entries: &Entries, baseline: &str) -> Result<Calibration, ArenaError> {
    let limits = Limits { work: task.budget, seconds: f64::INFINITY, ..task.limits };
    let curves: Vec<Vec<Seen>> = (0..CALIBRATION_SEEDS)
        .into_par_iter()
        .map(|seed| {
            let mut problem = task.problem()?;
            // seeds that no ranked run uses
            let seed = u64::MAX - seed;
            let referee = Referee::new(&task.name, &mut *problem, f64::NEG_INFINITY, limits, seed);
            Ok(play(&mut *entries.make(baseline)?, referee).curve)
        })
        .collect::<Result<_, ArenaError>>()?;
    target_of(&task.name, &curves, task.budget)
}

fn target_of(task: &str, curves: &[Vec<Seen>], budget: f64) -> Result<Calibration, ArenaError> {
    let best = |curve: &Vec<Seen>| {
        let early = curve.iter().filter(|s| s.work <= SHARE * budget).map(|s| s.loss).filter(|l| l.is_finite());
        early.fold(f64::INFINITY, f64::min)
    };
    let mut all: Vec<f64> = curves.iter().map(best).collect();
    all.sort_by(f64::total_cmp);
    let target = (all[all.len() / 2] * 1000.0).ceil() / 1000.0;
    let first = |curve: &Vec<Seen>| curve.iter().find(|s| s.loss < target).map(|s| s.work);
    let reached: Vec<f64> = curves.iter().filter_map(first).collect();
    if reached.len() < curves.len() || !target.is_finite() {
        let missed = curves.len() - reached.len();
        return Err(ArenaError::Unreliable { task: task.to_owned(), target, missed, of: curves.len() });
    }
    Ok(Calibration { target, reached })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_early_best_that_all_reach_later() {
        let curve = |losses: [f64; 5]| -> Vec<Seen> {
            let seen = |(i, loss)| Seen { work: 20.0 * (i as f64 + 1.0), seconds: 0.0, loss };
            losses.into_iter().enumerate().map(seen).collect()
        };
        // of budget 100 the first three points count
        let curves =
            [curve([3.0, 2.0, 1.0, 0.5, 0.4]), curve([3.0, 1.5, 1.6, 1.2, 1.0]), curve([3.0, 2.5, 2.0, 1.6, 1.49])];
        let calibration = target_of("t", &curves, 100.0).unwrap();
        assert_eq!(calibration, Calibration { target: 1.5, reached: vec![60.0, 80.0, 100.0] });
        let mut curves = curves;
        curves[2][4].loss = 1.5;
        assert!(matches!(target_of("t", &curves, 100.0), Err(ArenaError::Unreliable { missed: 1, of: 3, .. })));
    }
}
