use super::glyph::{text, walker};
use super::plane::Point;
use super::shape::Shape;
use std::sync::OnceLock;

/// What a spot of a sign is painted with; the colour is chosen per picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    None = 0,
    White = 1,
    Red = 2,
    Blue = 3,
    Yellow = 4,
    Black = 5,
}

/// Number of inks, the empty one included.
pub(super) const INKS: usize = 6;

/// Spots per side of a painted face.
const SIDE: usize = 256;
/// Half the width of the painted square in face units: a little more than the sign.
const REACH: f32 = 1.05;

/// A sign's face as `SIDE x SIDE` spots of ink.
pub(super) struct Face(Vec<u8>);

impl Face {
    fn paint(layers: &[(Shape, Ink)]) -> Self {
        let coordinate = |k: usize| ((k as f32 + 0.5) / SIDE as f32 * 2.0 - 1.0) * REACH;
        let mut spots = Vec::with_capacity(SIDE * SIDE);
        for row in 0..SIDE {
            for col in 0..SIDE {
                let p = (coordinate(col), coordinate(row));
                let top = layers.iter().rev().find(|(shape, _)| shape.contains(p));
                spots.push(top.map_or(Ink::None, |&(_, ink)| ink) as u8);
            }
        }
        Self(spots)
    }

    /// The ink at a point in face units, as an index below [`INKS`].
    pub(super) fn ink(&self, (x, y): Point) -> usize {
        const SCALE: f32 = SIDE as f32 / (2.0 * REACH);
        let (col, row) = ((x + REACH) * SCALE, (y + REACH) * SCALE);
        let inside = |v: f32| v >= 0.0 && v < SIDE as f32;
        if inside(col) && inside(row) { usize::from(self.0[row as usize * SIDE + col as usize]) } else { 0 }
    }
}

/// The faces of all classes, painted once per process.
pub(super) fn faces() -> &'static [Face] {
    static FACES: OnceLock<Vec<Face>> = OnceLock::new();
    FACES.get_or_init(|| {
        use rayon::prelude::*;
        (0..super::classes::CLASSES.len()).into_par_iter().map(|class| Face::paint(&layers(class))).collect()
    })
}

fn inked(shapes: Vec<Shape>, ink: Ink) -> impl Iterator<Item = (Shape, Ink)> {
    shapes.into_iter().map(move |shape| (shape, ink))
}

/// A white disc with a red ring: what is forbidden or limited.
fn prohibition() -> Vec<(Shape, Ink)> {
    vec![(Shape::disc(0.0, 0.0, 1.0), Ink::Red), (Shape::disc(0.0, 0.0, 0.74), Ink::White)]
}

fn limit(number: &str) -> Vec<(Shape, Ink)> {
    let mut layers = prohibition();
    layers.extend(inked(text(number, (0.0, 0.0), 0.47, 0.56, 0.085), Ink::Black));
    layers
}

/// A blue disc with a thin white edge: what must be done.
fn mandatory() -> Vec<(Shape, Ink)> {
    vec![(Shape::disc(0.0, 0.0, 1.0), Ink::White), (Shape::disc(0.0, 0.0, 0.93), Ink::Blue)]
}

fn triangle(size: f32, up: f32) -> Vec<Point> {
    vec![(0.0, -0.90 * size * up), (0.92 * size, 0.70 * size * up), (-0.92 * size, 0.70 * size * up)]
}

/// A white triangle with a red border, pointing up (warning) or down (yield).
fn warning(up: f32) -> Vec<(Shape, Ink)> {
    let part = |size, ink| (Shape::polygon(&triangle(size, up), 0.08), ink);
    vec![part(1.0, Ink::Red), part(0.56, Ink::White)]
}

/// A blue disc with a red ring: no parking, no stopping.
fn standing() -> Vec<(Shape, Ink)> {
    vec![(Shape::disc(0.0, 0.0, 1.0), Ink::Red), (Shape::disc(0.0, 0.0, 0.77), Ink::Blue)]
}

fn line(a: Point, b: Point, half_width: f32, ink: Ink) -> (Shape, Ink) {
    (Shape::stroke(vec![a, b], half_width), ink)
}

