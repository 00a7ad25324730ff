//! The header of `.npy` files, read without trusting it.

/// What a header says about an array of `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// Where the numbers start, in bytes.
    pub(crate) offset: usize,
}

/// A header is a short line of Python; nothing honest is longer.
const LONGEST: usize = 64 * 1024;

impl Header {
    /// Reads the header of a whole file and checks that the numbers are there.
    pub(crate) fn of(file: &[u8]) -> Result<Self, String> {
        let truncated = || format!("is truncated: {} bytes", file.len());
        let Some((b"\x93NUMPY", rest)) = file.split_at_checked(6) else {
            return Err("does not start like an .npy file".into());
        };
        let [major, _, ..] = *rest else { return Err(truncated()) };
        let (length, start) = match (major, &rest[2..]) {
            (1, [a, b, ..]) => (usize::from(u16::from_le_bytes([*a, *b])), 10),
            (2 | 3, [a, b, c, d, ..]) => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12),
            (1..=3, _) => return Err(truncated()),
            _ => return Err(format!("has .npy version {major}, expected 1 to 3")),
        };
        if length > LONGEST {
            return Err(format!("claims a header of {length} bytes"));
        }
        let text = file.get(start..start + length).ok_or_else(truncated)?;
        let text = std::str::from_utf8(text).map_err(|_| "has a header that is no text".to_owned())?;
        let descr = quoted(field(text, "descr")?)?;
        match descr {
            "<f4" => {}
            ">f4" => return Err("is big-endian (>f4), expected <f4".into()),
            other => return Err(format!("holds {other:?}, expected <f4 (float32)")),
        }
        match field(text, "fortran_order")?.split(|c: char| !c.is_alphanumeric()).next() {
            Some("False") => {}
            Some("True") => return Err("is in Fortran order, expected C order".into()),
            _ => return Err("has an unreadable fortran_order".into()),
        }
        let (rows, cols) = shape(field(text, "shape")?)?;
        let offset = start + length;
        let bytes = rows.checked_mul(cols).and_then(|n| n.checked_mul(4));
        match bytes.and_then(|b| b.checked_add(offset)) {
            Some(end) if end == file.len() => Ok(Self { rows, cols, offset }),
            _ => Err(format!("holds {} bytes after its header, not {rows} x {cols} x 4", file.len() - offset)),
        }
    }
}

/// What follows `'name':` in the header.
fn field<'a>(text: &'a str, name: &str) -> Result<&'a str, String> {
    let found = ['\'', '"'].iter().find_map(|q| text.split_once(&format!("{q}{name}{q}"))).map(|(_, rest)| rest);
    if found.is_some_and(|rest| rest.contains(name)) {
        return Err(format!("has two {name} in its header"));
    }
    let rest = found.and_then(|rest| rest.trim_start().strip_prefix(':'));
    rest.map(str::trim_start).ok_or_else(|| format!("has no {name} in its header"))
}

fn quoted(text: &str) -> Result<&str, String> {
    let inner = text.strip_prefix(['\'', '"']).and_then(|rest| rest.split_once(['\'', '"']));
    inner.map(|(value, _)| value).ok_or_else(|| "holds records or an unreadable descr, expected <f4".into())
}

fn shape(text: &str) -> Result<(usize, usize), String> {
    let inner = text.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(inner, _)| inner);
    let parts = inner.ok_or("has an unreadable shape")?.split(',').map(str::trim).filter(|p| !p.is_empty());
    let sizes = parts.map(|p| p.parse::<usize>().map_err(|_| format!("has a size {p:?} in its shape")));
    match sizes.collect::<Result<Vec<_>, _>>()?[..] {
        [rows, cols] => Ok((rows, cols)),
        ref other => Err(format!("has {} dimensions, expected 2", other.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn file(descr: &str, fortran: &str, shape: &str, numbers: usize) -> Vec<u8> {
        let mut text = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        while (10 + text.len() + 1) % 64 != 0 {
            text.push(' ');
        }
        text.push('\n');
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((text.len() as u16).to_le_bytes());
        out.extend(text.bytes());
        out.extend((0..numbers).flat_map(|i| (i as f32).to_le_bytes()));
        out
    }

    #[test]
    fn a_good_header() {
        assert_eq!(Header::of(&file("<f4", "False", "(3, 2)", 6)), Ok(Header { rows: 3, cols: 2, offset: 128 }));
        assert_eq!(Header::of(&file("<f4", "False", "(0, 2)", 0)).unwrap().rows, 0);
    }

    #[test]
    fn each_fault_is_named() {
        let cases = [
            (file(">f4", "False", "(3, 2)", 6), "big-endian"),
            (file("<f8", "False", "(3, 2)", 12), "<f8"),
            (file("<f4", "True", "(3, 2)", 6), "Fortran"),
            (file("<f4", "Maybe", "(3, 2)", 6), "fortran_order"),
            (file("<f4", "False", "(6,)", 6), "1 dimensions"),
            (file("<f4", "False", "(3, -2)", 6), "\"-2\""),
            (file("<f4", "False", "(3, 2), 'shape': (2, 3)", 6), "two shape"),
            (file("<f4", "False", "(3, 2)", 5), "20 bytes"),
            (file("<f4", "False", "(3, 2)", 7), "28 bytes"),
            (file("<f4", "False", "(9223372036854775807, 9223372036854775807)", 6), "24 bytes"),
            (file("<f4", "False", "(4294967296, 4294967296)", 6), "24 bytes"),
            (b"PK\x03\x04 a zip archive".to_vec(), "does not start"),
            (b"\x93NUMPY".to_vec(), "truncated"),
            (b"\x93NUMPY\x01\x00\xff\xff{'descr'".to_vec(), "truncated"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'".to_vec(), "claims a header of 4294967295"),
            (b"\x93NUMPY\x09\x00\x00\x00".to_vec(), "version 9"),
            (b"\x93NUMPY\x01\x00\x02\x00{}".to_vec(), "no descr"),
        ];
        for (bytes, why) in cases {
            let error = Header::of(&bytes).unwrap_err();
            assert!(error.contains(why), "{error:?} does not say {why:?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(at in 0usize..152, byte: u8, cut in 0usize..152) {
            let mut bytes = file("<f4", "False", "(3, 2)", 6);
            bytes[at] = byte;
            let _ = Header::of(&bytes);
            bytes.truncate(cut);
            prop_assert!(Header::of(&bytes).is_err());
        }
    }
}
