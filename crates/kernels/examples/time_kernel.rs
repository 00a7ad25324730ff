//! Seconds and peak memory of one kernel on one array, as a line of JSON, for `scripts/bench-peers`:
//!
//! `cargo run --release -p hybridrepair-kernels --example time_kernel -- kmeans x=features.npy k=3500 out=found`
//! `cargo run --release -p hybridrepair-kernels --example time_kernel -- knn x=features.npy k=20 out=found`
//!
//! The seconds are those of the work itself, the peak is that of the whole process, mapped file included. With `out`, the
//! answer goes to `found.labels.npy` and `found.centers.npy`, or to `found.index.npy`. Without arguments it runs on a
//! small array of its own. `RAYON_NUM_THREADS` sets the threads.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints")]

use hybridrepair_core::{Embeddings, Streams};
use hybridrepair_kernels::{KMeansParams, kmeans, knn_graph, map_embeddings};
use ndarray::{Array1, Array2};
use ndarray_npy::write_npy;
use rand::Rng;
use std::{collections::BTreeMap, path::Path, time::Instant};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let given: BTreeMap<&str, &str> = words.iter().map(|word| word.split_once('=').unwrap_or((word, ""))).collect();
    let number = |key: &str, or: usize| given.get(key).map_or(or, |text| text.parse().unwrap());
    let mut rng = Streams::new(number("seed", 0) as u64).named("time");
    let x = match given.get("x") {
        Some(file) => map_embeddings(Path::new(file)).unwrap(),
        None => Embeddings::new(Array2::from_shape_fn((2000, 16), |_| rng.gen_range(-1.0f32..1.0))).unwrap(),
    };
    let out = given.get("out").copied();
    for work in if words.is_empty() { vec!["kmeans", "knn"] } else { vec![words[0].as_str()] } {
        // the threads start before the clock does, as those of a library that has been used before
        rayon::broadcast(|_| ());
        let (start, cpu) = (Instant::now(), processor_seconds());
        let more = match work {
            "kmeans" => {
                let found = kmeans((&x).into(), &KMeansParams::new(number("k", 200)), &mut rng).unwrap();
                let taken = (start.elapsed(), processor_seconds() - cpu);
                if let Some(out) = out {
                    let centers = Array2::from_shape_vec((found.k(), found.dim), found.centers).unwrap();
                    write_npy(format!("{out}.labels.npy"), &Array1::from(found.labels)).unwrap();
                    write_npy(format!("{out}.centers.npy"), &centers).unwrap();
                }
                (taken, format!("\"inertia\":{},\"iterations\":{}", found.inertia, found.iterations))
            }
            "knn" => {
                let k = number("k", 20);
                let graph = knn_graph((&x).into(), k).unwrap();
                let taken = (start.elapsed(), processor_seconds() - cpu);
                if let Some(out) = out {
                    let index = Array2::from_shape_fn((x.len(), k), |(i, j)| graph.neighbors(i)[j]);
                    write_npy(format!("{out}.index.npy"), &index).unwrap();
                }
                (taken, format!("\"k\":{k}"))
            }
            other => panic!("unknown work {other}: kmeans or knn"),
        };
        let ((seconds, cpu), more) = (more.0, more.1);
        println!(
            "{{\"work\":\"{work}\",\"n\":{},\"d\":{},\"threads\":{},\"seconds\":{},\"processor_seconds\":{cpu},\"peak_rss_bytes\":{},{more}}}",
            x.len(),
            x.dim(),
            rayon::current_num_threads(),
            seconds.as_secs_f64(),
            peak_bytes(),
        );
    }
}

/// The most memory that this process has had (`VmHWM`), from Linux; 0 elsewhere.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// User and system time of this process, from Linux (in ticks of 10 ms); 0 elsewhere.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
