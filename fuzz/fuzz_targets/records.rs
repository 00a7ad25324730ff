//! CIFAR-like records of label bytes and planes, by the reader that takes any number of them: names of records, an empty
//! line, the records. The beginning is also read as the names of the classes of CIFAR-10 and CIFAR-100.
#![no_main]

use hybridrepair_data::{folder::read_gtsrb_records, read_cifar10, read_cifar100};
use hybridrepair_fuzz::{Scratch, seen};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| {
    let scratch = Scratch::new("records");
    let files = ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
    for file in files.iter().chain(&["test_batch.bin", "train.bin", "test.bin"]) {
        scratch.write(file, b"");
    }
    scratch
});

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.windows(2).position(|w| w == b"\n\n").map_or(bytes.len(), |at| at + 1);
    let (names, records) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    SCRATCH.write("gtsrb32_train.names.txt", names);
    SCRATCH.write("gtsrb32_train.bin", records);
    if let Some(read) = seen(read_gtsrb_records(SCRATCH.dir())) {
        assert_eq!(read.images.len(), read.frames.len());
        assert!(read.frames.is_sorted());
    }
    // their own names; the batches are empty, which must be refused
    if bytes.len() < 4096 {
        SCRATCH.write("batches.meta.txt", names);
        assert!(seen(read_cifar10(SCRATCH.dir())).is_none());
        SCRATCH.write("fine_label_names.txt", names);
        assert!(seen(read_cifar100(SCRATCH.dir())).is_none());
    }
});
