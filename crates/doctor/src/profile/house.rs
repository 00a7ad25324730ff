use super::Rules;
use crate::{
    Activation, Finding, History, Problem, Thresholds,
    reading::largest,
    symptoms::{
        Swings, abnormal_activation, dead_layers, exploding, improper_output, non_finite, overfit, still_falling,
        swings, vanishing, zero_entries,
    },
};

/// Our rules: everything is computed anew at every check, a problem needs some checks in a row, accuracy is compared with
/// chance and swings with the noise of so few samples.
#[derive(Debug)]
pub struct House {
    t: Thresholds,
    interval: usize,
    /// The problem of the last check, since when, and for how many checks.
    streak: Option<(Problem, usize, usize)>,
}

impl House {
    /// Nothing seen yet.
    pub fn new(t: Thresholds, interval: usize) -> Self {
        Self { t, interval, streak: None }
    }

    /// Accuracy that counts as good.
    fn good(&self, history: &History<'_>) -> f64 {
        let chance = history.facts.chance;
        self.t.good.unwrap_or(chance + self.t.good_share * (1.0 - chance))
    }

    /// The first epoch whose curves are judged.
    fn start(&self, epochs: usize) -> f64 {
        let (epochs, wish) = (epochs as f64, self.t.judge_epochs as f64);
        (self.t.judge_from * epochs).max(wish.min(0.6 * epochs))
    }

    /// What this check says by itself.
    fn see(&self, history: &History<'_>) -> Option<(Problem, String)> {
        let last = history.last()?;
        if let (Some(output), true) = (history.facts.output, last.probe.is_some()) {
            // what the specification says needs no learning curve
            if let Some(said) = improper_output(output, None, &self.t) {
                return Some((Problem::OutputActivation, said));
            }
        }
        if (last.epoch as f64) < self.start(history.facts.epochs) {
            return None;
        }
        let good = self.good(history);
        let val = known(history.val_acc());
        let recent = &val[val.len() - val.len().min(self.recent())..];
        if largest(recent) < good {
            return self.stuck(history, largest(recent), &val, good);
        }
        if let Some(said) = self.swinging(history) {
            return Some((Problem::Oscillation, said));
        }
        let probe = history.readings.iter().rev().find_map(|r| r.probe.as_ref());
        if let (Some(p), true) = (probe, self.stalled(history)) {
            // it learned something, and what is dead or starved keeps it from more
            if let Some(said) = dead_layers(p, self.t.house.dead_units) {
                return Some((Problem::DyingRelu, format!("{said}; the training loss falls no more")));
            }
            if let Some(said) = vanishing(p, &self.t) {
                return Some((Problem::VanishingGradient, format!("{said}; the training loss falls no more")));
            }
        }
        let over = last.epoch + 1 == history.facts.epochs;
        // where training accuracy was not measured, nothing is known of the way
        let progress = progress(history);
        let before = |share: f64| progress.is_some_and(|p| p < share);
        if over && before(self.t.house.far) {
            return self.stuck(history, largest(recent), &val, good);
        }
        if let (true, Some(said)) =
            (over && self.stalled(history) && before(self.t.house.far_after), self.vanished(history))
        {
            return Some((Problem::VanishingGradient, format!("{said}; only a part was learned since")));
        }
        let falling = still_falling(&losses(history));
        let near = last.train.acc < 0.5 * (1.0 + good) && falling > self.t.house.still_falling;
        let slow = near || (falling > self.t.house.falling_far && before(self.t.house.far_after));
        if over && slow && !self.overfitting(history) {
            let percent = 100.0 * falling;
            return Some((
                Problem::SlowConvergence,
                format!("the training loss still fell by {percent:.0} % when training ended"),
            ));
        }
        overfit(history).filter(|_| over && self.overfitting(history)).map(|said| (Problem::Overfit, said))
    }

    /// Epochs that count as now.
    fn recent(&self) -> usize {
        self.interval * self.t.window
    }

    /// Two readings or more by which the gradient had vanished.
    fn vanished(&self, history: &History<'_>) -> Option<String> {
        let said = history.readings.iter().filter_map(|r| vanishing(r.probe.as_ref()?, &self.t)).collect::<Vec<_>>();
        said.first().filter(|_| said.len() > 1).map(|first| format!("at first {first}"))
    }

