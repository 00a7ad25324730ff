use hybridrepair_core::{ClassId, metrics::Change};
use serde::{Deserialize, Serialize};

/// Whether two models cannot be told apart on these samples: neither on all of them nor on the class does `McNemar`'s
/// exact test find a difference at 5 %.
pub fn equivalent(a: &[ClassId], b: &[ClassId], truth: &[ClassId], class: ClassId) -> bool {
    let of = |p: &[ClassId]| p.iter().zip(truth).filter(|(_, t)| **t == class).map(|(p, _)| *p).collect::<Vec<_>>();
    let members = vec![class; truth.iter().filter(|t| **t == class).count()];
    Change::between(a, b, truth).mcnemar() > 0.05 && Change::between(&of(a), &of(b), &members).mcnemar() > 0.05
}

/// Group of each checkpoint, in order of the epochs: a checkpoint belongs to the group of the next one when it cannot be
/// told apart from the last member of that group. The converged checkpoint's group has the highest number.
pub fn groups(predictions: &[Vec<ClassId>], truth: &[ClassId], class: ClassId) -> Vec<usize> {
    let n = predictions.len();
    let mut back = vec![0usize; n];
    let mut last = n.saturating_sub(1);
    for i in (0..n.saturating_sub(1)).rev() {
        back[i] = back[i + 1];
        if !equivalent(&predictions[i], &predictions[last], truth, class) {
            back[i] += 1;
            last = i;
        }
    }
    let highest = back.first().copied().unwrap_or(0);
    back.into_iter().map(|g| highest - g).collect()
}

/// When the best repaired checkpoint comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Before convergence.
    Pre,
    /// At convergence, or at a checkpoint that cannot be told apart from it.
    Post,
    /// No repaired checkpoint is admissible.
    None,
}

/// The pattern of the best admissible checkpoint; of equal qualities the latest counts, so that a tie is no gain of
/// stopping early.
pub fn pattern(qualities: &[Option<f64>], groups: &[usize]) -> Pattern {
    let known = qualities.iter().enumerate().filter_map(|(i, q)| q.map(|q| (i, q)));
    match known.reduce(|a, b| if b.1 >= a.1 { b } else { a }) {
        None => Pattern::None,
        Some((best, _)) if groups.get(best) == groups.last() => Pattern::Post,
        Some(_) => Pattern::Pre,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identical_checkpoints_are_one_and_a_tie_is_no_gain() {
        let truth = (0..100).map(|i| ClassId(i % 2)).collect::<Vec<_>>();
        let wrong = |n: usize| (0..100).map(|i| if i < n { ClassId(7) } else { truth[i] }).collect::<Vec<_>>();
        let list = [wrong(60), wrong(20), wrong(19), wrong(19)];
        let groups = groups(&list, &truth, ClassId(0));
        assert_eq!(groups, [0, 1, 1, 1]);
        assert_eq!(pattern(&[Some(0.9), Some(0.95), Some(0.95), Some(0.94)], &groups), Pattern::Post);
        assert_eq!(pattern(&[Some(0.96), Some(0.95), Some(0.95), Some(0.94)], &groups), Pattern::Pre);
        assert_eq!(pattern(&[Some(0.9), None, None, None], &groups), Pattern::Pre);
        assert_eq!(pattern(&[Some(0.9), Some(0.9), Some(0.9), Some(0.9)], &groups), Pattern::Post);
        assert_eq!(pattern(&[None; 4], &groups), Pattern::None);
    }
}
