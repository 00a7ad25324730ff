//! What hangs before a sign: a sticker, a branch, or snow.

use super::canvas::{Canvas, Rgb, coverage, mix};
use super::dice::Dice;
use super::plane::{Point, direction, to_segment};
use super::pose::Pose;
use super::scene::Bumps;

/// Hides a part of the sign, more with `severity`.
pub(super) fn hide(canvas: &mut Canvas, pose: &Pose, severity: f32, dice: &mut Dice) {
    match dice.below(3) {
        0 => sticker(canvas, pose, severity, dice),
        1 => branch(canvas, pose, severity, dice),
        _ => snow(canvas, pose, severity, dice),
    }
}

fn sticker(canvas: &mut Canvas, pose: &Pose, severity: f32, dice: &mut Dice) {
    const COLORS: [Rgb; 6] = [
        [238.0, 226.0, 60.0],
        [60.0, 170.0, 90.0],
        [230.0, 120.0, 30.0],
        [240.0, 240.0, 236.0],
        [40.0, 40.0, 46.0],
        [214.0, 80.0, 160.0],
    ];
    let (color, print) = (COLORS[dice.below(6)], COLORS[dice.below(6)]);
    let half = pose.radius * (0.24 + 0.16 * severity);
    let aspect = dice.between(0.7, 1.4);
    let (c, s) = direction(dice.between(0.0, 360.0));
    let (turn_c, turn_s) = direction(dice.around(40.0));
    let reach = pose.radius * dice.between(0.30, 0.62);
    let center = (pose.center.0 + c * reach, pose.center.1 + s * reach);
    let round = dice.chance(0.4);
    canvas.edit(|p, pixel| {
        let (dx, dy) = (p.0 - center.0, p.1 - center.1);
        let (u, v) = (turn_c * dx + turn_s * dy, turn_c * dy - turn_s * dx);
        let inside =
            if round { half - (u * u + v * v).sqrt() } else { (half * aspect - u.abs()).min(half / aspect - v.abs()) };
        let stripe = coverage(half * 0.22 - v.abs()) * coverage(inside - 1.0);
        *pixel = mix(*pixel, mix(color, print, 0.8 * stripe), coverage(inside));
    });
}

fn branch(canvas: &mut Canvas, pose: &Pose, severity: f32, dice: &mut Dice) {
    let (c, s) = direction(dice.between(0.0, 360.0));
    let side = pose.radius * dice.around(0.55);
    let middle = (pose.center.0 - s * side, pose.center.1 + c * side);
    let end = |along: f32| (middle.0 + c * along, middle.1 + s * along);
    let tip = pose.radius * dice.between(0.1, 1.0);
    let (from, to) = (end(-30.0), end(tip));
    let bark = [72.0, 56.0, 42.0].map(|v: f32| v + dice.around(14.0));
    let leaves: Vec<(Point, f32, Rgb)> = (0..(7.0 + 12.0 * severity) as usize)
        .map(|_| {
            let at = end(dice.between(-pose.radius * 1.3, tip));
            let beside = dice.around(3.4);
            let green = [58.0, 104.0, 40.0].map(|v: f32| v + dice.around(24.0));
            ((at.0 - s * beside, at.1 + c * beside), dice.between(1.0, 2.1), green)
        })
        .collect();
    canvas.edit(|p, pixel| {
        *pixel = mix(*pixel, bark, coverage(0.55 + 0.5 * severity - to_segment(p, from, to)));
        for &(at, radius, green) in &leaves {
            let (dx, dy) = (p.0 - at.0, p.1 - at.1);
            *pixel = mix(*pixel, green, coverage(radius - (dx * dx + dy * dy).sqrt()));
        }
    });
}

fn snow(canvas: &mut Canvas, pose: &Pose, severity: f32, dice: &mut Dice) {
    let bumps = Bumps::new(dice, 3.2);
    // snow sticks from one side, mostly from above
    let (c, s) = direction(-90.0 + dice.around(70.0));
    let bare = pose.radius * (0.62 - 0.42 * severity);
    canvas.edit(|p, pixel| {
        let toward = c * (p.0 - pose.center.0) + s * (p.1 - pose.center.1);
        let (u, v) = pose.face_at(p);
        let on_sign = coverage((1.0 - (u * u + v * v).sqrt()) * pose.radius + 1.0);
        let white = 226.0 + 14.0 * bumps.at((p.1, p.0));
        let inside = toward - bare + 2.2 * bumps.at(p);
        *pixel = mix(*pixel, [white - 4.0, white, white + 6.0], coverage(inside) * on_sign);
    });
}
