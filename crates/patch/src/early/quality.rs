use serde::{Deserialize, Serialize};

/// Accuracy on the class under repair and on all samples, in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// On the class.
    pub class: f64,
    /// On all.
    pub total: f64,
}

impl Quality {
    /// `alpha class + (1 - alpha) total`.
    pub fn at(&self, alpha: f64) -> f64 {
        alpha * self.class + (1.0 - alpha) * self.total
    }

    fn slope(&self) -> f64 {
        self.class - self.total
    }
}

/// For these alpha one candidate is the best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlphaInterval {
    /// The candidate.
    pub index: usize,
    /// Smallest alpha.
    pub from: f64,
    /// Largest alpha.
    pub to: f64,
}

/// Which candidate is the best for which alpha in [0, 1]: the upper envelope of their qualities, which are lines in alpha.
/// Where two are equal over an interval, the first is named. Empty without candidates.
pub fn alpha_intervals(points: &[Quality]) -> Vec<AlphaInterval> {
    let better_at_0 = |a: usize, b: usize| {
        let key = |i: usize| (points[i].total, points[i].class);
        if key(b) > key(a) { b } else { a }
    };
    let Some(mut now) = (0..points.len()).reduce(better_at_0) else { return Vec::new() };
    let (mut intervals, mut from) = (Vec::new(), 0.0);
    loop {
        // the next line to cross is steeper; of those that cross first, the steepest goes on
        let next = (0..points.len())
            .filter(|&j| points[j].slope() > points[now].slope())
            .map(|j| (((points[now].total - points[j].total) / (points[j].slope() - points[now].slope())).max(from), j))
            .filter(|(at, _)| *at < 1.0)
            .reduce(|a, b| if b.0 < a.0 || (b.0 == a.0 && points[b.1].slope() > points[a.1].slope()) { b } else { a });
        let to = next.map_or(1.0, |(at, _)| at);
        if to > from || next.is_none() {
            intervals.push(AlphaInterval { index: now, from, to });
        }
        match next {
            Some((at, j)) => (from, now) = (at, j),
            None => return intervals,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use rand::Rng;

    #[test]
    fn two_candidates_switch_where_they_are_equal() {
        let q = |class, total| Quality { class, total };
        // .9 + a (.5 - .9) = .8 + a (.9 - .8) at a = .2
        let got = alpha_intervals(&[q(0.5, 0.9), q(0.9, 0.8)]);
        assert_eq!(got.len(), 2);
        assert!((got[0].to - 0.2).abs() < 1e-12 && got[0].index == 0 && got[1].index == 1 && got[1].to == 1.0);
        assert_eq!(alpha_intervals(&[q(0.9, 0.9), q(0.9, 0.9)]), [AlphaInterval { index: 0, from: 0.0, to: 1.0 }]);
        assert_eq!(alpha_intervals(&[q(0.1, 0.1), q(0.9, 0.9)])[0].index, 1);
        assert!(alpha_intervals(&[]).is_empty());
    }

    #[test]
    fn the_envelope_is_the_best_everywhere() {
        let mut rng = Streams::new(2).named("alpha");
        for _ in 0..200 {
            let n = rng.gen_range(1..8);
            let level = |rng: &mut hybridrepair_core::Stream| f64::from(rng.gen_range(0..20)) / 20.0;
            let points = (0..n).map(|_| Quality { class: level(&mut rng), total: level(&mut rng) }).collect::<Vec<_>>();
            let intervals = alpha_intervals(&points);
            assert_eq!((intervals[0].from, intervals[intervals.len() - 1].to), (0.0, 1.0));
            assert!(intervals.windows(2).all(|w| w[0].to == w[1].from));
            for i in 0..=100 {
                let alpha = f64::from(i) / 100.0;
                let best = points.iter().map(|p| p.at(alpha)).fold(0.0, f64::max);
                let here = intervals.iter().filter(|v| v.from <= alpha && alpha <= v.to);
                assert!(
                    here.into_iter().any(|v| (points[v.index].at(alpha) - best).abs() < 1e-9),
                    "{points:?} {alpha}"
                );
            }
        }
    }
}
