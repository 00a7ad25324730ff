//! Accuracy, per-class counts, repaired and broken samples, and paired statistics.

use crate::ClassId;
use serde::{Deserialize, Serialize};

/// Share of predictions that are right, in [0, 1]; 0 for none.
pub fn accuracy(predicted: &[ClassId], truth: &[ClassId]) -> f64 {
    assert_eq!(predicted.len(), truth.len(), "one prediction per label");
    let right = predicted.iter().zip(truth).filter(|(p, t)| p == t).count();
    right as f64 / truth.len().max(1) as f64
}

/// What a repair did to one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassChange {
    /// The class.
    pub class: ClassId,
    /// Samples of the class.
    pub n: usize,
    /// Accuracy before, in [0, 1].
    pub before: f64,
    /// Accuracy after, in [0, 1].
    pub after: f64,
    /// Wrong before, right after.
    pub repaired: usize,
    /// Right before, wrong after.
    pub broken: usize,
}

/// Two models on the same samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Samples.
    pub n: usize,
    /// Accuracy before, in [0, 1].
    pub before: f64,
    /// Accuracy after, in [0, 1].
    pub after: f64,
    /// Wrong before, right after.
    pub repaired: usize,
    /// Right before, wrong after.
    pub broken: usize,
    /// The same per class, for the classes that occur.
    pub per_class: Vec<ClassChange>,
}

impl Change {
    /// Compares the predictions of two models with the truth.
    pub fn between(before: &[ClassId], after: &[ClassId], truth: &[ClassId]) -> Self {
        assert!(before.len() == truth.len() && after.len() == truth.len(), "one prediction per label");
        let classes = truth.iter().map(|c| c.column() + 1).max().unwrap_or(0);
        // n, right before, right after, repaired, broken
        let mut counts = vec![[0usize; 5]; classes];
        for ((b, a), t) in before.iter().zip(after).zip(truth) {
            let c = &mut counts[t.column()];
            let (was, is) = (b == t, a == t);
            for (slot, hit) in c.iter_mut().zip([true, was, is, !was && is, was && !is]) {
                *slot += usize::from(hit);
            }
        }
        let share = |right: usize, n: usize| right as f64 / n.max(1) as f64;
        let per_class = (0..classes)
            .filter(|&c| counts[c][0] > 0)
            .map(|c| ClassChange {
                class: ClassId::from(c),
                n: counts[c][0],
                before: share(counts[c][1], counts[c][0]),
                after: share(counts[c][2], counts[c][0]),
                repaired: counts[c][3],
                broken: counts[c][4],
            })
            .collect();
        let total = counts.iter().fold([0; 5], |sum: [usize; 5], c| std::array::from_fn(|i| sum[i] + c[i]));
        Self {
            n: total[0],
            before: share(total[1], total[0]),
            after: share(total[2], total[0]),
            repaired: total[3],
            broken: total[4],
            per_class,
        }
    }

    /// Two-sided p-value of `McNemar`'s exact test (see [`mcnemar`]).
    pub fn mcnemar(&self) -> f64 {
        mcnemar(self.repaired, self.broken)
    }
}

/// Two-sided p-value of `McNemar`'s exact test: the chance of a split of repaired and broken samples at least this uneven if
/// both were equally likely.
pub fn mcnemar(repaired: usize, broken: usize) -> f64 {
    let n = repaired + broken;
    let k = repaired.min(broken);
    // sum of binomial(n, 1/2) up to k, in logarithms
    let mut log_term = -(n as f64) * std::f64::consts::LN_2;
    let mut sum = log_term.exp();
    for i in 1..=k {
        log_term += ((n - i + 1) as f64 / i as f64).ln();
        sum += log_term.exp();
    }
    (2.0 * sum).min(1.0)
}

/// Chance of at most `k` successes in `n` trials of probability `p` each, for `p` in (0, 1).
pub fn binomial_at_most(k: usize, n: usize, p: f64) -> f64 {
    let mut log_term = n as f64 * (1.0 - p).ln();
    let mut sum = log_term.exp();
    for i in 1..=k.min(n) {
        log_term += ((n - i + 1) as f64 / i as f64).ln() + p.ln() - (1.0 - p).ln();
        sum += log_term.exp();
    }
    sum.min(1.0)
}

