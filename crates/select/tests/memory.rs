//! No strategy takes more working memory than it says before it starts, and none says more than the project promises: the
//! size of its arrays plus 1 GiB. Counted by the system as the highest resident set of a process of its own for each
//! strategy, because an allocator keeps what it once had.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and says so"
)]

use hybridrepair_core::{Embeddings, Evidence, Pool, PoolIdx, Probs, Regions, Source, Streams, Views};
use hybridrepair_select::{Size, names, strategy};
use ndarray::{Array1, Array2};
use rand::Rng;
use std::process::Command;

/// Kept by the allocator, by threads and by the picks themselves.
const SLACK: f64 = 48.0 * 1024.0 * 1024.0;
/// Samples, columns, classes, labels: too many samples for coverage to keep all pairs, few enough for a test.
const SIZES: (usize, usize, usize, usize) = (16_000, 24, 10, 60);
/// Names the strategy to the process that measures it.
const NAME: &str = "MEMORY_OF_STRATEGY";

#[test]
fn no_strategy_takes_more_memory_than_it_says() {
    if resident("VmHWM").is_none() || !reset_peak() {
        eprintln!("skipped: this system does not tell the resident memory in /proc/self");
        return;
    }
    let (n, d, classes, budget) = SIZES;
    let size = Size::of(&Pool::counted(n), &evidence(n, d, classes), budget);
    let promised = (4 * n * d) as f64 + f64::from(1 << 30);
    for name in names().into_iter().map(str::to_owned).chain(["margin+balanced".into(), "rdss+distinct".into()]) {
        let said = strategy(&name).unwrap().cost(&size).bytes;
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "memory_of_one_strategy", "--ignored", "--nocapture"]).env(NAME, &name);
        let out = String::from_utf8(child.output().unwrap().stdout).unwrap();
        let taken = out.split_once("took ").and_then(|(_, rest)| rest.split_whitespace().next()?.parse::<f64>().ok());
        let taken = taken.unwrap_or_else(|| panic!("{name} was not measured: {out}"));
        println!("{name:20} {:8.1} MiB, said {:8.1} MiB", taken / 1_048_576.0, said / 1_048_576.0);
        assert!(taken <= said + SLACK, "{name} took {taken} bytes, said {said}");
        assert!(said <= promised, "{name} says {said} bytes");
    }
}

/// The process of one strategy.
#[test]
#[ignore = "started by the test above"]
fn memory_of_one_strategy() {
    let Ok(name) = std::env::var(NAME) else { return };
    let (n, d, classes, budget) = SIZES;
    let evidence = evidence(n, d, classes);
    let rule = strategy(&name).unwrap();
    let start = resident("VmRSS").unwrap();
    assert!(reset_peak());
    rule.select(&Pool::counted(n), &evidence, budget, &mut Streams::new(1).named("memory")).unwrap();
    println!("took {} bytes", (resident("VmHWM").unwrap() - start).max(0.0));
}

fn evidence(n: usize, d: usize, classes: usize) -> Evidence {
    let mut rng = Streams::new(1).named("data");
    let centers = Array2::from_shape_fn((40, d), |_| rng.gen_range(-1.0f32..1.0));
    let of: Vec<usize> = (0..n).map(|_| rng.gen_range(0..40)).collect();
    let x = Array2::from_shape_fn((n, d), |(i, j)| centers[[of[i], j]] + rng.gen_range(-1.0f32..1.0));
    let x = Embeddings::new(x).unwrap();
    let logits = Array2::from_shape_fn((n, classes), |_| rng.gen_range(-3.0f32..3.0));
    let probs = Probs::from_logits(&logits).unwrap();
    let few: Vec<usize> = (0..500).collect();
    let regions = n / 10;
    let labels: Vec<Option<u32>> = (0..n).map(|i| Some((i % regions) as u32)).collect();
    Evidence {
        views: Some(Views::from_moments(probs.view().to_owned(), Array1::from_elem(n, 0.1)).unwrap()),
        probs: Some(probs),
        source: Some(Source {
            embeddings: Some(x.select(&few).unwrap()),
            features: Some(x.select(&few).unwrap()),
            labels: few.iter().map(|i| (i % classes).into()).collect(),
        }),
        features: Some(x.clone()),
        embeddings: Some(x),
        regions: Some(Regions::from_labels(&labels, &(0..regions).map(PoolIdx::from).collect::<Vec<_>>()).unwrap()),
        ..Evidence::default()
    }
}

/// A line of Linux's status of this process, in bytes.
fn resident(line: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let rest = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'))?;
    rest.split_whitespace().next()?.parse::<f64>().ok().map(|kib| 1024.0 * kib)
}

/// Sets the highest resident set back to the present one; whether the system let us.
fn reset_peak() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}
