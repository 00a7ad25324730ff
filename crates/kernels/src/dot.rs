/// Inner product with eight `f64` sums.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the instructions were just detected
        return unsafe { wide::dot(a, b) };
    }
    sum_by_eight(a, b, product)
}

/// Squared Euclidean distance, each difference and the sum in `f64`: exactly 0 for equal rows.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the instructions were just detected
        return unsafe { wide::squared_distance(a, b) };
    }
    sum_by_eight(a, b, squared_difference)
}

/// `1 / |row|`; 0 for a row of zeros.
pub fn inverse_length(row: &[f32]) -> f64 {
    let length = dot(row, row).sqrt();
    if length > 0.0 { length.recip() } else { 0.0 }
}

#[inline(always)]
fn product(x: f64, y: f64) -> f64 {
    x * y
}

#[inline(always)]
fn squared_difference(x: f64, y: f64) -> f64 {
    (x - y) * (x - y)
}

/// The same operations in the same order for every set of instructions (nothing is fused): equal to the last bit.
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

/// Compiled for registers of four `f64`.
#[cfg(target_arch = "x86_64")]
mod wide {
    use super::{product, squared_difference, sum_by_eight};

    #[target_feature(enable = "avx2")]
    pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
        sum_by_eight(a, b, product)
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
        sum_by_eight(a, b, squared_difference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_registers_change_no_bit() {
        for n in [0, 1, 7, 8, 9, 64, 513] {
            let a = (0..n).map(|i| (i as f32 * 0.37).sin() * 1e3).collect::<Vec<_>>();
            let b = (0..n).map(|i| (i as f32 * 0.11).cos() / 3.0).collect::<Vec<_>>();
            assert_eq!(dot(&a, &b).to_bits(), sum_by_eight(&a, &b, product).to_bits());
            assert_eq!(squared_distance(&a, &b).to_bits(), sum_by_eight(&a, &b, squared_difference).to_bits());
            assert_eq!(squared_distance(&a, &a), 0.0);
        }
    }
}
