use crate::candidates::{Candidates, CollectSelection, required, top};
use crate::{Estimate, SelectError, Size, Strategy, order::units};
use hybridrepair_core::{CoreError, Embeddings, Evidence, Need, Needs, Pool, PoolIdx, Probs, Selection, Stream};
use hybridrepair_kernels::{squared_distance, top_k};

/// Distance-aware test input selection (DATIS: Li et al., ISSTA 2024): where the nearest training samples say another class
/// than the model, without picking alike samples.
///
/// The `neighbors` nearest source samples of a candidate, in penultimate features of unit length, vote with the weights
/// `exp(-d^2 / T)` for a soft label `q`. The uncertainty is `q(best other class) / q(predicted class)`, here as
/// `r / (1 + r)`, which has the same order and no pole. Of the `surplus * B` most uncertain samples the picks are taken
/// one by one by the least `(1 - blend) * rank by uncertainty + blend * rank by distance to the nearest pick` (the farthest
/// has rank 0). Depends on the budget.
///
/// `O(n m D)` for `m` source samples, then `O(B^2 D)`. Memory is a copy of the features, and one of the source's. Score:
/// `r / (1 + r)`, in [0, 1].
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Source, Streams};
/// use hybridrepair_select::{Datis, Strategy};
/// // the second sample is taken for class 0 but lies beside training samples of class 1
/// let source = Embeddings::new(ndarray::array![[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])?;
/// let evidence = Evidence {
///     probs: Some(Probs::new(ndarray::array![[0.9, 0.1], [0.9, 0.1]])?),
///     features: Some(Embeddings::new(ndarray::array![[1.0, 0.1], [0.2, 1.0]])?),
///     source: Some(Source { embeddings: None, features: Some(source), labels: [0, 0, 1, 1].map(usize::into).to_vec() }),
///     ..Evidence::default()
/// };
/// let picked = Datis::default().select(&Pool::counted(2), &evidence, 1, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.picks[0].idx.row(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Datis {
    /// Source samples that vote, at least 1 (published: 100).
    pub neighbors: usize,
    /// `T` of their weights, above 0 (published: 0.1).
    pub temperature: f64,
    /// How many times the budget is looked at for redundancy, at least 1 (published: 2 to 3).
    pub surplus: f64,
    /// Share of the distance in the blended rank, in [0, 1] (published: 0.2 to 0.3).
    pub blend: f64,
}

impl Default for Datis {
    fn default() -> Self {
        Self { neighbors: 100, temperature: 0.1, surplus: 2.5, blend: 0.25 }
    }
}

/// Bytes of neighbours that are held at a time.
const NEIGHBOR_BYTES: usize = 128 << 20;

impl Strategy for Datis {
    fn name(&self) -> &'static str {
        "datis"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs, Need::Features, Need::Source])
    }

    fn cost(&self, size: &Size) -> Estimate {
        let (n, m, d) = (size.n as f64, size.source as f64, size.features as f64);
        let b = size.budget as f64;
        Estimate {
            bytes: 8.0 * m * d + 4.0 * self.surplus * b * d + 2.0 * NEIGHBOR_BYTES as f64 + 64.0 * n,
            products: n * m * (2.0 * d + 8.0) + b * (self.surplus * b) * (2.0 * d + 40.0),
            read: 8.0 * n * d,
        }
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        _: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        self.check()?;
        if candidates.take() == 0 {
            return Ok(Selection::default());
        }
        let votes = Votes::of(self, evidence)?;
        let scores = votes.scores(self, candidates.rows())?;

        let most = (self.surplus * candidates.take() as f64).ceil().min(candidates.len() as f64) as usize;
        let uncertain = top(&scores, most);
        let rows: Vec<PoolIdx> = uncertain.iter().map(|&pos| candidates.rows()[pos]).collect();
        let order = self.spread(&units(votes.features, &rows)?, candidates.take());
        let picks = order.into_iter().enumerate().map(|(rank, (at, distance))| {
            let pos = uncertain[at];
            let class = votes.probs.top1(candidates.row(pos));
            let apart = if rank == 0 { String::new() } else { format!(", {distance:.3} from the nearest pick") };
            let reason = format!("neighbours in the source speak against class {class} ({:.3}){apart}", scores[pos]);
            candidates.pick(rank, pos, scores[pos], None, reason)
        });
        Ok(picks.collect_selection())
    }
}