/// Confusion counts, `classes x classes`: row = truth, column = prediction.
pub fn confusion(predicted: &[ClassId], truth: &[ClassId], classes: usize) -> ndarray::Array2<u32> {
    let mut m = ndarray::Array2::zeros((classes, classes));
    for (p, t) in predicted.iter().zip(truth) {
        m[[t.column(), p.column()]] += 1;
    }
    m
}

/// Mean of a few numbers with its spread and its 95 % interval by Student's t.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanInterval {
    /// How many numbers.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Standard deviation (unbiased); 0 for one number.
    pub sd: f64,
    /// Half width of the 95 % interval; infinite for one number.
    pub half_width: f64,
}

impl MeanInterval {
    /// Of paired differences or of plain values.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n.max(1) as f64;
        if n < 2 {
            return Self { n, mean, sd: 0.0, half_width: f64::INFINITY };
        }
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1) as f64).sqrt();
        Self { n, mean, sd, half_width: t975(n - 1) * sd / (n as f64).sqrt() }
    }

    /// Lower and upper end.
    pub fn ends(&self) -> (f64, f64) {
        (self.mean - self.half_width, self.mean + self.half_width)
    }
}

/// 97.5 % quantile of Student's t; the exact values for the first degrees of freedom, then Hill's expansion to 1e-4.
pub(crate) fn t975(df: usize) -> f64 {
    const TABLE: [f64; 10] =
        [12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004, 2.262_157, 2.228_139];
    if let Some(t) = TABLE.get(df.wrapping_sub(1)) {
        return *t;
    }
    let (z, v) = (1.959_963_984_540_054_f64, df as f64);
    let (z3, z5) = (z.powi(3), z.powi(5));
    z + (z3 + z) / (4.0 * v) + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * v * v)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(c: &[u32]) -> Vec<ClassId> {
        c.iter().map(|&c| ClassId(c)).collect()
    }

    #[test]
    fn repaired_and_broken_by_hand() {
        let truth = classes(&[0, 0, 1, 1, 2]);
        let change = Change::between(&classes(&[0, 1, 1, 0, 0]), &classes(&[0, 0, 0, 1, 0]), &truth);
        assert_eq!((change.repaired, change.broken), (2, 1));
        assert_eq!((change.before, change.after), (0.4, 0.6));
        assert_eq!(change.per_class.len(), 3);
        assert_eq!(change.per_class[0].after, 1.0);
        assert_eq!(confusion(&classes(&[0, 1]), &classes(&[1, 1]), 2)[[1, 0]], 1);
    }

    #[test]
    fn mcnemar_matches_the_binomial() {
        let change = |repaired, broken| Change { n: 99, before: 0.0, after: 0.0, repaired, broken, per_class: vec![] };
        assert!((change(10, 2).mcnemar() - 0.038_574_218_75).abs() < 1e-12);
        assert_eq!(change(5, 5).mcnemar(), 1.0);
        assert_eq!(change(0, 0).mcnemar(), 1.0);
        assert!(change(4000, 100).mcnemar() >= 0.0);
    }

    #[test]
    fn the_binomial_by_hand() {
        // 0.7^3 and 3 * 0.3 * 0.49
        assert!((binomial_at_most(0, 3, 0.3) - 0.343).abs() < 1e-12);
        assert!((binomial_at_most(1, 3, 0.3) - 0.784).abs() < 1e-12);
        assert!((binomial_at_most(9, 3, 0.3) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_interval_of_three_seeds() {
        let m = MeanInterval::of(&[1.0, 2.0, 3.0]);
        assert_eq!((m.mean, m.sd), (2.0, 1.0));
        assert!((m.half_width - 2.484_138).abs() < 1e-5);
        // scipy.stats.t.ppf(.975, 29)
        assert!((t975(29) - 2.045_23).abs() < 2e-4);
        assert!(MeanInterval::of(&[1.0]).half_width.is_infinite());
    }
}
