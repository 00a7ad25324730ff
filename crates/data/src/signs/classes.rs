//! The classes, the conditions, and how often each occurs in either domain.

use super::dice::Dice;

/// A class: its name, its weight in the training domain, its weight in the field.
pub(super) const CLASSES: [(&str, f32, f32); 16] = [
    ("limit-30", 1.5, 1.0),
    ("limit-50", 1.5, 0.8),
    ("limit-80", 0.4, 1.4),
    ("stop", 1.2, 0.7),
    ("yield", 1.5, 0.8),
    ("no-entry", 1.2, 0.8),
    ("no-parking", 1.5, 0.8),
    ("no-stopping", 0.35, 1.4),
    ("end-of-limits", 0.8, 1.0),
    ("priority-road", 1.5, 0.7),
    ("danger", 1.5, 0.8),
    ("pedestrians", 0.35, 1.4),
    ("turn-left", 0.4, 1.3),
    ("turn-right", 1.2, 0.9),
    ("ahead", 1.2, 0.9),
    ("parking", 0.8, 1.2),
];

/// Under what circumstances a picture is taken. Each has a severity in [0, 1) of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Clear,
    Night,
    Fog,
    MotionBlur,
    Rain,
    Occlusion,
    LowResolution,
    Rotation,
    Glare,
}

/// A condition: its name, its weight in the field.
pub(super) const CONDITIONS: [(Condition, &str, f32); 9] = [
    (Condition::Clear, "clear", 0.28),
    (Condition::Night, "night", 0.11),
    (Condition::Fog, "fog", 0.09),
    (Condition::MotionBlur, "motion-blur", 0.09),
    (Condition::Rain, "rain", 0.08),
    (Condition::Occlusion, "occlusion", 0.09),
    (Condition::LowResolution, "low-resolution", 0.08),
    (Condition::Rotation, "rotation", 0.09),
    (Condition::Glare, "glare", 0.09),
];

/// Share of the training domain that was not taken in clear daylight.
const TRAINING_ODD: f32 = 0.025;
/// How severe such a picture is at most.
const TRAINING_SEVERITY: f32 = 0.6;

/// Where a picture comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    Training,
    Field,
}

/// What a picture shows, before any detail is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) class: usize,
    pub(super) condition: usize,
    pub(super) severity: f32,
}

impl Subject {
    pub(super) fn draw(domain: Domain, dice: &mut Dice) -> Self {
        match domain {
            Domain::Training => {
                let class = dice.weighted(CLASSES.iter().map(|c| c.1));
                let odd = dice.chance(TRAINING_ODD);
                let condition = if odd { 1 + dice.below(CONDITIONS.len() - 1) } else { 0 };
                Self { class, condition, severity: dice.between(0.0, TRAINING_SEVERITY) }
            }
            Domain::Field => {
                let class = dice.weighted(CLASSES.iter().map(|c| c.2));
                let condition = dice.weighted(CONDITIONS.iter().map(|c| c.2));
                Self { class, condition, severity: dice.unit() }
            }
        }
    }
}
