//! Files of the published repair toolkit: weights, results, metrics. What is read can be written and is then read the same.
#![no_main]

use hybridrepair_fuzz::{Scratch, seen};
use hybridrepair_patch::upstream::{ClassMetrics, ResultFile, read_weights, write_weights};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("toolkit"));

fuzz_target!(|bytes: &[u8]| {
    let (path, again) = (SCRATCH.write("x", bytes), SCRATCH.path("y"));
    if let Some(rows) = seen(read_weights(&path)) {
        write_weights(&again, &rows).expect("rows in a file");
        assert_eq!(read_weights(&again).expect("what was written"), rows);
    }
    if let Some(file) = seen(ResultFile::read(&path)) {
        file.write(&again).expect("results in a file");
        let back = ResultFile::read(&again).expect("what was written");
        assert_eq!((back.settings, back.runs.len()), (file.settings, file.runs.len()));
    }
    if let Some(metrics) = seen(ClassMetrics::read(&path)) {
        metrics.write(&again).expect("metrics in a file");
        assert_eq!(ClassMetrics::read(&again).expect("what was written"), metrics);
    }
});
