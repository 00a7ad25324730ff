//! The contract of clusterers.

use super::in_worlds;
use hybridrepair_core::{Embeddings, Streams};
use hybridrepair_regions::{Clusterer, Clustering, RegionError};
use ndarray::Array2;
use rayon::ThreadPoolBuilder;

/// All clauses, in many small worlds: regions of the whole pool, the same for the same stream on 1 and on 8 threads, a
/// typed error or valid regions for hostile rows, never a panic. Parameters may not fit a world: then it is an error
/// both times.
pub fn keeps_the_contract(clusterer: &dyn Clusterer) {
    in_worlds(clusterer.name(), 48, |world, _| {
        let Some(x) = &world.evidence.embeddings else { return };
        let on = |threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(clusterer, x))
        };
        match (on(1), on(8)) {
            (Ok(one), Ok(eight)) => {
                assert_eq!(one, eight, "threads");
                valid(&one, x.len());
            }
            (Err(_), Err(_)) => {}
            (one, eight) => panic!("{:?} on 1 thread, {:?} on 8", one.is_ok(), eight.is_ok()),
        }
    });
    for x in hostile() {
        if let Ok(clustering) = run(clusterer, &x) {
            valid(&clustering, x.len());
        }
    }
}

fn run(clusterer: &dyn Clusterer, x: &Embeddings) -> Result<Clustering, RegionError> {
    clusterer.cluster(x, &mut Streams::new(11).named("contract"))
}

/// [`Regions`](hybridrepair_core::Regions) cannot overlap or be empty; what is left to check is that they speak of
/// this pool.
fn valid(clustering: &Clustering, n: usize) {
    let regions = &clustering.regions;
    assert_eq!(regions.pool_len(), n);
    let members: usize = regions.iter().map(|(_, region)| region.members.len()).sum();
    assert_eq!(members + regions.noise(), n);
    for (_, region) in regions.iter() {
        assert!(region.members.is_sorted(), "members stand in row order");
    }
}

fn hostile() -> Vec<Embeddings> {
    let rows = |n: usize, value: fn(usize, usize) -> f32| {
        Embeddings::new(Array2::from_shape_fn((n, 3), |(i, j)| value(i, j))).unwrap()
    };
    let mut out = Vec::new();
    for n in [1, 2, 40] {
        out.push(rows(n, |_, _| 0.0));
        out.push(rows(n, |i, _| if i % 2 == 0 { 1.0 } else { -1.0 }));
        out.push(rows(n, |i, j| if (i + j) % 2 == 0 { f32::MAX } else { f32::MIN }));
        out.push(rows(n, |i, j| f32::MIN_POSITIVE * (i * j) as f32));
        out.push(rows(n, |i, j| if i == 0 { 1e30 } else { (i * j) as f32 }));
    }
    out
}