impl Datis {
    fn check(&self) -> Result<(), SelectError> {
        if self.neighbors == 0 {
            return Err(SelectError::parameter(self, "neighbors", 0.0, "leaves no neighbour"));
        }
        if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            return Err(SelectError::parameter(self, "temperature", self.temperature, "is not above 0 and finite"));
        }
        if !(self.surplus >= 1.0 && self.surplus.is_finite()) {
            return Err(SelectError::parameter(self, "surplus", self.surplus, "is not a finite number of at least 1"));
        }
        if !(0.0..=1.0).contains(&self.blend) {
            return Err(SelectError::parameter(self, "blend", self.blend, "is not in [0, 1]"));
        }
        Ok(())
    }

    /// Takes rows of `x`, which stand in descending order of uncertainty: (row, distance to the nearest pick before).
    fn spread(&self, x: &Embeddings, take: usize) -> Vec<(usize, f64)> {
        let mut taken = vec![(0, 0.0)];
        let mut rest: Vec<usize> = (1..x.len()).collect();
        let mut near = vec![f64::INFINITY; x.len()];
        while taken.len() < take && !rest.is_empty() {
            let last = taken[taken.len() - 1].0;
            for &row in &rest {
                near[row] = near[row].min(squared_distance(x.row(row), x.row(last)));
            }
            let mut far = rest.clone();
            far.sort_unstable_by(|&a, &b| near[b].total_cmp(&near[a]).then(a.cmp(&b)));
            let mut by_distance = vec![0usize; x.len()];
            far.iter().enumerate().for_each(|(rank, &row)| by_distance[row] = rank);
            // ranks by uncertainty among what is left
            let cost = |at: usize| (1.0 - self.blend) * at as f64 + self.blend * by_distance[rest[at]] as f64;
            let best = (1..rest.len()).fold(0, |best, at| if cost(at) < cost(best) { at } else { best });
            let row = rest.remove(best);
            taken.push((row, near[row].sqrt()));
        }
        taken
    }
}

/// The evidence, checked.
struct Votes<'e> {
    probs: &'e Probs,
    features: &'e Embeddings,
    source: Embeddings,
    labels: Vec<usize>,
}

impl<'e> Votes<'e> {
    fn of(strategy: &Datis, evidence: &'e Evidence) -> Result<Self, SelectError> {
        let probs = required(evidence.probs.as_ref(), strategy, Need::Probs)?;
        let features = required(evidence.features.as_ref(), strategy, Need::Features)?;
        let source = required(evidence.source.as_ref(), strategy, Need::Source)?;
        let part = |part| SelectError::SourcePart { strategy: strategy.name().to_owned(), part };
        let rows = source.features.as_ref().ok_or_else(|| part("features"))?;
        if rows.dim() != features.dim() {
            return Err(SelectError::Columns { what: "source features", got: rows.dim(), expected: features.dim() });
        }
        if source.labels.is_empty() {
            return Err(part("labels"));
        }
        if source.labels.len() != rows.len() {
            let (got, expected) = (source.labels.len(), rows.len());
            return Err(CoreError::Rows { what: "source labels", got, expected }.into());
        }
        let classes = probs.classes();
        if let Some(&class) = source.labels.iter().find(|class| class.column() >= classes) {
            return Err(CoreError::OutsideClasses { class, classes }.into());
        }
        let all: Vec<PoolIdx> = (0..rows.len()).map(PoolIdx::from).collect();
        let labels = source.labels.iter().map(|class| class.column()).collect();
        Ok(Self { probs, features, source: units(rows, &all)?, labels })
    }

