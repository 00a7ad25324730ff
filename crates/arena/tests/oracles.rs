//! What an entry may rely on, and what it cannot get round.
#![allow(missing_docs, clippy::unwrap_used)]

use hybridrepair_arena::{
    Assignment, Design, Entries, Entry, Examples, Family, Limits, Norm, Outcome, ParamLayout, Params, Part, Problem,
    Quadratic, Referee, Sizes, Stop, Task, calibrate, entry, play,
};
use hybridrepair_core::{Stream, Streams};
use std::sync::Arc;

const LIMITS: Limits = Limits { work: 10_000.0, seconds: 60.0, memory: u64::MAX };

fn referee(problem: &mut dyn Problem, target: f64) -> Referee<'_> {
    Referee::new("test", problem, target, LIMITS, 3)
}

/// An entry of a closure.
struct Does<F>(F);

impl<F: FnMut(&mut dyn Task) -> Result<(), Stop>> Entry for Does<F> {
    fn name(&self) -> &'static str {
        "does"
    }

    fn run(&mut self, task: &mut dyn Task, _: &mut Stream) -> Result<(), Stop> {
        (self.0)(task)
    }
}

fn cnn() -> Box<dyn Problem> {
    Assignment::designed("cnn", &Design::sample(Family::SignsCnn), 0.1).unwrap().problem().unwrap()
}

#[test]
fn time_to_target_of_a_quadratic_is_the_hand_number() {
    // x <- 0.9 x from 1: loss x^2 / 2 is below 0.05 after 11 steps (0.9^22 / 2 = 0.0492).
    // 64 examples in 4 batches of 16 and a probe of 64 / 3 after each pass: the third pass ends with step 12
    let mut bowl = Quadratic::new(&[1.0], 64);
    let verdict = play(&mut *entry("sgd").unwrap(), referee(&mut bowl, 0.05));
    assert_eq!((verdict.outcome, verdict.probes), (Outcome::Reached, 3));
    assert_eq!(verdict.work, 12.0 * 16.0 + 64.0);
    let loss = 0.5 * 0.9f64.powi(24);
    assert!((verdict.loss - loss).abs() < 1e-6 && verdict.holdout_loss == verdict.loss);
    assert_eq!(verdict.curve.len(), 3);
}

#[test]
fn a_target_out_of_reach_ends_at_the_limit() {
    let mut bowl = Quadratic::new(&[1.0], 64);
    let verdict = play(&mut *entry("sgd").unwrap(), referee(&mut bowl, -1.0));
    assert_eq!(verdict.outcome, Outcome::Limit);
    assert!(verdict.work <= LIMITS.work && verdict.work > LIMITS.work - 64.0, "{}", verdict.work);
}

#[test]
fn a_diverging_run_is_ended_as_such() {
    // curvature 30 at rate 0.1: x <- -2 x
    let mut bowl = Quadratic::new(&[30.0], 64);
    let limits = Limits { work: 1e9, ..LIMITS };
    let verdict = play(&mut *entry("sgd").unwrap(), Referee::new("steep", &mut bowl, 1e-3, limits, 0));
    assert_eq!(verdict.outcome, Outcome::Diverged);
    assert!(verdict.loss.is_nan());
}

#[test]
fn who_ignores_stop_gets_no_further_answer() {
    let mut bowl = Quadratic::new(&[1.0], 64);
    let mut answers = 0;
    let mut stubborn = Does(|task: &mut dyn Task| {
        let mut params = task.params();
        for _ in 0..2000 {
            let Ok(id) = task.batch(16) else { continue };
            if let Ok((_, grad)) = task.grad(id) {
                answers += 1;
                params.add_scaled(-1e-6, &grad);
            }
            let _ = task.set_params(&params);
            let _ = task.probe();
        }
        Ok(())
    });
    let verdict = play(&mut stubborn, referee(&mut bowl, -1.0));
    assert_eq!(verdict.outcome, Outcome::Limit);
    assert!(verdict.work <= LIMITS.work && verdict.late_questions > 1000);
    assert_eq!(answers, (LIMITS.work / (16.0 + 64.0 / 3.0)) as usize + 1);
}

