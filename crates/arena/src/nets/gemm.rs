//! Products of matrices whose every sum has one fixed order.
//!
//! The work clock promises the same counts on every machine, so a product must not depend on the vector instructions at
//! hand: no fused multiply-add, each element summed along k from first to last in `f32`. Eight columns at a time are what
//! the compiler turns into vectors by itself.

const ROWS: usize = 4;
const COLS: usize = 8;

/// `c += a b` for row-major `a` (m x k), `b` (k x n), `c` (m x n).
pub(crate) fn multiply_add(a: &[f32], b: &[f32], c: &mut [f32], (m, k, n): (usize, usize, usize)) {
    debug_assert!(a.len() == m * k && b.len() == k * n && c.len() == m * n);
    if k == 0 || n == 0 {
        return;
    }
    let wide = n - n % COLS;
    let mut panel = vec![0.0; k * COLS];
    for j in (0..wide).step_by(COLS) {
        // the columns of b in one piece: read m / 4 times
        for (to, row) in panel.chunks_exact_mut(COLS).zip(b.chunks_exact(n)) {
            to.copy_from_slice(&row[j..j + COLS]);
        }
        let mut i = 0;
        while i + ROWS <= m {
            block::<ROWS>(&a[i * k..(i + ROWS) * k], &panel, &mut c[i * n..(i + ROWS) * n], (k, n, j));
            i += ROWS;
        }
        while i < m {
            block::<1>(&a[i * k..(i + 1) * k], &panel, &mut c[i * n..(i + 1) * n], (k, n, j));
            i += 1;
        }
    }
    for i in 0..m {
        for j in wide..n {
            let row = &a[i * k..(i + 1) * k];
            let sum = row.iter().zip(b[j..].iter().step_by(n)).fold(0.0, |s, (&x, &y)| s + x * y);
            c[i * n + j] += sum;
        }
    }
}

fn block<const R: usize>(a: &[f32], panel: &[f32], c: &mut [f32], (k, n, j): (usize, usize, usize)) {
    let mut sums = [[0.0f32; COLS]; R];
    let rows: [&[f32]; R] = std::array::from_fn(|r| &a[r * k..(r + 1) * k]);
    for (p, b) in panel.as_chunks::<COLS>().0.iter().enumerate().take(k) {
        for r in 0..R {
            let x = rows[r][p];
            for (s, &y) in sums[r].iter_mut().zip(b) {
                *s += x * y;
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        for (to, s) in c[r * n + j..][..COLS].iter_mut().zip(sums) {
            *to += s;
        }
    }
}

/// `a b`
pub(crate) fn multiply(a: &[f32], b: &[f32], (m, k, n): (usize, usize, usize)) -> Vec<f32> {
    let mut c = vec![0.0; m * n];
    multiply_add(a, b, &mut c, (m, k, n));
    c
}

/// The transpose of a row-major matrix of `rows` rows.
pub(crate) fn transpose(a: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    let mut t = vec![0.0; a.len()];
    for (i, row) in a.chunks_exact(cols.max(1)).enumerate() {
        for (j, &x) in row.iter().enumerate() {
            t[j * rows + i] = x;
        }
    }
    t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_the_plain_sums_to_the_bit() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 7), (4, 8, 8), (9, 17, 21), (6, 3, 16), (2, 0, 3)] {
            let a: Vec<f32> = (0..m * k).map(|i| (i as f32 * 0.37).sin()).collect();
            let b: Vec<f32> = (0..k * n).map(|i| (i as f32 * 0.73).cos()).collect();
            let c = multiply(&a, &b, (m, k, n));
            for i in 0..m {
                for j in 0..n {
                    let sum = (0..k).fold(0.0f32, |s, p| s + a[i * k + p] * b[p * n + j]);
                    assert_eq!(c[i * n + j].to_bits(), (0.0 + sum).to_bits(), "{m} {k} {n}: {i} {j}");
                }
            }
        }
        assert_eq!(transpose(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