    /// `r / (1 + r)` of each row, a bounded number of neighbours at a time.
    fn scores(&self, strategy: &Datis, rows: &[PoolIdx]) -> Result<Vec<f64>, SelectError> {
        let k = strategy.neighbors.min(self.source.len());
        let bytes = 12 * k + 4 * self.features.dim();
        let mut scores = Vec::with_capacity(rows.len());
        for block in rows.chunks((NEIGHBOR_BYTES / bytes).max(32)) {
            let near = top_k((&units(self.features, block)?).into(), (&self.source).into(), k)?;
            scores.extend(block.iter().enumerate().map(|(at, idx)| {
                let (index, squared) = near.of(at);
                let mut votes = vec![0f64; self.probs.classes()];
                for (&j, &d2) in index.iter().zip(squared) {
                    // relative to the nearest, which keeps all of them from vanishing
                    votes[self.labels[j as usize]] += (-(d2 - squared[0]) / strategy.temperature).exp();
                }
                let predicted = self.probs.top1(idx.row()).column();
                let others = votes.iter().enumerate().filter(|(c, _)| *c != predicted).map(|(_, &v)| v);
                let other = others.fold(0.0, f64::max);
                other / (other + votes[predicted])
            }));
        }
        Ok(scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, Source, Streams};
    use ndarray::{Array2, array};
    use rand::Rng;

    fn evidence(n: usize) -> Evidence {
        let mut rng = Streams::new(1).named("datis");
        let mut rows = |n: usize| Embeddings::new(Array2::from_shape_fn((n, 3), |_| rng.gen_range(-1.0f32..1.0)));
        let (features, source) = (rows(n).unwrap(), rows(40).unwrap());
        let logits = Array2::from_shape_fn((n, 3), |(i, c)| ((i * 5 + c * 7) % 11) as f32);
        Evidence {
            probs: Some(Probs::from_logits(&logits).unwrap()),
            features: Some(features),
            source: Some(Source {
                embeddings: None,
                features: Some(source),
                labels: (0..40).map(|i| ClassId(i % 3)).collect(),
            }),
            ..Evidence::default()
        }
    }

    #[test]
    fn scores_follow_the_formula() {
        let e = evidence(30);
        let strategy = Datis { neighbors: 10, blend: 0.0, ..Datis::default() };
        let rng = &mut Streams::new(0).named("s");
        let picked = strategy.select(&Pool::counted(30), &e, 30, rng).unwrap();
        let source = e.source.as_ref().unwrap();
        let (x, base) = (e.features.as_ref().unwrap().normalized(), source.features.as_ref().unwrap().normalized());
        for pick in &picked.picks {
            let row = pick.idx.row();
            let mut all: Vec<(f64, usize)> = (0..40).map(|j| (squared_distance(x.row(row), base.row(j)), j)).collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut q = [0f64; 3];
            all[..10].iter().for_each(|&(d2, j)| q[source.labels[j].column()] += (-d2 / 0.1).exp());
            let predicted = e.probs.as_ref().unwrap().top1(row).column();
            let other = (0..3).filter(|&c| c != predicted).map(|c| q[c]).fold(0.0, f64::max);
            assert!((pick.score - other / (other + q[predicted])).abs() < 1e-6);
        }
        assert!(picked.picks.windows(2).all(|p| p[0].score >= p[1].score), "without a blend the ranking");
    }

    #[test]
    fn alike_samples_give_way() {
        // the three most uncertain are equal; the blend takes the fourth before their copies
        let x = Embeddings::new(array![[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).unwrap();
        let order = |blend: f64| {
            let taken = Datis { blend, ..Datis::default() }.spread(&x, 4);
            taken.into_iter().map(|t| t.0).collect::<Vec<_>>()
        };
        assert_eq!(order(0.0), [0, 1, 2, 3]);
        assert_eq!(order(0.9), [0, 3, 1, 2]);
    }

    #[test]
    fn a_source_that_does_not_fit_is_refused() {
        let run = |change: &dyn Fn(&mut Source)| {
            let mut e = evidence(5);
            change(e.source.as_mut().unwrap());
            Datis::default().select(&Pool::counted(5), &e, 2, &mut Streams::new(0).named("s")).unwrap_err()
        };
        assert!(matches!(run(&|s| s.features = None), SelectError::SourcePart { part: "features", .. }));
        assert!(matches!(run(&|s| s.labels.clear()), SelectError::SourcePart { part: "labels", .. }));
        assert!(matches!(run(&|s| s.labels.truncate(3)), SelectError::Core(CoreError::Rows { got: 3, .. })));
        assert!(matches!(
            run(&|s| s.labels[0] = ClassId(9)),
            SelectError::Core(CoreError::OutsideClasses { class: ClassId(9), classes: 3 })
        ));
    }
}
