//! Picture files against what Pillow makes of them (`make_folder_golden.py` wrote the golden values).
#![allow(clippy::unwrap_used)]

use hybridrepair_data::folder::{InputSize, Resize, SkipReason, decode};
use image::{ImageEncoder, codecs::png::PngEncoder};

/// The picture of this size that the script makes.
fn formula(h: usize, w: usize) -> Vec<u8> {
    (0..h * w * 3)
        .map(|i| {
            let smooth = (i / 3 % w * 5 + i / 3 / w * 3 + i % 3 * 40) % 256;
            let noise = (i as u32).wrapping_mul(2_654_435_761) >> 24;
            if (i / 3 / w).is_multiple_of(2) { noise as u8 } else { smooth as u8 }
        })
        .collect()
}

fn fnv(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

fn png(pixels: &[u8], h: usize, w: usize) -> Vec<u8> {
    let mut out = Vec::new();
    PngEncoder::new(&mut out).write_image(pixels, w as u32, h as u32, image::ExtendedColorType::Rgb8).unwrap();
    out
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn read(file: &[u8], input: &InputSize) -> Result<Vec<u8>, SkipReason> {
    let mut out = vec![0; input.stride()];
    decode(file, input, &mut out)?;
    Ok(out)
}

struct Golden {
    name: &'static str,
    tolerance: u8,
    size: InputSize,
    file: Vec<u8>,
    pixels: Vec<u8>,
}

fn pictures() -> Vec<Golden> {
    let lines = include_str!("folder_pictures.txt").lines();
    lines
        .map(|line| {
            let f: Vec<&'static str> = line.split(' ').collect();
            let size =
                InputSize { height: f[2].parse().unwrap(), width: f[3].parse().unwrap(), resize: Resize::Stretch };
            Golden { name: f[0], tolerance: f[1].parse().unwrap(), size, file: bytes(f[4]), pixels: bytes(f[5]) }
        })
        .collect()
}

#[test]
fn resizing_is_that_of_pillow_to_the_bit() {
    let mut wrong = Vec::new();
    for line in include_str!("folder_resize.txt").lines() {
        let f: Vec<&str> = line.split(' ').collect();
        let n: Vec<usize> = f[1..5].iter().map(|s| s.parse().unwrap()).collect();
        let input = InputSize { height: n[2], width: n[3], resize: f[0].parse().unwrap() };
        let out = read(&png(&formula(n[0], n[1]), n[0], n[1]), &input).unwrap();
        if format!("{:016x}", fnv(&out)) != f[5] {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn formats_and_colours_are_those_of_pillow() {
    let mut wrong = Vec::new();
    for g in pictures() {
        match read(&g.file, &g.size) {
            Err(e) => wrong.push(format!("{}: {e}", g.name)),
            Ok(out) => {
                let far = out.iter().zip(&g.pixels).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
                if far > g.tolerance {
                    wrong.push(format!("{}: {far} off, {} allowed", g.name, g.tolerance));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_cut_short_are_told_and_never_filled_up() {
    let mut wrong = Vec::new();
    for g in pictures() {
        for share in [0.0, 0.02, 0.3, 0.6, 0.9] {
            let n = (g.file.len() as f64 * share) as usize;
            match read(&g.file[..n], &g.size) {
                Err(_) => {}
                // what is missing may be no pixel: a checksum, a trailer
                Ok(out) if out == read(&g.file, &g.size).unwrap() => {}
                Ok(_) => wrong.push(format!("{} cut to {n} of {}", g.name, g.file.len())),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
