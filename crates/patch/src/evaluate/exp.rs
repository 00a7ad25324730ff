//! Exponential and logarithm without branches, so that loops over lanes become vector instructions.

/// `e^x` for `x <= 0`, to 2e-7 relative; 0 below -87.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let x = x.max(-87.0);
    // x = k ln 2 + r with |r| <= ln 2 / 2; adding and taking 1.5 * 2^23 rounds to the next whole number
    let shifted = x * std::f32::consts::LOG2_E + 12_582_912.0;
    let k = shifted - 12_582_912.0;
    // ln 2 in two parts, the first of few digits
    let r = (x - k * 0.693_359_4) + k * 2.121_944_4e-4;
    let p = 1.987_569_1e-4f32;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 0.166_666_65;
    let p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    y * f32::from_bits(((k as i32 + 127) << 23) as u32)
}

/// Natural logarithm of a normal number, to 2e-7 absolute near 1 and relative elsewhere.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    let bits = x.to_bits() as i32;
    // mantissa in [sqrt(1/2), sqrt 2)
    let e = (bits - 0x3f35_04f3) >> 23;
    let m = f32::from_bits((bits - (e << 23)) as u32);
    let f = m - 1.0;
    // ln(1 + f) = 2 artanh(s), s = f / (2 + f)
    let s = f / (2.0 + f);
    let z = s * s;
    let series = ((0.222_222 * z + 0.285_714_3) * z + 0.4) * z + 0.666_666_7;
    e as f32 * std::f32::consts::LN_2 + (2.0 * s + s * z * series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_to_the_standard_library() {
        for i in 0..200_000 {
            let x = -(i as f32) * 4e-4;
            let want = f64::from(x).exp();
            assert!((f64::from(exp(x)) - want).abs() <= 3e-7 * want, "exp({x})");
        }
        assert!(exp(-1e9) < 1e-37 && exp(0.0) == 1.0);
        for i in 1..200_000 {
            let x = i as f32 * 1e-2;
            let want = f64::from(x).ln();
            assert!((f64::from(ln(x)) - want).abs() <= 3e-7 * want.abs().max(1.0), "ln({x})");
        }
    }
}
