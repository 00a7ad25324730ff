use super::NpyError;

/// Longest header that is read; numpy itself refuses more than 10,000 bytes by default.
const LONGEST: usize = 1 << 16;

/// What a header says about its array.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    /// Element type, for instance `<f4`.
    pub(super) descr: String,
    /// Whether the first index varies fastest.
    pub(super) fortran: bool,
    /// Extent of each dimension.
    pub(super) shape: Vec<usize>,
    /// Where the elements begin in the file.
    pub(super) start: u64,
}

/// Bytes before the header's text, and its length, from the first 12 bytes of a file (fewer when it is shorter).
pub(super) fn extent(first: &[u8]) -> Result<(usize, usize), NpyError> {
    if !first.starts_with(b"\x93NUMPY") {
        return Err(NpyError::Magic);
    }
    let short = || NpyError::Truncated { bytes: first.len() as u64, expected: 12 };
    let (&major, &minor) = (first.get(6).ok_or_else(short)?, first.get(7).ok_or_else(short)?);
    let (at, length) = match (major, minor) {
        (1, 0) => match first.get(8..10) {
            Some(&[a, b]) => (10, usize::from(u16::from_le_bytes([a, b]))),
            _ => return Err(short()),
        },
        (2 | 3, 0) => match first.get(8..12) {
            Some(&[a, b, c, d]) => (12, u32::from_le_bytes([a, b, c, d]) as usize),
            _ => return Err(short()),
        },
        _ => return Err(NpyError::Version { major, minor }),
    };
    if length > LONGEST {
        return Err(NpyError::Header(format!("it claims to be {length} bytes long")));
    }
    Ok((at, length))
}

/// Reads the text, `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
pub(super) fn parse(text: &[u8], start: u64) -> Result<Header, NpyError> {
    let wrong = |what: &str| NpyError::Header(what.to_owned());
    let text = std::str::from_utf8(text).map_err(|_| wrong("it is no text"))?.trim();
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).ok_or_else(|| wrong("it is no dictionary"))?;
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    let mut rest = inner.trim_start();
    while !rest.is_empty() {
        let (key, after) = quoted(rest).ok_or_else(|| wrong("a key is not quoted"))?;
        let value = after.trim_start().strip_prefix(':').ok_or_else(|| wrong("a key has no value"))?.trim_start();
        let after = match key {
            "descr" if value.starts_with('[') => {
                return Err(NpyError::Dtype { found: "structured".to_owned(), expected: "plain numbers" });
            }
            "descr" => {
                let (v, after) = quoted(value).ok_or_else(|| wrong("descr is not quoted"))?;
                descr = Some(v.to_owned());
                after
            }
            "fortran_order" => {
                let v = value.starts_with("True");
                fortran = Some(v);
                value
                    .strip_prefix(if v { "True" } else { "False" })
                    .ok_or_else(|| wrong("fortran_order is neither True nor False"))?
            }
            "shape" => {
                let (list, after) = value
                    .strip_prefix('(')
                    .and_then(|v| v.split_once(')'))
                    .ok_or_else(|| wrong("shape is no tuple"))?;
                shape = Some(extents(list).ok_or_else(|| wrong("shape holds something else than whole numbers"))?);
                after
            }
            other => return Err(NpyError::Header(format!("unknown key {other:?}"))),
        };
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        if !after.is_empty() && !after.starts_with(',') {
            return Err(wrong("no comma between its entries"));
        }
    }
    Ok(Header {
        descr: descr.ok_or_else(|| wrong("no descr"))?,
        fortran: fortran.ok_or_else(|| wrong("no fortran_order"))?,
        shape: shape.ok_or_else(|| wrong("no shape"))?,
        start,
    })
}

/// The text between quotes at the beginning, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

fn extents(list: &str) -> Option<Vec<usize>> {
    let list = list.trim();
    let list = list.strip_suffix(',').unwrap_or(list);
    if list.is_empty() {
        return Some(Vec::new());
    }
    // Python 2 wrote 3L
    list.split(',').map(|n| n.trim().trim_end_matches('L').parse().ok()).collect()
}

impl Header {
    /// Bytes of the whole file, for elements of so many bytes.
    pub(super) fn file_size(&self, element: usize) -> Result<u64, NpyError> {
        self.shape
            .iter()
            .try_fold(element as u64, |size, &n| size.checked_mul(n as u64))
            .and_then(|size| size.checked_add(self.start))
            .ok_or_else(|| NpyError::Header(format!("shape {:?} is beyond all memory", self.shape)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn headers_of_numpy_are_read() {
        let h = parse(b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }     \n", 80).unwrap();
        assert_eq!(h, Header { descr: "<f4".into(), fortran: false, shape: vec![3, 4], start: 80 });
        let h = parse(b"{\"shape\": (7L,), 'fortran_order':True,'descr':'>i8'}", 80).unwrap();
        assert_eq!((h.shape, h.fortran, h.descr.as_str()), (vec![7], true, ">i8"));
        assert_eq!(
            parse(b"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 0).unwrap().shape,
            Vec::<usize>::new()
        );
    }

    #[test]
    fn damaged_headers_are_refused() {
        for text in [
            "",
            "{}",
            "{'descr': '<f4'}",
            "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,}",
            "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
            "{descr: '<f4'}",
            "{'x': 1}",
        ] {
            assert!(parse(text.as_bytes(), 0).is_err(), "{text}");
        }
    }

    #[test]
    fn an_absurd_length_is_refused() {
        assert!(matches!(extent(b"\x93NUMPY\x02\x00\xff\xff\xff\xff"), Err(NpyError::Header(_))));
        assert_eq!(extent(b"\x93NUMPY\x01\x00\x76\x00"), Ok((10, 118)));
        assert!(matches!(extent(b"\x93NUMPY\x01\x00\x76"), Err(NpyError::Truncated { .. })));
        assert_eq!(extent(b"\x93NUMPY\x09\x00\x00\x00"), Err(NpyError::Version { major: 9, minor: 0 }));
        assert_eq!(extent(b"PK\x03\x04"), Err(NpyError::Magic));
    }

    proptest! {
        #[test]
        fn any_text_gives_an_answer(text: Vec<u8>, first: Vec<u8>, wild in "[{}'(),:a-zFT<0-9 ]{0,60}") {
            let _ = parse(&text, 0);
            let _ = parse(wild.as_bytes(), 0);
            let _ = extent(&first);
        }
    }
}
