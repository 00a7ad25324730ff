//! The classes, the conditions, and how often each occurs in either domain.

use super::design::{self, Layers};
use super::dice::Dice;

/// A class and how often it occurs.
pub(super) struct Class {
    pub(super) name: &'static str,
    /// Weight in the training domain.
    training: f32,
    /// Weight in the field.
    field: f32,
    /// What is painted on the sign.
    pub(super) design: fn() -> Layers,
}

const fn class(name: &'static str, training: f32, field: f32, design: fn() -> Layers) -> Class {
    Class { name, training, field, design }
}

/// The classes, in the order of the logits. Some of those that are rare in training are common in the field.
pub(super) static CLASSES: [Class; 16] = [
    class("limit-30", 1.5, 1.0, design::limit_30),
    class("limit-50", 1.5, 0.8, design::limit_50),
    class("limit-80", 0.4, 1.4, design::limit_80),
    class("stop", 1.2, 0.7, design::stop),
    class("yield", 1.5, 0.8, design::give_way),
    class("no-entry", 1.2, 0.8, design::no_entry),
    class("no-parking", 1.5, 0.8, design::no_parking),
    class("no-stopping", 0.35, 1.4, design::no_stopping),
    class("end-of-limits", 0.8, 1.0, design::end_of_limits),
    class("priority-road", 1.5, 0.7, design::priority_road),
    class("danger", 1.5, 0.8, design::danger),
    class("pedestrians", 0.35, 1.4, design::pedestrians),
    class("turn-left", 0.4, 1.3, design::turn_left),
    class("turn-right", 1.2, 0.9, design::turn_right),
    class("ahead", 1.2, 0.9, design::ahead),
    class("parking", 0.8, 1.2, design::parking),
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
    (Condition::Clear, "clear", 0.24),
    (Condition::Night, "night", 0.13),
    (Condition::Fog, "fog", 0.10),
    (Condition::MotionBlur, "motion-blur", 0.08),
    (Condition::Rain, "rain", 0.08),
    (Condition::Occlusion, "occlusion", 0.10),
    (Condition::LowResolution, "low-resolution", 0.06),
    (Condition::Rotation, "rotation", 0.11),
    (Condition::Glare, "glare", 0.10),
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
                let class = dice.weighted(CLASSES.iter().map(|c| c.training));
                let odd = dice.chance(TRAINING_ODD);
                let condition = if odd { 1 + dice.below(CONDITIONS.len() - 1) } else { 0 };
                Self { class, condition, severity: dice.between(0.0, TRAINING_SEVERITY) }
            }
            Domain::Field => {
                let class = dice.weighted(CLASSES.iter().map(|c| c.field));
                let condition = dice.weighted(CONDITIONS.iter().map(|c| c.2));
                Self { class, condition, severity: dice.unit() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    fn subjects(domain: Domain) -> Vec<Subject> {
        let streams = Streams::new(3);
        (0..20_000).map(|i| Subject::draw(domain, &mut Dice::new(streams.at("test", i, 0)))).collect()
    }

    #[test]
    fn training_hardly_sees_what_is_common_in_the_field() {
        let clear = |domain| subjects(domain).iter().filter(|s| s.condition == 0).count() as f32 / 20_000.0;
        assert!(clear(Domain::Training) > 0.97);
        assert!(clear(Domain::Field) < 0.3);
        assert!(subjects(Domain::Training).iter().all(|s| s.severity < TRAINING_SEVERITY));
    }

    #[test]
    fn some_classes_are_four_times_rarer_in_training() {
        let mut counts = [0u32; CLASSES.len()];
        for s in subjects(Domain::Training) {
            counts[s.class] += 1;
        }
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(*most > 4 * *least && *least > 200, "{counts:?}");
    }

    #[test]
    fn conditions_stand_in_the_order_of_their_numbers() {
        for (i, &(condition, ..)) in CONDITIONS.iter().enumerate() {
            assert_eq!(condition as usize, i);
        }
    }
}
