//! Seconds and peak memory of one strategy on given arrays, as a line of JSON, for `scripts/bench-peers`:
//!
//! `cargo run --release -p hybridrepair-select --example time_selection -- badge features=x.npy logits=z.npy budget=350 out=picks.json`
//!
//! The rows of `features` serve as features and as embeddings. The seconds are those of the selection itself, the peak is
//! that of the whole process, mapped files included. With `out`, the picked rows go there as a JSON list; `repeats=N`
//! selects with the seeds 0 to N - 1 and writes a list of lists. Without arguments it runs on small arrays of its own.
//! `RAYON_NUM_THREADS` sets the threads.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints")]

use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Streams};
use hybridrepair_kernels::{map_embeddings, map_npy};
use hybridrepair_select::strategy;
use ndarray::Array2;
use rand::Rng;
use std::{collections::BTreeMap, path::Path, time::Instant};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let given: BTreeMap<&str, &str> = words.iter().map(|word| word.split_once('=').unwrap_or((word, ""))).collect();
    let number = |key: &str, or: usize| given.get(key).map_or(or, |text| text.parse().unwrap());
    let name = words.first().map_or("coreset", String::as_str);
    let mut rng = Streams::new(1).named("time");
    let mut array = |n, d| Array2::from_shape_fn((n, d), |_| rng.gen_range(-1.0f32..1.0));
    let x = match given.get("features") {
        Some(file) => map_embeddings(Path::new(file)).unwrap(),
        None => Embeddings::new(array(2000, 16)).unwrap(),
    };
    let logits = match given.get("logits") {
        Some(file) => {
            let (z, rows, classes) = map_npy(Path::new(file)).unwrap();
            Array2::from_shape_vec((rows, classes), (*z).as_ref().to_vec()).unwrap()
        }
        None => array(x.len(), 10),
    };
    let (n, d) = (x.len(), x.dim());
    let probs = Some(Probs::from_logits(&logits).unwrap());
    let evidence = Evidence { probs, features: Some(x.clone()), embeddings: Some(x), ..Evidence::default() };
    let (pool, rule) = (Pool::counted(n), strategy(name).unwrap());

    // the threads start before the clock does, as those of a library that has been used before
    rayon::broadcast(|_| ());
    let (start, cpu) = (Instant::now(), processor_seconds());
    let (mut all, mut reason) = (Vec::new(), String::new());
    for seed in 0..number("repeats", 1) {
        let stream = &mut Streams::new((number("seed", 0) + seed) as u64).named("select");
        let picked = rule.select(&pool, &evidence, number("budget", 100), stream).unwrap();
        all.push(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>());
        reason = picked.picks.into_iter().next().map_or(reason, |pick| pick.reason);
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), processor_seconds() - cpu);

    if let Some(out) = given.get("out") {
        let text =
            if given.contains_key("repeats") { serde_json::to_string(&all) } else { serde_json::to_string(&all[0]) };
        std::fs::write(out, text.unwrap()).unwrap();
    }
    let line = serde_json::json!({
        "work": name, "n": n, "d": d, "threads": rayon::current_num_threads(), "seconds": seconds,
        "processor_seconds": cpu, "peak_rss_bytes": peak_bytes(), "picks": all[0].len(), "first_reason": reason,
    });
    println!("{line}");
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
