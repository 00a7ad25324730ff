/// Inner product with eight `f64` sums.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    sum_by_eight(a, b, |x, y| x * y)
}

/// Squared Euclidean distance, each difference and the sum in `f64`: exactly 0 for equal rows.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    sum_by_eight(a, b, |x, y| (x - y) * (x - y))
}

/// `1 / |row|`; 0 for a row of zeros.
pub fn inverse_length(row: &[f32]) -> f64 {
    let length = dot(row, row).sqrt();
    if length > 0.0 { length.recip() } else { 0.0 }
}

#[inline(always)]
fn sum_by_eight(a: &[f32], b: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
    debug_assert_eq!(a.len(), b.len());
    let mut sums = [0.0f64; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (x, y) in a8.iter().zip(b8) {
        for l in 0..8 {
            sums[l] += term(f64::from(x[l]), f64::from(y[l]));
        }
    }
    for (s, (x, y)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *s += term(f64::from(*x), f64::from(*y));
    }
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}
