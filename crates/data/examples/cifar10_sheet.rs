//! Draws a contact sheet of CIFAR-10's training pictures and of their views: `cargo run --release -p hybridrepair-data
//! --example cifar10_sheet -- DIR OUT.png`.

use hybridrepair_core::Streams;
use hybridrepair_data::{AugMix, Images, LoadOptions, Sheet, contact_sheet, load};
use std::{error::Error, path::Path};

/// Pictures on the sheet.
const ROWS: usize = 10;
/// Augmented versions of each.
const CHAINS: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, out] = &args[..] else { return Err("usage: cifar10_sheet DIR OUT.png".into()) };
    let splits = load("cifar10", Some(Path::new(dir)), &LoadOptions::default())?;
    let size = (splits.train.images.height(), splits.train.images.width());
    let mix = AugMix { size, severity: 3.0, max_depth: 3 };
    let (mut pixels, mut captions, mut scratch) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..ROWS {
        let clean = splits.train.images.get(row);
        pixels.extend_from_slice(clean);
        captions.push(splits.class_names[splits.train.labels[row].column()].clone());
        for view in 1..=CHAINS {
            let mut changed = vec![0; clean.len()];
            let mut stream = Streams::new(10).at("sheet", row as u64, view as u64);
            mix.augment(clean, &mut stream, &mut scratch, &mut changed);
            pixels.extend(changed);
            captions.push(format!("#{view}"));
        }
    }
    let images = Images::new(pixels, size.0, size.1)?;
    let rows: Vec<usize> = (0..images.len()).collect();
    contact_sheet(&images, &rows, &captions, Sheet::default(), Path::new(out))?;
    Ok(())
}
