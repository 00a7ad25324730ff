//! `.npy` files, by all readers of two crates; where both take a file, they must find the same numbers in it.
#![no_main]

use hybridrepair_data::{npy, read_indices};
use hybridrepair_fuzz::{Scratch, seen};
use hybridrepair_kernels::{map_embeddings, map_npy};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("npy"));

fuzz_target!(|bytes: &[u8]| {
    let path = SCRATCH.write("x.npy", bytes);
    seen(npy::read_f32_1d(&path));
    seen(npy::read_f64_1d(&path));
    seen(npy::read_f64_2d(&path));
    seen(npy::read_i64_1d(&path));
    seen(npy::read_i64_2d(&path));
    seen(npy::read_u8(&path));
    seen(read_indices(&path, 100));
    seen(map_embeddings(&path));
    let (copied, mapped) = (seen(npy::read_f32_2d(&path)), seen(map_npy(&path)));
    if let (Some(copied), Some((mapped, rows, columns))) = (copied, mapped) {
        assert_eq!(copied.dim(), (rows, columns));
        assert_eq!(copied.as_slice(), Some((*mapped).as_ref()));
    }
});
