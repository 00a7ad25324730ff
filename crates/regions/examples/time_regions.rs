//! Seconds and peak memory of one clusterer on one array, as a line of JSON, for `scripts/bench-peers`:
//!
//! `cargo run --release -p hybridrepair-regions --example time_regions -- hdbscan x=features.npy out=found`
//!
//! Any name of the registry is known. The seconds are those of the work itself, the peak is that of the whole process,
//! mapped file included. With `out`, the region of each row (-1 for noise) goes to `found.labels.npy`. Without arguments
//! it runs on a small array of its own. `RAYON_NUM_THREADS` sets the threads.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints")]

use hybridrepair_core::{Embeddings, Streams};
use hybridrepair_kernels::map_embeddings;
use hybridrepair_regions::{ClusterOptions, Hdbscan, by_name};
use ndarray::{Array1, Array2};
use rand::Rng;
use std::{collections::BTreeMap, path::Path, time::Instant};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let given: BTreeMap<&str, &str> = words.iter().map(|word| word.split_once('=').unwrap_or((word, ""))).collect();
    let number = |key: &str, or: usize| given.get(key).map_or(or, |text| text.parse().unwrap());
    let name = words.first().map_or("hdbscan", String::as_str);
    let mut rng = Streams::new(number("seed", 0) as u64).named("time");
    let x = match given.get("x") {
        Some(file) => map_embeddings(Path::new(file)).unwrap(),
        None => Embeddings::new(Array2::from_shape_fn((2000, 4), |_| rng.gen_range(-1.0f32..1.0))).unwrap(),
    };
    let mut options = ClusterOptions::new(x.len(), number("budget", x.len().div_ceil(100)));
    options.min_samples = number("min_samples", options.min_samples);
    options.min_cluster_size = number("min_cluster_size", options.min_cluster_size);

    // the threads start before the clock does, as those of a library that has been used before
    rayon::broadcast(|_| ());
    let (start, cpu) = (Instant::now(), processor_seconds());
    let labels: Vec<Option<u32>> = if name == "hdbscan" {
        // the labels alone, as the peer is asked for: no medoids
        let ClusterOptions { min_cluster_size, min_samples, .. } = options;
        Hdbscan { min_cluster_size, min_samples, ..Hdbscan::default() }.labels(&x).unwrap()
    } else {
        let found = by_name(name, &options).unwrap().cluster(&x, &mut rng).unwrap().regions;
        found.labels().iter().map(|label| label.map(|region| region.0)).collect()
    };
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), processor_seconds() - cpu);

    if let Some(out) = given.get("out") {
        let labels: Array1<i64> = labels.iter().map(|label| label.map_or(-1, i64::from)).collect();
        ndarray_npy::write_npy(format!("{out}.labels.npy"), &labels).unwrap();
    }
    println!(
        "{{\"work\":\"{name}\",\"n\":{},\"d\":{},\"threads\":{},\"seconds\":{seconds},\"processor_seconds\":{cpu},\"peak_rss_bytes\":{},\"noise\":{}}}",
        x.len(),
        x.dim(),
        rayon::current_num_threads(),
        peak_bytes(),
        labels.iter().filter(|label| label.is_none()).count(),
    );
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
