//! The rules of `house` on stored learning curves.
#![allow(missing_docs, clippy::unwrap_used)]

use hybridrepair_doctor::{Facts, Finding, House, LayerReading, Probe, Problem, Reading, Score, Thresholds, replay};

/// Curves of a training on ten classes: (loss, accuracy) on the training and on the validation set.
fn judge(train: &[(f64, f64)], val: &[f64]) -> Option<Problem> {
    first(train, val, |_| None).map(|f| f.problem)
}

/// The same with the gradient norms of the first and the last layer at an epoch.
fn first(train: &[(f64, f64)], val: &[f64], norms: impl Fn(usize) -> Option<[f64; 2]>) -> Option<Finding> {
    let facts = Facts {
        epochs: train.len(),
        interval: 3,
        classes: 10,
        chance: 0.1,
        train_samples: 1000,
        val_samples: 500,
        output: None,
    };
    let readings = train.iter().zip(val).enumerate().map(|(epoch, (&(loss, acc), &val))| Reading {
        epoch,
        train: Score { loss, acc },
        val: Score { loss: 1.0, acc: val },
        diverged: false,
        probe: norms(epoch).map(probe),
    });
    let readings = readings.collect::<Vec<_>>();
    replay(&facts, &readings, &mut House::new(Thresholds::default(), 3), true).into_iter().next()
}

fn probe(norms: [f64; 2]) -> Probe {
    let layer = |gradient| LayerReading { name: String::new(), gradient, weight: 1.0, dead: None, activation: None };
    Probe { layers: norms.map(layer).to_vec(), zeros: 0.0, finite_gradients: true, finite_weights: true, output: None }
}

/// Seed 14 of the bench: batches of four at a rate of 0.02 with momentum.
const SWINGS: [f64; 20] = [
    0.464, 0.490, 0.476, 0.470, 0.638, 0.468, 0.606, 0.620, 0.600, 0.634, 0.568, 0.632, 0.688, 0.688, 0.678, 0.600,
    0.640, 0.672, 0.610, 0.658,
];
const STALLED: [(f64, f64); 20] = [
    (1.655, 0.395),
    (1.353, 0.515),
    (1.296, 0.522),
    (1.162, 0.579),
    (1.097, 0.602),
    (1.138, 0.586),
    (1.149, 0.563),
    (0.933, 0.650),
    (0.939, 0.640),
    (0.967, 0.620),
    (0.931, 0.654),
    (0.892, 0.648),
    (0.843, 0.680),
    (0.833, 0.663),
    (0.961, 0.641),
    (0.942, 0.648),
    (0.857, 0.682),
    (0.899, 0.657),
    (0.888, 0.675),
    (0.937, 0.621),
];

#[test]
fn swings_in_validation_are_an_oscillation_where_training_has_stalled() {
    assert_eq!(judge(&STALLED, &SWINGS), Some(Problem::Oscillation));
    // the same swings while the loss goes down: the samples are being fitted
    let fitting: Vec<_> = (0..20).map(|e| (1.6 * 0.9f64.powi(e), 1.0 - 0.6 * 0.9f64.powi(e))).collect();
    assert_eq!(judge(&fitting, &SWINGS), None);
    // or have been
    let fitted: Vec<_> = (0..20).map(|e| (0.05, 0.95 + 0.001 * f64::from(e % 3))).collect();
    assert_eq!(judge(&fitted, &SWINGS), None);
    // and a stalled training that does not swing has reached what its data give
    assert_eq!(judge(&[(0.9, 0.65); 20], &[0.66; 20]), None);
}

#[test]
fn a_loss_that_goes_up_and_down_is_an_oscillation_where_training_has_stalled() {
    // seed 109: Adam at 0.05, batches of four; accuracy swings less than its noise
    let loss = [
        2.836, 2.573, 2.500, 2.308, 2.144, 1.978, 1.973, 1.909, 2.222, 2.095, 2.010, 2.150, 2.113, 2.281, 2.232, 2.022,
        1.944, 2.195, 2.032, 1.951,
    ];
    let up_and_down = loss.map(|l| (l, 0.45));
    assert_eq!(judge(&up_and_down, &[0.45; 20]), Some(Problem::Oscillation));
    // further on
    assert_eq!(judge(&loss.map(|l| (0.2 * l, 0.75)), &[0.75; 20]), None);
    // large rises count at any place: seed 418, batches of four
    assert_eq!(judge(&loss.map(|l| (l, 0.75)), &[0.75; 20]), Some(Problem::Oscillation));
    // half as far
    let less = loss.map(|l| (2.1 + 0.4 * (l - 2.1), 0.45));
    let less = less.map(|(l, _)| (l, 0.75));
    assert_eq!(judge(&less[10..].repeat(2), &[0.75; 20]), None);
}

