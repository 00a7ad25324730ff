//! What a repair will gain, foretold before a label is paid for.
//!
//! Without labels nothing is known of the errors on a field but signs of them. The sign used here is how far the model's
//! mean confidence falls from held-out source pictures to the field (difference of confidences, Guillory et al. 2021).
//! How gains went with it, and with the number of labels, is fitted to recorded repairs of other models and data: a
//! line with the spread of whole repairs around it. Finished repairs of the same model on the same pictures move it:
//! they know more of this field than any other can.

use crate::{intervals::Interval, metrics::t975, prior::solve};

/// Repairs of one model on one field with one budget, that differ in their seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recorded {
    /// Data and model, for people.
    pub what: &'static str,
    /// Labels that were bought.
    pub labels: usize,
    /// Classes.
    pub classes: usize,
    /// By how much the mean confidence falls from held-out source pictures to the field.
    pub fall: f64,
    /// Accuracy of the repaired minus that of the deployed model, by seed.
    pub gains: &'static [f64],
}

/// A finished repair of the model on the field that is asked about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// Labels that were bought.
    pub labels: usize,
    /// Accuracy of the repaired minus that of the deployed model.
    pub gain: f64,
    /// Variance of this gain as it was measured, by the pictures that judged it.
    pub variance: f64,
}

/// What the line stands on: a constant, the fall of confidence, doublings of the labels per class.
const TERMS: usize = 3;

/// Labels per class at which doublings are counted from.
const PER_CLASS: f64 = 8.0;

/// Standard deviation between seeds that is taken for the least: a few repetitions may agree by chance.
const SEEDS: f64 = 0.01;

/// How gains went in recorded repairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecaster {
    line: [f64; TERMS],
    /// Variances and covariances of its coefficients.
    doubt: [[f64; TERMS]; TERMS],
    /// Variance between fields at equal fall and labels.
    between: f64,
    /// Variance between seeds of one field.
    within: f64,
    /// Degrees of freedom of these.
    free: usize,
}

fn terms(fall: f64, labels: usize, classes: usize) -> [f64; TERMS] {
    [1.0, fall, (labels.max(1) as f64 / classes.max(1) as f64 / PER_CLASS).log2()]
}

