use crate::{SelectError, Strategy, coverage::KEEP_BYTES};
use hybridrepair_core::{Embeddings, Evidence, Pool, Probs};
use hybridrepair_kernels::{Change, Likeness, Points, Similarity, Units};
use std::time::Instant;

/// How large a selection problem is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Samples in the pool.
    pub n: usize,
    /// Columns of the embeddings; of the features where there are no embeddings.
    pub dim: usize,
    /// Columns of the features; of the embeddings where there are no features.
    pub features: usize,
    /// Classes of the model.
    pub classes: usize,
    /// Samples of the source.
    pub source: usize,
    /// Labels that are known.
    pub known: usize,
    /// Labels to buy.
    pub budget: usize,
}

impl Size {
    /// The size of what a strategy would be given.
    pub fn of(pool: &Pool, evidence: &Evidence, budget: usize) -> Self {
        let columns = |x: &Option<Embeddings>| x.as_ref().map(Embeddings::dim);
        let (dim, features) = (columns(&evidence.embeddings), columns(&evidence.features));
        let source = evidence.source.as_ref();
        Self {
            n: pool.len(),
            dim: dim.or(features).unwrap_or(0),
            features: features.or(dim).unwrap_or(0),
            classes: evidence.probs.as_ref().map_or(0, Probs::classes),
            source: source.map_or(0, |s| s.features.as_ref().or(s.embeddings.as_ref()).map_or(0, Embeddings::len)),
            known: evidence.known.len(),
            budget: budget.min(pool.len()),
        }
    }
}

/// About how much a selection takes: the right order of magnitude, known before it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Working memory in bytes at its highest, without the evidence itself.
    pub bytes: f64,
    /// Floating-point operations of matrix products.
    pub products: f64,
    /// Bytes read from memory without much to compute on them.
    pub read: f64,
}

/// What a selection may take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Working memory in bytes.
    pub bytes: Option<f64>,
    /// Seconds on the threads that there are.
    pub seconds: Option<f64>,
}

/// Bytes that are read per second and thread; memory of this decade is faster.
const READ_PER_SECOND: f64 = 5e9;

impl Estimate {
    /// A few passes over `columns` numbers per sample.
    pub fn linear(size: &Size, columns: usize) -> Self {
        let numbers = size.n as f64 * columns.max(1) as f64;
        Self { bytes: 100.0 * size.n as f64, products: 0.0, read: 20.0 * numbers + 100.0 * size.n as f64 }
    }

    /// One pass over `columns` numbers of all samples per pick.
    pub(crate) fn per_pick(size: &Size, columns: usize) -> Self {
        let read = 4.0 * size.n as f64 * columns as f64 * size.budget as f64;
        Self { bytes: 100.0 * size.n as f64, products: 0.0, read }
    }

    /// `passes` over all pairs, computed and forgotten, and one over all samples per pick.
    pub(crate) fn pairs(size: &Size, passes: f64) -> Self {
        let (n, d) = (size.n as f64, size.dim as f64);
        // numbers of each sample, and its likeness to the candidates that are compared in f64
        let each = 60.0 + 8.0 * crate::coverage::FINALISTS as f64;
        // a pair costs its product and about twenty operations on it
        let products = passes * n * n * (2.0 * d + 20.0);
        Self { bytes: 4.0 * n * d + 5e7 + each * n, products, ..Self::per_pick(size, size.dim) }
    }

    /// As `pairs`; a small pool keeps them.
    pub(crate) fn coverage(size: &Size, passes: f64) -> Self {
        let mut out = Self::pairs(size, passes);
        out.bytes += if Self::keeps(size) { Similarity::bytes_to_keep(size.n) as f64 } else { 0.0 };
        out
    }

    /// Greedy coverage: pick `t` looks again at the pairs of one sample in `t`, as long as the pairs that matter do not fit
    /// into memory.
    pub(crate) fn herding(size: &Size) -> Self {
        let pairs = (KEEP_BYTES / 8) as f64;
        // the n^2 / t pairs that matter at pick t fit
        let listed = ((size.n as f64).powi(2) / pairs).clamp(1.0, size.budget.max(1) as f64);
        let mut out = Self::coverage(size, 2.0 + listed.ln());
        out.bytes += if Self::keeps(size) { 0.0 } else { KEEP_BYTES as f64 };
        out
    }

    fn keeps(size: &Size) -> bool {
        Similarity::bytes_to_keep(size.n) <= KEEP_BYTES
    }

