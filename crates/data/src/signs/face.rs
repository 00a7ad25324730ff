use super::classes::CLASSES;
use super::plane::Point;
use super::shape::Shape;
use rayon::prelude::*;
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
    FACES.get_or_init(|| CLASSES.par_iter().map(|class| Face::paint(&(class.design)())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_show_their_inks_where_the_design_says() {
        let ink = |name: &str, p| {
            let class = CLASSES.iter().position(|c| c.name == name).unwrap();
            faces()[class].ink(p)
        };
        assert_eq!(ink("limit-30", (0.0, -0.87)), Ink::Red as usize);
        assert_eq!(ink("limit-30", (0.0, -0.6)), Ink::White as usize);
        assert_eq!(ink("no-entry", (0.3, 0.0)), Ink::White as usize);
        assert_eq!(ink("priority-road", (0.0, 0.0)), Ink::Yellow as usize);
        assert_eq!(ink("parking", (0.6, 0.6)), Ink::Blue as usize);
        assert_eq!(ink("danger", (0.0, 0.33)), Ink::Black as usize);
        assert_eq!(ink("ahead", (0.9, 0.9)), Ink::None as usize);
        assert_eq!(ink("stop", (7.0, 0.0)), Ink::None as usize, "outside the painted square");
    }

    #[test]
    fn no_two_faces_are_alike() {
        for (i, a) in faces().iter().enumerate() {
            for b in &faces()[..i] {
                let differing = a.0.iter().zip(&b.0).filter(|(x, y)| x != y).count();
                assert!(differing > SIDE * SIDE / 100, "{i}: {differing} spots");
            }
        }
    }
}
