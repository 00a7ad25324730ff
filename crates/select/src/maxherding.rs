use crate::candidates::required;
use crate::{Estimate, SelectError, Size, Strategy, coverage::Goal};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};

/// `MaxHerding` (Bae et al., ECCV 2024): the greedy maximum of generalised coverage
/// `C(S) = (1/N) sum_n max_{s in S} k(x_n, s)` with `k(x, x') = exp(-|x - x'|^2 / h^2)` on embeddings of unit length.
///
/// Known samples cover from the start. Deterministic and within `1 - 1/e` of the best set (greedy on a monotone submodular
/// function). All gains are computed once, `O(n^2 d)` by blocked matrix products, and then kept right: pick `t` raises
/// the cover of about `n / t` samples, and only their pairs are computed again, so all picks together cost about
/// `O(n^2 d ln B)`, less once the pairs that still matter fit into memory. Memory is a copy of the embeddings and at most
/// 640 MiB. Score: the gain in `C`.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Streams, Views};
/// use hybridrepair_select::{MaxHerding, Strategy};
/// // three samples in one direction, two in another; the model is sure of the first three
/// let x = ndarray::array![[1.0, 0.1], [1.0, 0.0], [1.0, -0.1], [0.0, 1.0], [0.0, 1.0]];
/// let p = ndarray::array![[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.5, 0.5]];
/// let evidence = Evidence {
///     embeddings: Some(Embeddings::new(x)?),
///     probs: Some(Probs::new(p.clone())?),
///     views: Some(Views::from_moments(p, ndarray::Array1::zeros(5))?),
///     ..Evidence::default()
/// };
/// let strategy = MaxHerding { width: 0.5 };
/// let picked = strategy.select(&Pool::counted(5), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [1, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MaxHerding {
    /// Width `h` of the kernel, above 0; features have unit length, so 1 is a wide view and 0.3 a narrow one.
    pub width: f64,
}

impl Default for MaxHerding {
    fn default() -> Self {
        Self { width: 1.0 }
    }
}

impl Strategy for MaxHerding {
    fn name(&self) -> &'static str {
        "maxherding"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Embeddings])
    }

    fn cost(&self, size: &Size) -> Estimate {
        Estimate::herding(size)
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        _: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let embeddings = required(evidence.embeddings.as_ref(), self, Need::Embeddings)?;
        let weight = |_| 1.0;
        let reason = |share: f64| format!("covers {:.2} % of the pool anew", 100.0 * share);
        Goal { strategy: self, width: self.width, weight, reason }.cover(pool, evidence, embeddings, budget)
    }
}
