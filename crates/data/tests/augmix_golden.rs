//! Each augmentation operation gives Pillow's bytes, on generated pictures (see `make_augmix_golden.py`).
#![allow(clippy::unwrap_used)]

use hybridrepair_data::Op;

const GOLDEN: &str = include_str!("augmix_golden.txt");

fn noise(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 56) as u8
    })
}

fn picture(seed: u64, h: usize, w: usize, kind: &str) -> Vec<u8> {
    let value = |(i, v): (usize, u8)| {
        let (y, x, c) = (i / (w * 3), i / 3 % w, i % 3);
        match kind {
            "noise" => v,
            "pale" => (60 + 20 * c) as u8 + v / 8,
            "steps" => v & 0xC0,
            "flat" => (seed as usize + 80 * c) as u8,
            "ramp" => (5 * x + 3 * y + 40 * c + usize::from(v / 64)) as u8,
            "rare" if v > 200 => v,
            "rare" => 0,
            other => panic!("unknown kind {other}"),
        }
    };
    noise(seed).take(h * w * 3).enumerate().map(value).collect()
}

fn op(name: &str, p: f64) -> Op {
    match name {
        "autocontrast" => Op::Autocontrast,
        "equalize" => Op::Equalize,
        "posterize" => Op::Posterize(p as u32),
        "solarize" => Op::Solarize(p as u32),
        "rotate" => Op::Rotate(p as i32),
        "shear_x" => Op::ShearX(p),
        "shear_y" => Op::ShearY(p),
        "translate_x" => Op::TranslateX(p as i32),
        "translate_y" => Op::TranslateY(p as i32),
        "brightness" => Op::Brightness(p as f32),
        "contrast" => Op::Contrast(p as f32),
        "color" => Op::Color(p as f32),
        "sharpness" => Op::Sharpness(p as f32),
        other => panic!("unknown operation {other}"),
    }
}

fn fnv1a(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn every_operation_gives_pillows_bytes() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for line in GOLDEN.lines().filter(|l| !l.starts_with('#')) {
        let f: Vec<&str> = line.split(' ').collect();
        let (seed, h, w): (u64, usize, usize) = (f[0].parse().unwrap(), f[1].parse().unwrap(), f[2].parse().unwrap());
        let image = picture(seed, h, w, f[3]);
        let mut out = vec![77; image.len()];
        op(f[4], f[5].parse().unwrap()).apply((h, w), &image, &mut out);
        if let Some(hex) = f.get(7) {
            let bytes: Vec<u8> =
                (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
            let differ = bytes.iter().zip(&out).enumerate().filter(|(_, (a, b))| a != b);
            let differ: Vec<_> = differ.map(|(i, (a, b))| (i, *a, *b)).take(20).collect();
            assert!(
                differ.is_empty() && bytes.len() == out.len(),
                "{} {}: (byte, Pillow, ours) {differ:?}",
                f[4],
                f[5]
            );
        }
        if fnv1a(&out) != u64::from_str_radix(f[6], 16).unwrap() {
            wrong.push(f[..6].join(" "));
        }
        cases += 1;
    }
    assert!(wrong.is_empty(), "{} of {cases} cases differ from Pillow:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases > 2000);
}
