//! `.npz` archives, array by array and as the data set `arrays`.
#![no_main]

use hybridrepair_data::{LoadOptions, load, npy::Npz};
use hybridrepair_fuzz::{Scratch, seen};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("npz"));

fuzz_target!(|bytes: &[u8]| {
    let path = SCRATCH.write("x.npz", bytes);
    if let Some(mut archive) = seen(Npz::open(&path)) {
        for name in archive.names().iter().take(16) {
            seen(archive.read_u8(name));
            seen(archive.read_i64_1d(name));
        }
        if let Some(splits) = seen(load("arrays", Some(&path), &LoadOptions::default())) {
            splits.train.check("train", splits.classes()).expect("a part whose pictures and labels fit");
        }
    }
});
