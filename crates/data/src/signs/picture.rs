use super::camera::{coarse, expose, shaken};
use super::canvas::{Canvas, coverage, mix};
use super::classes::{CONDITIONS, Condition, Subject};
use super::dice::Dice;
use super::face::Face;
use super::obstacle::hide;
use super::pose::{Inks, Pose};
use super::scene::background;
use super::weather::{daylight, fog, glare, graded, night, rain};

/// Draws one picture into `out`, `SIDE x SIDE x 3` bytes.
pub(super) fn draw(subject: Subject, face: &Face, dice: &mut Dice, out: &mut [u8]) {
    let Subject { condition, severity, .. } = subject;
    let condition = CONDITIONS[condition].0;

    let mut canvas = background(dice);
    if condition == Condition::Night {
        // a sign throws light back, what stands behind it does not
        canvas.edit(|_, pixel| *pixel = pixel.map(|v| v * 0.4));
    }
    let (roll, turn) = match condition {
        Condition::Rotation => (dice.side() * graded(22.0, 62.0, severity), severity),
        _ => (0.0, 0.0),
    };
    let pose = Pose::draw(dice, roll, turn);
    post(&mut canvas, &pose, dice);
    pose.paint(&mut canvas, face, &Inks::draw(dice));
    if condition == Condition::Occlusion {
        hide(&mut canvas, &pose, severity, dice);
    }
    daylight(&mut canvas, dice);

    let mut noise = dice.between(1.5, 5.0);
    let focus = dice.between(0.3, 1.1);
    match condition {
        Condition::Clear | Condition::Occlusion | Condition::Rotation => {}
        Condition::Night => {
            night(&mut canvas, &pose, severity, dice);
            noise += graded(3.0, 6.0, severity);
        }
        Condition::Fog => fog(&mut canvas, severity, dice),
        Condition::Glare => glare(&mut canvas, severity, dice),
        Condition::Rain => canvas = rain(&canvas, severity, dice),
        Condition::MotionBlur => canvas = shaken(&canvas, graded(4.0, 9.0, severity), dice),
        Condition::LowResolution => {
            let side = graded(15.0, 9.0, severity) as usize;
            canvas = coarse(&canvas, side, dice.chance(0.5));
        }
    }
    expose(&canvas.softened(focus), noise, dice, out);
}

/// The post that a sign stands on, where it has one.
fn post(canvas: &mut Canvas, pose: &Pose, dice: &mut Dice) {
    if dice.chance(0.7) {
        let (tone, half) = (dice.between(96.0, 176.0), dice.between(0.8, 1.5));
        canvas.edit(|p, pixel| {
            if p.1 > pose.center.1 {
                let off = p.0 - pose.center.0;
                *pixel = mix(*pixel, [tone - 14.0 * off; 3], coverage(half - off.abs()));
            }
        });
    }
}
