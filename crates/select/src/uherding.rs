use crate::candidates::required;
use crate::{Estimate, SelectError, Size, Strategy, coverage::Goal};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};

/// `UHerding` (Bae et al., ICLR 2025): [`MaxHerding`](crate::MaxHerding) of the uncertain mass,
/// `(1/N) sum_n u_n max_{s in S} k(x_n, s)` with `u_n = 1 - (p_(1) - p_(2))` and 0 for labelled samples.
///
/// Probabilities are taken as given: calibrate their temperature before (the paper does so on validation data), and set
/// `width` below 1 where many labels are known (the paper shrinks it to their smallest distance). Deterministic, cost as
/// [`MaxHerding`](crate::MaxHerding). Score: the gain.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Streams, Views};
/// use hybridrepair_select::{UHerding, Strategy};
/// // three samples in one direction, two in another; the model is sure of the first three
/// let x = ndarray::array![[1.0, 0.1], [1.0, 0.0], [1.0, -0.1], [0.0, 1.0], [0.0, 1.0]];
/// let p = ndarray::array![[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.5, 0.5]];
/// let evidence = Evidence {
///     embeddings: Some(Embeddings::new(x)?),
///     probs: Some(Probs::new(p.clone())?),
///     views: Some(Views::from_moments(p, ndarray::Array1::zeros(5))?),
///     ..Evidence::default()
/// };
/// let strategy = UHerding { width: 0.5 };
/// let picked = strategy.select(&Pool::counted(5), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [3, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UHerding {
    /// Width `h` of the kernel, above 0; features have unit length, so 1 is a wide view and 0.3 a narrow one.
    pub width: f64,
}

impl Default for UHerding {
    fn default() -> Self {
        Self { width: 1.0 }
    }
}

impl Strategy for UHerding {
    fn name(&self) -> &'static str {
        "uherding"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs, Need::Embeddings])
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
        let probs = required(evidence.probs.as_ref(), self, Need::Probs)?;
        evidence.check(pool.len())?;
        let weight = |row| {
            let [(_, first), (_, second)] = probs.top2(row);
            1.0 - (first - second)
        };
        let reason = |share: f64| format!("covers {:.2} % of the uncertainty anew", 100.0 * share);
        Goal { strategy: self, width: self.width, weight, reason }.cover(pool, evidence, embeddings, budget)
    }
}
