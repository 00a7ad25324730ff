//! From numbers to places on a chart.

/// An axis: its ends, and whether it counts in powers of ten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    log: bool,
}

impl Scale {
    /// An axis over all finite values (of a logarithmic one: those above 0), with `pad` of its length free at both ends.
    pub(super) fn over(values: impl Iterator<Item = f64>, log: bool, pad: f64) -> Self {
        let usable = values.filter(|v| v.is_finite() && (!log || *v > 0.0)).map(|v| if log { v.log10() } else { v });
        let (low, high) = usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = match (low.is_finite(), low < high) {
            (false, _) => (0.0, 1.0),
            // one value: room on both sides of it
            (true, false) => {
                let half = if low == 0.0 || log { 0.5 } else { low.abs() * 0.1 };
                (low - half, low + half)
            }
            (true, true) => (low, high),
        };
        let free = pad * (high - low);
        Self { low: low - free, high: high + free, log }
    }

    /// The same axis, not reaching beyond these values.
    pub(super) fn within(mut self, low: f64, high: f64) -> Self {
        if !self.log {
            (self.low, self.high) = (self.low.max(low).min(self.high), self.high.min(high).max(self.low));
            if self.low >= self.high {
                (self.low, self.high) = (low, high);
            }
        }
        self
    }

    /// The place of a value in [0, 1]; none where it has no place.
    pub(super) fn at(&self, value: f64) -> Option<f64> {
        let value = if self.log { value.log10() } else { value };
        value.is_finite().then(|| (value - self.low) / (self.high - self.low))
    }

    /// Values for marks on the axis: multiples of 1, 2 or 5 times a power of ten; of a logarithmic one powers of ten.
    pub(super) fn ticks(&self, about: usize) -> Vec<f64> {
        let span = self.high - self.low;
        if self.log {
            let step = (span / about as f64).ceil().max(1.0);
            let first = (self.low / step).ceil();
            let ticks: Vec<f64> = (0..64)
                .map(|i| (first + f64::from(i)) * step)
                .take_while(|e| *e <= self.high + 1e-9)
                .map(|e| 10f64.powf(e))
                .collect();
            if ticks.len() > 1 {
                return ticks;
            }
            return vec![10f64.powf(self.low), 10f64.powf(self.high)];
        }
        let raw = span / about as f64;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= raw).unwrap_or(raw);
        let first = (self.low / step).ceil();
        let ticks = (0..64).map(|i| (first + f64::from(i)) * step).take_while(|v| *v <= self.high + step * 1e-9);
        // 0 and not -0
        ticks.map(|v| if v.abs() < step * 1e-9 { 0.0 } else { v }).collect()
    }
}

/// A value beside its axis, as short as it can be.
pub(super) fn label(value: f64, log: bool) -> String {
    let size = value.abs();
    if size != 0.0 && (!(1e-3..1e6).contains(&size) || (log && !(0.01..1000.0).contains(&size))) {
        return format!("{value:e}").split_once('e').map_or_else(String::new, |(m, e)| {
            let m = m.parse::<f64>().unwrap_or(1.0);
            if (m - 1.0).abs() < 0.005 { format!("1e{e}") } else { format!("{m:.1}e{e}") }
        });
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let s = Scale::over([0.0, 97.0].into_iter(), false, 0.0);
        assert_eq!(s.ticks(5), [0.0, 20.0, 40.0, 60.0, 80.0]);
        assert_eq!(s.at(48.5), Some(0.5));
        let log = Scale::over([1e-5, 1e-1, -3.0, f64::NAN].into_iter(), true, 0.0);
        assert_eq!(log.ticks(5).len(), 5);
        assert!((log.at(1e-3).unwrap() - 0.5).abs() < 1e-12 && log.at(0.0).is_none());
    }

    #[test]
    fn no_values_and_one_value_have_an_axis_too() {
        for values in [vec![], vec![f64::NAN], vec![3.0], vec![0.0], vec![-2.0, -2.0]] {
            for log in [false, true] {
                let s = Scale::over(values.iter().copied(), log, 0.05);
                assert!(s.low < s.high && !s.ticks(4).is_empty(), "{values:?} {s:?}");
            }
        }
        let s = Scale::over([0.98, 0.99].into_iter(), false, 0.5).within(0.0, 1.0);
        assert!(s.high <= 1.0 && s.low > 0.9);
    }

    #[test]
    fn labels_are_short() {
        let shown = [0.0, 0.5, 20.0, -1.25, 1e-5, 2.5e-7].map(|v| label(v, false));
        assert_eq!(shown, ["0", "0.5", "20", "−1.25", "1e-5", "2.5e-7"]);
        assert_eq!(label(1e-3, true), "1e-3");
    }
}
