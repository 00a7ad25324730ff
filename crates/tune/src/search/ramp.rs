use super::Search;
use crate::{Halt, Lab, Pick, Point, TuneError, choice::nothing_trains};

/// The learning-rate range test of Smith (WACV 2017), as libraries automate it: one training in which the rate rises from step to
/// step, and of its smoothed loss a tenth of the rate at the minimum. The guard looks at a probe of that rate.
#[derive(Clone, Debug)]
pub struct Ramp {
    range: [f64; 2],
    found: Option<f64>,
}

/// Share of itself that the running mean of the loss keeps per step.
const SMOOTH: f64 = 0.98;
/// From the minimum down to the rate that is taken.
const BELOW: f64 = 10.0;

impl Ramp {
    /// Between two rates, `1e-5` and `10` unless said otherwise.
    pub fn new(range: Option<[f64; 2]>) -> Self {
        Self { range: range.unwrap_or([1e-5, 10.0]), found: None }
    }
}

/// The rate at the smallest smoothed loss.
fn at_minimum(steps: &[(f64, f64)]) -> Option<f64> {
    let (mut mean, mut weight, mut best) = (0.0, 1.0, None::<(f64, f64)>);
    for &(lr, loss) in steps.iter().take_while(|s| s.1.is_finite()) {
        mean = SMOOTH * mean + (1.0 - SMOOTH) * loss;
        weight *= SMOOTH;
        let smoothed = mean / (1.0 - weight);
        if best.is_none_or(|(_, low)| smoothed < low) {
            best = Some((lr, smoothed));
        }
    }
    best.map(|(lr, _)| lr)
}

impl Search for Ramp {
    fn name(&self) -> &'static str {
        "ramp"
    }

    fn search(&mut self, lab: &mut Lab<'_>) -> Result<String, Halt> {
        let steps = lab.ramp(self.range)?;
        self.found = at_minimum(&steps).map(|lr| lr / BELOW);
        if let Some(lr) = self.found {
            lab.probe(&[Point::rate(lr)], &[])?;
        }
        let end = steps.last().map_or(self.range[0], |s| s.0);
        Ok(format!("the rate rose to {end:.3e} in {} steps", steps.len()))
    }

    fn pick(&self, lab: &Lab<'_>) -> Result<Pick, TuneError> {
        let Some(lr) = self.found else { return Err(nothing_trains(lab)) };
        let reason = "a tenth of the rate at the smallest smoothed loss of one training with a rising rate".to_owned();
        Ok(Pick { point: Point::rate(lr), reason, runner_up: None })
    }
}

#[cfg(test)]
mod tests {
    use super::at_minimum;

    #[test]
    fn the_minimum_of_the_smoothed_loss() {
        let steps = (0..400).map(|i| {
            let lr = 1e-4 * 10f64.powf(f64::from(i) / 100.0);
            (lr, (lr.log10() + 2.0).powi(2) + 0.5 * f64::from(i % 2))
        });
        let found = at_minimum(&steps.collect::<Vec<_>>()).unwrap();
        // smoothing is late
        assert!((0.01..0.1).contains(&found), "{found}");
        assert_eq!(at_minimum(&[]), None);
        assert_eq!(at_minimum(&[(0.1, 1.0), (0.2, f64::NAN), (0.3, 0.1)]), Some(0.1));
    }
}
