use crate::candidates::required;
use crate::{Estimate, SelectError, Size, Strategy, coverage::Goal};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};

/// Coverage of the unsmooth mass: [`MaxHerding`](crate::MaxHerding) weighted by `HybridRepair`'s unsmoothness,
/// `(1/N) sum_n u_n max_{s in S} k(x_n, s)` with `u_n = H_n / max H` over augmented views.
///
/// `HybridRepair` ranks regions by their summed unsmoothness; this is the same objective without hard regions, so that
/// two picks never speak for the same samples. Our own combination of both papers' formulas. Deterministic, cost as
/// [`MaxHerding`](crate::MaxHerding). Score: the gain.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Streams, Views};
/// use hybridrepair_select::{UnsmoothCoverage, Strategy};
/// // three samples in one direction, two in another; the model is sure of the first three
/// let x = ndarray::array![[1.0, 0.1], [1.0, 0.0], [1.0, -0.1], [0.0, 1.0], [0.0, 1.0]];
/// let p = ndarray::array![[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.5, 0.5]];
/// let evidence = Evidence {
///     embeddings: Some(Embeddings::new(x)?),
///     probs: Some(Probs::new(p.clone())?),
///     views: Some(Views::from_moments(p, ndarray::Array1::zeros(5))?),
///     ..Evidence::default()
/// };
/// let strategy = UnsmoothCoverage { width: 0.5 };
/// let picked = strategy.select(&Pool::counted(5), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [3, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UnsmoothCoverage {
    /// Width `h` of the kernel, above 0; features have unit length, so 1 is a wide view and 0.3 a narrow one.
    pub width: f64,
}

impl Default for UnsmoothCoverage {
    fn default() -> Self {
        Self { width: 1.0 }
    }
}

impl Strategy for UnsmoothCoverage {
    fn name(&self) -> &'static str {
        "unsmooth_coverage"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Embeddings, Need::Views])
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
        let unsmoothness = required(evidence.views.as_ref(), self, Need::Views)?.unsmoothness();
        evidence.check(pool.len())?;
        let weight = |row| unsmoothness[row];
        let reason = |share: f64| format!("covers {:.2} % of the unsmoothness anew", 100.0 * share);
        Goal { strategy: self, width: self.width, weight, reason }.cover(pool, evidence, embeddings, budget)
    }
}