#[test]
fn who_returns_has_failed_and_who_went_on_after_success_has_not() {
    let mut bowl = Quadratic::new(&[1.0], 64);
    let verdict = play(&mut Does(|_: &mut dyn Task| Ok(())), referee(&mut bowl, 0.05));
    assert_eq!(verdict.outcome, Outcome::Returned);
    let mut late = Does(|task: &mut dyn Task| {
        task.set_params(&task.params().zeros())?;
        assert_eq!(task.probe(), Err(Stop::Reached));
        let id = task.batch(4);
        assert_eq!(id, Err(Stop::Reached));
        Ok(())
    });
    let verdict = play(&mut late, referee(&mut bowl, 0.05));
    assert_eq!((verdict.outcome, verdict.late_questions), (Outcome::Reached, 1));
}

#[test]
fn gradients_returned_earlier_do_not_change() {
    let mut problem = cnn();
    let mut task = referee(&mut *problem, 0.0);
    let id = task.batch(16).unwrap();
    let (_, first) = task.grad(id).unwrap();
    let kept = first.clone();
    let mut params = task.params();
    params.add_scaled(-0.1, &first);
    task.set_params(&params).unwrap();
    let (_, second) = task.grad(id).unwrap();
    assert_eq!(first, kept);
    assert_ne!(first, second);
}

#[test]
fn one_id_is_one_batch_for_ever() {
    let mut problem = cnn();
    let mut task = referee(&mut *problem, 0.0);
    let id = task.batch(32).unwrap();
    let loss = task.loss(id, Norm::Batch).unwrap();
    let (other, grad) = task.grad(id).unwrap();
    assert_eq!(loss, other, "both oracles see the same");
    // two passes later
    let mut last = id;
    while last.epoch < 2 {
        last = task.batch(500).unwrap();
    }
    assert_eq!(task.grad(id).unwrap(), (loss, grad));
    assert_ne!(task.loss(last, Norm::Batch).unwrap(), loss);
}

#[test]
fn a_loss_changes_nothing() {
    let mut problem = cnn();
    let mut task = referee(&mut *problem, -1.0);
    let id = task.batch(64).unwrap();
    task.grad(id).unwrap();
    let (params, seen) = (task.params(), task.probe().unwrap());
    for norm in [Norm::Batch, Norm::Running, Norm::Batch] {
        task.loss(id, norm).unwrap();
    }
    assert_eq!(task.params(), params);
    assert_eq!(task.probe().unwrap().to_bits(), seen.to_bits(), "statistics included");
    task.grad(id).unwrap();
    assert_ne!(task.probe().unwrap(), seen, "a gradient moves the statistics");
}

#[test]
fn a_probe_judges_the_given_parameters_in_evaluation_mode() {
    let mut problem = cnn();
    let mut task = referee(&mut *problem, -1.0);
    let before = task.probe().unwrap();
    let mut params = task.params();
    // no bias of the last layer may matter to a model that ignores what it is given
    params.values_mut().iter_mut().for_each(|p| *p = 0.0);
    task.set_params(&params).unwrap();
    let uniform = task.probe().unwrap();
    assert!((uniform - 16f64.ln()).abs() < 1e-6, "all classes alike: {uniform}");
    assert_ne!(before, uniform);
    assert_eq!(task.probe().unwrap(), uniform, "no dropout, no statistics of the batch");
}

#[test]
fn work_is_counted_in_thirds() {
    let mut bowl = Quadratic::new(&[1.0], 60);
    let mut ask = Does(|task: &mut dyn Task| {
        let id = task.batch(10)?;
        task.loss(id, Norm::Batch)?;
        task.grad(id)?;
        task.probe()?;
        Ok(())
    });
    let verdict = play(&mut ask, referee(&mut bowl, -1.0));
    assert_eq!(verdict.work, (10.0 + 30.0 + 60.0) / 3.0);
}

