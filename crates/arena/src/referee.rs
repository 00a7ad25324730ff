//! The one who keeps the truth and the accounts.

use crate::{
    BatchId, Examples, Grads, Limits, Norm, Outcome, Params, Part, Problem, Seen, Stop, Task, TaskSpec, Verdict,
};
use hybridrepair_core::Streams;
use rand::seq::SliceRandom;
use std::{collections::BTreeSet, time::Instant};

/// Plays a [`Problem`] as a [`Task`]: holds the parameters, draws batches, counts work and time, and says when it is over.
///
/// Work is counted in thirds of a gradient example, in whole numbers: the same questions cost the same everywhere.
pub struct Referee<'a> {
    problem: &'a mut dyn Problem,
    spec: TaskSpec,
    streams: Streams,
    params: Params,
    order: Order,
    thirds: u64,
    limit: u64,
    began: Instant,
    over: Option<(Stop, f64)>,
    late: u64,
    curve: Vec<Seen>,
}

impl<'a> Referee<'a> {
    /// Begins a run. The seed decides initial parameters and the order of the data.
    pub fn new(name: &str, problem: &'a mut dyn Problem, target: f64, limits: Limits, seed: u64) -> Self {
        let streams = Streams::new(seed);
        let (sizes, layout) = (problem.sizes(), problem.layout().clone());
        let params = Params::new(layout.clone(), problem.begin(streams));
        let spec = TaskSpec {
            name: name.to_owned(),
            layout,
            examples: sizes.examples,
            target_examples: sizes.target,
            default_batch: sizes.batch,
            target,
            limits,
        };
        Self {
            problem,
            order: Order::new(streams, sizes.examples),
            spec,
            streams,
            params,
            thirds: 0,
            limit: (limits.work * 3.0).floor() as u64,
            began: Instant::now(),
            over: None,
            late: 0,
            curve: Vec::new(),
        }
    }

    /// Begins to count the time anew: what came before was preparation.
    pub fn start_clock(&mut self) {
        self.began = Instant::now();
    }

    /// Why the run is over, if it is.
    pub fn over(&self) -> Option<Stop> {
        self.over.map(|(stop, _)| stop)
    }

    /// Questions after the run was over.
    pub fn late_questions(&self) -> u64 {
        self.late
    }

    /// Streams of this run, for an entry that runs in this process.
    pub fn streams(&self) -> Streams {
        self.streams
    }

    /// Ends the run and judges it. `ended` is how the entry ended, if the run was not over before that.
    pub fn verdict(self, ended: Outcome) -> Verdict {
        let (outcome, seconds) = match self.over {
            Some((Stop::Reached, at)) => (Outcome::Reached, at),
            Some((Stop::Limit, at)) => (Outcome::Limit, at),
            Some((Stop::Diverged, at)) => (Outcome::Diverged, at),
            Some((Stop::Invalid | Stop::Gone, at)) => (Outcome::Invalid, at),
            None => (ended, self.began.elapsed().as_secs_f64()),
        };
        let judged = |part| {
            if self.params.finite() { self.problem.judge(self.params.values(), part) } else { f64::NAN }
        };
        Verdict {
            outcome,
            work: self.thirds as f64 / 3.0,
            seconds,
            probes: self.curve.len(),
            best: self.curve.iter().map(|s| s.loss).filter(|l| l.is_finite()).reduce(f64::min),
            loss: judged(Part::Target),
            holdout_loss: judged(Part::Holdout),
            late_questions: self.late,
            curve: self.curve,
        }
    }

    fn end(&mut self, stop: Stop) -> Stop {
        self.over = Some((stop, self.began.elapsed().as_secs_f64()));
        stop
    }

    /// Lets a question pass, at a price in thirds.
    fn charge(&mut self, thirds: u64) -> Result<(), Stop> {
        if let Some((stop, _)) = self.over {
            self.late += 1;
            return Err(stop);
        }
        if self.thirds + thirds > self.limit || self.began.elapsed().as_secs_f64() > self.spec.limits.seconds {
            return Err(self.end(Stop::Limit));
        }
        self.thirds += thirds;
        Ok(())
    }

