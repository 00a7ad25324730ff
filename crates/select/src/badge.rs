use crate::candidates::{Candidates, CollectSelection, required};
use crate::{Estimate, SelectError, Size, Strategy, plus_plus::plus_plus, vector::dot};
use hybridrepair_core::{Embeddings, Evidence, Need, Needs, Pool, Probs, Selection, Stream};
use rand::Rng;
use rayon::prelude::*;

/// BADGE (Ash et al., ICLR 2020, algorithm 1): k-means++ seeding on gradient embeddings, so that picks are uncertain
/// and diverse.
///
/// The gradient embedding of a sample is `g = a (x) h` with `a = onehot(argmax p) - p` (`C` numbers) and `h` the
/// penultimate features (`D`). It is never formed: exactly
/// `|g - g'|^2 = |a|^2 |h|^2 + |a'|^2 |h'|^2 - 2 (a.a')(h.h')`. The first pick has the largest `|g|`; each other one is
/// drawn with probability proportional to its squared distance to the nearest pick. No sample is drawn twice, and the
/// origin is no centre. Once all distances are 0 (duplicates), the rest is drawn uniformly.
///
/// Distances to the nearest pick only shrink, so a draw from stale ones, accepted with probability fresh / stale, is a
/// draw from the fresh ones: exact in distribution, with a few distances per pick instead of `n`. Memory `O(n (C + D))`.
/// Score: the distance to the nearest pick (for the first pick `|g|`).
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{Badge, Strategy};
/// let evidence = Evidence {
///     probs: Some(Probs::new(ndarray::array![[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]])?),
///     features: Some(Embeddings::new(ndarray::array![[9.0], [3.0], [1.0]])?),
///     ..Evidence::default()
/// };
/// let picked = Badge.select(&Pool::counted(3), &evidence, 1, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.picks[0].idx.row(), 1, "a certain answer has no gradient, however large its features");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Badge;

impl Strategy for Badge {
    fn name(&self) -> &'static str {
        "badge"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs, Need::Features])
    }

    fn cost(&self, size: &Size) -> Estimate {
        let columns = size.features + size.classes;
        let start = Estimate { bytes: size.n as f64 * (4.0 * size.classes as f64 + 100.0), ..Estimate::default() };
        // one pick in ten looks at everything
        Estimate::per_pick(&Size { budget: size.budget / 10, ..*size }, columns).and(start)
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let probs = required(evidence.probs.as_ref(), self, Need::Probs)?;
        let features = required(evidence.features.as_ref(), self, Need::Features)?;
        if candidates.take() == 0 {
            return Ok(Selection::default());
        }
        let gradients = Gradients::new(&candidates, probs, features);
        let taken = seed(&gradients, candidates.take(), rng);
        Ok(taken
            .into_iter()
            .enumerate()
            .map(|(rank, (pos, d2))| {
                let (size, class) = (gradients.norms[pos].sqrt(), probs.top1(candidates.row(pos)));
                let reason = match rank {
                    0 => format!("largest gradient, {size:.4}; predicted class {class}"),
                    _ => format!("gradient {size:.4}, {:.4} from the nearest pick; predicted class {class}", d2.sqrt()),
                };
                candidates.pick(rank, pos, d2.sqrt(), None, reason)
            })
            .collect_selection())
    }
}

/// The factors of the gradient embeddings, by position.
struct Gradients<'e> {
    /// `onehot(argmax p) - p`, `C` numbers a candidate.
    errors: Vec<f32>,
    classes: usize,
    features: &'e Embeddings,
    rows: Vec<usize>,
    /// `|a|^2 |h|^2`.
    norms: Vec<f64>,
}

