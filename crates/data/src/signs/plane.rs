//! Points of the plane without the platform's `libm`: the same bits on every machine.

/// A point or direction: x to the right, y down.
pub(super) type Point = (f32, f32);

/// Cosine and sine of an angle in degrees, clockwise as seen on a picture (y points down); within 1e-6.
pub(super) fn direction(degrees: f32) -> Point {
    let mut d = degrees;
    while d > 180.0 {
        d -= 360.0;
    }
    while d < -180.0 {
        d += 360.0;
    }
    // fold into [-90, 90], where the series below converges fast
    let (folded, flip) = if d > 90.0 {
        (180.0 - d, -1.0)
    } else if d < -90.0 {
        (-180.0 - d, -1.0)
    } else {
        (d, 1.0)
    };
    let half = folded * (std::f32::consts::PI / 360.0);
    let h2 = half * half;
    // sine and cosine of the half angle, at most pi / 4, by their Taylor series
    let s = half * (1.0 - h2 / 6.0 * (1.0 - h2 / 20.0 * (1.0 - h2 / 42.0 * (1.0 - h2 / 72.0))));
    let c = 1.0 - h2 / 2.0 * (1.0 - h2 / 12.0 * (1.0 - h2 / 30.0 * (1.0 - h2 / 56.0 * (1.0 - h2 / 90.0))));
    (flip * (c * c - s * s), 2.0 * s * c)
}

/// Distance of `p` from the segment `a b`.
pub(super) fn to_segment(p: Point, a: Point, b: Point) -> f32 {
    let (abx, aby) = (b.0 - a.0, b.1 - a.1);
    let (apx, apy) = (p.0 - a.0, p.1 - a.1);
    let length2 = abx * abx + aby * aby;
    let t = if length2 > 0.0 { ((apx * abx + apy * aby) / length2).clamp(0.0, 1.0) } else { 0.0 };
    let (dx, dy) = (apx - t * abx, apy - t * aby);
    (dx * dx + dy * dy).sqrt()
}

/// 0 below `lo`, 1 above `hi`, smooth between.
pub(super) fn smoothstep(lo: f32, hi: f32, x: f32) -> f32 {
    let t = ((x - lo) / (hi - lo)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_agree_with_the_standard_library() {
        for d in -400..=400 {
            let (c, s) = direction(d as f32 * 0.9);
            let exact = (f64::from(d) * 0.9).to_radians();
            assert!((f64::from(c) - exact.cos()).abs() < 1e-6, "{d}");
            assert!((f64::from(s) - exact.sin()).abs() < 1e-6, "{d}");
        }
    }

    #[test]
    fn a_segment_ends() {
        assert_eq!(to_segment((3.0, 4.0), (0.0, 0.0), (0.0, 0.0)), 5.0);
        assert_eq!(to_segment((1.0, 2.0), (0.0, 0.0), (2.0, 0.0)), 2.0);
        assert_eq!(to_segment((5.0, 4.0), (0.0, 0.0), (2.0, 0.0)), 5.0);
    }
}
