use super::plane::{Point, direction, to_segment};

/// A filled part of a sign's face, in face units: the sign reaches from -1 to 1.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Disc {
        center: Point,
        radius: f32,
    },
    /// A polygon with corners rounded outwards by `round`.
    Polygon {
        corners: Vec<Point>,
        round: f32,
    },
    /// A line drawn with a round pen.
    Stroke {
        points: Vec<Point>,
        half_width: f32,
    },
}

impl Shape {
    pub(super) fn disc(x: f32, y: f32, radius: f32) -> Self {
        Self::Disc { center: (x, y), radius }
    }

    pub(super) fn polygon(corners: &[Point], round: f32) -> Self {
        Self::Polygon { corners: corners.to_vec(), round }
    }

    pub(super) fn stroke(points: Vec<Point>, half_width: f32) -> Self {
        Self::Stroke { points, half_width }
    }

    /// `corners` points at equal angles, the first at `start` degrees.
    pub(super) fn regular(corners: usize, radius: f32, start: f32, center: Point, round: f32) -> Self {
        let corners = (0..corners)
            .map(|k| {
                let (c, s) = direction(start + 360.0 * k as f32 / corners as f32);
                (center.0 + radius * c, center.1 + radius * s)
            })
            .collect();
        Self::Polygon { corners, round }
    }

    pub(super) fn bar(x0: f32, y0: f32, x1: f32, y1: f32) -> Self {
        Self::polygon(&[(x0, y0), (x1, y0), (x1, y1), (x0, y1)], 0.0)
    }

    pub(super) fn contains(&self, p: Point) -> bool {
        match self {
            Self::Disc { center, radius } => {
                let (dx, dy) = (p.0 - center.0, p.1 - center.1);
                dx * dx + dy * dy <= radius * radius
            }
            Self::Stroke { points, half_width } => points.windows(2).any(|w| to_segment(p, w[0], w[1]) <= *half_width),
            Self::Polygon { corners, round } => {
                let edges = || corners.iter().zip(corners.iter().cycle().skip(1));
                // even-odd rule along the ray to the right
                let inside = edges().fold(false, |inside, (&a, &b)| {
                    let crosses = (a.1 > p.1) != (b.1 > p.1) && p.0 < a.0 + (p.1 - a.1) * (b.0 - a.0) / (b.1 - a.1);
                    inside != crosses
                });
                inside || (*round > 0.0 && edges().any(|(&a, &b)| to_segment(p, a, b) <= *round))
            }
        }
    }
}

/// Points along an ellipse from `from` to `to` degrees, clockwise when `to` is larger; 0 is right, 90 is down.
pub(super) fn arc(center: Point, rx: f32, ry: f32, from: f32, to: f32) -> Vec<Point> {
    let steps = ((to - from).abs() / 15.0) as usize + 1;
    (0..=steps)
        .map(|k| {
            let (c, s) = direction(from + (to - from) * k as f32 / steps as f32);
            (center.0 + rx * c, center.1 + ry * s)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_hold_their_inside() {
        let square = Shape::bar(-1.0, -1.0, 1.0, 1.0);
        assert!(square.contains((0.9, -0.9)) && !square.contains((1.1, 0.0)));
        let round = Shape::polygon(&[(0.0, -0.5), (0.5, 0.5), (-0.5, 0.5)], 0.1);
        assert!(round.contains((0.0, -0.59)) && !round.contains((0.0, -0.61)));
        assert!(Shape::disc(0.5, 0.0, 0.2).contains((0.6, 0.1)));
        let line = Shape::stroke(arc((0.0, 0.0), 1.0, 1.0, 0.0, 90.0), 0.1);
        assert!(line.contains((0.72, 0.7)) && !line.contains((-0.72, 0.7)) && !line.contains((0.0, 0.0)));
    }
}