fn dot(a: &[f64; TERMS], b: &[f64; TERMS]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Forecaster {
    /// Fits the line by least squares, a point for each field and budget. `None` when there are too few, or when they
    /// do not differ in fall and in labels.
    pub fn fit(recorded: &[Recorded]) -> Option<Self> {
        let points = recorded.iter().filter(|r| !r.gains.is_empty());
        let points = points.map(|r| (terms(r.fall, r.labels, r.classes), r.gains)).collect::<Vec<_>>();
        let free = points.len().checked_sub(TERMS).filter(|&free| free > 0)?;
        let mean = |gains: &[f64]| gains.iter().sum::<f64>() / gains.len() as f64;
        let normal = |i: usize, j: usize| points.iter().map(|(x, _)| x[i] * x[j]).sum::<f64>();
        let system = |right: &dyn Fn(usize) -> f64| {
            let row = |i| (0..TERMS).map(|j| normal(i, j)).chain([right(i)]).collect();
            solve((0..TERMS).map(row).collect()).and_then(|solved| <[f64; TERMS]>::try_from(solved).ok())
        };
        let line = system(&|i| points.iter().map(|(x, gains)| x[i] * mean(gains)).sum())?;
        let residual = points.iter().map(|(x, gains)| (mean(gains) - dot(&line, x)).powi(2)).sum::<f64>();
        let spread = residual / free as f64;
        let mut doubt = [[0.0; TERMS]; TERMS];
        for (at, row) in doubt.iter_mut().enumerate() {
            *row = system(&|i| f64::from(u8::from(i == at)))?.map(|v| v * spread);
        }
        let seeds = points.iter().map(|(_, gains)| gains.len() - 1).sum::<usize>();
        let squares = points.iter().flat_map(|(_, gains)| gains.iter().map(|g| (g - mean(gains)).powi(2))).sum::<f64>();
        let within = f64::max(squares / seeds.max(1) as f64, SEEDS * SEEDS);
        let shared = points.iter().map(|(_, gains)| 1.0 / gains.len() as f64).sum::<f64>() / points.len() as f64;
        Some(Self { line, doubt, between: (spread - within * shared).max(0.0), within, free })
    }

    /// The gain of a repair with so many labels, and where it will be in 95 of 100 cases, when the field is like those that
    /// were recorded.
    pub fn gain(&self, fall: f64, labels: usize, classes: usize, rounds: &[Round]) -> Interval {
        let x = terms(fall, labels, classes);
        let base = dot(&self.line, &x);
        if rounds.is_empty() {
            let variance = self.doubt_of(&x) + self.between + self.within;
            return interval(base, variance, self.free);
        }
        // rounds of one field share all but the labels: what is uncertain of its level they tell
        let level = [x[0], x[1], 0.0];
        self.after_rounds(&x, rounds, fall, classes, self.doubt_of(&level) + self.between)
    }

    /// As [`Forecaster::gain`], by finished repairs of this field alone: of a kind of repair that was never recorded,
    /// of which no more is taken over than how gains grow with labels, and how seeds spread. `None` without a round.
    pub fn gain_by_rounds(&self, labels: usize, classes: usize, rounds: &[Round]) -> Option<Interval> {
        let x = terms(0.0, labels, classes);
        (!rounds.is_empty()).then(|| self.after_rounds(&x, rounds, 0.0, classes, f64::INFINITY))
    }

    /// `level`: the variance of this field's level before its rounds were seen.
    fn after_rounds(&self, x: &[f64; TERMS], rounds: &[Round], fall: f64, classes: usize, level: f64) -> Interval {
        let seen = |r: &Round| terms(fall, r.labels, classes);
        let weight = |r: &Round| 1.0 / (self.within + r.variance).max(1e-9);
        let all = rounds.iter().map(weight).sum::<f64>();
        let over = |of: &dyn Fn(&Round) -> f64| rounds.iter().map(|r| weight(r) * of(r)).sum::<f64>() / all;
        let off = over(&|r| r.gain - dot(&self.line, &seen(r)));
        let moved = off * all / (all + 1.0 / level);
        let doublings = x[TERMS - 1] - over(&|r| seen(r)[TERMS - 1]);
        let slope = self.doubt[TERMS - 1][TERMS - 1] * doublings * doublings;
        let variance = 1.0 / (all + 1.0 / level) + slope + self.within;
        interval(dot(&self.line, x) + moved, variance, self.free + rounds.len())
    }

    fn doubt_of(&self, x: &[f64; TERMS]) -> f64 {
        self.doubt.iter().zip(x).map(|(row, xi)| xi * dot(row, x)).sum()
    }
}

fn interval(value: f64, variance: f64, free: usize) -> Interval {
    let half = t975(free) * variance.max(0.0).sqrt();
    let value = value.clamp(-1.0, 1.0);
    Interval { value, low: (value - half).clamp(-1.0, value), high: (value + half).clamp(value, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Streams;
    use rand::Rng;

    const fn point(labels: usize, fall: f64, gains: &'static [f64]) -> Recorded {
        Recorded { what: "", labels, classes: 10, fall, gains }
    }

    #[test]
    fn a_line_is_found_with_the_spread_around_it() {
        // 1 point, half of the fall, 2 points per doubling; residuals +-1 point that hang together with none of the three
        let exact =
            [point(80, 0.0, &[0.02]), point(80, 0.2, &[0.10]), point(160, 0.0, &[0.02]), point(160, 0.2, &[0.14])];
        let f = Forecaster::fit(&exact).unwrap();
        assert!((f.line[0] - 0.01).abs() < 1e-12 && (f.line[1] - 0.5).abs() < 1e-12, "{f:?}");
        assert!((f.line[2] - 0.02).abs() < 1e-12 && (f.between - 3.0 * 0.01 * 0.01).abs() < 1e-12, "{f:?}");
        // in the middle: four points give a variance of one fourth, one degree of freedom
        let middle = f.gain(0.1, 113, 10, &[]);
        assert!((middle.value - 0.07).abs() < 1e-3, "{middle:?}");
        let half = 12.706_205 * (0.0004f64 * 1.25).sqrt();
        assert!((middle.high - middle.value - half).abs() < 1e-3, "{middle:?} {half}");
        assert!(Forecaster::fit(&exact[..3]).is_none(), "no freedom");
        assert!(Forecaster::fit(&[point(80, 0.1, &[0.1]); 6]).is_none(), "all alike");
    }

    #[test]
    fn rounds_of_the_field_outweigh_other_fields() {
        let known = [
            point(40, 0.0, &[0.00, 0.02]),
            point(80, 0.2, &[0.14, 0.12]),
            point(160, 0.0, &[0.03, 0.01]),
            point(160, 0.2, &[0.07, 0.09]),
            point(40, 0.1, &[0.06, 0.04]),
        ];
        let f = Forecaster::fit(&known).unwrap();
        let before = f.gain(0.1, 80, 10, &[]);
        let round = Round { labels: 80, gain: before.value + 0.04, variance: 0.0 };
        let once = f.gain(0.1, 80, 10, &[round]);
        let often = f.gain(0.1, 80, 10, &[round; 8]);
        assert!(before.value < once.value && once.value < often.value && often.value < round.gain);
        let width = |i: Interval| i.high - i.low;
        assert!(width(often) < width(once) && width(once) < width(before));
        // a gain that was measured on few pictures says less
        let vague = f.gain(0.1, 80, 10, &[Round { variance: 0.01, ..round }]);
        assert!(vague.value < once.value && width(vague) > width(once));
        // of a kind that was never recorded, the round is all that is known
        assert_eq!(f.gain_by_rounds(80, 10, &[]), None);
        let alone = f.gain_by_rounds(80, 10, &[round]).unwrap();
        assert!((alone.value - round.gain).abs() < 1e-12);
        assert!(width(f.gain_by_rounds(640, 10, &[round]).unwrap()) > width(alone), "further away is less sure");
    }

    #[test]
    fn intervals_hold_what_they_promise_for_fields_like_the_recorded() {
        let mut rng = Streams::new(4).named("forecast");
        let mut normal = || (0..12).map(|_| rng.r#gen::<f64>()).sum::<f64>() - 6.0;
        // seeds spread by more than the floor under their spread, with which intervals hold more than they promise
        let (mut held, mut held_after, of) = (0, 0, 1500);
        for _ in 0..of {
            let mut field = |labels: usize, fall: f64| {
                let level = 0.01 + 0.5 * fall + 0.06 * normal();
                [(); 4].map(|()| level + 0.01 * terms(fall, labels, 10)[2] + 0.03 * normal())
            };
            let budgets = [40, 80, 160, 320, 40, 80, 160, 320];
            let known = budgets.into_iter().enumerate().map(|(i, labels)| {
                let fall = 0.03 * i as f64;
                (labels, fall, field(labels, fall))
            });
            let known = known.collect::<Vec<_>>();
            let known = known.iter().map(|(labels, fall, gains)| Recorded {
                gains: Box::leak(Box::new(*gains)),
                ..point(*labels, *fall, &[])
            });
            let f = Forecaster::fit(&known.collect::<Vec<_>>()).unwrap();
            let here = field(80, 0.15);
            let inside = |i: Interval| usize::from(i.low <= here[0] && here[0] <= i.high);
            held += inside(f.gain(0.15, 80, 10, &[]));
            let rounds = [here[1], here[2]].map(|gain| Round { labels: 80, gain, variance: 0.0 });
            held_after += inside(f.gain(0.15, 80, 10, &rounds));
        }
        // 95 % within four standard deviations
        assert!((1391..=1459).contains(&held) && (1380..=1465).contains(&held_after), "{held} {held_after} of {of}");
    }
}
