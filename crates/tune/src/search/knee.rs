use super::Search;
use crate::{Halt, Lab, PLATEAU, Pick, Point, Probe, TuneError, choice::nothing_trains, zeta};

/// Up from a rate that is too small to write anything, until structure no longer grows: the house search for training from
/// scratch.
#[derive(Clone, Debug)]
pub struct Knee {
    start: f64,
    end: f64,
    path: Vec<Point>,
}

/// From one rate to the next.
const STEP: f64 = 1.45;
/// Z within this is equal: three seeds differ by less below the knee.
const FLAT: f64 = 0.07;
/// Structure must have fallen so far below 1 before a flat piece is the floor and not the edge of the upper level.
const FALLEN: f64 = 0.25;
/// A loss below this share of all before still falls.
const FALLING: f64 = 0.97;
/// A loss is as good as the best when it is above it by at most this share of the best, and of the way that the best came
/// down: where losses stay high a tenth of them is much of what was learned.
const AS_GOOD: [f64; 2] = [0.1, 0.05];
/// How much a rate's own loss counts beside those of its two neighbours: chance moves the loss of one probe by more than
/// [`AS_GOOD`], and the curve is smooth.
const OWN: f64 = 0.5;

impl Knee {
    /// Between two rates, `1e-5` and `10` unless said otherwise.
    pub fn new(range: Option<[f64; 2]>) -> Self {
        let [start, end] = range.unwrap_or([1e-5, 10.0]);
        Self { start, end, path: Vec::new() }
    }

    /// Why the walk ends at the last of these probes.
    fn end_of_walk(walked: &[Probe], lab: &Lab<'_>) -> Option<String> {
        let last = walked.last()?;
        let learned = walked.iter().any(|p| lab.guard.alone(p).is_none());
        if learned && let Some(why) = lab.objection(last) {
            // below the first rate that learns everything learns too little
            let fell = walked.iter().rposition(|p| lab.objection(p).is_none());
            if fell.is_some_and(|at| at + 1 < walked.len()) {
                return Some(format!("the guard refuses {:.3e}: {why}", last.point.lr));
            }
        }
        // as long as the loss still falls there is something to gain, whatever Z says
        let before = walked[..walked.len() - 1].iter().map(Probe::loss).fold(f64::INFINITY, f64::min);
        if last.loss() < FALLING * before {
            return None;
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

    /// From the last of these probes to the next rate: twice as far while nothing is written yet, four times while nothing is
    /// even learned.
    fn step(walked: &[Probe], lab: &Lab<'_>) -> f64 {
        let powers = match walked.last() {
            Some(last) if last.z() < 1.0 => 1,
            Some(last) if lab.guard.alone(last).is_none() => 2,
            // the first rate already is no longer too small
            Some(last) if !last.finite() => 2,
            _ => 4,
        };
        STEP.powi(powers)
    }

    fn walked<'l>(&self, lab: &'l Lab<'_>) -> Vec<&'l Probe> {
        self.path.iter().filter_map(|point| lab.seen().iter().find(|p| p.point == *point)).collect()
    }
}

/// All seeds of a rate that were trained.
fn of_rate<'l>(lab: &'l Lab<'_>, lr: f64) -> impl Iterator<Item = &'l Probe> {
    lab.seen().iter().filter(move |p| p.point.lr == lr)
}

/// Geometric mean of the losses of a rate's seeds.
fn mean_loss(lab: &Lab<'_>, lr: f64) -> f64 {
    let (sum, n) = of_rate(lab, lr).fold((0.0, 0.0), |(sum, n), p| (sum + p.loss().ln(), n + 1.0));
    (sum / n).exp()
}

/// The losses along the walk, each with its neighbours: their weighted geometric mean. Beside a rate that diverges it is
/// infinite: that is too near.
fn smoothed(walked: &[&Probe]) -> Vec<f64> {
    let logs = walked.iter().map(|p| p.loss().ln()).collect::<Vec<_>>();
    let of = |at: usize| {
        let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|k| logs.get(k)).copied();
        let beside = beside.collect::<Vec<_>>();
        if beside.is_empty() {
            return logs[at];
        }
        OWN * logs[at] + (1.0 - OWN) * beside.iter().sum::<f64>() / beside.len() as f64
    };
    (0..logs.len()).map(|at| of(at).exp()).collect()
}

/// Whether a loss is as good as the best one, when training began at `start`.
fn as_good(loss: f64, best: f64, start: f64) -> bool {
    let [of_best, of_way] = AS_GOOD;
    loss - best <= (of_best * best).min(of_way * (start - best).max(0.0))
}

/// The smallest Z.
fn floor<'l>(probes: impl Iterator<Item = &'l Probe>) -> f64 {
    probes.map(Probe::z).fold(f64::INFINITY, f64::min)
}

