use crate::tile::LANES;

/// How alike two points are, in [0, 1], from their squared distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Likeness {
    /// `exp(-sharpness * squared)`, within 3e-7 relative of the true value near 1 and 1e-5 at the far end.
    Gaussian {
        /// `1 / width^2`, finite and above 0.
        sharpness: f32,
    },
    /// 1 below a squared distance, 0 from it on.
    Ball {
        /// The squared radius; infinite covers everything.
        squared: f32,
    },
}

impl Likeness {
    /// Of squared distances that are not negative.
    #[inline(always)]
    pub(crate) fn of(self, squared: [f32; LANES]) -> [f32; LANES] {
        // one loop for each kind, so that each becomes vector instructions
        let mut out = [0.0; LANES];
        match self {
            Self::Gaussian { sharpness } => {
                for l in 0..LANES {
                    out[l] = exp_negative(-squared[l] * sharpness);
                }
            }
            Self::Ball { squared: radius } => {
                for l in 0..LANES {
                    out[l] = if squared[l] < radius { 1.0 } else { 0.0 };
                }
            }
        }
        out
    }

    /// A squared distance from which on the likeness is certainly not above `floor`.
    pub(crate) fn reach(self, floor: f32) -> f32 {
        match self {
            Self::Gaussian { .. } if floor <= 0.0 => f32::INFINITY,
            // a little more, for the rounding of the exponential and of this division
            Self::Gaussian { sharpness } => (-floor.ln() + 1e-4) * 1.001 / sharpness + f32::MIN_POSITIVE,
            Self::Ball { .. } if floor >= 1.0 => 0.0,
            Self::Ball { squared } => squared,
        }
    }
}

/// `e^x` for `x <= 0`, 0 below -87; written so that the compiler uses vector registers.
#[inline(always)]
fn exp_negative(x: f32) -> f32 {
    // adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits
    const ROUND: f32 = 12_582_912.0;
    let y = if x > -87.0 { x } else { -87.0 } * std::f32::consts::LOG2_E;
    let shifted = y + ROUND;
    let fraction = (y - (shifted - ROUND)) * std::f32::consts::LN_2;
    let series = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let mut power = 0.0f32;
    for c in series {
        power = power * fraction + c;
    }
    // 2^integer by adding to the exponent
    let scaled = f32::from_bits(power.to_bits().wrapping_add(shifted.to_bits() << 23));
    if x < -87.0 { 0.0 } else { scaled }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_one() {
        assert_eq!(exp_negative(0.0), 1.0);
        for i in 0..=86_000 {
            let x = -(i as f32) / 1000.0;
            let want = f64::from(x).exp();
            // the rounding of x * log2(e) grows with x
            let allowed = 3e-7 + 1.2e-7 * f64::from(-x);
            assert!((f64::from(exp_negative(x)) - want).abs() <= allowed * want, "{x}");
        }
        assert_eq!(exp_negative(-88.0), 0.0);
        assert_eq!(exp_negative(f32::MIN), 0.0);
        assert_eq!(exp_negative(f32::NEG_INFINITY), 0.0);
    }

    #[test]
    fn nothing_beyond_its_reach_is_above_the_floor() {
        for sharpness in [1e-30f32, 0.5, 1.0, 16.0, 1e30] {
            let like = Likeness::Gaussian { sharpness };
            for i in 0..=1000 {
                let floor = i as f32 / 1000.0;
                let reach = like.reach(floor);
                assert!(reach == f32::INFINITY || like.of([reach; LANES])[0] <= floor, "{sharpness} {floor}");
            }
        }
        let ball = Likeness::Ball { squared: 0.25 };
        let of = |squared| ball.of([squared; LANES])[0];
        assert_eq!((of(0.249), of(0.25), ball.reach(0.0), ball.reach(1.0)), (1.0, 0.0, 0.25, 0.0));
    }
}
