//! Lists of pictures: the input as `manifest` in CSV and in JSON lines, and as the lists of Tiny ImageNet and of GTSRB.
#![no_main]

use hybridrepair_data::folder::{InputSize, read_gtsrb_archive, read_manifest, read_tiny_imagenet};
use hybridrepair_fuzz::{Scratch, seen};
use libfuzzer_sys::fuzz_target;
use std::{fs, sync::LazyLock};

const PICTURE: &[u8] = b"P6\n2 1\n255\n\x01\x02\x03\x04\x05\x06";
const LISTS: [&str; 3] = ["wnids.txt", "words.txt", "val/val_annotations.txt"];

/// Pictures that a list may name, and the other lists of the two data sets.
static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| {
    let scratch = Scratch::new("manifest");
    for folder in ["a", "val/images", "train/n1/images", "train/n2/images"].map(str::to_owned) {
        fs::create_dir_all(scratch.path(&folder)).expect("a folder");
    }
    for class in 0..43 {
        let folder = format!("signs/{class:05}");
        fs::create_dir_all(scratch.path(&folder)).expect("a folder");
        scratch.write(&format!("{folder}/00000_00000.ppm"), PICTURE);
    }
    let classes = ["a/0.ppm", "a/1.ppm", "b.ppm", "c.ppm", "val/images/0.JPEG", "val/images/1.JPEG"];
    let train = ["n1", "n2"].iter().flat_map(|c| (0..5).map(move |i| format!("train/{c}/images/{c}_{i}.JPEG")));
    for picture in classes.map(str::to_owned).into_iter().chain(train) {
        scratch.write(&picture, PICTURE);
    }
    scratch.write("bad.png", b"no picture");
    scratch
});

fn good_lists() {
    SCRATCH.write(LISTS[0], b"n1\nn2\n");
    SCRATCH.write(LISTS[1], b"n1\tcat, felid\nn2\tdog\n");
    SCRATCH.write(LISTS[2], b"0.JPEG\tn1\t0\t0\t1\t1\n1.JPEG\tn2\t0\t0\t1\t1\n");
    for class in 0..43 {
        let list =
            format!("Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n00000_00000.ppm;2;1;0;0;1;1;{class}\n");
        SCRATCH.write(&format!("signs/{class:05}/GT-{class:05}.csv"), list.as_bytes());
    }
}

static GOOD: LazyLock<()> = LazyLock::new(good_lists);

fuzz_target!(|bytes: &[u8]| {
    LazyLock::force(&GOOD);
    let input = InputSize::square(2);
    for name in ["manifest.csv", "manifest.jsonl"] {
        if let Some(read) = seen(read_manifest(&SCRATCH.write(name, bytes), &input, 1)) {
            read.splits.train.check("train", read.splits.classes()).expect("pictures and labels that fit");
            assert!(!read.report.lines().iter().any(String::is_empty));
        }
    }
    for list in LISTS {
        let good = fs::read(SCRATCH.path(list)).expect("the good list");
        SCRATCH.write(list, bytes);
        seen(read_tiny_imagenet(SCRATCH.dir(), &input));
        SCRATCH.write(list, &good);
    }
    let list = "signs/00000/GT-00000.csv";
    let good = fs::read(SCRATCH.path(list)).expect("the good list");
    SCRATCH.write(list, bytes);
    seen(read_gtsrb_archive(&SCRATCH.path("signs"), &input));
    SCRATCH.write(list, &good);
});