impl<'e> Gradients<'e> {
    fn new(candidates: &Candidates, probs: &Probs, features: &'e Embeddings) -> Self {
        let rows: Vec<usize> = candidates.rows().iter().map(|idx| idx.row()).collect();
        let classes = probs.classes();
        let mut errors = vec![0f32; rows.len() * classes];
        errors.par_chunks_mut(classes).zip(&rows).for_each(|(error, &row)| {
            error.iter_mut().zip(probs.row(row)).for_each(|(a, &p)| *a = -p);
            let hypothesis = probs.top1(row).column();
            error[hypothesis] = (1.0 - f64::from(probs.row(row)[hypothesis])) as f32;
        });
        let mut out = Self { errors, classes, features, rows, norms: Vec::new() };
        out.norms = (0..out.rows.len()).into_par_iter().map(|pos| out.inner(pos, pos)).collect();
        out
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn error(&self, pos: usize) -> &[f32] {
        &self.errors[pos * self.classes..(pos + 1) * self.classes]
    }

    fn inner(&self, a: usize, b: usize) -> f64 {
        dot(self.error(a), self.error(b)) * dot(self.features.row(self.rows[a]), self.features.row(self.rows[b]))
    }

    /// Squared distance; exactly 0 between equal samples.
    fn dist2(&self, a: usize, b: usize) -> f64 {
        (self.norms[a] + self.norms[b] - 2.0 * self.inner(a, b)).max(0.0)
    }
}

/// (Position, squared distance to the nearest pick at its turn) of each pick; of the first its squared length.
fn seed(gradients: &Gradients, take: usize, rng: &mut impl Rng) -> Vec<(usize, f64)> {
    let norms = &gradients.norms;
    let first = (1..norms.len()).fold(0, |best, pos| if norms[pos] > norms[best] { pos } else { best });
    let mut taken = plus_plus(gradients.len(), first, take, |pos, centre| gradients.dist2(pos, centre), rng);
    taken[0].1 = norms[first];
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use ndarray::{Array2, array};

    fn gradients_of(probs: Array2<f32>, features: Array2<f32>, run: impl FnOnce(&Gradients)) {
        let pool = Pool::counted(probs.nrows());
        let evidence = Evidence {
            probs: Some(Probs::new(probs).unwrap()),
            features: Some(Embeddings::new(features).unwrap()),
            ..Evidence::default()
        };
        let candidates = Candidates::open(&Badge, &pool, &evidence, 1).unwrap();
        run(&Gradients::new(&candidates, evidence.probs.as_ref().unwrap(), evidence.features.as_ref().unwrap()));
    }

    #[test]
    fn the_identity_is_the_distance_of_the_outer_products() {
        let probs = array![[0.7f32, 0.2, 0.1], [0.1, 0.5, 0.4], [0.3, 0.3, 0.4]];
        let features = array![[1.0f32, -2.0], [0.5, 3.0], [-1.0, 0.25]];
        let outer = |i: usize| {
            let best = (1..3).fold(0, |b, c| if probs[[i, c]] > probs[[i, b]] { c } else { b });
            let a = (0..3).map(|c| f64::from(u8::from(c == best)) - f64::from(probs[[i, c]]));
            a.flat_map(|a| features.row(i).iter().map(move |&h| a * f64::from(h)).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        gradients_of(probs.clone(), features.clone(), |g| {
            for i in 0..3 {
                for j in 0..3 {
                    let want: f64 = outer(i).iter().zip(outer(j)).map(|(x, y)| (x - y).powi(2)).sum();
                    assert!((g.dist2(i, j) - want).abs() < 1e-6, "{i} {j}");
                }
                assert_eq!(g.dist2(i, i), 0.0);
            }
        });
    }

    #[test]
    fn draws_follow_the_squared_distances() {
        // one-dimensional gradients 0.5 * h, so squared distances are (h - h')^2 / 2
        let probs = Array2::from_elem((5, 2), 0.5);
        let features = array![[10.0f32], [9.0], [7.0], [4.0], [10.0]];
        gradients_of(probs, features, |g| {
            let (mut second, mut third) = ([0u32; 5], [0u32; 5]);
            for step in 0..20_000 {
                let taken = seed(g, 3, &mut Streams::new(5).at("badge", 0, step));
                assert_eq!(taken[0].0, 0, "the largest norm, the first of two");
                second[taken[1].0] += 1;
                if taken[1].0 == 3 {
                    third[taken[2].0] += 1;
                }
            }
            // to 10: 0 1 9 36 0
            for (got, want) in second.iter().zip([0.0, 1.0, 9.0, 36.0, 0.0]) {
                assert!((f64::from(*got) / 20_000.0 - want / 46.0).abs() < 0.012, "{second:?}");
            }
            // to {10, 4}: 1 and 9
            let total: u32 = third.iter().sum();
            for (got, want) in third.iter().zip([0.0, 1.0, 9.0, 0.0, 0.0]) {
                assert!((f64::from(*got) / f64::from(total) - want / 10.0).abs() < 0.012, "{third:?}");
            }
        });
    }

    #[test]
    fn duplicates_end_the_distances_but_not_the_picks() {
        let probs = Array2::from_elem((6, 2), 0.5);
        let features = array![[1.0f32], [1.0], [1.0], [1.0], [2.0], [2.0]];
        gradients_of(probs, features, |g| {
            let mut all: Vec<usize> = seed(g, 6, &mut Streams::new(0).named("b")).iter().map(|t| t.0).collect();
            all.sort_unstable();
            assert_eq!(all, [0, 1, 2, 3, 4, 5]);
        });
    }
}
