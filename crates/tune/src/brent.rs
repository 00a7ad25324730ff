//! The minimum of a function of one variable on an interval (Brent 1973, chapter 5).

/// Golden section.
const GOLDEN: f64 = 0.381_966_011_250_105_1;

/// Most evaluations.
const MOST: usize = 500;

/// Finds a local minimum of `f` in `[low, high]`, to `tolerance` in its argument.
///
/// Parabolas through the three best points, golden sections where these do not shorten the interval enough. With the same
/// tolerance it takes the steps of the "bounded" method that Python's scientific libraries have, which the published code calls.
pub(crate) fn minimum(mut f: impl FnMut(f64) -> f64, low: f64, high: f64, tolerance: f64) -> f64 {
    let (mut a, mut b) = (low, high);
    let mut best = a + GOLDEN * (b - a);
    let mut f_best = f(best);
    // second and third best
    let (mut second, mut f_second) = (best, f_best);
    let (mut third, mut f_third) = (best, f_best);
    let (mut step, mut before) = (0.0f64, 0.0f64);
    for _ in 1..MOST {
        let middle = 0.5 * (a + b);
        let least = f64::EPSILON.sqrt() * best.abs() + tolerance / 3.0;
        if (best - middle).abs() <= 2.0 * least - 0.5 * (b - a) {
            break;
        }
        let mut golden = true;
        if before.abs() > least {
            // the parabola through the three
            let r = (best - second) * (f_best - f_third);
            let mut q = (best - third) * (f_best - f_second);
            let mut p = (best - third) * q - (best - second) * r;
            q = 2.0 * (q - r);
            if q > 0.0 {
                p = -p;
            }
            q = q.abs();
            let old = std::mem::replace(&mut before, step);
            if p.abs() < (0.5 * q * old).abs() && p > q * (a - best) && p < q * (b - best) {
                golden = false;
                step = p / q;
                let x = best + step;
                if x - a < 2.0 * least || b - x < 2.0 * least {
                    step = least * direction(middle - best);
                }
            }
        }
        if golden {
            before = if best >= middle { a - best } else { b - best };
            step = GOLDEN * before;
        }
        let x = best + direction(step) * step.abs().max(least);
        let f_x = f(x);
        if f_x <= f_best {
            if x >= best {
                a = best;
            } else {
                b = best;
            }
            (third, f_third) = (second, f_second);
            (second, f_second) = (best, f_best);
            (best, f_best) = (x, f_x);
        } else {
            if x < best {
                a = x;
            } else {
                b = x;
            }
            if f_x <= f_second || second == best {
                (third, f_third) = (second, f_second);
                (second, f_second) = (x, f_x);
            } else if f_x <= f_third || third == best || third == second {
                (third, f_third) = (x, f_x);
            }
        }
    }
    best
}

/// The sign, `1` for zero.
fn direction(x: f64) -> f64 {
    if x < 0.0 { -1.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::minimum;

    #[test]
    fn minima_inside_and_at_the_ends() {
        assert!((minimum(|x| (x - 0.3).powi(2), 0.0, 1.0, 1e-10) - 0.3).abs() < 1e-8);
        // of x ln x at 1 / e
        assert!((minimum(|x| x * x.ln(), 1e-6, 2.0, 1e-10) - (-1f64).exp()).abs() < 1e-7);
        assert!((minimum(|x| -x, 0.0, 1.0, 1e-8) - 1.0).abs() < 1e-7);
        assert_eq!(minimum(|x| x, 2.0, 2.0, 1e-8), 2.0);
    }
}
