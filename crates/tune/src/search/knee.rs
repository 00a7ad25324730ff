use super::Search;
use crate::{
    Halt, Lab, PLATEAU, Pick, Point, Probe, TuneError,
    choice::{admitted, nothing_trains},
    zeta,
};

/// Up from a rate that is too small to write anything, until structure no longer grows: the house search for training from
/// scratch.
#[derive(Clone, Debug)]
pub struct Knee {
    start: f64,
    end: f64,
    path: Vec<Point>,
}

/// From one rate to the next; twice as far while nothing is written yet.
const STEP: f64 = 1.45;
/// Z within this is equal: three seeds differ by less below the knee.
const FLAT: f64 = 0.07;
/// Structure must have fallen so far below 1 before a flat piece is the floor and not the edge of the upper level.
const FALLEN: f64 = 0.25;
/// A loss within this share of the best is as good.
const AS_GOOD: f64 = 1.1;

impl Knee {
    /// Between two rates, `1e-5` and `10` unless said otherwise.
    pub fn new(range: Option<[f64; 2]>) -> Self {
        let [start, end] = range.unwrap_or([1e-5, 10.0]);
        Self { start, end, path: Vec::new() }
    }

    /// Why the walk ends at the last of these probes.
    fn end_of_walk(&self, walked: &[Probe], lab: &Lab<'_>) -> Option<String> {
        let last = walked.last()?;
        let learned = walked.iter().any(|p| lab.guard.alone(p).is_none());
        if learned && let Some(why) = lab.objection(last) {
            // below the first rate that learns everything learns too little
            let fell = walked.iter().rposition(|p| lab.objection(p).is_none());
            if fell.is_some_and(|at| at + 1 < walked.len()) {
                return Some(format!("the guard refuses {:.3e}: {why}", last.point.lr));
            }
        }
        let written = walked.iter().map(Probe::z).filter(|z| *z < 1.0).collect::<Vec<_>>();
        if let [.., a, b, c] = written[..] {
            let (low, high) = (a.min(b).min(c), a.max(b).max(c));
            if high - low < FLAT && low < 1.0 - FALLEN {
                return Some(format!("Z is flat at {low:.2}"));
            }
        }
        (zeta(&written) < PLATEAU).then(|| "enough rates were seen since structure appeared".to_owned())
    }

    fn walked<'l>(&self, lab: &'l Lab<'_>) -> Vec<&'l Probe> {
        self.path.iter().filter_map(|point| lab.seen().iter().find(|p| p.point == *point)).collect()
    }
}

/// Both seeds of a rate as far as they were trained: the larger loss speaks.
fn worse_loss(lab: &Lab<'_>, lr: f64) -> f64 {
    lab.seen().iter().filter(|p| p.point.lr == lr).map(Probe::loss).fold(0.0, f64::max)
}

/// The rates that may be taken, best first: the largest rate whose Z is at the floor and whose loss is as good as the best.
fn ranking<'l>(walked: &[&'l Probe], lab: &Lab<'_>) -> Vec<&'l Probe> {
    let admitted = walked.iter().copied().filter(|p| lab.objection(p).is_none()).collect::<Vec<_>>();
    let best = admitted.iter().map(|p| p.loss()).fold(f64::INFINITY, f64::min);
    let good = admitted.iter().copied().filter(|p| p.loss() <= AS_GOOD * best).collect::<Vec<_>>();
    let floor = admitted.iter().map(|p| p.z()).fold(f64::INFINITY, f64::min);
    let (mut at_floor, mut above): (Vec<_>, Vec<_>) = good.into_iter().partition(|p| p.z() <= floor + FLAT);
    at_floor.sort_by(|a, b| b.point.lr.total_cmp(&a.point.lr));
    above.sort_by(|a, b| b.point.lr.total_cmp(&a.point.lr));
    at_floor.into_iter().chain(above).collect()
}

impl Search for Knee {
    fn name(&self) -> &'static str {
        "knee"
    }

    fn search(&mut self, lab: &mut Lab<'_>) -> Result<String, Halt> {
        self.path.clear();
        let mut lr = self.start;
        let mut walked = Vec::<Probe>::new();
        let why = loop {
            if lr > self.end * (1.0 + 1e-9) {
                break format!("the end of the range, {:.3e}, is reached", self.end);
            }
            let silent = walked.last().is_none_or(|p| p.z() >= 1.0);
            let step = if silent { STEP * STEP } else { STEP };
            let ahead = (1..=16).map(|k| lr * step.powi(k)).filter(|r| *r <= self.end).map(Point::rate);
            self.path.push(Point::rate(lr));
            walked.extend(lab.probe(&[Point::rate(lr)], &ahead.collect::<Vec<_>>())?);
            if let Some(why) = self.end_of_walk(&walked, lab) {
                break why;
            }
            let silent = walked.last().is_none_or(|p| p.z() >= 1.0);
            lr *= if silent { STEP * STEP } else { STEP };
        };
        // the two finalists once more, from other weights and in another order
        let finalists = ranking(&self.walked(lab), lab).into_iter().take(2).map(|p| p.point).collect::<Vec<_>>();
        let again = finalists.iter().map(|p| Point { seed: 1, ..*p }).collect::<Vec<_>>();
        lab.probe(&again, &[])?;
        Ok(why)
    }

    fn pick(&self, lab: &Lab<'_>) -> Result<Pick, TuneError> {
        if admitted(lab).is_empty() {
            return Err(nothing_trains(lab));
        }
        let ranked = ranking(&self.walked(lab), lab);
        let Some(first) = ranked.first() else { return Err(nothing_trains(lab)) };
        let second = ranked.get(1);
        let twice = |p: &Probe| lab.seen().iter().any(|q| q.point.lr == p.point.lr && q.point.seed == 1);
        let (mut taken, mut other) = (*first, second.copied());
        let mut how = "one seed";
        if let Some(second) = second.filter(|s| twice(s) && twice(first)) {
            how = "two seeds";
            // a rate that only one seed bears is not taken
            if worse_loss(lab, first.point.lr) > AS_GOOD * worse_loss(lab, second.point.lr) {
                (taken, other) = (*second, Some(*first));
            }
        }
        let reason = format!(
            "the largest rate at the floor of Z ({:.2}) that trains as well as the best: loss {:.3}, best {:.3}; {how}",
            taken.z(),
            taken.loss(),
            lab.best_loss()
        );
        Ok(Pick { point: taken.point, reason, runner_up: other.map(|p| p.point.lr) })
    }
}
