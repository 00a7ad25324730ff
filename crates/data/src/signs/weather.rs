//! What light, air and water do to a picture.

use super::canvas::{Canvas, Rgb, mix};
use super::dice::Dice;
use super::plane::{direction, smoothstep, to_segment};
use super::pose::Pose;
use super::scene::Bumps;

fn scaled(color: Rgb, by: Rgb) -> Rgb {
    std::array::from_fn(|k| color[k] * by[k])
}

fn grey(color: Rgb) -> f32 {
    0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2]
}

/// Between `mild` at severity 0 and `severe` at 1.
pub(super) fn graded(mild: f32, severe: f32, severity: f32) -> f32 {
    mild + (severe - mild) * severity
}

/// Daylight of some strength, colour and direction.
pub(super) fn daylight(canvas: &mut Canvas, dice: &mut Dice) {
    let strength = dice.between(0.78, 1.12);
    let warmth = dice.around(0.05);
    let tint = [strength * (1.0 + warmth), strength, strength * (1.0 - warmth)];
    let (c, s) = direction(dice.between(0.0, 360.0));
    let slope = dice.between(0.0, 0.007);
    canvas.edit(|p, pixel| {
        let along = 1.0 + slope * (c * (p.0 - 16.0) + s * (p.1 - 16.0));
        *pixel = scaled(*pixel, tint).map(|v| v * along);
    });
}

/// The light of a car or of a street lamp on a sign in the dark.
pub(super) fn night(canvas: &mut Canvas, pose: &Pose, severity: f32, dice: &mut Dice) {
    let lamp = if dice.chance(0.5) { [1.18, 0.92, 0.55] } else { [0.86, 0.95, 1.16] };
    let ambient = graded(0.24, 0.12, severity);
    let beam = graded(0.46, 0.25, severity) * dice.between(0.85, 1.15);
    let reach = dice.between(9.0, 16.0);
    let at = (pose.center.0 + dice.around(9.0), pose.center.1 + dice.around(9.0));
    let pale = graded(0.25, 0.6, severity);
    canvas.edit(|p, pixel| {
        let (dx, dy) = (p.0 - at.0, p.1 - at.1);
        let lit = beam / (1.0 + (dx * dx + dy * dy) / (reach * reach));
        let g = grey(*pixel);
        *pixel = scaled(mix(*pixel, [g; 3], pale), lamp).map(|v| v * (ambient + lit));
    });
}

/// Water in the air: all colours drift to one grey.
pub(super) fn fog(canvas: &mut Canvas, severity: f32, dice: &mut Dice) {
    let bumps = Bumps::new(dice, 11.0);
    let haze = dice.between(168.0, 222.0);
    let haze = [haze, haze + 2.0, haze + 5.0];
    let dense = graded(0.45, 0.80, severity);
    let rising = dice.around(0.004);
    canvas.edit(|p, pixel| {
        let t = (dense + rising * (p.1 - 16.0) + 0.07 * bumps.at(p)).clamp(0.0, 0.88);
        *pixel = mix(*pixel, haze, t);
    });
}

/// Streaks in the air and drops on the lens under a dull sky.
pub(super) fn rain(canvas: &Canvas, severity: f32, dice: &mut Dice) -> Canvas {
    let slant = 90.0 + dice.around(28.0);
    let (c, s) = direction(slant);
    let length = dice.between(5.0, 11.0);
    let streaks: Vec<_> = (0..graded(14.0, 40.0, severity) as usize)
        .map(|_| {
            let from = (dice.between(-4.0, 36.0), dice.between(-8.0, 32.0));
            let to = (from.0 + c * length, from.1 + s * length);
            (from, to, dice.between(0.25, 0.6), dice.between(0.25, 0.55))
        })
        .collect();
    let drops: Vec<_> = (0..1 + (3.0 * severity) as usize + dice.below(2))
        .map(|_| ((dice.between(3.0, 29.0), dice.between(3.0, 29.0)), dice.between(2.2, graded(3.2, 4.8, severity))))
        .collect();
    let dull = graded(0.86, 0.62, severity);
    let pale = graded(0.15, 0.45, severity);
    let mut wet = Canvas::from_fn(|p| {
        // a drop shows what lies behind it upside down
        let drop = drops.iter().find_map(|&(at, radius)| {
            let (dx, dy) = (p.0 - at.0, p.1 - at.1);
            let d = (dx * dx + dy * dy).sqrt();
            (d < radius).then_some((at, dx, dy, d / radius))
        });
        match drop {
            None => canvas.at(p),
            Some((at, dx, dy, d)) => {
                let behind = canvas.at((at.0 - 1.4 * dx, at.1 - 1.4 * dy));
                mix(behind, if dy < 0.0 { [60.0, 62.0, 66.0] } else { [214.0, 218.0, 222.0] }, 0.15 + 0.4 * d * d * d)
            }
        }
    });
    wet.edit(|p, pixel| {
        let g = grey(*pixel);
        *pixel = mix(*pixel, [g, g, g + 6.0], pale).map(|v| v * dull + 12.0);
        for &(from, to, half, alpha) in &streaks {
            let d = to_segment(p, from, to);
            if d < half + 0.6 {
                *pixel = mix(*pixel, [206.0, 210.0, 216.0], alpha * smoothstep(half + 0.6, half - 0.4, d));
            }
        }
    });
    wet
}

/// A low sun that shines into the lens.
pub(super) fn glare(canvas: &mut Canvas, severity: f32, dice: &mut Dice) {
    let (c, s) = direction(dice.between(0.0, 360.0));
    let away = dice.between(9.0, 17.0);
    let at = (16.0 + c * away, 16.0 + s * away);
    let sun = [255.0, dice.between(214.0, 240.0), dice.between(140.0, 200.0)];
    let veil = graded(0.15, 0.42, severity);
    let power = graded(0.7, 1.5, severity);
    let reach = graded(6.0, 9.5, severity);
    // against the light the face of the sign itself lies in shadow
    let shadow = graded(0.8, 0.5, severity);
    let (ray_c, ray_s) = direction(dice.between(0.0, 180.0));
    canvas.edit(|p, pixel| {
        let (dx, dy) = (p.0 - at.0, p.1 - at.1);
        let bloom = power / (1.0 + (dx * dx + dy * dy) / (reach * reach));
        let off = (ray_c * dy - ray_s * dx).abs();
        let ray = 0.5 * power / (1.0 + off * off);
        let dark = pixel.map(|v| v * shadow);
        *pixel = mix(dark, sun, veil);
        *pixel = std::array::from_fn(|k| pixel[k] + sun[k] * (0.55 * bloom * bloom + 0.3 * ray * bloom));
    });
}
