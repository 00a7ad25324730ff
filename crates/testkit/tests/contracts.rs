//! Clusterers and propagators keep their contracts.

use hybridrepair_propagate::WholeRegion;
use hybridrepair_regions::{Hdbscan, Hybrid, KMeans};
use hybridrepair_testkit::contract::{clusterer, propagator};

#[test]
fn kmeans_keeps_the_contract() {
    clusterer::keeps_the_contract(&KMeans::new(1));
    clusterer::keeps_the_contract(&KMeans::new(7));
}

#[test]
fn hdbscan_keeps_the_contract() {
    clusterer::keeps_the_contract(&Hdbscan::default());
}

#[test]
fn hybrid_keeps_the_contract() {
    clusterer::keeps_the_contract(&Hybrid::published(5));
    clusterer::keeps_the_contract(&Hybrid::corrected(5));
}

#[test]
fn whole_regions_keep_the_contract() {
    propagator::keeps_the_contract(&WholeRegion::PUBLISHED);
    propagator::keeps_the_contract(&WholeRegion::CORRECTED);
}

/// The worlds are worth something: what the published method buys fails more often than random samples do.
#[test]
fn hybrid_finds_the_planted_failures() {
    use hybridrepair_testkit::WorldSpec;
    let (mut hybrid, mut random) = (0.0, 0.0);
    for seed in 0..5 {
        let world = WorldSpec { n: 1500, seed, ..WorldSpec::default() }.build();
        let rate = |name: &str| {
            let rng = &mut hybridrepair_core::Streams::new(seed).named("select");
            let strategy = hybridrepair_select::strategy(name).expect("a known name");
            let picked = strategy.select(&world.pool, &world.evidence, 60, rng).expect("all evidence is there");
            world.failure_rate(&picked.rows())
        };
        hybrid += rate("hybrid") / 5.0;
        random += rate("random") / 5.0;
    }
    assert!(hybrid > 1.3 * random, "hybrid {hybrid}, random {random}");
}
