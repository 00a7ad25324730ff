//! STL-10's files: the first two bytes are the labels of two pictures, the rest are the pictures.
#![no_main]

use hybridrepair_data::read_stl10_part;
use hybridrepair_fuzz::{Scratch, seen};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("stl10"));

fuzz_target!(|bytes: &[u8]| {
    let (labels, pictures) = bytes.split_at(bytes.len().min(2));
    let (labels, pictures) = (SCRATCH.write("y.bin", labels), SCRATCH.write("x.bin", pictures));
    for n in [0, 1, 2] {
        if let Some((images, labels)) = seen(read_stl10_part(&pictures, &labels, n)) {
            assert_eq!((images.len(), labels.len()), (n, n));
        }
    }
});
