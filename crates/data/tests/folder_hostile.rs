//! Files made to do harm, and files harmed on their way.
#![allow(clippy::unwrap_used)]

use hybridrepair_data::folder::{InputSize, SkipReason, decode};
use proptest::prelude::*;
use std::sync::LazyLock;

const INPUT: InputSize = InputSize::square(8);

/// The golden files of `folder_decode.rs`.
static FILES: LazyLock<Vec<(&str, Vec<u8>)>> = LazyLock::new(|| {
    let bytes =
        |hex: &str| (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
    let fields = |line: &'static str| line.split(' ').collect::<Vec<_>>();
    include_str!("folder_pictures.txt").lines().map(fields).map(|f| (f[0], bytes(f[4]))).collect()
});

fn read(bytes: &[u8]) -> Result<(), SkipReason> {
    decode(bytes, &INPUT, &mut vec![0; INPUT.stride()])
}

fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let crc = [kind, data].concat().iter().fold(!0u32, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
    });
    [&(data.len() as u32).to_be_bytes(), kind, data, &(!crc).to_be_bytes()].concat()
}

/// The header of a PNG with 16-bit RGBA of these sides, and no data.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[16, 6, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &head), &chunk(b"IDAT", b"\x78\x9c"), &chunk(b"IEND", b"")]
        .concat()
}

fn bmp_header(width: i32, height: i32) -> Vec<u8> {
    let mut b = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    b.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
    b.extend([1, 0, 24, 0]);
    b.extend([0; 24]);
    b
}

#[test]
fn absurd_sizes_are_refused_by_the_header() {
    let tiff = |side: u32| {
        let entry = |tag: u16, value: u32| [&tag.to_le_bytes()[..], &[4, 0, 1, 0, 0, 0], &value.to_le_bytes()].concat();
        let entries = [entry(256, side), entry(257, side), entry(258, 8), entry(262, 1), entry(273, 8), entry(279, 4)];
        [b"II*\0\x08\0\0\0\x06\0".to_vec(), entries.concat(), vec![0; 4]].concat()
    };
    let gif = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;".to_vec();
    let jpeg = b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x11\0\x02\x11\0\x03\x11\0\xff\xd9".to_vec();
    for (name, file) in [
        ("png", png_header(0x7fff_ffff, 0x7fff_ffff)),
        ("png wide", png_header(0x7fff_ffff, 1)),
        ("png of 400 million", png_header(20_000, 20_000)),
        ("bmp", bmp_header(i32::MAX, i32::MAX)),
        ("bmp", bmp_header(i32::MAX, i32::MIN)),
        ("bmp of 4 billion", bmp_header(65_535, 65_535)),
        ("pnm", b"P6 4294967295 4294967295 255\n".to_vec()),
        ("pnm", b"P6 99999999999999999999 1 255\n".to_vec()),
        ("pnm of 400 million", b"P6 20000 20000 255\n".to_vec()),
        (
            "pam",
            b"P7\nWIDTH 4294967295\nHEIGHT 4294967295\nDEPTH 4\nMAXVAL 65535\nTUPLTYPE RGB_ALPHA\nENDHDR\n".to_vec(),
        ),
        ("tiff", tiff(u32::MAX)),
        ("tiff of 400 million", tiff(20_000)),
        ("gif", gif),
        ("jpeg", jpeg),
    ] {
        let start = std::time::Instant::now();
        let e = read(&file).expect_err(name);
        assert!(start.elapsed().as_secs() < 5, "{name}: {e}");
    }
    let e = read(&png_header(20_000, 20_000)).unwrap_err();
    assert!(matches!(e, SkipReason::Pixels { width: 20_000, height: 20_000, .. }), "{e}");
}

#[test]
fn no_pixels_are_no_picture() {
    for file in [&b"P6 0 0 255\n"[..], b"P5 0 7 255\n", b"P1 7 0\n"] {
        assert!(read(file).is_err());
    }
    assert!(matches!(read(b""), Err(SkipReason::Empty)));
    for other in [&b"<html>"[..], b"\0\0\0\x20ftypheic\0\0\0\0", b"P", b"\xff\xd8", b"RIFF\0\0\0\0WAVE", &[0; 100]] {
        assert!(read(other).is_err(), "{other:?}");
    }
    let e = read(b"\0\0\0\x20ftypheic\0\0\0\0").unwrap_err().to_string();
    assert!(e.contains("PNG, JPEG") && e.contains("ftypheic"), "{e}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 2_000 } else { 10_000 }))]

    #[test]
    fn damaged_files_are_read_or_refused_and_nothing_else(
        which: prop::sample::Index,
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
        grow in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut file = which.get(&FILES).1.clone();
        for (at, value) in hits {
            let at = at.index(file.len());
            file[at] = value;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        file.extend(grow);
        let _ = read(&file);
    }

    #[test]
    fn noise_behind_a_signature_is_refused_or_read(
        which: prop::sample::Index,
        keep in 2usize..40,
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let file = &which.get(&FILES).1;
        let _ = read(&[&file[..keep.min(file.len())], &noise].concat());
    }
}
