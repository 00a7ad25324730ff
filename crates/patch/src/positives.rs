use crate::PatchError;
use hybridrepair_core::{ClassId, Stream};
use ndarray::Array2;
use rand::{Rng, seq::SliceRandom};

/// Which of the right samples a search shall keep right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Positives {
    /// All.
    All,
    /// So many, uniform with replacement (the published toolkit).
    Uniform(usize),
    /// Roughly so many, balanced by class: each of the `L` classes present gets `M / L * 2/3` draws and
    /// `M * share / 3` more, at most twice its size; what is drawn twice counts once (the published experiment).
    Published(usize),
    /// About so many without replacement, in proportion to each class's size and at least one of each (Arachne v2, for
    /// localisation).
    Proportional(usize),
    /// So many without replacement, in proportion to the square root of each class's size and at least one of each,
    /// then all whose logit of the repaired class lies within `margin` of their own: they are what breaks first.
    Balanced {
        /// Samples drawn.
        count: usize,
        /// Difference of logits.
        margin: f32,
    },
}

impl Positives {
    /// Chosen rows, in row order (`Uniform` keeps repetitions).
    ///
    /// # Errors
    /// When none is asked for.
    pub fn sample(
        self,
        right: &[usize],
        labels: &[ClassId],
        logits: &Array2<f32>,
        class: Option<ClassId>,
        rng: &mut Stream,
    ) -> Result<Vec<usize>, PatchError> {
        if matches!(
            self,
            Self::Uniform(0) | Self::Published(0) | Self::Proportional(0) | Self::Balanced { count: 0, .. }
        ) {
            return Err(PatchError::setting("number of positives", 0, "leaves nothing to keep"));
        }
        let classes = labels.iter().map(|c| c.column() + 1).max().unwrap_or(0);
        let by_class = || {
            (0..classes)
                .map(|c| right.iter().copied().filter(|&i| labels[i].column() == c).collect::<Vec<_>>())
                .filter(|rows| !rows.is_empty())
                .collect::<Vec<_>>()
        };
        let mut rows = match self {
            Self::All => right.to_vec(),
            Self::Uniform(m) => (0..m).map(|_| right[rng.gen_range(0..right.len())]).collect(),
            Self::Published(m) => {
                let groups = by_class();
                let each = m as f64 / groups.len() as f64 * 2.0 / 3.0;
                let mut rows = Vec::new();
                for group in &groups {
                    let more = m as f64 * (group.len() as f64 / right.len() as f64) / 3.0;
                    let draws = (each.floor() + more.floor()).min(2.0 * group.len() as f64) as usize;
                    rows.extend((0..draws).map(|_| group[rng.gen_range(0..group.len())]));
                }
                rows.sort_unstable();
                rows.dedup();
                rows
            }
            Self::Proportional(count) => {
                let mut rows = Vec::new();
                for mut group in by_class() {
                    let share = count as f64 * group.len() as f64 / right.len() as f64;
                    group.shuffle(rng);
                    rows.extend_from_slice(&group[..(share.round() as usize).clamp(1, group.len())]);
                }
                rows
            }
            Self::Balanced { count, margin } => {
                let mut groups = by_class();
                let total = groups.iter().map(|g| (g.len() as f64).sqrt()).sum::<f64>();
                let mut rows = Vec::new();
                for group in &mut groups {
                    let share = count as f64 * (group.len() as f64).sqrt() / total;
                    group.shuffle(rng);
                    rows.extend_from_slice(&group[..(share.round() as usize).clamp(1, group.len())]);
                }
                if let Some(c) = class {
                    let near = |i: &usize| logits[[*i, labels[*i].column()]] - logits[[*i, c.column()]] < margin;
                    rows.extend(right.iter().copied().filter(|i| labels[*i] != c).filter(near));
                }
                rows.sort_unstable();
                rows.dedup();
                rows
            }
        };
        rows.sort_unstable();
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn each_rule_draws_what_it_says() {
        let labels = (0..1000).map(|i| ClassId(u32::from(i >= 900))).collect::<Vec<_>>();
        // class 1 is close only for the first ten samples of class 0
        let logits = Array2::from_shape_fn((1000, 2), |(i, c)| match (c, i) {
            (0, _) => 5.0,
            (_, 0..10) => 4.5,
            _ => 0.0,
        });
        let right = (0..1000).collect::<Vec<_>>();
        let draw = |rule: Positives| {
            rule.sample(&right, &labels, &logits, Some(ClassId(1)), &mut Streams::new(3).named("p")).unwrap()
        };
        let ones = |rows: &[usize]| rows.iter().filter(|&&i| i >= 900).count();
        assert_eq!(draw(Positives::All).len(), 1000);
        assert_eq!(draw(Positives::Uniform(200)).len(), 200);
        let published = draw(Positives::Published(200));
        // 66 + 60 draws of the large class, 66 + 6 of the small one, repetitions dropped
        assert!((90..=126).contains(&(published.len() - ones(&published))) && (45..=72).contains(&ones(&published)));
        let proportional = draw(Positives::Proportional(50));
        assert_eq!((proportional.len(), ones(&proportional)), (50, 5));
        let balanced = draw(Positives::Balanced { count: 200, margin: 1.0 });
        assert_eq!(ones(&balanced), 50);
        assert!((0..10).all(|i| balanced.contains(&i)), "the near ones are all there");
        assert!((150..=160).contains(&(balanced.len() - 50)));
        let none = Positives::Uniform(0).sample(&right, &labels, &logits, None, &mut Streams::new(0).named("p"));
        assert!(none.is_err());
    }
}
