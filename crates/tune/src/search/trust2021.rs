use super::Search;
use crate::{Halt, Lab, PLATEAU, Pick, Point, Probe, TuneError, zeta};

/// The search of 2021: a trust region of 3 x 3 learning rates and weight decays that walks towards less Z.
///
/// It cannot see that strong weight decay alone lowers Z: while every cell reads 1 it takes the last one, so that weight decay
/// doubles with every step of the rate until nothing is learned any more (`docs/tune.md`).
#[derive(Clone, Debug)]
pub struct Trust2021 {
    lr: f64,
    wd: f64,
    scale: [f64; 2],
    /// Values that were reached: one that was probed.
    at: Option<Point>,
}

/// Above this Z in every cell the walk goes up; below it in every cell it began too high.
const TOO_HIGH: f64 = 0.85;
/// A scale within this of 1 stops its parameter.
const FINE: f64 = 5e-3;
/// The smallest rate.
const LEAST: f64 = 1e-6;
/// Weight decay after 0.
const FROM_ZERO: f64 = 1e-7;

/// A value moved by some steps of its scale.
fn moved(value: f64, scale: f64, steps: i32) -> f64 {
    if value == 0.0 && steps > 0 {
        return FROM_ZERO;
    }
    value * scale.powi(steps)
}

type Cells = [[Option<f64>; 3]; 3];

/// The cells seen from a new centre; what comes in from outside is unknown.
fn shifted(cells: &Cells, to: (usize, usize)) -> Cells {
    let mut new = Cells::default();
    for (a, row) in new.iter_mut().enumerate() {
        for (b, cell) in row.iter_mut().enumerate() {
            let (x, y) = (a + to.0, b + to.1);
            *cell = if (1..4).contains(&x) && (1..4).contains(&y) { cells[x - 1][y - 1] } else { None };
        }
    }
    new
}

impl Trust2021 {
    /// From a rate of `1e-4` and no weight decay, as published.
    pub fn new() -> Self {
        Self { lr: 1e-4, wd: 0.0, scale: [1.45, 2.0], at: None }
    }

    fn point(&self, (a, b): (usize, usize)) -> Point {
        let lr = moved(self.lr, self.scale[0], a as i32 - 1);
        let wd = moved(self.wd, self.scale[1], b as i32 - 1);
        Point { lr, wd: Some(wd), seed: 0 }
    }
}

impl Default for Trust2021 {
    fn default() -> Self {
        Self::new()
    }
}

/// Every cell in reading order.
fn places() -> impl Iterator<Item = (usize, usize)> {
    (0..9).map(|i| (i / 3, i % 3))
}

impl Search for Trust2021 {
    fn name(&self) -> &'static str {
        "trust2021"
    }

    fn published(&self) -> bool {
        true
    }

    fn search(&mut self, lab: &mut Lab<'_>) -> Result<String, Halt> {
        *self = Self::new();
        let (mut cells, mut start, mut history, mut stopped) = (Cells::default(), true, Vec::new(), [false; 2]);
        loop {
            let unknown = places().filter(|&(a, b)| cells[a][b].is_none()).collect::<Vec<_>>();
            let points = unknown.iter().map(|&at| self.point(at)).collect::<Vec<_>>();
            for (&(a, b), probe) in unknown.iter().zip(lab.probe(&points, &[])?) {
                cells[a][b] = Some(Probe::z(&probe));
            }
            let z = |(a, b): (usize, usize)| cells[a][b].unwrap_or(1.0);
            let high = start && places().all(|at| z(at) < TOO_HIGH) && self.lr >= LEAST && self.wd >= 0.0;
            let mut chosen = if high {
                // the first of the largest
                places().reduce(|best, at| if z(at) > z(best) { at } else { best })
            } else {
                // the last of the smallest
                places().reduce(|best, at| if z(at) <= z(best) { at } else { best })
            }
            .unwrap_or((1, 1));
            if !high {
                start = false;
                history.push(z(chosen));
            }
            if chosen == (1, 1) {
                chosen = if high { (0, 0) } else { (2, 2) };
            }
            let point = self.point(chosen);
            cells = shifted(&cells, chosen);
            (self.lr, self.wd) = (point.lr, point.wd.unwrap_or(0.0));
            self.at = Some(point);
            if !start && zeta(&history) < PLATEAU {
                for (scale, stopped) in self.scale.iter_mut().zip(&mut stopped) {
                    *stopped |= (*scale - 1.0).abs() <= FINE;
                    *scale = 1.0 + (*scale - 1.0) * (-2.5f64).exp();
                }
            }
            if stopped == [true; 2] {
                return Ok("both scales have come down to 1".to_owned());
            }
        }
    }

    fn pick(&self, lab: &Lab<'_>) -> Result<Pick, TuneError> {
        let Some(point) = self.at.or_else(|| lab.seen().last().map(|p| p.point)) else {
            return Err(TuneError::Refused("no probe was made".to_owned()));
        };
        let reason = "where the trust region came to rest, as published".to_owned();
        Ok(Pick { point, reason, runner_up: None })
    }
}