#[test]
fn questions_without_an_answer_end_the_run() {
    for question in [
        |task: &mut dyn Task| {
            let mut id = task.batch(4)?;
            id.epoch += 1;
            task.grad(id).map(|_| ())
        },
        |task: &mut dyn Task| {
            let mut id = task.batch(4)?;
            id.start = usize::MAX;
            task.loss(id, Norm::Batch).map(|_| ())
        },
        |task: &mut dyn Task| {
            let layout = ParamLayout::new([("y".to_owned(), vec![7])]);
            task.set_params(&Params::new(Arc::new(layout), vec![0.0; 7]))
        },
    ] {
        let mut bowl = Quadratic::new(&[1.0], 64);
        let verdict = play(&mut Does(question), referee(&mut bowl, -1.0));
        assert_eq!(verdict.outcome, Outcome::Invalid);
    }
}

#[test]
fn passes_cover_the_data_in_the_order_asked_for() {
    /// A problem that remembers which rows it was asked for.
    struct Rows(Vec<usize>, Arc<ParamLayout>);
    impl Problem for Rows {
        fn layout(&self) -> &Arc<ParamLayout> {
            &self.1
        }
        fn sizes(&self) -> Sizes {
            Sizes { examples: 10, target: 1, batch: 4 }
        }
        fn begin(&mut self, _: Streams) -> Vec<f32> {
            vec![0.0]
        }
        fn loss(&self, _: &[f32], _: Examples<'_>, _: Norm) -> f64 {
            1.0
        }
        fn grad(&mut self, _: &[f32], examples: Examples<'_>) -> (f64, Vec<f32>) {
            self.0.extend_from_slice(examples.rows);
            (1.0, vec![0.0])
        }
        fn judge(&self, _: &[f32], _: Part) -> f64 {
            1.0
        }
    }
    let mut rows = Rows(Vec::new(), Arc::new(ParamLayout::new([("x".to_owned(), vec![1])])));
    let mut task = referee(&mut rows, 0.0);
    task.epoch(false).unwrap();
    for _ in 0..2 {
        let id = task.batch(5).unwrap();
        assert_eq!(id.epoch, 0);
        task.grad(id).unwrap();
    }
    // four of ten left twice: the last two are dropped
    for epoch in [1, 1, 2] {
        let id = task.batch(4).unwrap();
        assert_eq!(id.epoch, epoch);
        task.grad(id).unwrap();
    }
    drop(task);
    assert_eq!(rows.0[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let pass: std::collections::BTreeSet<_> = rows.0[10..18].iter().collect();
    assert_eq!(pass.len(), 8, "shuffled without repeats");
    assert_ne!(rows.0[10..18], [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn the_same_seed_costs_the_same_work_and_another_does_not() {
    let task = Assignment::designed("blob", &Design::sample(Family::Blob), 0.45).unwrap();
    for name in Entries::built_in().list().map(|(name, _)| name) {
        let run = |seed| {
            let mut problem = task.problem().unwrap();
            let limits = Limits { work: 20_000.0, ..task.limits };
            let referee = Referee::new(&task.name, &mut *problem, f64::NEG_INFINITY, limits, seed);
            let verdict = play(&mut *entry(name).unwrap(), referee);
            (verdict.work, verdict.probes, verdict.loss.to_bits())
        };
        assert_eq!(run(1), run(1), "{name}");
        assert_ne!(run(1).2, run(2).2, "{name}");
    }
}

#[test]
fn calibration_refuses_what_the_baseline_does_not_reach() {
    let mut task = Assignment::designed("blob", &Design::sample(Family::Blob), 0.45).unwrap();
    let found = calibrate(&task, &Entries::built_in(), "adam").unwrap();
    assert!((0.3..0.6).contains(&found.target) && found.reached.len() == 5, "{found:?}");
    // a budget of less than a pass: no probe, no target
    task.budget = 100.0;
    assert!(calibrate(&task, &Entries::built_in(), "adam").is_err());
}