/// The rates that may be taken, best first: the largest rate whose Z is at the floor and whose smoothed loss is as good as the
/// best, then what is as good and less written, then smaller rates by their loss.
fn ranking<'l>(walked: &[&'l Probe], lab: &Lab<'_>) -> Vec<&'l Probe> {
    let losses = smoothed(walked);
    let mut admitted =
        walked.iter().copied().zip(losses).filter(|(p, _)| lab.objection(p).is_none()).collect::<Vec<_>>();
    if admitted.iter().all(|(_, loss)| loss.is_infinite()) {
        // a rate beside one that diverges is better than none
        for (p, loss) in &mut admitted {
            *loss = p.loss();
        }
    }
    let best = admitted.iter().map(|(_, loss)| *loss).fold(f64::INFINITY, f64::min);
    let floor = floor(admitted.iter().map(|(p, _)| *p));
    let (good, rest): (Vec<_>, Vec<_>) = admitted.into_iter().partition(|(p, loss)| as_good(*loss, best, p.start_loss));
    let alone = |probes: Vec<(&'l Probe, f64)>| probes.into_iter().map(|(p, _)| p).collect::<Vec<_>>();
    let (good, mut rest) = (alone(good), alone(rest));
    let (mut ranked, mut above): (Vec<_>, Vec<_>) = good.into_iter().partition(|p| p.z() <= floor + FLAT);
    for rates in [&mut ranked, &mut above] {
        rates.sort_by(|a, b| b.point.lr.total_cmp(&a.point.lr));
    }
    ranked.extend(above);
    let first = ranked.first().map_or(0.0, |p| p.point.lr);
    rest.retain(|p| p.point.lr < first);
    rest.sort_by(|a, b| a.loss().total_cmp(&b.loss()));
    ranked.extend(rest);
    ranked
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
            let step = Self::step(&walked, lab);
            let ahead = (1..=16).map(|k| lr * step.powi(k)).filter(|r| *r <= self.end).map(Point::rate);
            self.path.push(Point::rate(lr));
            walked.extend(lab.probe(&[Point::rate(lr)], &ahead.collect::<Vec<_>>())?);
            if let Some(why) = Self::end_of_walk(&walked, lab) {
                break why;
            }
            lr *= Self::step(&walked, lab);
        };
        // the two finalists once more, from other weights and in another order; further ones while none bears it
        let ranked = ranking(&self.walked(lab), lab).into_iter().map(|p| p.point).collect::<Vec<_>>();
        let again = ranked.iter().map(|p| Point { seed: 1, ..*p }).collect::<Vec<_>>();
        let (first, further) = again.split_at(again.len().min(2));
        let mut borne = lab.probe(first, &[])?.iter().any(|p| lab.objection(p).is_none());
        for point in further {
            if borne {
                break;
            }
            borne = lab.probe(&[*point], &[])?.iter().any(|p| lab.objection(p).is_none());
        }
        Ok(why)
    }

    fn pick(&self, lab: &Lab<'_>) -> Result<Pick, TuneError> {
        let ranked = ranking(&self.walked(lab), lab);
        let Some(first) = ranked.first() else { return Err(nothing_trains(lab)) };
        let twice = ranked.iter().copied().filter(|p| of_rate(lab, p.point.lr).count() > 1).collect::<Vec<_>>();
        let borne = |p: &Probe| of_rate(lab, p.point.lr).all(|q| lab.objection(q).is_none());
        let mut candidates = twice.iter().copied().filter(|p| borne(p)).collect::<Vec<_>>();
        // where the limits left no room for a second seed the first one speaks alone
        let how = if twice.is_empty() { "one seed" } else { "two seeds" };
        if twice.is_empty() {
            candidates = vec![*first];
        }
        if let [a, b, ..] = candidates[..]
            && !as_good(mean_loss(lab, a.point.lr), mean_loss(lab, b.point.lr), a.start_loss)
        {
            candidates.swap(0, 1);
        }
        let Some(taken) = candidates.first() else {
            let lr = first.point.lr;
            return Err(TuneError::Refused(format!("rates such as {lr:.3e} train from one seed and not from another")));
        };
        let floor = floor(self.walked(lab).into_iter().filter(|p| lab.objection(p).is_none()));
        let (z, loss, best) = (taken.z(), taken.loss(), lab.best_loss());
        let why = match (taken.point == first.point, z <= floor + FLAT) {
            (true, true) => format!("the largest rate at the floor of Z ({z:.2}) that trains as well as the best"),
            (true, false) => format!(
                "the largest rate that trains as well as the best, at Z {z:.2}, which comes to {floor:.2} only where the loss is worse"
            ),
            (false, _) => {
                format!("at Z {z:.2}; {:.3e} was ahead of it, until it was trained once more", first.point.lr)
            }
        };
        let reason = format!("{why}: loss {loss:.3}, best {best:.3}; {how}");
        let other = ranked.iter().find(|p| p.point != taken.point);
        Ok(Pick { point: taken.point, reason, runner_up: other.map(|p| p.point.lr) })
    }
}
