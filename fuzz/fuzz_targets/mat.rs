//! MATLAB files of level 5, as SVHN's.
#![no_main]

use hybridrepair_data::read_svhn_part;
use hybridrepair_fuzz::{Scratch, seen};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("mat"));

fuzz_target!(|bytes: &[u8]| {
    if let Some((images, labels)) = seen(read_svhn_part(&SCRATCH.write("x.mat", bytes))) {
        assert_eq!(images.len(), labels.len());
    }
});
