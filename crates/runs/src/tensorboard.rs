//! Numbers over time as event files of `TensorBoard`: `TFRecord` frames with masked CRC-32C around `tensorflow.Event` messages
//! of protocol buffers, scalars only.

use crate::{RunsError, write_atomic_with};
use std::{
    io::{self, Write},
    path::Path,
};

/// A scalar at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// Seconds since 1970.
    pub time: f64,
    /// Number of the step or epoch.
    pub step: i64,
    /// Its name; `/` makes groups.
    pub tag: String,
    /// Its value.
    pub value: f32,
}

/// Writes an event file, in one piece. `TensorBoard` finds files whose name contains `tfevents`.
///
/// # Errors
/// When it cannot be written.
pub fn write_events(path: &Path, scalars: &[Scalar]) -> Result<(), RunsError> {
    write_atomic_with(path, |out| {
        let first = scalars.first().map_or(0.0, |s| s.time);
        let mut event = time(first);
        bytes(&mut event, 3, b"brain.Event:2");
        record(out, &event)?;
        for s in scalars {
            let mut value = Vec::new();
            bytes(&mut value, 1, s.tag.as_bytes());
            key(&mut value, 2, 5);
            value.extend_from_slice(&s.value.to_le_bytes());
            let mut summary = Vec::new();
            bytes(&mut summary, 1, &value);
            let mut event = time(s.time);
            key(&mut event, 2, 0);
            varint(&mut event, s.step as u64);
            bytes(&mut event, 5, &summary);
            record(out, &event)?;
        }
        Ok(())
    })
}

/// An event with its wall time.
fn time(seconds: f64) -> Vec<u8> {
    let mut event = Vec::new();
    key(&mut event, 1, 1);
    event.extend_from_slice(&seconds.to_le_bytes());
    event
}

/// Length, its checksum, the data, their checksum; all little-endian.
fn record(out: &mut dyn Write, data: &[u8]) -> io::Result<()> {
    let length = (data.len() as u64).to_le_bytes();
    out.write_all(&length)?;
    out.write_all(&masked(&length).to_le_bytes())?;
    out.write_all(data)?;
    out.write_all(&masked(data).to_le_bytes())
}

/// The number and wire type of a field.
fn key(out: &mut Vec<u8>, field: u64, wire: u64) {
    varint(out, field << 3 | wire);
}

fn bytes(out: &mut Vec<u8>, field: u64, data: &[u8]) {
    key(out, field, 2);
    varint(out, data.len() as u64);
    out.extend_from_slice(data);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// CRC-32C (Castagnoli), turned and shifted as `TFRecord` does, so that the checksum of data with checksums stays one.
fn masked(data: &[u8]) -> u32 {
    let crc = crc32c(data);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

fn crc32c(data: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0u32; 256];
        let mut i = 0;
        while i < 256 {
            let (mut c, mut bit) = (i as u32, 0);
            while bit < 8 {
                c = if c & 1 == 1 { c >> 1 ^ 0x82f6_3b78 } else { c >> 1 };
                bit += 1;
            }
            table[i] = c;
            i += 1;
        }
        table
    };
    !data.iter().fold(!0u32, |c, &b| TABLE[((c ^ u32::from(b)) & 0xff) as usize] ^ c >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, B.4
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn the_bytes_are_those_that_tensorboard_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.out.tfevents.1.x");
        let scalar = Scalar { time: 1.5, step: 300, tag: "a/loss".into(), value: 0.25 };
        write_events(&path, &[scalar]).unwrap();
        let all = std::fs::read(&path).unwrap();
        // by hand after the definition of tensorflow.Event: wall_time = 1 (double), step = 2, file_version = 3, summary = 5
        let first = [&[9, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x1a, 13][..], b"brain.Event:2"].concat();
        assert_eq!(all[..8], (first.len() as u64).to_le_bytes());
        assert_eq!(all[12..12 + first.len()], first);
        let second = [
            &[9, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 0xac, 0x02, 0x2a, 15, 0x0a, 13, 0x0a, 6][..],
            b"a/loss",
            &[0x15, 0, 0, 0x80, 0x3e],
        ]
        .concat();
        let at = 12 + first.len() + 4;
        assert_eq!(all[at..at + 8], (second.len() as u64).to_le_bytes());
        assert_eq!(all[at + 12..at + 12 + second.len()], second);
        assert_eq!(all.len(), at + 12 + second.len() + 4);
    }
}
