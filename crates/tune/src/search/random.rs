use super::{Search, SearchSettings};
use crate::{
    Halt, Lab, Pick, Point, Probe, TuneError,
    choice::{admitted, nothing_trains},
};
use rand::Rng;

/// Rates drawn evenly on a logarithmic scale, judged on held-out pictures: the rival that the published work compares with.
#[derive(Clone, Debug)]
pub struct Random {
    points: Vec<Point>,
}

/// Decades of the published rates.
const RATES: [f64; 2] = [1e-4, 0.1];
/// Decades of the published weight decays.
const DECAYS: [f64; 2] = [1e-7, 0.1];

impl Random {
    /// As many draws as the budget allows.
    pub fn new(settings: &SearchSettings) -> Self {
        let mut rng = settings.streams.named("tune.random");
        let mut draw = |[lo, hi]: [f64; 2]| lo * (hi / lo).powf(rng.r#gen::<f64>());
        let rates = settings.range.unwrap_or(RATES);
        let mut point = || {
            let lr = draw(rates);
            Point { wd: settings.weight_decay.then(|| draw(DECAYS)), ..Point::rate(lr) }
        };
        Self { points: (0..settings.budget).map(|_| point()).collect() }
    }
}

/// Accuracy on held-out pictures, then their loss.
fn better(a: &Probe, b: &Probe) -> std::cmp::Ordering {
    a.accuracy().total_cmp(&b.accuracy()).then(b.held_out_loss().total_cmp(&a.held_out_loss()))
}

impl Search for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn search(&mut self, lab: &mut Lab<'_>) -> Result<String, Halt> {
        // one after the other, so that a halt leaves the first ones
        for (i, point) in self.points.iter().enumerate() {
            lab.probe(&[*point], &self.points[i + 1..])?;
        }
        Ok(format!("{} rates were drawn", self.points.len()))
    }

    fn pick(&self, lab: &Lab<'_>) -> Result<Pick, TuneError> {
        let mut admitted = admitted(lab);
        admitted.sort_by(|a, b| better(b, a));
        let Some(best) = admitted.first() else { return Err(nothing_trains(lab)) };
        Ok(Pick {
            point: best.point,
            reason: format!(
                "the best of {} draws on held-out pictures: {:.2} %",
                lab.seen().len(),
                100.0 * best.accuracy()
            ),
            runner_up: admitted.get(1).map(|p| p.point.lr),
        })
    }
}
