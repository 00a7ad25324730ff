//! Seconds of strategies on features of random clusters, or on those of files:
//!
//! `cargo run --release --example time_strategies -- n=35000 d=64 classes=10 budget=350 names=coreset,badge`
//! `cargo run --release --example time_strategies -- features=x.npy logits=z.npy rows=5000 budget=350 picks`
//!
//! `RAYON_NUM_THREADS` sets the threads. On Linux the processor time is told beside the time that passed: it says more on
//! a machine that does other things as well.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints")]

use hybridrepair_core::{Embeddings, Evidence, KnnGraph, Pool, PoolIdx, Probs, Regions, Source, Streams, Views};
use hybridrepair_kernels::{map_embeddings, map_npy};
use hybridrepair_select::{names, strategy};
use ndarray::{Array1, Array2};
use rand::Rng;
use std::{collections::BTreeMap, path::Path, time::Instant};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let given: BTreeMap<&str, &str> = words.iter().map(|word| word.split_once('=').unwrap_or((word, ""))).collect();
    let number = |key: &str, or: usize| given.get(key).map_or(or, |text| text.parse().unwrap());
    let budget = number("budget", 50);
    let chosen: Vec<&str> = given.get("names").map_or_else(|| names(), |list| list.split(',').collect());

    let mut rng = Streams::new(1).named("time");
    let (embeddings, logits) = match given.get("features") {
        Some(file) => {
            let x = map_embeddings(Path::new(file)).unwrap();
            let (z, rows, classes) = map_npy(Path::new(given["logits"])).unwrap();
            let z = Array2::from_shape_vec((rows, classes), (*z).as_ref().to_vec()).unwrap();
            match number("rows", x.len()) {
                all if all == x.len() => (x, z),
                some => {
                    let first: Vec<usize> = (0..some).collect();
                    (x.select(&first).unwrap(), z.select(ndarray::Axis(0), &first))
                }
            }
        }
        None => clusters(number("n", 2_000), number("d", 64), number("classes", 10), &mut rng),
    };
    let (n, d, classes) = (embeddings.len(), embeddings.dim(), logits.ncols());
    let evidence = evidence(embeddings, &logits);
    let pool = Pool::counted(n);
    println!("n = {n}, d = {d}, C = {classes}, B = {budget}, {} threads", rayon::current_num_threads());
    for name in chosen {
        let (start, cpu) = (Instant::now(), processor_seconds());
        let picked = strategy(name).unwrap().select(&pool, &evidence, budget, &mut Streams::new(10).named("select"));
        let (wall, cpu) = (start.elapsed().as_secs_f64(), processor_seconds() - cpu);
        match picked {
            Err(error) => println!("{name:24} {error}"),
            Ok(picked) => {
                println!("{name:24} {wall:9.3} s, processor {cpu:9.3} s, {} picks", picked.len());
                if given.contains_key("picks") {
                    println!("{:?}", picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>());
                }
            }
        }
    }
}

fn clusters(n: usize, d: usize, classes: usize, rng: &mut impl Rng) -> (Embeddings, Array2<f32>) {
    let centers = Array2::from_shape_fn((50, d), |_| rng.gen_range(-1.0f32..1.0));
    let of: Vec<usize> = (0..n).map(|_| rng.gen_range(0..50usize)).collect();
    let x = Array2::from_shape_fn((n, d), |(i, j)| centers[[of[i], j]] + rng.gen_range(-1.0f32..1.0));
    let logits = Array2::from_shape_fn((n, classes), |_| rng.gen_range(-3.0f32..3.0));
    (Embeddings::new(x).unwrap(), logits)
}

/// The same rows as features and embeddings, regions of ten, the first rows as source.
fn evidence(embeddings: Embeddings, logits: &Array2<f32>) -> Evidence {
    let (n, classes) = logits.dim();
    let probs = Probs::from_logits(logits).unwrap();
    let regions = (n / 10).max(1);
    let labels: Vec<Option<u32>> = (0..n).map(|i| Some((i % regions) as u32)).collect();
    let source: Vec<usize> = (0..n.min(2000)).collect();
    let neighbors = (0..n as u32).map(|i| (i ^ 1).min(n as u32 - 1)).collect();
    Evidence {
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
        graph: Some(KnnGraph::new(n, 1, neighbors, vec![1.0; n]).unwrap()),
        ..Evidence::default()
    }
}

/// User time of this process in clock ticks of 10 ms, from Linux's table of processes; 0 elsewhere.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
