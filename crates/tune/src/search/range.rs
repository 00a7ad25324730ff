use super::Search;
use crate::{
    Halt, Lab, Pick, Point, Probe, TuneError,
    choice::{admitted, nothing_trains},
};

/// Up through a range of rates, judged by the loss alone: the house search for fine-tuning, where Z is blind. Structure is
/// there before the first step, so nothing appears when the rate is right.
#[derive(Clone, Debug)]
pub struct Range {
    rates: Vec<f64>,
}

/// Rates per factor of ten on the way up.
const PER_DECADE: f64 = 2.0;
/// From the best rate to its neighbours in the second look.
const REFINE: f64 = 1.778_279_410_038_922_8;

impl Range {
    /// Between two rates, `1e-5` and `1` unless said otherwise.
    pub fn new(range: Option<[f64; 2]>) -> Self {
        let [lo, hi] = range.unwrap_or([1e-5, 1.0]);
        let steps = (PER_DECADE * (hi / lo).log10()).round().max(1.0) as usize;
        let rates = (0..=steps).map(|i| lo * (hi / lo).powf(i as f64 / steps as f64)).collect();
        Self { rates }
    }
}

/// The admitted probe with the smallest loss, the smaller rate on ties.
fn best<'l>(lab: &'l Lab<'_>) -> Option<&'l Probe> {
    admitted(lab).into_iter().min_by(|a, b| a.loss().total_cmp(&b.loss()).then(a.point.lr.total_cmp(&b.point.lr)))
}

impl Search for Range {
    fn name(&self) -> &'static str {
        "range"
    }

    fn search(&mut self, lab: &mut Lab<'_>) -> Result<String, Halt> {
        let mut why = "the range was seen to its end".to_owned();
        for (i, &lr) in self.rates.iter().enumerate() {
            let ahead = self.rates[i + 1..].iter().copied().map(Point::rate).collect::<Vec<_>>();
            let probes = lab.probe(&[Point::rate(lr)], &ahead)?;
            let better_before = best(lab).is_some_and(|b| b.point.lr < lr);
            // above the first rate that spoils training nothing is found
            if let Some(objection) = probes.iter().find_map(|p| lab.objection(p)).filter(|_| better_before) {
                why = format!("the guard refuses {lr:.3e}: {objection}");
                break;
            }
        }
        if let Some(found) = best(lab).map(|p| p.point.lr) {
            lab.probe(&[Point::rate(found / REFINE), Point::rate(found * REFINE)], &[])?;
        }
        Ok(why)
    }

    fn pick(&self, lab: &Lab<'_>) -> Result<Pick, TuneError> {
        let Some(best) = best(lab) else { return Err(nothing_trains(lab)) };
        let others = admitted(lab).into_iter().filter(|p| p.point != best.point);
        let second = others.min_by(|a, b| a.loss().total_cmp(&b.loss()));
        Ok(Pick {
            point: best.point,
            reason: format!("the smallest loss after the probe: {:.3}, before {:.3}", best.loss(), best.start_loss),
            runner_up: second.map(|p| p.point.lr),
        })
    }
}
