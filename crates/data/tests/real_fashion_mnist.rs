//! The test part of Fashion-MNIST, where `HYBRIDREPAIR_DATA` names a folder with `fashion-mnist/t10k-*`.
#![allow(clippy::unwrap_used)]

use hybridrepair_data::read_mnist_part;
use std::{io::Write, path::PathBuf};

fn part() -> Option<(PathBuf, PathBuf)> {
    let dir = std::env::var_os("HYBRIDREPAIR_DATA").map(|d| PathBuf::from(d).join("fashion-mnist"));
    let file = |name: &str| {
        let dir = dir.as_ref()?;
        [format!("{name}.gz"), name.to_owned()].iter().map(|n| dir.join(n)).find(|f| f.is_file())
    };
    let found = file("t10k-images-idx3-ubyte").zip(file("t10k-labels-idx1-ubyte"));
    if found.is_none() {
        // past the capture of the test harness, so that a person sees it
        let _ = writeln!(std::io::stderr(), "SKIPPED: HYBRIDREPAIR_DATA names no folder with fashion-mnist/t10k-*");
    }
    found
}

#[test]
fn the_test_part_is_read() {
    let Some((images, labels)) = part() else { return };
    let (pictures, classes) = read_mnist_part(&images, &labels).unwrap();
    assert_eq!((pictures.len(), pictures.height(), pictures.width()), (10_000, 32, 32));
    let mut counts = [0; 10];
    for class in &classes {
        counts[class.column()] += 1;
    }
    assert_eq!(counts, [1000; 10]);
    // the first pictures: an ankle boot, a pullover, two trousers
    assert_eq!(classes[..4].iter().map(|c| c.column()).collect::<Vec<_>>(), [9, 2, 1, 1]);
    let ink: u64 = pictures.as_slice().iter().map(|&v| u64::from(v)).sum();
    // mean brightness of the 28 x 28 pixels: 0.2868
    let mean = ink as f64 / 255.0 / (10_000.0 * 784.0 * 3.0);
    assert!((mean - 0.2868).abs() < 5e-4, "{mean}");
    // trousers stand in the middle, with an empty border
    let trousers = pictures.get(2);
    assert!(trousers[..2 * 32 * 3].iter().all(|&v| v == 0) && trousers[(16 * 32 + 12) * 3] > 100);
}
