//! The files of a run directory. What is read can be written and is then read the same.
#![no_main]

use hybridrepair_core::{Pool, SampleId};
use hybridrepair_fuzz::{Scratch, seen};
use hybridrepair_runs::{
    EventLine, LedgerFile, LedgerLine, Metric, Summary, read_config, read_labels, read_lines, read_selection,
    write_config, write_labels, write_selection,
};
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("runs"));

/// A configuration as stages have one.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
struct Config {
    seed: u32,
    budget: Option<f32>,
    names: Vec<String>,
    inner: Inner,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Inner {
    epochs: usize,
    rate: f64,
    on: bool,
}

fuzz_target!(|bytes: &[u8]| {
    let (path, again) = (SCRATCH.write("x", bytes), SCRATCH.path("y"));
    let pool = Pool::new(vec![SampleId(70), SampleId(80), SampleId(90)]).expect("three samples");
    seen(read_lines::<LedgerLine>(&path));
    seen(read_lines::<EventLine>(&path));
    seen(read_lines::<Metric>(&path));
    if let Some(selection) = seen(read_selection(&path, &pool)) {
        write_selection(&again, &selection).expect("what was read");
        assert_eq!(read_selection(&again, &pool).expect("what was written"), selection);
    }
    if let Some(labels) = seen(read_labels(&path, &pool)) {
        write_labels(&again, &labels, &pool).expect("what was read");
        assert_eq!(read_labels(&again, &pool).expect("what was written"), labels);
    }
    if let Some(summary) = seen(Summary::read(&path)) {
        summary.write(&again).expect("what was read");
        assert_eq!(Summary::read(&again).expect("what was written"), summary);
    }
    if let Some(config) = seen(read_config::<Config>(&path)) {
        let numbers = [config.budget.map_or(0.0, f64::from), config.inner.rate];
        write_config(&again, &config).expect("what was read");
        let back: Config = read_config(&again).expect("what was written");
        assert!(back == config || numbers.iter().any(|n| n.is_nan()));
    }
    // cuts off a torn last line, so it comes last
    if let Some((mut file, ledger)) = seen(LedgerFile::open(&path, 2)) {
        assert!(ledger.bought() <= 2);
        file.sync(&ledger).expect("nothing new");
        drop(file);
        let (_, same) = LedgerFile::open(&path, 2).expect("what was mended");
        assert_eq!(same.entries(), ledger.entries());
    }
});
