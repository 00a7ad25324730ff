use hybridrepair_core::ClassId;
use serde::{Deserialize, Serialize};

/// What a patch does to one set of samples. Rates are fractions in [0, 1].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Samples.
    pub n: usize,
    /// Share that is right before.
    pub before: f64,
    /// Share that is right after.
    pub after: f64,
    /// Share of the class under repair that is right before (of all samples without a class).
    pub class_before: f64,
    /// The same after.
    pub class_after: f64,
    /// Wrong samples of the class.
    pub negatives: usize,
    /// Of these, right after.
    pub repaired: usize,
    /// Right samples of all classes.
    pub positives: usize,
    /// Of these, wrong after.
    pub broken: usize,
    /// The largest fall of another class's accuracy.
    pub worst_drop: f64,
}

impl Outcome {
    /// Compares the predictions before and after with the truth.
    pub fn new(before: &[ClassId], after: &[ClassId], truth: &[ClassId], class: Option<ClassId>) -> Self {
        let share = |hits: usize, n: usize| hits as f64 / n.max(1) as f64;
        let of = |i: &usize| class.is_none_or(|c| truth[*i] == c);
        let count = |f: &dyn Fn(usize) -> bool| (0..truth.len()).filter(|&i| f(i)).count();
        let right = |p: &[ClassId], i: usize| p[i] == truth[i];
        let n = truth.len();
        let members = count(&|i| of(&i));
        let negatives = count(&|i| of(&i) && !right(before, i));
        let positives = count(&|i| right(before, i));
        let classes = truth.iter().map(|c| c.column() + 1).max().unwrap_or(0);
        let mut worst_drop = 0f64;
        for c in (0..classes).filter(|&c| class.is_none_or(|own| own.column() != c)) {
            let here = |i: usize| truth[i].column() == c;
            let size = count(&here);
            if size > 0 {
                let (was, is) = (count(&|i| here(i) && right(before, i)), count(&|i| here(i) && right(after, i)));
                worst_drop = worst_drop.max(share(was, size) - share(is, size));
            }
        }
        Self {
            n,
            before: share(positives, n),
            after: share(count(&|i| right(after, i)), n),
            class_before: share(members - negatives, members),
            class_after: share(count(&|i| of(&i) && right(after, i)), members),
            negatives,
            repaired: count(&|i| of(&i) && !right(before, i) && right(after, i)),
            positives,
            broken: count(&|i| right(before, i) && !right(after, i)),
            worst_drop,
        }
    }

    /// Share of the wrong samples of the class that are right now.
    pub fn repair_rate(&self) -> f64 {
        self.repaired as f64 / self.negatives.max(1) as f64
    }

    /// Share of all right samples that are wrong now.
    pub fn break_rate(&self) -> f64 {
        self.broken as f64 / self.positives.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_by_hand() {
        let c = |v: &[u32]| v.iter().map(|&c| ClassId(c)).collect::<Vec<_>>();
        let truth = c(&[0, 0, 0, 1, 1, 2]);
        let o = Outcome::new(&c(&[0, 1, 2, 1, 1, 0]), &c(&[0, 0, 2, 1, 0, 2]), &truth, Some(ClassId(0)));
        assert_eq!((o.negatives, o.repaired, o.positives, o.broken), (2, 1, 3, 1));
        assert_eq!((o.repair_rate(), o.break_rate()), (0.5, 1.0 / 3.0));
        assert_eq!((o.before, o.after), (0.5, 4.0 / 6.0));
        assert!((o.class_before - 1.0 / 3.0).abs() < 1e-12 && (o.class_after - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(o.worst_drop, 0.5);
    }
}
