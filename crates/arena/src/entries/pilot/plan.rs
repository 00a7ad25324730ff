use crate::Params;

/// How a flight goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Course {
    /// Learning rate.
    pub(super) rate: f64,
    /// The newest iterate's least share in the average: 0 averages the whole flight.
    pub(super) least_share: f64,
    /// Weight decay, apart from the gradient.
    pub(super) decay: f32,
}

/// Which flight comes next.
///
/// The first one averages all its iterates: the quickest way down, and where it ends it stays. Then flights take turns: one
/// from the best average so far, at a third of the rate; one from the beginning, at a third of the last such rate, for a net
/// that has settled in a poor place gets out of it by no rate. Later flights average their newest iterates alone, so that
/// what is probed keeps moving: a target that lies at the level of the noise is met by one of many probes.
pub(super) struct Plan {
    examples: f64,
    target: f64,
    start: Params,
    place: Params,
    best: f64,
    rate: f64,
    course: Course,
    flights: usize,
    /// Of this flight: its least loss, examples seen, and examples seen since the last progress.
    flown: (f64, f64, f64),
}

/// Rate of the first flight.
const RATE: f64 = 0.005;
/// Weight decay of the first flight: without it nets that learn fast grow so sure of their answers that the loss on data
/// that they have not seen rises. Where it stands in the way the later flights do without.
const DECAY: f32 = 0.3;
/// From one flight's rate to the next.
const SLOWER: f64 = 0.33;
/// Of a flight from the best place, over that of the last flight from the beginning.
const POLISH: f64 = 0.3;
/// The rate's factor when the loss ran away.
const RAN_AWAY: f64 = 0.2;
/// Least share of the newest iterate after the first flight.
const SHORT: f64 = 0.04;
/// Least relative gain of a probe that counts as progress.
const PROGRESS: f64 = 0.005;
/// Passes without progress that end a flight: the first one, one from the best place, one from the beginning.
const PATIENCE: (f64, f64, f64) = (3.0, 3.0, 6.0);
/// Share of a flight without progress that ends it, when that is longer.
const STALE: f64 = 0.25;
/// A probe this much above the flight's least loss ends it, after one and a half passes without progress, when it is within
/// so many times the target: above, losses are steep and jump.
const SINKS: (f64, f64, f64) = (1.3, 1.5, 3.0);

impl Plan {
    pub(super) fn new(examples: f64, target: f64, start: Params) -> Self {
        let course = Course { rate: RATE, least_share: 0.0, decay: DECAY };
        let flown = (f64::INFINITY, 0.0, 0.0);
        let place = start.clone();
        Self { examples, target, start, place, best: f64::INFINITY, rate: RATE, course, flights: 0, flown }
    }

    /// How the flight that begins now goes.
    pub(super) fn course(&self) -> Course {
        self.course
    }

    /// Takes note of so many examples.
    pub(super) fn flew(&mut self, examples: f64) {
        self.flown.1 += examples;
        self.flown.2 += examples;
    }

    /// After a flight that left the numbers: where the next one begins, slower.
    pub(super) fn ran_away(&mut self) -> Params {
        self.course.rate *= RAN_AWAY;
        self.place.clone()
    }

    /// Takes note of a probe. Where the next flight begins, when this one has come to its end.
    pub(super) fn probed(&mut self, found: f64, average: &Params) -> Option<Params> {
        if found < self.best {
            (self.best, self.place) = (found, average.clone());
        }
        let (least, length, stale) = self.flown;
        if found < least * (1.0 - PROGRESS) {
            (self.flown.0, self.flown.2) = (found, 0.0);
            return None;
        }
        let polishes = self.flights % 2 == 1;
        let patience = match (self.flights, polishes) {
            (0, _) => (PATIENCE.0 * self.examples).max(STALE * length),
            (_, true) => PATIENCE.1 * self.examples,
            (_, false) => (PATIENCE.2 * self.examples).max(STALE * length),
        };
        let (rise, passes, near) = SINKS;
        let sinks = found > rise * least && stale > passes * self.examples && found < near * self.target;
        (sinks || stale > patience).then(|| self.next())
    }

    fn next(&mut self) -> Params {
        self.flights += 1;
        let polishes = self.flights % 2 == 1;
        if !polishes {
            self.rate *= SLOWER;
        }
        let rate = if polishes { POLISH * self.rate } else { self.rate };
        self.course = Course { rate, least_share: SHORT, decay: 0.0 };
        self.flown = (if polishes { self.best } else { f64::INFINITY }, 0.0, 0.0);
        if polishes { self.place.clone() } else { self.start.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ParamLayout;
    use std::sync::Arc;

    #[test]
    fn flights_take_turns_from_the_best_place_and_from_the_beginning() {
        let layout = Arc::new(ParamLayout::new([("w".to_owned(), vec![1])]));
        let at = |v: f32| Params::new(layout.clone(), vec![v]);
        let mut plan = Plan::new(100.0, 0.5, at(0.0));
        assert_eq!(plan.course(), Course { rate: RATE, least_share: 0.0, decay: DECAY });
        plan.flew(200.0);
        assert_eq!(plan.probed(1.0, &at(1.0)), None, "progress");
        plan.flew(280.0);
        assert_eq!(plan.probed(1.1, &at(2.0)), None, "three passes may pass");
        plan.flew(40.0);
        assert_eq!(plan.probed(1.1, &at(3.0)), Some(at(1.0)), "stands still");
        assert_eq!(plan.course(), Course { rate: 0.3 * RATE, least_share: SHORT, decay: 0.0 });
        plan.flew(160.0);
        assert_eq!(plan.probed(1.4, &at(4.0)), Some(at(0.0)), "rises");
        assert!((plan.course().rate - SLOWER * RATE).abs() < 1e-12);
        assert_eq!(plan.ran_away(), at(1.0));
        assert!((plan.course().rate - RAN_AWAY * SLOWER * RATE).abs() < 1e-12);
    }
}
