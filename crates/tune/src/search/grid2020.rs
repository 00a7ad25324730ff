use super::Search;
use crate::{Halt, Lab, PLATEAU, Pick, Point, TuneError, zeta};

/// The search of 2020: geometric grids of 20 rates that close in on the first plateau.
#[derive(Clone, Debug)]
pub struct Grid2020 {
    lo: f64,
    hi: f64,
    grid: Vec<f64>,
    trace: Vec<Trace>,
}

/// A line of `lrrt.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The rate.
    pub lr: f64,
    /// Z, which the published file calls rank.
    pub z: f64,
    /// What the search made of it.
    pub msg: &'static str,
}

const POINTS: usize = 20;
/// A grid narrower than this ends the search.
const NARROW: f64 = 3e-5;

/// `POINTS` rates from `lo` to `hi`, both included.
fn geometric(lo: f64, hi: f64) -> Vec<f64> {
    (0..POINTS).map(|i| lo * (hi / lo).powf(i as f64 / (POINTS - 1) as f64)).collect()
}

impl Grid2020 {
    /// From `1e-4` to `0.1`, as published.
    pub fn new() -> Self {
        let (lo, hi) = (1e-4, 0.1);
        Self { lo, hi, grid: geometric(lo, hi), trace: Vec::new() }
    }

    fn set(&mut self, lo: f64, hi: f64) {
        (self.lo, self.hi) = (lo, hi);
        self.grid = geometric(lo, hi);
    }

    fn note(&mut self, lr: f64, z: f64, msg: &'static str) {
        self.trace.push(Trace { lr, z, msg });
    }

    /// Closes in on what lies before grid point `i`.
    fn close_in(&mut self, i: usize, hi: f64) {
        let lo = self.grid[i.saturating_sub(2)];
        let hi = if lo == hi { 0.5 * (lo + self.grid[i]) } else { hi };
        self.set(lo, hi);
    }
}

impl Default for Grid2020 {
    fn default() -> Self {
        Self::new()
    }
}

impl Search for Grid2020 {
    fn name(&self) -> &'static str {
        "grid2020"
    }

    fn published(&self) -> bool {
        true
    }

    fn search(&mut self, lab: &mut Lab<'_>) -> Result<String, Halt> {
        *self = Self::new();
        let (mut i, mut seen, mut exits, mut first) = (0, Vec::<f64>::new(), 0, true);
        loop {
            if i >= POINTS {
                let [.., before, last] = self.grid[..] else { unreachable!("a grid has {POINTS} points") };
                self.note(last, seen.last().copied().unwrap_or(1.0), "end-reached");
                self.set(before, 1.5 * last);
                i = 0;
                continue;
            }
            if (self.lo - self.hi).abs() < NARROW {
                self.note(self.hi, seen.last().copied().unwrap_or(1.0), "exit-delta");
                return Ok("the grid has closed in (exit-delta)".to_owned());
            }
            let lr = self.grid[i];
            let ahead = self.grid[i + 1..].iter().copied().map(Point::rate).collect::<Vec<_>>();
            let probes = lab.probe(&[Point::rate(lr)], &ahead)?;
            let z = probes.last().map_or(1.0, crate::Probe::z);
            seen.push(z);
            if z >= 1.0 {
                self.note(lr, z, "all-zero");
                let lo = 5.0 * self.lo;
                self.set(lo, if lo >= self.hi { 1.5 * lo } else { self.hi });
                (i, seen) = (0, Vec::new());
                continue;
            }
            if i == 0 && first && z < 0.5 {
                self.note(lr, z, "early-cross");
                self.set(self.lo / 10.0, self.hi);
                seen.clear();
                continue;
            }
            if i > 0 {
                first = false;
                if z == 0.0 {
                    self.note(lr, z, "reach-100");
                    self.close_in(i, self.grid[i - 1]);
                    (i, seen) = (0, Vec::new());
                    continue;
                }
                if zeta(&seen) < PLATEAU {
                    self.note(lr, z, "plateau");
                    exits += 1;
                    self.close_in(i, self.grid[i]);
                    (i, seen) = (0, Vec::new());
                    if exits > 6 {
                        return Ok("seven plateaus were met (plateau)".to_owned());
                    }
                    continue;
                }
            }
            if exits > 5 {
                self.note(lr, z, "exit-counter");
                return Ok("six plateaus were met (exit-counter)".to_owned());
            }
            self.note(lr, z, "nothing");
            i += 1;
        }
    }

    fn pick(&self, lab: &Lab<'_>) -> Result<Pick, TuneError> {
        let seen = lab.seen();
        if seen.is_empty() {
            return Err(TuneError::Refused("no probe was made".to_owned()));
        }
        let reason = "the upper end of the last grid, as published".to_owned();
        Ok(Pick { point: Point::rate(self.hi), reason, runner_up: None })
    }

    fn trace(&self) -> &[Trace] {
        &self.trace
    }
}
