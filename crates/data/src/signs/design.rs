//! What is painted on each sign, bottom layer first, in face units: the sign reaches from -1 to 1, y points down.

use super::face::Ink;
use super::glyph::{text, walker};
use super::plane::Point;
use super::shape::Shape;

/// Shapes painted over each other.
pub(super) type Layers = Vec<(Shape, Ink)>;

fn inked(shapes: Vec<Shape>, ink: Ink) -> impl Iterator<Item = (Shape, Ink)> {
    shapes.into_iter().map(move |shape| (shape, ink))
}

fn line(a: Point, b: Point, half_width: f32, ink: Ink) -> (Shape, Ink) {
    (Shape::stroke(vec![a, b], half_width), ink)
}

/// A white disc with a red ring and a number.
fn limit(number: &str) -> Layers {
    let mut layers = vec![(Shape::disc(0.0, 0.0, 1.0), Ink::Red), (Shape::disc(0.0, 0.0, 0.74), Ink::White)];
    layers.extend(inked(text(number, (0.0, 0.0), 0.45, 0.60, 0.085), Ink::Black));
    layers
}

pub(super) fn limit_30() -> Layers {
    limit("30")
}

pub(super) fn limit_50() -> Layers {
    limit("50")
}

pub(super) fn limit_80() -> Layers {
    limit("80")
}

pub(super) fn stop() -> Layers {
    let octagon = |size| Shape::regular(8, size, 22.5, (0.0, 0.0), 0.0);
    let mut layers = vec![(octagon(1.04), Ink::White), (octagon(0.96), Ink::Red)];
    layers.extend(inked(text("STOP", (0.0, 0.0), 0.36, 0.42, 0.068), Ink::White));
    layers
}

/// A white triangle with a red border, pointing up (1) or down (-1).
fn triangle(up: f32) -> Layers {
    let part = |size: f32, ink| {
        let corners = [(0.0, -0.90), (0.92, 0.70), (-0.92, 0.70)].map(|(x, y)| (size * x, size * y * up));
        (Shape::polygon(&corners, 0.08), ink)
    };
    vec![part(1.0, Ink::Red), part(0.56, Ink::White)]
}

pub(super) fn give_way() -> Layers {
    triangle(-1.0)
}

pub(super) fn danger() -> Layers {
    let mut layers = triangle(1.0);
    let mark = [(-0.09, -0.34), (0.09, -0.34), (0.04, 0.14), (-0.04, 0.14)];
    layers.push((Shape::polygon(&mark, 0.03), Ink::Black));
    layers.push((Shape::disc(0.0, 0.33, 0.11), Ink::Black));
    layers
}

pub(super) fn pedestrians() -> Layers {
    let mut layers = triangle(1.0);
    layers.extend(inked(walker((0.0, 0.08), 0.66), Ink::Black));
    layers
}

pub(super) fn no_entry() -> Layers {
    vec![
        (Shape::disc(0.0, 0.0, 1.0), Ink::White),
        (Shape::disc(0.0, 0.0, 0.94), Ink::Red),
        (Shape::bar(-0.68, -0.18, 0.68, 0.18), Ink::White),
    ]
}

/// A blue disc with a red ring and one red line.
pub(super) fn no_parking() -> Layers {
    vec![
        (Shape::disc(0.0, 0.0, 1.0), Ink::Red),
        (Shape::disc(0.0, 0.0, 0.77), Ink::Blue),
        line((-0.58, -0.58), (0.58, 0.58), 0.125, Ink::Red),
    ]
}

pub(super) fn no_stopping() -> Layers {
    let mut layers = no_parking();
    layers.push(line((-0.58, 0.58), (0.58, -0.58), 0.125, Ink::Red));
    layers
}

/// A white disc with five black lines.
pub(super) fn end_of_limits() -> Layers {
    let mut layers = vec![(Shape::disc(0.0, 0.0, 1.0), Ink::Black), (Shape::disc(0.0, 0.0, 0.93), Ink::White)];
    layers.extend((-2..=2).map(|k| {
        let shift = k as f32 * 0.105;
        line((-0.5 + shift, 0.5 + shift), (0.5 + shift, -0.5 + shift), 0.04, Ink::Black)
    }));
    layers
}

pub(super) fn priority_road() -> Layers {
    let diamond = |size, round| Shape::regular(4, size, 0.0, (0.0, 0.0), round);
    vec![(diamond(0.96, 0.07), Ink::Black), (diamond(0.92, 0.05), Ink::White), (diamond(0.66, 0.03), Ink::Yellow)]
}

/// A blue disc with a thin white edge: what must be done.
fn mandatory() -> Layers {
    vec![(Shape::disc(0.0, 0.0, 1.0), Ink::White), (Shape::disc(0.0, 0.0, 0.93), Ink::Blue)]
}

/// An arrow that comes from below and bends to one side (1 right, -1 left).
fn turn(side: f32) -> Layers {
    let at = |points: &[Point]| points.iter().map(|&(x, y)| (x * side, y)).collect::<Vec<_>>();
    let mut layers = mandatory();
    layers.push((Shape::stroke(at(&[(-0.36, 0.52), (-0.36, -0.22), (0.24, -0.22)]), 0.145), Ink::White));
    layers.push((Shape::polygon(&at(&[(0.16, -0.66), (0.74, -0.22), (0.16, 0.22)]), 0.0), Ink::White));
    layers
}

pub(super) fn turn_left() -> Layers {
    turn(-1.0)
}

pub(super) fn turn_right() -> Layers {
    turn(1.0)
}

pub(super) fn ahead() -> Layers {
    let mut layers = mandatory();
    layers.push((Shape::bar(-0.15, -0.2, 0.15, 0.68), Ink::White));
    layers.push((Shape::polygon(&[(-0.46, -0.1), (0.0, -0.76), (0.46, -0.1)], 0.0), Ink::White));
    layers
}

pub(super) fn parking() -> Layers {
    let square = |half: f32| Shape::polygon(&[(-half, -half), (half, -half), (half, half), (-half, half)], 0.1);
    let mut layers = vec![(square(0.82), Ink::White), (square(0.75), Ink::Blue)];
    layers.extend(inked(text("P", (0.03, 0.0), 0.70, 0.0, 0.125), Ink::White));
    layers
}
