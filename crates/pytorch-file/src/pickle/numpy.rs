//! Numbers of numpy, such as the accuracy that a checkpoint notes.

use super::{
    value::{Value, ValueId},
    values::Values,
};
use crate::error::Outcome;

/// An element type of numpy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumpyDtype {
    /// Kind and bytes, for instance `f8`.
    code: [u8; 2],
    pub(super) big_endian: bool,
}

impl Values {
    /// `numpy.dtype('f8', False, True)`; types that are not numbers are not known.
    pub(super) fn numpy_dtype(&mut self, args: &[ValueId]) -> Outcome<Option<ValueId>> {
        let code =
            args.first().and_then(|id| self.text(*id)).and_then(|code| <[u8; 2]>::try_from(code.as_bytes()).ok());
        let number = [*b"f2", *b"f4", *b"f8", *b"i1", *b"i2", *b"i4", *b"i8", *b"u1", *b"u2", *b"u4", *b"u8", *b"b1"];
        match code.filter(|code| number.contains(code)) {
            Some(code) => self.push(Value::NumpyDtype(NumpyDtype { code, big_endian: false }), 0).map(Some),
            None => Ok(None),
        }
    }

    /// A type and the bytes of one number.
    pub(super) fn numpy_scalar(&mut self, args: &[ValueId]) -> Outcome<Option<ValueId>> {
        let &[dtype, bytes] = args else { return Ok(None) };
        let Value::NumpyDtype(dtype) = *self.get(dtype) else { return Ok(None) };
        let bytes = match self.get(bytes) {
            Value::Bytes(bytes) => &bytes[..],
            // Python 2 did not tell text from bytes
            Value::Str(text) => text.as_bytes(),
            _ => return Ok(None),
        };
        match decode(dtype, bytes) {
            Some(value) => self.push(value, 9).map(Some),
            None => Ok(None),
        }
    }
}

fn decode(dtype: NumpyDtype, bytes: &[u8]) -> Option<Value> {
    let [kind, size] = dtype.code;
    if bytes.len() != usize::from(size - b'0') {
        return None;
    }
    let mut le = [0; 8];
    for (to, from) in le.iter_mut().zip(bytes) {
        *to = *from;
    }
    if dtype.big_endian {
        le[..bytes.len()].reverse();
    }
    let bits = u64::from_le_bytes(le);
    let unused = 64 - 8 * bytes.len() as u32;
    Some(match (kind, size) {
        (b'f', b'8') => Value::Float(f64::from_bits(bits)),
        (b'f', b'4') => Value::Float(f64::from(f32::from_bits(bits as u32))),
        (b'f', _) => Value::Float(half::f16::from_bits(bits as u16).to_f64()),
        (b'i', _) => Value::Int((bits as i64) << unused >> unused),
        (b'b', _) => Value::Bool(bits != 0),
        _ => i64::try_from(bits).map_or_else(
            // the sign needs a ninth byte
            |_| Value::BigInt([&le[..], &[0]].concat()),
            Value::Int,
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_are_decoded() {
        let read = |code: &[u8; 2], big_endian, bytes: &[u8]| decode(NumpyDtype { code: *code, big_endian }, bytes);
        assert_eq!(read(b"f8", false, &2.5f64.to_le_bytes()), Some(Value::Float(2.5)));
        assert_eq!(read(b"f8", true, &2.5f64.to_be_bytes()), Some(Value::Float(2.5)));
        assert_eq!(read(b"f4", false, &0.1f32.to_le_bytes()), Some(Value::Float(f64::from(0.1f32))));
        assert_eq!(read(b"f2", true, &[0x3e, 0x00]), Some(Value::Float(1.5)));
        assert_eq!(read(b"i2", true, &(-3i16).to_be_bytes()), Some(Value::Int(-3)));
        assert_eq!(read(b"i8", false, &i64::MIN.to_le_bytes()), Some(Value::Int(i64::MIN)));
        assert_eq!(read(b"u4", false, &u32::MAX.to_le_bytes()), Some(Value::Int(i64::from(u32::MAX))));
        assert_eq!(read(b"u8", false, &[0xff; 8]), Some(Value::BigInt([&[0xff; 8][..], &[0]].concat())));
        assert_eq!(read(b"b1", false, &[1]), Some(Value::Bool(true)));
        assert_eq!(read(b"f8", false, &[0; 4]), None);
    }
}