/// Arrow that comes from below and bends to one side (1 right, -1 left).
fn turn(side: f32) -> Vec<(Shape, Ink)> {
    let mut layers = mandatory();
    let head = [(0.16 * side, -0.66), (0.74 * side, -0.22), (0.16 * side, 0.22)];
    layers.push((
        Shape::stroke(vec![(-0.36 * side, 0.52), (-0.36 * side, -0.22), (0.24 * side, -0.22)], 0.145),
        Ink::White,
    ));
    layers.push((Shape::polygon(&head, 0.0), Ink::White));
    layers
}

/// What is painted, bottom layer first.
fn layers(class: usize) -> Vec<(Shape, Ink)> {
    match class {
        0 => limit("30"),
        1 => limit("50"),
        2 => limit("80"),
        3 => {
            let mut layers = vec![
                (Shape::regular(8, 1.04, 22.5, (0.0, 0.0), 0.0), Ink::White),
                (Shape::regular(8, 0.96, 22.5, (0.0, 0.0), 0.0), Ink::Red),
            ];
            layers.extend(inked(text("STOP", (0.0, 0.0), 0.36, 0.42, 0.068), Ink::White));
            layers
        }
        4 => warning(-1.0),
        5 => vec![
            (Shape::disc(0.0, 0.0, 1.0), Ink::White),
            (Shape::disc(0.0, 0.0, 0.94), Ink::Red),
            (Shape::bar(-0.68, -0.18, 0.68, 0.18), Ink::White),
        ],
        6 => {
            let mut layers = standing();
            layers.push(line((-0.58, -0.58), (0.58, 0.58), 0.125, Ink::Red));
            layers
        }
        7 => {
            let mut layers = standing();
            layers.push(line((-0.58, -0.58), (0.58, 0.58), 0.125, Ink::Red));
            layers.push(line((-0.58, 0.58), (0.58, -0.58), 0.125, Ink::Red));
            layers
        }
        8 => {
            let mut layers = vec![(Shape::disc(0.0, 0.0, 1.0), Ink::Black), (Shape::disc(0.0, 0.0, 0.93), Ink::White)];
            layers.extend((-2..=2).map(|k| {
                let shift = k as f32 * 0.105;
                line((-0.5 + shift, 0.5 + shift), (0.5 + shift, -0.5 + shift), 0.04, Ink::Black)
            }));
            layers
        }
        9 => vec![
            (Shape::regular(4, 0.96, 0.0, (0.0, 0.0), 0.07), Ink::Black),
            (Shape::regular(4, 0.92, 0.0, (0.0, 0.0), 0.05), Ink::White),
            (Shape::regular(4, 0.66, 0.0, (0.0, 0.0), 0.03), Ink::Yellow),
        ],
        10 => {
            let mut layers = warning(1.0);
            layers.push((
                Shape::polygon(&[(-0.09, -0.34), (0.09, -0.34), (0.04, 0.14), (-0.04, 0.14)], 0.03),
                Ink::Black,
            ));
            layers.push((Shape::disc(0.0, 0.33, 0.11), Ink::Black));
            layers
        }
        11 => {
            let mut layers = warning(1.0);
            layers.extend(inked(walker((0.0, 0.08), 0.66), Ink::Black));
            layers
        }
        12 => turn(-1.0),
        13 => turn(1.0),
        14 => {
            let mut layers = mandatory();
            layers.push((Shape::bar(-0.15, -0.2, 0.15, 0.68), Ink::White));
            layers.push((Shape::polygon(&[(-0.46, -0.1), (0.0, -0.76), (0.46, -0.1)], 0.0), Ink::White));
            layers
        }
        _ => {
            let corner = 0.82;
            let square = |half: f32| Shape::polygon(&[(-half, -half), (half, -half), (half, half), (-half, half)], 0.1);
            let mut layers = vec![(square(corner), Ink::White), (square(corner - 0.07), Ink::Blue)];
            layers.extend(inked(text("P", (0.03, 0.0), 0.70, 0.0, 0.125), Ink::White));
            layers
        }
    }
}
