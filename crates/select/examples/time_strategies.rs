//! Seconds of each strategy at a size: `cargo run --release --example time_strategies -- [n] [d] [classes] [budget] [names]`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints")]

use hybridrepair_core::{Embeddings, Evidence, KnnGraph, Pool, PoolIdx, Probs, Regions, Source, Streams, Views};
use hybridrepair_select::{names, strategy};
use ndarray::{Array1, Array2};
use rand::Rng;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, or: usize| arguments.get(i).and_then(|a| a.parse().ok()).unwrap_or(or);
    let (n, d, classes, budget) = (number(0, 2_000), number(1, 64), number(2, 10), number(3, 50));
    let chosen: Vec<&str> = arguments.get(4).map_or_else(|| names(), |list| list.split(',').collect());

    let mut rng = Streams::new(1).named("time");
    let centers = Array2::from_shape_fn((50, d), |_| rng.gen_range(-1.0f32..1.0));
    let mut blob = |_| rng.gen_range(0..50usize);
    let of: Vec<usize> = (0..n).map(&mut blob).collect();
    let x = Array2::from_shape_fn((n, d), |(i, j)| centers[[of[i], j]] + rng.gen_range(-1.0f32..1.0));
    let logits = Array2::from_shape_fn((n, classes), |_| rng.gen_range(-3.0f32..3.0));
    let probs = Probs::from_logits(&logits).unwrap();
    let regions = n / 10;
    let labels: Vec<Option<u32>> = (0..n).map(|i| Some((i % regions) as u32)).collect();
    let embeddings = Embeddings::new(x).unwrap();
    let source: Vec<usize> = (0..n.min(2000)).collect();
    let evidence = Evidence {
        views: Some(Views::from_moments(probs.view().to_owned(), Array1::from_elem(n, 0.1)).unwrap()),
        probs: Some(probs),
        source: Some(Source {
            embeddings: Some(embeddings.select(&source).unwrap()),
            features: Some(embeddings.select(&source).unwrap()),
            labels: source.iter().map(|i| (i % classes).into()).collect(),
        }),
        features: Some(embeddings.clone()),
        embeddings: Some(embeddings),
        regions: Some(Regions::from_labels(&labels, &(0..regions).map(PoolIdx::from).collect::<Vec<_>>()).unwrap()),
        graph: Some(
            KnnGraph::new(n, 1, (0..n as u32).map(|i| i ^ 1).map(|i| i.min(n as u32 - 1)).collect(), vec![1.0; n])
                .unwrap(),
        ),
        ..Evidence::default()
    };
    let pool = Pool::counted(n);
    println!("n = {n}, d = {d}, C = {classes}, B = {budget}, {} threads", rayon::current_num_threads());
    for name in chosen {
        let start = Instant::now();
        let picked = strategy(name).unwrap().select(&pool, &evidence, budget, &mut Streams::new(10).named("select"));
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{name:16} {seconds:8.3} s  {}",
            picked.map_or_else(|e| e.to_string(), |p| format!("{} picks", p.len()))
        );
    }
}
