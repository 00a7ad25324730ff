//! Where searches get their probes from: within limits, none twice, those of an earlier session for nothing.

use crate::{Guard, Point, Probe, TuneError};

/// Trains probes.
pub trait Prober {
    /// Trains one probe per point, side by side where it can; in the order of the points. A rate that makes training diverge
    /// is a result and no error.
    ///
    /// # Errors
    /// When training fails for any other reason.
    fn probe(&mut self, points: &[Point]) -> Result<Vec<Probe>, TuneError>;

    /// Trains once while the rate rises geometrically from step to step; the rate and the loss of every step, until the loss
    /// is no longer finite or four times its smallest. The seconds it took.
    ///
    /// # Errors
    /// When it cannot, or training fails.
    fn ramp(&mut self, _range: [f64; 2]) -> Result<Ramped, TuneError> {
        Err(TuneError::Probe("a rising rate cannot be trained here".to_owned()))
    }

    /// How many it trains side by side.
    fn jobs(&self) -> usize {
        1
    }
}

/// A training with a rising rate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ramped {
    /// Rate and loss of every step.
    pub steps: Vec<(f64, f64)>,
    /// Epochs of it.
    pub epochs: usize,
    /// Seconds it took.
    pub seconds: f64,
}

/// How much a search may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Probes that it may look at, at least 1.
    pub probes: usize,
    /// Seconds of training, of all probes together, divided by those that run side by side.
    pub seconds: f64,
}

/// Why a search got no probe.
#[derive(Debug)]
pub enum Halt {
    /// The number of probes is used up.
    Probes,
    /// The time is used up.
    Seconds,
    /// A failure that is no result.
    Failed(TuneError),
}

/// Gives a search its probes.
///
/// A search asks again for all it needs when it is resumed; what is known is not trained again, so that a search that was
/// interrupted takes the same way as one that was not.
pub struct Lab<'a> {
    prober: &'a mut dyn Prober,
    /// Trained in an earlier session, or ahead of time.
    known: Vec<Probe>,
    seen: Vec<Probe>,
    limits: Limits,
    ramped: Ramped,
    /// Questions in a row that brought nothing new.
    stale: usize,
    /// Judges what Z cannot see.
    pub guard: Guard,
}

impl<'a> Lab<'a> {
    /// A laboratory that knows some probes already.
    ///
    /// # Errors
    /// When a limit is 0.
    pub fn new(prober: &'a mut dyn Prober, known: Vec<Probe>, limits: Limits) -> Result<Self, TuneError> {
        if limits.probes == 0 {
            return Err(TuneError::setting("budget", 0, "allows no probe"));
        }
        if limits.seconds.is_nan() || limits.seconds <= 0.0 {
            return Err(TuneError::setting("max time", limits.seconds, "is not above 0 seconds"));
        }
        Ok(Self {
            prober,
            known,
            seen: Vec::new(),
            limits,
            ramped: Ramped::default(),
            stale: 0,
            guard: Guard::default(),
        })
    }

    /// The probes at some points, each seen from then on. `ahead` are points that will probably be asked for next: they are
    /// trained as well where a place beside the others is free, and count only when they are asked for.
    ///
    /// # Errors
    /// When the limits are reached; the points that fit are seen. When training fails.
    pub fn probe(&mut self, points: &[Point], ahead: &[Point]) -> Result<Vec<Probe>, Halt> {
        let mut wanted = Vec::<Point>::new();
        for point in points {
            if !self.has_seen(*point) && !wanted.contains(point) {
                wanted.push(*point);
            }
        }
        // a published search that walks in a circle would never end, since a probe that was seen costs nothing
        self.stale = if wanted.is_empty() { self.stale + 1 } else { 0 };
        if self.stale > self.limits.probes {
            return Err(Halt::Probes);
        }
        let room = self.limits.probes.saturating_sub(self.seen.len());
        wanted.truncate(room);
        let mut fresh = wanted.iter().copied().filter(|p| self.find(*p).is_none()).collect::<Vec<_>>();
        if !fresh.is_empty() && self.seconds() >= self.limits.seconds {
            return Err(Halt::Seconds);
        }
        let jobs = self.prober.jobs().max(1);
        let free = (fresh.len().next_multiple_of(jobs) - fresh.len()).min(room - wanted.len());
        let next = ahead.iter().filter(|p| self.find(**p).is_none() && !fresh.contains(p));
        let next = next.copied().take(free).collect::<Vec<_>>();
        fresh.extend(next);
        if !fresh.is_empty() {
            let trained = self.prober.probe(&fresh).map_err(Halt::Failed)?;
            self.known.extend(trained);
        }
        let mut found = Vec::new();
        for point in points {
            if !self.has_seen(*point) {
                let known = self.known.iter().find(|p| p.point == *point);
                let Some(probe) = known.filter(|_| self.seen.len() < self.limits.probes).cloned() else {
                    return Err(Halt::Probes);
                };
                self.seen.push(probe);
            }
            found.extend(self.find(*point).cloned());
        }
        Ok(found)
    }

    /// Rate and loss of every step of a training with a rising rate.
    ///
    /// # Errors
    /// When training fails.
    pub fn ramp(&mut self, range: [f64; 2]) -> Result<Vec<(f64, f64)>, Halt> {
        self.ramped = self.prober.ramp(range).map_err(Halt::Failed)?;
        Ok(self.ramped.steps.clone())
    }

    /// Epochs and seconds that went into it.
    pub(crate) fn ramp_cost(&self) -> (usize, f64) {
        (self.ramped.epochs, self.ramped.seconds)
    }

    fn find(&self, point: Point) -> Option<&Probe> {
        self.seen.iter().chain(&self.known).find(|p| p.point == point)
    }

    fn has_seen(&self, point: Point) -> bool {
        self.seen.iter().any(|p| p.point == point)
    }

    /// Seconds that the seen probes took.
    pub fn seconds(&self) -> f64 {
        self.seen.iter().map(|p| p.seconds).sum::<f64>() / self.prober.jobs().max(1) as f64
    }

    /// What the search has seen, in the order of asking.
    pub fn seen(&self) -> &[Probe] {
        &self.seen
    }

    /// Everything that was trained, also ahead of time.
    pub fn trained(&self) -> &[Probe] {
        &self.known
    }

    /// The smallest loss of all seen probes.
    pub fn best_loss(&self) -> f64 {
        self.seen.iter().map(Probe::loss).fold(f64::INFINITY, f64::min)
    }

    /// Why the guard refuses a probe, beside all that was seen.
    pub fn objection(&self, probe: &Probe) -> Option<String> {
        self.guard.objection(probe, self.best_loss())
    }
}