    /// Why accuracy is where a constant answer would be, or little above; of slowness without any other sign nothing is said
    /// before it is late.
    fn stuck(&self, history: &History<'_>, now: f64, val: &[f64], good: f64) -> Option<(Problem, String)> {
        let last = history.readings.len();
        let (chance, t) = (history.facts.chance, &self.t);
        let accuracy = format!("validation accuracy is {now:.2} after {last} epochs, where chance is {chance:.2}");
        let probe = history.readings.iter().rev().find_map(|r| r.probe.as_ref());
        if let Some(p) = probe {
            let output = history.facts.output;
            let dead =
                dead_layers(p, self.t.house.dead_units).or_else(|| zero_entries(p, t).filter(|_| p.first() == 0.0));
            let signs = [
                (Problem::DyingRelu, dead),
                (Problem::ExplodingGradient, exploding(p, t)),
                (Problem::VanishingGradient, vanishing(p, t)),
                (Problem::OutputActivation, output.and_then(|o| improper_output(o, Some(p), t))),
                (Problem::AbnormalData, abnormal_activation(p, t)),
            ];
            for (problem, sign) in signs {
                if let Some(said) = sign {
                    return Some((problem, format!("{said}; {accuracy}")));
                }
            }
        }
        let best = largest(val);
        if best >= good && now < good {
            let said = format!("accuracy fell from {best:.2} and did not come back; {accuracy}");
            return Some((Problem::Oscillation, said));
        }
        if let Some(said) = self.swinging(history) {
            return Some((Problem::Oscillation, format!("{said}; {accuracy}")));
        }
        if (last as f64) < self.t.house.late * history.facts.epochs as f64 {
            return None;
        }
        let first = history.readings.first().map_or(f64::NAN, |r| r.train.loss);
        let now = history.readings.last().map_or(f64::NAN, |r| r.train.loss);
        Some((Problem::SlowConvergence, format!("the training loss went from {first:.3} to {now:.3}; {accuracy}")))
    }

    /// Swings that are larger than noise: large rises of the loss; in the last third those of training accuracy where validation and
    /// loss swing with it, of validation accuracy where training has stalled, or of the loss where it has stalled half-way. A
    /// network that is about to fit its samples swings too, and is well.
    fn swinging(&self, history: &History<'_>) -> Option<String> {
        let (train, val) = (known(history.train_acc()), known(history.val_acc()));
        let facts = history.facts;
        let often = |falls: Option<(usize, String)>, curve: &[f64]| {
            falls.filter(|(count, _)| self.many(*count, last_third(curve).len())).map(|(_, said)| said)
        };
        if train.len() < history.readings.len() {
            return often(self.falls(&val, facts.val_samples, 2.0, 2, "validation"), &val);
        }
        let loss = losses(history);
        let later = &loss[loss.len() / 3..];
        let large = rises(later, self.t.house.loss_rise);
        if large.count >= 2 {
            let (count, by, epochs) = (large.count, large.mean, later.len());
            return Some(format!(
                "the training loss rose {count} times by {by:.2} on average in the last {epochs} epochs"
            ));
        }
        let on_train = often(self.falls(&train, facts.train_samples, 2.0, 2, "training"), &train);
        let shaken =
            val.is_empty() || self.falls(&val, facts.val_samples, self.t.house.val_errors, 1, "validation").is_some();
        if on_train.is_some() && shaken && large.count > 0 {
            return on_train;
        }
        if !self.stalled(history) {
            return None;
        }
        let on_val = often(self.falls(&val, facts.val_samples, self.t.house.val_errors, 2, "validation"), &val);
        if on_val.is_some() {
            return on_val;
        }
        progress(history).filter(|p| *p < self.t.house.half_way).and_then(|_| self.shaking(&loss))
    }

    /// Swings of the training loss over the last half of its curve.
    fn shaking(&self, loss: &[f64]) -> Option<String> {
        let half = &loss[loss.len() / 2..];
        let swings = rises(half, self.t.house.loss_swing * mean(half));
        (swings.count >= 3 && self.many(swings.count, half.len())).then(|| {
            let percent = 100.0 * swings.mean / mean(half);
            format!(
                "the training loss rose {} times by {percent:.0} % on average in the last {} epochs, and falls no more",
                swings.count,
                half.len()
            )
        })
    }

