use super::adam::power;
use crate::{Entry, Params, Stop, Task};
use hybridrepair_core::Stream;

/// experimental
pub(crate) struct Pilot(String);

#[allow(missing_docs)]
pub fn pilot_with(knobs: &str) -> Box<dyn Entry> {
    Box::new(Pilot(knobs.to_owned()))
}

impl Pilot {
    fn knob(&self, name: &str, default: f64) -> f64 {
        self.0.split(':').find_map(|kv| kv.strip_prefix(name)?.strip_prefix('=')?.parse().ok()).unwrap_or(default)
    }
}

impl Entry for Pilot {
    fn name(&self) -> &'static str {
        "pilot"
    }

    fn run(&mut self, task: &mut dyn Task, _: &mut Stream) -> Result<(), Stop> {
        let batch = self.knob("batch", 16.0) as usize;
        let lr0 = self.knob("lr", 0.01);
        let sf = self.knob("sf", 1.0) > 0.0;
        let beta1 = self.knob("b1", 0.9) as f32;
        let beta2 = self.knob("b2", 0.99);
        let warm = self.knob("warm", 10.0);
        let eta = self.knob("eta", 0.0);
        let kappa = self.knob("kappa", 0.0);
        let floor = self.knob("floor", 0.5);
        let examples = task.spec().examples as f64;
        let target = task.spec().target;
        let slots = task.spec().layout.slots().to_vec();
        let mut z = task.params();
        let mut avg = task.params();
        let n = z.values().len();
        let mut m = vec![0.0f32; n];
        let mut v = vec![0.0f32; n];
        let mut t = 0;
        let mut weights = 0.0;
        let mut work = 0.0;
        let mut ema = 0.0;
        let mut ema_w = 0.0;
        let alpha = (batch as f64 / (self.knob("win", 0.25) * examples)).min(0.5);
        let (mut gap, mut last_probe, mut interval) = (0.0, 0.0, 0.05 * examples);
        loop {
            let id = task.batch(batch)?;
            let y = if sf {
                let mut y = z.clone();
                y.lerp(beta1, &avg);
                y
            } else {
                z.clone()
            };
            task.set_params(&y)?;
            let (loss, g) = task.grad(id)?;
            work += batch as f64;
            t += 1;
            let lr = lr0 * (f64::from(t) / warm).min(1.0);
            let unbias = (1.0 / (1.0 - power(beta2, t))) as f32;
            let b2 = beta2 as f32;
            let mut u = vec![0.0f32; n];
            let b1 = if sf { 0.0 } else { beta1 };
            let unbias1 = if sf { 1.0 } else { (1.0 / (1.0 - power(f64::from(beta1), t))) as f32 };
            for (((u, m), v), &g) in u.iter_mut().zip(&mut m).zip(&mut v).zip(g.values()) {
                *v = b2 * *v + (1.0 - b2) * g * g;
                *m = b1 * *m + (1.0 - b1) * g;
                *u = *m * unbias1 / ((*v * unbias).sqrt() + 1e-8);
            }
            for s in &slots {
                let range = s.start..s.start + s.len;
                let mut rate = lr;
                if kappa > 0.0 {
                    let along: f64 =
                        u[range.clone()].iter().zip(&g.values()[range.clone()]).map(|(&a, &b)| f64::from(a * b)).sum();
                    let room = (loss - floor * target).max(0.02 * target);
                    rate = lr / (1.0 + lr * along.max(0.0) / (kappa * room));
                }
                for (p, u) in z.values_mut()[range.clone()].iter_mut().zip(&u[range]) {
                    *p -= rate as f32 * u;
                }
            }
            let w = lr * lr * libm::pow(f64::from(t), eta);
            weights += w;
            avg.lerp((w / weights) as f32, &z);
            ema_w = (1.0 - alpha) * ema_w + alpha;
            ema = (1.0 - alpha) * ema + alpha * loss;
            let seen = ema / ema_w;
            let since = work - last_probe;
            let due = seen + gap < target && since >= interval && work > 0.1 * examples;
            if due || since > (0.2 * work).max(examples) {
                task.set_params(&avg)?;
                let found = task.probe()?;
                work += task.spec().target_examples as f64 / 3.0;
                gap = found - seen;
                last_probe = work;
                interval = 0.05 * examples;
                let _ = Params::norm;
            }
        }
    }
}
