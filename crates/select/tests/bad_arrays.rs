//! Whatever the arrays hold, every strategy gives a typed error or a right answer, and never panics.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hybridrepair_core::{
    ClassId, CoreError, Embeddings, Evidence, Pool, PoolIdx, Probs, Regions, SampleId, Source, Streams, Views,
};
use hybridrepair_select::{SelectError, names, strategy};
use ndarray::{Array1, Array2, ShapeBuilder};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Numbers at the ends of f32, zeros of both signs, and what is neither.
fn hostile() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => prop_oneof![Just(0.0f32), Just(1.0), Just(-1.0), Just(0.5)],
        2 => prop_oneof![Just(-0.0f32), Just(f32::MAX), Just(f32::MIN), Just(f32::MIN_POSITIVE), Just(1e-45), Just(1e30)],
        1 => any::<f32>().prop_map(|v| if v.is_finite() { v } else { 7.0 }),
    ]
}

#[derive(Clone, Debug)]
struct Case {
    features: Array2<f32>,
    logits: Array2<f32>,
    known: usize,
    budget: usize,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let shape = (1usize..20, 1usize..5, 1usize..4);
    shape.prop_flat_map(|(n, d, c)| {
        let numbers = prop::collection::vec(hostile(), n * d);
        let logits = prop::collection::vec(prop_oneof![Just(0.0f32), Just(-80.0), Just(1e30), -3.0f32..3.0], n * c);
        // rows repeat rows
        let repeats = prop::collection::vec(prop::option::of(0..n), n);
        let budget = prop_oneof![Just(0usize), Just(1), Just(n), Just(usize::MAX), 0..2 * n];
        let order = (any::<bool>(), 0..=n, budget, any::<u64>());
        (numbers, logits, repeats, order).prop_map(move |(numbers, logits, repeats, (fortran, known, budget, seed))| {
            let value = |(i, j): (usize, usize)| numbers[repeats[i].unwrap_or(i) * d + j];
            let features =
                if fortran { Array2::from_shape_fn((n, d).f(), value) } else { Array2::from_shape_fn((n, d), value) };
            let logits = Array2::from_shape_vec((n, c), logits).unwrap();
            Case { features, logits, known, budget, seed }
        })
    })
}

impl Case {
    fn evidence(&self) -> Evidence {
        let (n, classes) = self.logits.dim();
        let x = Embeddings::new(self.features.clone()).unwrap();
        let probs = Probs::from_logits(&self.logits).unwrap();
        let some: Vec<usize> = (0..n).step_by(2).collect();
        let source = x.select(&some).unwrap();
        let labels: Vec<Option<u32>> = (0..n).map(|i| (i % 5 != 4).then_some((i % 2) as u32)).collect();
        let centers = [PoolIdx(0), PoolIdx((n - 1) as u32)];
        let mut evidence = Evidence {
            views: Some(Views::from_moments(probs.view().to_owned(), Array1::from_elem(n, 0.1)).unwrap()),
            probs: Some(probs),
            regions: if n > 1 { Some(Regions::from_labels(&labels, &centers).unwrap()) } else { None },
            source: Some(Source {
                embeddings: Some(source.clone()),
                features: Some(source),
                labels: some.iter().map(|i| ClassId((i % classes) as u32)).collect(),
            }),
            embeddings: Some(x.clone()),
            features: Some(x),
            ..Evidence::default()
        };
        for i in 0..self.known {
            evidence.known.insert_bought(PoolIdx((i * 7 % n) as u32), ClassId((i % classes) as u32));
        }
        evidence
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_strategy_answers_rightly_or_with_a_typed_error(case in cases()) {
        let n = case.features.nrows();
        let evidence = case.evidence();
        let pool = Pool::new((0..n as u64).rev().map(SampleId).collect()).unwrap();
        let decorated = ["margin+balanced", "coreset+distinct=0.5", "badge+balanced+distinct"].map(str::to_owned);
        for name in names().into_iter().map(str::to_owned).chain(decorated) {
            let rule = strategy(&name).unwrap();
            let rng = &mut Streams::new(case.seed).named("bad");
            match rule.select(&pool, &evidence, case.budget, rng) {
                Ok(picked) => {
                    let want = case.budget.min(n - evidence.known.len());
                    prop_assert_eq!(picked.len(), want, "{}", name);
                    let rows: BTreeSet<_> = picked.rows().into_iter().collect();
                    prop_assert_eq!(rows.len(), want, "{}: a sample twice", name);
                    prop_assert!(rows.iter().all(|&idx| !evidence.known.contains(idx)), "{}: a known sample", name);
                    prop_assert!(picked.picks.iter().all(|p| p.score.is_finite()), "{}", name);
                }
                // a pool of one has no regions here; nothing else may fail
                Err(error) => prop_assert!(matches!(error, SelectError::Needs { .. }) && n == 1, "{}: {}", name, error),
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_refused_with_its_place(case in cases(), at in any::<prop::sample::Index>(), bad in 0..3usize) {
        let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][bad];
        let mut features = case.features.clone();
        let (rows, columns) = features.dim();
        let at = at.index(rows * columns);
        let (row, col) = (at / columns, at % columns);
        features[[row, col]] = bad;
        match Embeddings::new(features.clone()) {
            Err(CoreError::NotFinite { row: r, col: c, .. }) => prop_assert_eq!((r, c), (row, col)),
            other => prop_assert!(false, "{:?}", other),
        }
        let refused = matches!(Probs::from_logits(&features), Err(CoreError::NotFinite { .. }));
        prop_assert!(refused);
        // an entropy or variance that was written by hand
        let mut evidence = case.evidence();
        evidence.views.as_mut().unwrap().entropy[row] = f32::NAN;
        for name in ["unsmooth_coverage", "hybrid", "consistency", "consistency+balanced", "consistency+distinct"] {
            let picked = strategy(name).unwrap().select(&Pool::counted(rows), &evidence, 1, &mut Streams::new(0).named("bad"));
            let typed = matches!(picked, Err(SelectError::Core(_) | SelectError::Needs { .. }));
            // a class of which nothing is bought is not looked at
            prop_assert!(typed || name.ends_with("balanced"), "{}", name);
        }
    }
}
