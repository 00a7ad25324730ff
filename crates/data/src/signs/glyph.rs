use super::plane::Point;
use super::shape::{Shape, arc};

/// The lines of a character in a box of about 0.9 x 1.6, centred on the origin.
fn lines(character: char) -> Vec<Vec<Point>> {
    let upper = |from, to| arc((0.0, -0.40), 0.40, 0.40, from, to);
    let lower = |from, to| arc((0.0, 0.38), 0.46, 0.42, from, to);
    match character {
        '0' => vec![arc((0.0, 0.0), 0.42, 0.80, 0.0, 360.0)],
        '3' => {
            let mut line = upper(200.0, 440.0);
            line.extend(lower(280.0, 525.0));
            vec![line]
        }
        '5' => {
            let mut line = vec![(0.38, -0.80), (-0.32, -0.80), (-0.38, -0.06)];
            line.extend(arc((0.0, 0.28), 0.46, 0.52, 240.0, 510.0));
            vec![line]
        }
        '8' => vec![arc((0.0, -0.40), 0.36, 0.40, 0.0, 360.0), lower(0.0, 360.0)],
        'O' => vec![arc((0.0, 0.0), 0.46, 0.80, 0.0, 360.0)],
        'S' => {
            let mut line = upper(-20.0, -270.0);
            line.extend(arc((0.0, 0.40), 0.42, 0.40, -90.0, 160.0));
            vec![line]
        }
        'T' => vec![vec![(-0.5, -0.78), (0.5, -0.78)], vec![(0.0, -0.78), (0.0, 0.80)]],
        _ => {
            let mut bowl = vec![(-0.38, 0.80), (-0.38, -0.80), (0.04, -0.80)];
            bowl.extend(arc((0.04, -0.36), 0.40, 0.44, -90.0, 90.0));
            bowl.push((-0.38, 0.08));
            vec![bowl]
        }
    }
}

/// Strokes of a text of `0 3 5 8 O P S T`, centred at `center`; a character is `1.6 * size` high.
pub(super) fn text(text: &str, center: Point, size: f32, advance: f32, half_width: f32) -> Vec<Shape> {
    let left = center.0 - advance * (text.chars().count() as f32 - 1.0) / 2.0;
    text.chars()
        .enumerate()
        .flat_map(|(k, character)| {
            let x = left + advance * k as f32;
            lines(character).into_iter().map(move |line| {
                let points = line.into_iter().map(|p| (x + size * p.0, center.1 + size * p.1)).collect();
                Shape::stroke(points, half_width)
            })
        })
        .collect()
}

/// A person walking to the left, about 1 high and centred at `center`.
pub(super) fn walker(center: Point, size: f32) -> Vec<Shape> {
    let at = |p: Point| (center.0 + size * p.0, center.1 + size * p.1);
    let limb =
        |points: &[Point], half_width: f32| Shape::stroke(points.iter().map(|&p| at(p)).collect(), size * half_width);
    let head = at((-0.02, -0.42));
    vec![
        Shape::disc(head.0, head.1, size * 0.12),
        limb(&[(0.0, -0.20), (0.02, 0.08)], 0.12),
        limb(&[(0.0, -0.22), (-0.22, -0.02), (-0.30, 0.02)], 0.055),
        limb(&[(0.04, -0.22), (0.22, -0.06), (0.24, 0.08)], 0.055),
        limb(&[(0.0, 0.10), (-0.12, 0.30), (-0.26, 0.50)], 0.075),
        limb(&[(0.04, 0.10), (0.16, 0.28), (0.22, 0.52)], 0.075),
    ]
}