#[test]
fn a_training_that_ends_on_a_plateau_far_from_its_samples_is_told() {
    // a plateau near the samples is what the data give
    let plateau = |acc: f64| judge(&[(0.9, acc); 40], &[acc; 40]);
    assert_eq!((plateau(0.5), plateau(0.7)), (Some(Problem::SlowConvergence), None));
}

#[test]
fn swings_of_training_accuracy_count_where_validation_and_loss_swing_with_them() {
    // seed 231 of the bench, a model without a fault: batches of 16 at 0.03 with momentum
    let curve = [
        0.35, 0.58, 0.70, 0.73, 0.73, 0.75, 0.78, 0.76, 0.78, 0.81, 0.82, 0.81, 0.80, 0.84, 0.84, 0.86, 0.87, 0.865,
        0.886, 0.867, 0.868, 0.826, 0.803, 0.796, 0.832, 0.876, 0.882, 0.896, 0.918, 0.882,
    ];
    let train = curve.map(|acc| (1.0 - acc, acc));
    let mut val = [0.76; 30];
    assert_eq!(judge(&train, &val), None);
    val[24] = 0.66;
    // the largest rise of the loss is 0.09
    assert_eq!(judge(&train, &val), None);
    let louder = curve.map(|acc| (2.0 * (1.0 - acc), acc));
    assert_eq!(judge(&louder, &val), Some(Problem::Oscillation));
    assert_eq!(judge(&louder, &[0.76; 30]), None);
}

#[test]
fn a_loss_that_still_falls_by_a_fifth_at_the_end_is_slow() {
    let slow = |factor: f64| -> Vec<_> { (0..60).map(|e| (2.3 * factor.powi(e), 0.6)).collect() };
    let val: Vec<_> = (0..60).map(|e| 0.45 + 0.002 * f64::from(e)).collect();
    // over fifteen epochs by 26 and by 14 %
    assert_eq!(judge(&slow(0.98), &val), Some(Problem::SlowConvergence));
    assert_eq!(judge(&slow(0.99), &val), None);
}

#[test]
fn what_learned_three_quarters_and_still_falls_fast_is_slow() {
    let curve = |factor: f64, acc: f64| -> Vec<_> { (0..60).map(|e| (2.3 * factor.powi(e), acc)).collect() };
    let val: Vec<_> = (0..60).map(|e| 0.60 + 0.002 * f64::from(e)).collect();
    assert_eq!(judge(&curve(0.98, 0.75), &val), Some(Problem::SlowConvergence));
    assert_eq!(judge(&curve(0.985, 0.75), &val), None);
    assert_eq!(judge(&curve(0.98, 0.9), &val), None);
}

#[test]
fn slowness_by_itself_is_judged_late() {
    // the first plateau is left after half of the epochs, as sound networks on circle do
    let late = |left: usize| -> Vec<_> { (0..60).map(|e| if e < left { (0.69, 0.12) } else { (0.3, 0.95) }).collect() };
    let val = |left: usize| -> Vec<_> { (0..60).map(|e| if e < left { 0.11 } else { 0.85 }).collect() };
    assert_eq!(judge(&late(30), &val(30)), None);
    let found = first(&late(60), &val(60), |_| None).unwrap();
    assert_eq!((found.problem, found.since), (Problem::SlowConvergence, 36));
    // not so with a sign beside it
    let found = first(&late(60), &val(60), |_| Some([1e-7, 1e-2])).unwrap();
    assert_eq!((found.problem, found.since), (Problem::VanishingGradient, 21));
}

#[test]
fn a_gradient_that_vanished_at_first_is_the_reason_of_a_later_plateau() {
    let curve: Vec<_> = (0..60).map(|e| if e < 15 { (1.1, 0.12) } else { (0.6, 0.7) }).collect();
    let val: Vec<_> = (0..60).map(|e| if e < 15 { 0.11 } else { 0.65 }).collect();
    let found = |epochs: usize| {
        first(&curve, &val, |e| (e % 3 == 0).then_some(if e < epochs { [1e-7, 1e-2] } else { [0.1, 0.1] }))
    };
    let problem = |epochs: usize| found(epochs).map(|f| (f.problem, f.epoch));
    assert_eq!(problem(10), Some((Problem::VanishingGradient, 59)));
    // one reading is none, and without any the plateau is what the data give
    assert_eq!((problem(1), problem(0)), (None, None));
}

#[test]
fn where_training_accuracy_is_not_measured_nothing_is_said_of_it() {
    // the fine-tuning of a repair: mixed pictures have no accuracy
    let val = [0.99; 20];
    let falling: Vec<_> = (0..20).map(|e| (1.0 * 0.9f64.powi(e), f64::NAN)).collect();
    assert_eq!((judge(&falling, &val), judge(&[(0.6, f64::NAN); 20], &val)), (None, None));
}
