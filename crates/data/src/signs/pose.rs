use super::canvas::{Canvas, Rgb, mix};
use super::dice::Dice;
use super::face::{Face, INKS};
use super::plane::{Point, direction};

/// Samples per pixel and axis when a face is seen through a pose.
const SAMPLES: usize = 4;

/// Where a sign hangs in the picture and how it is turned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    /// Centre of the sign, pixels.
    pub(super) center: Point,
    /// Pixels from the centre of the face to its rim.
    pub(super) radius: f32,
    /// Face units per pixel: rows of the matrix from pixels to the face.
    across: Point,
    down: Point,
    /// Perspective: how much smaller a pixel's share of the face grows per pixel.
    tilt: Point,
}

impl Pose {
    /// A pose of the training domain, rolled by `roll` degrees on top and turned away by `turn` in [0, 1).
    pub(super) fn draw(dice: &mut Dice, roll: f32, turn: f32) -> Self {
        let radius = dice.between(11.4, 14.0);
        let center = (16.0 + dice.around(1.5), 16.0 + dice.around(1.5));
        let (c, s) = direction(dice.around(6.0) + roll);
        // seen from the side a face is narrower
        let width = radius * (dice.between(0.92, 1.0) - 0.32 * turn * dice.unit());
        let shear = dice.around(0.04);
        let tilt = (dice.around(0.002 + 0.006 * turn), dice.around(0.002 + 0.006 * turn));
        let across = (c / width, s / width);
        let down = ((shear * c - s) / radius, (shear * s + c) / radius);
        Self { center, radius, across, down, tilt }
    }

    /// The point of the face seen at a point of the picture.
    pub(super) fn face_at(&self, p: Point) -> Point {
        let (dx, dy) = (p.0 - self.center.0, p.1 - self.center.1);
        let w = 1.0 + self.tilt.0 * dx + self.tilt.1 * dy;
        ((self.across.0 * dx + self.across.1 * dy) / w, (self.down.0 * dx + self.down.1 * dy) / w)
    }

    /// Paints the face over the picture, each pixel the mean of `SAMPLES * SAMPLES` spots.
    pub(super) fn paint(&self, canvas: &mut Canvas, face: &Face, inks: &Inks) {
        const ALL: f32 = (SAMPLES * SAMPLES) as f32;
        let offset = |k: usize| (k as f32 + 0.5) / SAMPLES as f32 - 0.5;
        canvas.edit(|p, pixel| {
            let (u, v) = self.face_at(p);
            if u.abs() > 1.25 || v.abs() > 1.25 {
                return;
            }
            let mut counts = [0u8; INKS];
            for dy in 0..SAMPLES {
                for dx in 0..SAMPLES {
                    let (dx, dy) = (offset(dx), offset(dy));
                    let x = u + self.across.0 * dx + self.across.1 * dy;
                    let y = v + self.down.0 * dx + self.down.1 * dy;
                    counts[face.ink((x, y))] += 1;
                }
            }
            let mut sum = pixel.map(|c| c * f32::from(counts[0]));
            for (ink, &count) in inks.0.iter().zip(&counts).skip(1) {
                sum = std::array::from_fn(|k| sum[k] + ink[k] * f32::from(count));
            }
            *pixel = sum.map(|s| s / ALL);
        });
    }
}

/// The colour of each ink in one picture.
pub(super) struct Inks([Rgb; INKS]);

impl Inks {
    /// Colours of a sign that is more or less faded and dirty.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        const FRESH: [Rgb; INKS] = [
            [0.0, 0.0, 0.0],
            [236.0, 236.0, 232.0],
            [200.0, 34.0, 40.0],
            [24.0, 82.0, 170.0],
            [242.0, 186.0, 24.0],
            [26.0, 26.0, 30.0],
        ];
        let fade = dice.between(0.0, 0.22);
        let dirt = dice.between(0.0, 0.15);
        Self(FRESH.map(|ink| {
            let ink = ink.map(|c| c + dice.around(9.0));
            mix(mix(ink, [190.0, 186.0, 182.0], fade), [120.0, 110.0, 96.0], dirt)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn a_sign_lies_within_the_picture_for_the_most_part() {
        let streams = Streams::new(0);
        for i in 0..500 {
            let mut dice = Dice::new(streams.at("test", i, 0));
            let pose = Pose::draw(&mut dice, 60.0, 1.0);
            assert_eq!(pose.face_at(pose.center), (0.0, 0.0));
            let (x, y) = pose.face_at((pose.center.0 + pose.radius * 0.5, pose.center.1));
            let half = (x * x + y * y).sqrt();
            assert!((0.4..1.1).contains(&half), "{half}");
        }
    }

    #[test]
    fn a_roll_turns_the_face_clockwise() {
        let mut dice = Dice::new(Streams::new(0).named("test"));
        let pose = Pose::draw(&mut dice, 90.0, 0.0);
        // what is up in the face points to the right in the picture
        let (_, y) = pose.face_at((pose.center.0 + 10.0, pose.center.1));
        assert!(y < -0.5, "{y}");
    }
}
