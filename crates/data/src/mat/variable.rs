use super::element::{Tag, damaged, tag};
use std::io::{self, Read};

/// A real numeric array; the first index varies fastest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Extent of each dimension.
    pub(crate) dims: Vec<usize>,
    storage: Storage,
    bytes: Vec<u8>,
}

/// How numbers are stored, which may be narrower than their class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
    I64,
    U64,
}

impl Storage {
    fn of(kind: u32) -> Option<Self> {
        Some(match kind {
            1 => Self::I8,
            2 => Self::U8,
            3 => Self::I16,
            4 => Self::U16,
            5 => Self::I32,
            6 => Self::U32,
            7 => Self::F32,
            9 => Self::F64,
            12 => Self::I64,
            13 => Self::U64,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }
}

/// The most bytes of flags, dimensions and names.
const SMALL: u64 = 1 << 12;
/// The most bytes of numbers.
const LARGEST: u64 = 1 << 31;
/// Class numbers of numeric arrays, `double` to `uint64`.
const NUMERIC: std::ops::RangeInclusive<u8> = 6..=15;
/// The flag of complex numbers.
const COMPLEX: u8 = 8;

/// Reads the inside of an array element when its name is among the wanted ones.
pub(super) fn variable(input: &mut impl Read, wanted: &[&str]) -> io::Result<Option<Variable>> {
    let flags = part("flags", input)?.data(input, SMALL)?;
    let &[class, flags, ..] = flags.as_slice() else { return Err(damaged("an array has no flags")) };
    let dims = part("dimensions", input)?.data(input, SMALL)?;
    let name = part("name", input)?.data(input, SMALL)?;
    let name = String::from_utf8_lossy(&name).into_owned();
    if !wanted.contains(&name.as_str()) {
        return Ok(None);
    }
    if !NUMERIC.contains(&class) || flags & COMPLEX != 0 {
        return Err(damaged(&format!("{name} is no array of real numbers (class {class})")));
    }
    let dims = extents(&dims).ok_or_else(|| damaged(&format!("{name} has dimensions that cannot be")))?;
    let numbers = part("numbers", input)?;
    let storage = Storage::of(numbers.kind)
        .ok_or_else(|| damaged(&format!("{name} stores its numbers as the unknown type {}", numbers.kind)))?;
    let expected = dims.iter().try_fold(storage.size() as u64, |n, &d| n.checked_mul(d as u64));
    if expected != Some(numbers.size) {
        let expected = expected.map_or_else(|| "more than can be".to_owned(), |n| n.to_string());
        let size = numbers.size;
        return Err(damaged(&format!("{name} has {size} bytes of numbers, its dimensions {dims:?} need {expected}")));
    }
    let bytes = numbers.data(input, LARGEST)?;
    Ok(Some(Variable { name, dims, storage, bytes }))
}

fn part(what: &str, input: &mut impl Read) -> io::Result<Tag> {
    tag(input)?.ok_or_else(|| damaged(&format!("an array ends before its {what}")))
}

/// At most 32 dimensions, none negative.
fn extents(bytes: &[u8]) -> Option<Vec<usize>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() || !(2..=32).contains(&numbers.len()) {
        return None;
    }
    numbers.iter().map(|b| usize::try_from(i32::from_le_bytes(*b)).ok()).collect()
}

impl Variable {
    /// The numbers as bytes, when that is how they are stored.
    pub(crate) fn into_u8(self) -> Option<Vec<u8>> {
        (self.storage == Storage::U8).then_some(self.bytes)
    }

    /// The numbers, when all are whole and below 2^53 in size.
    pub(crate) fn whole(&self) -> Option<Vec<i64>> {
        const MOST: i64 = 1 << 53;
        let float = |v: f64| (v.fract() == 0.0 && v.abs() <= MOST as f64).then_some(v as i64);
        let number = |b: &[u8]| match (self.storage, b) {
            (Storage::U8, &[a]) => Some(i64::from(a)),
            (Storage::I8, &[a]) => Some(i64::from(a as i8)),
            (Storage::U16, &[a, b]) => Some(i64::from(u16::from_le_bytes([a, b]))),
            (Storage::I16, &[a, b]) => Some(i64::from(i16::from_le_bytes([a, b]))),
            (Storage::U32, &[a, b, c, d]) => Some(i64::from(u32::from_le_bytes([a, b, c, d]))),
            (Storage::I32, &[a, b, c, d]) => Some(i64::from(i32::from_le_bytes([a, b, c, d]))),
            (Storage::F32, &[a, b, c, d]) => float(f64::from(f32::from_le_bytes([a, b, c, d]))),
            (Storage::F64, b) => float(f64::from_le_bytes(b.try_into().ok()?)),
            (Storage::I64, b) => Some(i64::from_le_bytes(b.try_into().ok()?)).filter(|v| (-MOST..=MOST).contains(v)),
            (Storage::U64, b) => i64::try_from(u64::from_le_bytes(b.try_into().ok()?)).ok().filter(|v| *v <= MOST),
            _ => None,
        };
        self.bytes.chunks_exact(self.storage.size()).map(number).collect()
    }
}