    /// Whether so many swings in so many epochs are more than some.
    fn many(&self, count: usize, epochs: usize) -> bool {
        count as f64 >= self.t.swing_rate * epochs as f64
    }

    /// Falls of accuracy over `samples` in the last third of its curve that are larger than so many standard errors: how
    /// many, and in words; `None` of fewer than `least`.
    fn falls(&self, curve: &[f64], samples: usize, errors: f64, least: usize, part: &str) -> Option<(usize, String)> {
        let third = last_third(curve);
        let mean = mean(third);
        let error = (mean * (1.0 - mean) / samples.max(1) as f64).sqrt();
        let swings = swings(third, self.t.swing.max(errors * error));
        (swings.count >= least).then(|| {
            let (count, by, epochs) = (swings.count, swings.mean, third.len());
            (count, format!("{part} accuracy fell {count} times by {by:.2} on average in the last {epochs} epochs"))
        })
    }

    /// Whether training goes nowhere and has not arrived.
    fn stalled(&self, history: &History<'_>) -> bool {
        let (train, t) = (known(history.train_acc()), &self.t.house);
        train.len() == history.readings.len()
            && still_falling(&losses(history)) < t.stalled
            && mean(last_third(&train)) < t.arrived
    }

    /// Whether validation accuracy lost more than its noise since its best.
    fn overfitting(&self, history: &History<'_>) -> bool {
        let val = known(history.val_acc());
        let recent = &val[val.len() - val.len().min(self.recent())..];
        let (best, now) = (largest(&val), largest(recent));
        let error = (best * (1.0 - best) / history.facts.val_samples.max(1) as f64).sqrt();
        best - now > self.t.swing.max(2.0 * error)
    }
}

/// Training accuracy as a share of the way from chance to 1, where it was measured in every epoch.
fn progress(history: &History<'_>) -> Option<f64> {
    let (chance, train) = (history.facts.chance, known(history.train_acc()));
    let end = last_third(&train);
    (train.len() == history.readings.len() && !end.is_empty()).then(|| (mean(end) - chance) / (1.0 - chance))
}

/// The training loss, epoch by epoch.
fn losses(history: &History<'_>) -> Vec<f64> {
    history.readings.iter().map(|r| r.train.loss).collect()
}

/// Rises of a curve, from a low to the next high, that are at least so large.
fn rises(curve: &[f64], size: f64) -> Swings {
    swings(&curve.iter().map(|x| -x).collect::<Vec<_>>(), size)
}

/// What a curve ends with.
fn last_third(curve: &[f64]) -> &[f64] {
    &curve[curve.len() - curve.len() / 3..]
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len().max(1) as f64
}

/// The numbers without those that were not measured.
fn known(curve: Vec<f64>) -> Vec<f64> {
    curve.into_iter().filter(|x| !x.is_nan()).collect()
}

impl Rules for House {
    fn check(&mut self, history: &History<'_>) -> Option<Finding> {
        let last = history.last()?;
        let epoch = last.epoch;
        let checked = epoch % self.interval == 0 || epoch + 1 == history.facts.epochs;
        if !checked && !last.diverged {
            return None;
        }
        if let Some(evidence) = non_finite(history, self.t.large_loss.unwrap_or(f64::INFINITY)) {
            return Some(Finding { problem: Problem::ExplodingGradient, epoch, since: epoch, evidence });
        }
        let Some((problem, evidence)) = self.see(history) else {
            self.streak = None;
            return None;
        };
        let (since, checks) = match self.streak {
            // under another name perhaps: the stretch goes on all the same
            Some((_, since, checks)) => (since, checks + 1),
            None => (epoch, 1),
        };
        self.streak = Some((problem, since, checks));
        // judged from the specification or from the whole curve: there is no second look
        let sure = epoch + 1 == history.facts.epochs || specified(history, problem);
        (checks >= self.t.window || sure).then(|| {
            let evidence = if checks > 1 { format!("{evidence}, for {checks} checks") } else { evidence };
            Finding { problem, epoch, since, evidence }
        })
    }
}

/// Whether the problem can be read from the specification alone.
fn specified(history: &History<'_>, problem: Problem) -> bool {
    problem == Problem::OutputActivation && history.facts.output.is_some_and(|o| o.activation != Activation::Softmax)
}
