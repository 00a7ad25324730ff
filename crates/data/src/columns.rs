//! Pictures whose planes are stored column by column, as MATLAB does: SVHN and STL-10.

/// Turns one picture of three planes, in each of which the row index varies fastest, into `side x side x 3`.
///
/// # Panics
/// When `planes` or `out` is not one picture.
pub(crate) fn from_columns(planes: &[u8], side: usize, out: &mut [u8]) {
    assert!(planes.len() == 3 * side * side && out.len() == planes.len(), "one picture");
    for (channel, plane) in planes.chunks_exact(side * side).enumerate() {
        for (x, column) in plane.chunks_exact(side).enumerate() {
            for (y, &v) in column.iter().enumerate() {
                out[(y * side + x) * 3 + channel] = v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows_of_pixels() {
        // red 1 3 / 2 4, green 5 7 / 6 8, blue 9 11 / 10 12
        let planes: Vec<u8> = (1..=12).collect();
        let mut out = [0; 12];
        from_columns(&planes, 2, &mut out);
        assert_eq!(out, [1, 5, 9, 3, 7, 11, 2, 6, 10, 4, 8, 12]);
    }
}
