use super::plane::Point;

/// Side of a picture in pixels.
pub(super) const SIDE: usize = 32;

/// Red, green, blue; 0 is black and 255 is white, with room outside.
pub(super) type Rgb = [f32; 3];

/// A picture in the making. Pixel (0, 0) covers the square from (0, 0) to (1, 1).
#[derive(Clone)]
pub(super) struct Canvas(Vec<Rgb>);

impl Canvas {
    /// A picture from a colour per pixel centre.
    pub(super) fn from_fn(mut color: impl FnMut(Point) -> Rgb) -> Self {
        let mut pixels = Vec::with_capacity(SIDE * SIDE);
        for y in 0..SIDE {
            for x in 0..SIDE {
                pixels.push(color((x as f32 + 0.5, y as f32 + 0.5)));
            }
        }
        Self(pixels)
    }

    /// Changes each pixel, given its centre.
    pub(super) fn edit(&mut self, mut change: impl FnMut(Point, &mut Rgb)) {
        for (k, pixel) in self.0.iter_mut().enumerate() {
            change(((k % SIDE) as f32 + 0.5, (k / SIDE) as f32 + 0.5), pixel);
        }
    }

    pub(super) fn pixels(&self) -> &[Rgb] {
        &self.0
    }

    /// The colour at a point, linear between pixel centres; the edge goes on outside.
    pub(super) fn at(&self, (x, y): Point) -> Rgb {
        const LAST: f32 = SIDE as f32 - 1.0;
        let (x, y) = ((x - 0.5).clamp(0.0, LAST), (y - 0.5).clamp(0.0, LAST));
        let (x0, y0) = ((x as usize).min(SIDE - 2), (y as usize).min(SIDE - 2));
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let corner = |dx: usize, dy: usize| self.0[(y0 + dy) * SIDE + x0 + dx];
        let (a, b, c, d) = (corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1));
        std::array::from_fn(|k| {
            let top = a[k] + (b[k] - a[k]) * fx;
            let bottom = c[k] + (d[k] - c[k]) * fx;
            top + (bottom - top) * fy
        })
    }

    /// Mean of the colours at `points` around each pixel centre.
    #[must_use]
    pub(super) fn averaged(&self, offsets: &[Point]) -> Self {
        let share = 1.0 / offsets.len() as f32;
        Self::from_fn(|p| {
            let mut sum = [0.0; 3];
            for o in offsets {
                let c = self.at((p.0 + o.0, p.1 + o.1));
                sum = std::array::from_fn(|k| sum[k] + c[k]);
            }
            sum.map(|s| s * share)
        })
    }

    /// A soft focus of about `reach` pixels.
    #[must_use]
    pub(super) fn softened(&self, reach: f32) -> Self {
        let r = reach * 0.5;
        self.averaged(&[(-r, -r), (r, -r), (-r, r), (r, r)])
    }
}

/// `under` covered by `over` to the share `alpha`.
pub(super) fn mix(under: Rgb, over: Rgb, alpha: f32) -> Rgb {
    std::array::from_fn(|k| under[k] + (over[k] - under[k]) * alpha)
}

/// How much of a pixel lies within a border, from the signed distance of its centre (positive is inside).
pub(super) fn coverage(inside: f32) -> f32 {
    (inside + 0.5).clamp(0.0, 1.0)
}