    /// k-means with `k` clusters on the embeddings at unit length.
    pub fn kmeans(size: &Size, k: usize) -> Self {
        let (n, d, k) = (size.n as f64, size.dim as f64, k as f64);
        // beside the packed points, what the first candidates of the seeding are near to
        let bytes = Units::bytes(n, d) + 4.0 * n * d + 200.0 * n + 16.0 * k * d;
        // as many passes as it usually takes, seeding included
        Self { bytes, products: 50.0 * n * k * (2.0 * d + 4.0), read: 0.0 }
    }

    /// One thing after the other: memory is the larger, time the sum.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.max(other.bytes),
            products: self.products + other.products,
            read: self.read + other.read,
        }
    }

    /// Seconds on this machine, now: products at the speed of a short test, reading at 5 GB/s a thread (two at most count).
    pub fn seconds(&self) -> f64 {
        let threads = rayon::current_num_threads().min(2) as f64;
        let products = if self.products > 1e9 { self.products / products_per_second() } else { 0.0 };
        products + self.read / (READ_PER_SECOND * threads)
    }

    /// Whether the strategy may start.
    ///
    /// # Errors
    /// [`SelectError::TooMuch`] with the estimate and the limit.
    pub fn within(&self, strategy: &dyn Strategy, limits: &Limits) -> Result<(), SelectError> {
        let too_much = |needs: String, limit: String| {
            Err(SelectError::TooMuch { strategy: strategy.name().to_owned(), needs, limit })
        };
        let gib = |bytes: f64| format!("{:.2} GiB of working memory", bytes / f64::from(1 << 30));
        if let Some(limit) = limits.bytes.filter(|&limit| self.bytes > limit) {
            return too_much(gib(self.bytes), gib(limit));
        }
        if let Some(limit) = limits.seconds {
            let minutes = |seconds: f64| format!("{:.1} minutes", seconds / 60.0);
            let seconds = self.seconds();
            if seconds > limit {
                return too_much(minutes(seconds), minutes(limit));
            }
        }
        Ok(())
    }
}

/// Operations per second of a matrix product on all threads, measured in a few milliseconds.
fn products_per_second() -> f64 {
    let (n, d) = (1024usize, 256usize);
    let data: Vec<f32> = (0..n * d).map(|i| (i * 7919 % 1009) as f32 - 504.0).collect();
    let Ok(points) = Points::new(&data, d) else { return f64::INFINITY };
    let order: Vec<u32> = (0..n as u32).collect();
    let similarity = Similarity::of_units(points, &order, Likeness::Gaussian { sharpness: 1.0 });
    let changes: Vec<Change> =
        order.iter().map(|&at| Change { at, weight: 1.0, from: 0.0, to: f32::INFINITY }).collect();
    // the best of three: the first one wakes the threads
    let seconds = (0..3).map(|_| {
        let start = Instant::now();
        std::hint::black_box(similarity.lost(&changes));
        start.elapsed().as_secs_f64()
    });
    (2 * n * n * d) as f64 / seconds.fold(f64::INFINITY, f64::min).max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MaxHerding, names, strategy};

    #[test]
    fn a_limit_is_refused_with_the_estimate() {
        let size = Size { n: 1_000_000, dim: 256, features: 256, classes: 10, source: 2000, known: 0, budget: 1000 };
        let rule = MaxHerding::default();
        let cost = rule.cost(&size);
        assert!(cost.within(&rule, &Limits::default()).is_ok());
        let error = cost.within(&rule, &Limits { bytes: Some(1e9), seconds: None }).unwrap_err().to_string();
        assert!(error.contains("maxherding") && error.contains("GiB") && error.contains("0.93"), "{error}");
        let error = cost.within(&rule, &Limits { bytes: None, seconds: Some(1.0) }).unwrap_err().to_string();
        assert!(error.contains("minutes"), "{error}");
    }

    #[test]
    fn every_strategy_says_what_it_takes() {
        let size = Size { n: 1_000_000, dim: 256, features: 256, classes: 10, source: 2000, known: 5, budget: 1000 };
        for name in names() {
            let cost = strategy(name).unwrap().cost(&size);
            assert!(cost.bytes > 0.0 && cost.read + cost.products > 0.0, "{name}: {cost:?}");
            // the working memory that the project promises: the size of the array, and 1 GiB
            assert!(cost.bytes < 4e6 * 256.0 + f64::from(1 << 30), "{name}: {cost:?}");
            let none = strategy(name).unwrap().cost(&Size::default());
            assert!(none.bytes.is_finite() && none.products.is_finite() && none.read.is_finite(), "{name}");
        }
    }
}
