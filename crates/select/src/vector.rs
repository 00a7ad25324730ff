//! Row arithmetic: f32 data in independent lanes (so that the compiler uses vector registers), sums in f64.

const LANES: usize = 16;
/// Numbers summed in f32 before they go to f64: 32 additions a lane, so at most 2e-6 relative.
const BLOCK: usize = 32 * LANES;

/// Squared Euclidean distance, within 5e-6 relative of the f64 value.
pub(crate) fn dist2(a: &[f32], b: &[f32]) -> f64 {
    a.chunks(BLOCK).zip(b.chunks(BLOCK)).map(|(a, b)| dist2_block(a, b)).sum()
}

fn dist2_block(a: &[f32], b: &[f32]) -> f64 {
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = [0f32; LANES];
    for (x, y) in a_lanes.iter().zip(b_lanes) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += (x - y) * (x - y);
        }
    }
    let sum = lanes.iter().map(|&s| f64::from(s)).sum::<f64>() + dist2_exact(a_rest, b_rest);
    // squares of very large or very small differences leave the range of f32
    if (1e-25..1e30).contains(&sum) { sum } else { dist2_exact(a, b) }
}

fn dist2_exact(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum()
}

/// Inner product in f64.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f64 {
    const WIDE: usize = 8;
    let (a_lanes, a_rest) = a.as_chunks::<WIDE>();
    let (b_lanes, b_rest) = b.as_chunks::<WIDE>();
    let mut lanes = [0f64; WIDE];
    for (x, y) in a_lanes.iter().zip(b_lanes) {
        for ((lane, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += f64::from(x) * f64::from(y);
        }
    }
    lanes.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use rand::Rng;

    #[test]
    fn lanes_agree_with_f64_at_every_length_and_scale() {
        let mut rng = Streams::new(1).named("vector");
        for n in [0, 1, 7, 8, 15, 16, 17, 511, 512, 513, 2048] {
            for scale in [1e-30f32, 1.0, 1e30] {
                let mut row = |offset: f32| (0..n).map(|_| scale * (offset + rng.r#gen::<f32>())).collect::<Vec<_>>();
                let (a, b) = (row(100.0), row(100.0));
                let exact = dist2_exact(&a, &b);
                assert!((dist2(&a, &b) - exact).abs() <= 5e-6 * exact, "{n} {scale}");
                let exact = a.iter().zip(&b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
                assert!((dot(&a, &b) - exact).abs() <= 1e-13 * exact, "{n} {scale}");
            }
        }
    }

    #[test]
    fn equal_rows_are_at_distance_zero() {
        let a = vec![0.1f32; 37];
        assert_eq!(dist2(&a, &a), 0.0);
    }
}
