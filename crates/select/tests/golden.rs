//! The picks agree with an independent numpy computation (`make_golden.py`): exactly for deterministic strategies, in
//! distribution for BADGE.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Streams, Views};
use hybridrepair_select::strategy;
use ndarray::{Array2, Axis, concatenate};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Picks by budget.
type Picks = BTreeMap<String, Vec<usize>>;

#[derive(Deserialize)]
struct Golden {
    logits: Vec<Vec<f32>>,
    features: Vec<Vec<f32>>,
    gini: Picks,
    entropy: Picks,
    margin: Picks,
    mcp: Picks,
    coreset: Picks,
    /// Logits of nine views: views x samples x classes.
    views: Vec<Vec<Vec<f32>>>,
    consistency: Picks,
    badge: BadgeCase,
}

#[derive(Deserialize)]
struct BadgeCase {
    rows: Vec<usize>,
    norms: Vec<f64>,
    triples: Vec<Triple>,
}

#[derive(Deserialize)]
struct Triple {
    picks: Vec<usize>,
    probability: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

fn array(rows: &[Vec<f32>]) -> Array2<f32> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn evidence(logits: &Array2<f32>, features: Array2<f32>) -> Evidence {
    Evidence {
        probs: Some(Probs::from_logits(logits).unwrap()),
        features: Some(Embeddings::new(features).unwrap()),
        ..Evidence::default()
    }
}

#[test]
fn deterministic_strategies_pick_what_numpy_picks() {
    let golden = golden();
    let evidence = evidence(&array(&golden.logits), array(&golden.features));
    let pool = Pool::counted(golden.logits.len());
    let all = [
        ("gini", &golden.gini),
        ("entropy", &golden.entropy),
        ("margin", &golden.margin),
        ("mcp", &golden.mcp),
        ("coreset", &golden.coreset),
    ];
    for (name, by_budget) in all {
        agree(name, &pool, &evidence, by_budget);
    }
}

#[test]
fn the_variance_over_views_picks_what_numpy_picks() {
    let golden = golden();
    let probs: Vec<_> = golden.views.iter().map(|v| Probs::from_logits(&array(v)).unwrap()).collect();
    let probs: Vec<_> = probs.iter().map(|p| p.view().insert_axis(Axis(0))).collect();
    let views = Views::from_probs(&concatenate(Axis(0), &probs).unwrap()).unwrap();
    let pool = Pool::counted(views.variance.len());
    let evidence = Evidence { views: Some(views), ..Evidence::default() };
    agree("consistency", &pool, &evidence, &golden.consistency);
}

fn agree(name: &str, pool: &Pool, evidence: &Evidence, by_budget: &Picks) {
    assert_eq!(by_budget.len(), 5);
    for (budget, want) in by_budget {
        let rng = &mut Streams::new(0).named("golden");
        let picked = strategy(name).unwrap().select(pool, evidence, budget.parse().unwrap(), rng).unwrap();
        let got: Vec<usize> = picked.rows().iter().map(|idx| idx.row()).collect();
        assert_eq!(&got, want, "{name}, budget {budget}");
    }
}

#[test]
fn badge_draws_triples_as_often_as_numpy_says() {
    const RUNS: u32 = 40_000;
    let golden = golden();
    let rows = &golden.badge.rows;
    let evidence =
        evidence(&array(&golden.logits).select(Axis(0), rows), array(&golden.features).select(Axis(0), rows));
    let (pool, badge) = (Pool::counted(rows.len()), strategy("badge").unwrap());
    let mut seen: BTreeMap<Vec<usize>, u32> = BTreeMap::new();
    for run in 0..RUNS {
        let rng = &mut Streams::new(1).at("golden", 0, u64::from(run));
        let picked = badge.select(&pool, &evidence, 3, rng).unwrap();
        let first = &picked.picks[0];
        assert!((first.score - golden.badge.norms[first.idx.row()]).abs() < 1e-5 * first.score, "largest norm");
        *seen.entry(picked.rows().iter().map(|idx| idx.row()).collect()).or_default() += 1;
    }
    let mut chi2 = 0.0;
    for triple in &golden.badge.triples {
        let want = triple.probability * f64::from(RUNS);
        let got = f64::from(seen.remove(&triple.picks).unwrap_or(0));
        chi2 += (got - want).powi(2) / want;
    }
    assert!(seen.is_empty(), "impossible: {seen:?}");
    // 20 triples, 19 degrees of freedom: 43.8 is the 99.9 % quantile
    assert!(chi2 < 43.8, "chi-square {chi2}");
}
