//! idx files, plain or packed: the input as pictures, and as labels of two good pictures.
#![no_main]

use hybridrepair_data::read_mnist_part;
use hybridrepair_fuzz::{Scratch, seen};
use libfuzzer_sys::fuzz_target;
use std::{path::PathBuf, sync::LazyLock};

/// The folder, two pictures, two labels.
static SCRATCH: LazyLock<(Scratch, PathBuf, PathBuf)> = LazyLock::new(|| {
    let scratch = Scratch::new("idx");
    let mut pictures = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28];
    pictures.resize(16 + 2 * 28 * 28, 7);
    let pictures = scratch.write("pictures", &pictures);
    let labels = scratch.write("labels", &[0, 0, 8, 1, 0, 0, 0, 2, 3, 4]);
    (scratch, pictures, labels)
});

fuzz_target!(|bytes: &[u8]| {
    let (scratch, pictures, labels) = &*SCRATCH;
    let path = scratch.write("x", bytes);
    for (pictures, labels) in [(&path, labels), (pictures, &path)] {
        if let Some((images, labels)) = seen(read_mnist_part(pictures, labels)) {
            assert_eq!((images.len(), labels.len()), (2, 2));
        }
    }
});