    fn rows(&mut self, id: BatchId) -> Result<Vec<usize>, Stop> {
        match self.order.rows(id) {
            Some(rows) => Ok(rows),
            None => Err(self.end(Stop::Invalid)),
        }
    }
}

impl Task for Referee<'_> {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn params(&self) -> Params {
        self.params.clone()
    }

    fn set_params(&mut self, params: &Params) -> Result<(), Stop> {
        self.charge(0)?;
        if params.values().len() != self.params.values().len() {
            return Err(self.end(Stop::Invalid));
        }
        self.params.values_mut().copy_from_slice(params.values());
        if params.finite() { Ok(()) } else { Err(self.end(Stop::Diverged)) }
    }

    fn epoch(&mut self, shuffle: bool) -> Result<(), Stop> {
        self.charge(0)?;
        self.order.next(shuffle);
        Ok(())
    }

    fn batch(&mut self, size: usize) -> Result<BatchId, Stop> {
        self.charge(0)?;
        Ok(self.order.draw(size))
    }

    fn loss(&mut self, batch: BatchId, norm: Norm) -> Result<f64, Stop> {
        self.charge(batch.len as u64)?;
        let rows = self.rows(batch)?;
        Ok(self.problem.loss(self.params.values(), Examples { rows: &rows, epoch: batch.epoch }, norm))
    }

    fn grad(&mut self, batch: BatchId) -> Result<(f64, Grads), Stop> {
        self.charge(3 * batch.len as u64)?;
        let rows = self.rows(batch)?;
        let (loss, grad) = self.problem.grad(self.params.values(), Examples { rows: &rows, epoch: batch.epoch });
        Ok((loss, Params::new(self.spec.layout.clone(), grad)))
    }

    fn probe(&mut self) -> Result<f64, Stop> {
        self.charge(self.spec.target_examples as u64)?;
        let loss = self.problem.judge(self.params.values(), Part::Target);
        let seen = Seen { work: self.thirds as f64 / 3.0, seconds: self.began.elapsed().as_secs_f64(), loss };
        self.curve.push(seen);
        // a probe that was begun in time counts even where it took longer
        if loss < self.spec.target { Err(self.end(Stop::Reached)) } else { Ok(loss) }
    }
}

/// The order of the training data, pass by pass: a function of (seed, pass), so that old batches stay askable.
struct Order {
    streams: Streams,
    examples: usize,
    epoch: u64,
    next: usize,
    plain: BTreeSet<u64>,
    kept: Option<(u64, Vec<usize>)>,
}

impl Order {
    fn new(streams: Streams, examples: usize) -> Self {
        Self { streams, examples, epoch: 0, next: 0, plain: BTreeSet::new(), kept: None }
    }

    fn next(&mut self, shuffle: bool) {
        // a pass of which nothing was drawn is begun, not left
        if self.next > 0 {
            self.epoch += 1;
        }
        self.next = 0;
        if shuffle {
            self.plain.remove(&self.epoch);
        } else {
            self.plain.insert(self.epoch);
        }
        self.kept = None;
    }

    fn draw(&mut self, size: usize) -> BatchId {
        let len = size.clamp(1, self.examples);
        if self.next + len > self.examples {
            self.next(true);
        }
        let id = BatchId { epoch: self.epoch, start: self.next, len };
        self.next += len;
        id
    }

    fn rows(&mut self, id: BatchId) -> Option<Vec<usize>> {
        let end = id.start.checked_add(id.len).filter(|&end| id.len > 0 && end <= self.examples)?;
        if id.epoch > self.epoch {
            return None;
        }
        if self.plain.contains(&id.epoch) {
            return Some((id.start..end).collect());
        }
        if self.kept.as_ref().is_none_or(|(epoch, _)| *epoch != id.epoch) {
            let mut rows: Vec<usize> = (0..self.examples).collect();
            rows.shuffle(&mut self.streams.at("arena.order", id.epoch, 0));
            self.kept = Some((id.epoch, rows));
        }
        self.kept.as_ref().map(|(_, rows)| rows[id.start..end].to_vec())
    }
}
