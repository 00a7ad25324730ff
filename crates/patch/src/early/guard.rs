use hybridrepair_core::ClassId;
use serde::{Deserialize, Serialize};

/// One-sided 95 % point of the normal distribution.
const Z: f64 = 1.645;

/// Keeps a repaired model from being chosen that gained its class by giving up the others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollapseGuard {
    /// Accuracy that may be lost against the converged model as it is.
    pub margin: f64,
    /// Accuracy that another class may lose against it.
    pub max_drop: f64,
    /// How often the class may be predicted, as a multiple of how often it is true.
    pub max_share: f64,
}

impl Default for CollapseGuard {
    fn default() -> Self {
        Self { margin: 0.005, max_drop: 0.05, max_share: 2.0 }
    }
}

impl CollapseGuard {
    /// Why a repaired model is not admissible; empty if it is. A loss counts when it is beyond its limit by more than
    /// chance: the one-sided 95 % bound of the paired difference decides.
    pub fn objections(
        &self,
        repaired: &[ClassId],
        reference: &[ClassId],
        truth: &[ClassId],
        class: ClassId,
    ) -> Vec<String> {
        let mut found = Vec::new();
        let points = |v: f64| format!("{:.1} points", 100.0 * v);
        let total = Paired::of(repaired, reference, truth, |_| true);
        if total.highest() < -self.margin {
            found.push(format!("accuracy falls by {}", points(-total.mean)));
        }
        let classes = truth.iter().map(|t| t.column() + 1).max().unwrap_or(0);
        for c in (0..classes).map(ClassId::from).filter(|c| *c != class) {
            let one = Paired::of(repaired, reference, truth, |t| t == c);
            if one.n > 0 && one.highest() < -self.max_drop {
                found.push(format!("class {c} falls by {}", points(-one.mean)));
            }
        }
        let share = |list: &[ClassId]| list.iter().filter(|c| **c == class).count() as f64 / list.len().max(1) as f64;
        let (said, is) = (share(repaired), share(truth));
        if said > self.max_share * is {
            found.push(format!("{:.1} % are taken for class {class}, {:.1} % are", 100.0 * said, 100.0 * is));
        }
        found
    }
}

/// Difference of two models' accuracy on the same samples.
struct Paired {
    n: usize,
    mean: f64,
    se: f64,
}

impl Paired {
    fn of(a: &[ClassId], b: &[ClassId], truth: &[ClassId], keep: impl Fn(ClassId) -> bool) -> Self {
        let differences = a
            .iter()
            .zip(b)
            .zip(truth)
            .filter(|(_, t)| keep(**t))
            .map(|((a, b), t)| f64::from(u8::from(a == t)) - f64::from(u8::from(b == t)));
        let (mut n, mut sum, mut squares) = (0usize, 0.0, 0.0);
        for d in differences {
            n += 1;
            sum += d;
            squares += d * d;
        }
        let size = n.max(1) as f64;
        let mean = sum / size;
        Self { n, mean, se: ((squares / size - mean * mean).max(0.0) / size).sqrt() }
    }

    fn highest(&self) -> f64 {
        self.mean + Z * self.se
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collapsed_model_is_refused_and_an_honest_one_is_not() {
        let truth = (0..900).map(|i| ClassId(i % 3)).collect::<Vec<_>>();
        let reference = (0..900).map(|i| ClassId(if i % 3 == 2 && i % 2 == 0 { 0 } else { i % 3 })).collect::<Vec<_>>();
        let guard = CollapseGuard::default();
        let all = vec![ClassId(2); 900];
        let objections = guard.objections(&all, &reference, &truth, ClassId(2));
        assert_eq!(objections.len(), 4, "{objections:?}");
        assert!(objections[3].contains("100.0 %"));
        assert!(guard.objections(&truth, &reference, &truth, ClassId(2)).is_empty());
        // one sample more that is wrong is chance
        let mut nearly = reference.clone();
        nearly[0] = ClassId(1);
        assert!(guard.objections(&nearly, &reference, &truth, ClassId(2)).is_empty());
    }
}
