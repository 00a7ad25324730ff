//! Faults planted in a small trained layer: found, and mended, on the samples that were searched on and on others.
#![allow(missing_docs, clippy::unwrap_used)]

use hybridrepair_core::{ClassId, Streams, metrics::accuracy};
use hybridrepair_patch::{
    Arachne1, Cases, Change, FineTune, Fitness, Guard, Head, Localizer, Method, Objective, Positives, Precision, Pso,
    RepairRequest, Samples, Search, fine_tune, plant, repair_head, search,
};
use ndarray::{Array1, Array2};
use rand::Rng;
use rand_distr::StandardNormal;

const CLASSES: usize = 6;
const DIM: usize = 24;

/// Blobs of positive features, as those behind a rectifier are.
fn blobs(n: usize, seed: u64) -> Samples {
    let mut centers = Streams::new(5).named("centers");
    let centers = Array2::from_shape_simple_fn((CLASSES, DIM), || centers.gen_range(0.0f32..2.0));
    let mut rng = Streams::new(seed).named("blobs");
    let labels = (0..n).map(|i| ClassId::from(i % CLASSES)).collect::<Vec<_>>();
    let features = Array2::from_shape_fn((n, DIM), |(i, d)| {
        (centers[[i % CLASSES, d]] + 0.9 * rng.sample::<f32, _>(StandardNormal)).max(0.0)
    });
    Samples::new(features, labels, CLASSES).unwrap()
}

/// A layer trained on blobs.
fn trained() -> Head {
    let head = Head::new(Array2::zeros((CLASSES, DIM)), Array1::zeros(CLASSES), "fc").unwrap();
    let samples = blobs(600, 1);
    let cases = Cases { negatives: (0..300).collect(), positives: (300..600).collect() };
    let settings = FineTune { steps: 150, lr: 0.02, ..FineTune::default() };
    head.patched(&fine_tune(&head, &samples, &cases, &settings).unwrap()).unwrap()
}

fn right(head: &Head, samples: &Samples) -> f64 {
    accuracy(&head.predict(samples.features.view()).unwrap(), &samples.labels)
}

/// As many right answers as there can be, whichever they are.
fn objective() -> Objective {
    Objective { fitness: Fitness::Soft { alpha: 1.0 }, guard: Guard::default() }
}

#[test]
fn a_planted_fault_is_on_the_front_and_mended() {
    let (head, repair, test) = (trained(), blobs(900, 2), blobs(900, 3));
    assert!(right(&head, &test) > 0.8);
    // large enough that a twentieth of the loss is more than one or two of the 900 samples
    let faults = plant(&head, &repair, 0.15, 6, &mut Streams::new(7).named("plant")).unwrap();
    for (seed, fault) in faults.iter().enumerate() {
        let change = Change { weight: fault.weight.clone(), old: fault.was, new: fault.is };
        let broken = head.patched(&[change]).unwrap();
        let method = Method::Search {
            localizer: Box::new(Arachne1::default()),
            search: Box::new(Pso { iterations: 100, ..Pso::default() }),
        };
        let found = repair_head(&RepairRequest {
            head: &broken,
            precision: Precision::F32,
            samples: &repair,
            class: None,
            as_class: None,
            method: &method,
            positives: Positives::All,
            objective: objective(),
            protected: &[],
            refine: true,
            seed: seed as u64,
        })
        .unwrap();
        assert!(found.localized.iter().any(|l| l.weight == fault.weight), "{fault:?} is not on the front");
        let mended = broken.patched(&found.changes).unwrap();
        for samples in [&repair, &test] {
            let (was, low, now) = (right(&head, samples), right(&broken, samples), right(&mended, samples));
            assert!(now - low >= 0.95 * (was - low), "{fault:?}: {was} {low} {now}");
        }
    }
}

#[test]
fn no_search_gets_worse_than_the_model_as_it_is_or_beyond_its_limits() {
    let (head, samples) = (trained(), blobs(240, 4));
    for name in ["pso", "de"] {
        for seed in 0..100 {
            let method = Method::Search {
                localizer: Box::new(Arachne1::default()),
                search: search(name, 12, 4).unwrap() as Box<dyn Search>,
            };
            let guard = Guard { max_break: Some(0.01), protect: true };
            let objective = Objective { fitness: Fitness::Balanced { lambda: 0.9 }, guard };
            let found = repair_head(&RepairRequest {
                head: &head,
                precision: Precision::F16,
                samples: &samples,
                class: Some(ClassId(seed % 6)),
                as_class: None,
                method: &method,
                positives: Positives::All,
                objective,
                protected: &[ClassId((seed + 1) % 6)],
                refine: seed % 2 == 0,
                seed: u64::from(seed),
            });
            let Ok(found) = found else { continue };
            let trace = found.trace.unwrap();
            assert!(trace.score >= found.identity && found.identity >= 0.0, "{name} {seed}");
            assert!(found.outcome.break_rate() <= 0.01 && trace.eval.broken_protected == 0, "{name} {seed}");
            assert_eq!(f64::from(trace.eval.right_neg), found.outcome.repaired as f64, "as the whole layer counts");
        }
    }
}

#[test]
fn one_and_many_threads_find_the_same() {
    let (head, samples) = (trained(), blobs(300, 6));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let localizer: Box<dyn Localizer> = Box::new(Arachne1::default());
            let method = Method::Search { localizer, search: Box::new(Pso::default()) };
            repair_head(&RepairRequest {
                head: &head,
                precision: Precision::F32,
                samples: &samples,
                class: Some(ClassId(1)),
                as_class: None,
                method: &method,
                positives: Positives::Balanced { count: 100, margin: 1.0 },
                objective: objective(),
                protected: &[],
                refine: true,
                seed: 9,
            })
            .unwrap()
            .changes
        })
    };
    assert_eq!(run(1), run(16));
}
