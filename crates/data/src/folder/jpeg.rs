//! Whether a JPEG file is whole: the decoder fills what is missing with grey and says nothing.

/// Whether the markers of a JPEG file go on to its end-of-image marker.
///
/// Segments are stepped over by their lengths, so that the thumbnail in a header is not taken for the picture; data after
/// the end (a second picture, a maker's notes) do not matter.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // to the next marker: anything else between segments is skipped, as decoders do
        let Some(ff) = bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == 0xff)) else { return false };
        at += ff + 1;
        match bytes.get(at) {
            None => return false,
            // stuffing, fill bytes, restart markers, a marker without a segment
            Some(0x00 | 0x01 | 0xd0..=0xd8) => at += 1,
            Some(0xff) => {}
            Some(0xd9) => return true,
            // after the header of a scan its data are skipped like anything else
            Some(_) => {
                let Some(&[high, low]) = bytes.get(at + 1..at + 3) else { return false };
                at += 1 + usize::from(u16::from_be_bytes([high, low])).max(2);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_behind_segments_scans_and_restarts() {
        let head = [0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        let scan = [0xff, 0xda, 0, 4, 1, 2, 7, 0xff, 0x00, 9, 0xff, 0xd3, 8];
        let whole = [&head[..], &scan, &[0xff, 0xff, 0xd9], b"more"].concat();
        assert!(is_whole(&whole));
        for n in 0..head.len() + scan.len() + 2 {
            assert!(!is_whole(&whole[..n]), "{n}");
        }
        // two scans, as in a progressive file
        assert!(is_whole(&[&head[..], &scan, &scan, &[0xff, 0xd9]].concat()));
        assert!(!is_whole(&[&head[..], &scan, &scan[..3]].concat()));
    }
}
