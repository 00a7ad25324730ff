use crate::RegionError;
use hybridrepair_core::{Embeddings, Regions, Stream};

/// Regions, and what a person should know about how they came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Clustering {
    /// The regions; there may be none (everything is noise).
    pub regions: Regions,
    /// A departure from what was asked, in words.
    pub note: Option<String>,
}

impl From<Regions> for Clustering {
    fn from(regions: Regions) -> Self {
        Self { regions, note: None }
    }
}

/// A way to group the samples of a pool by their embeddings.
pub trait Clusterer: Send + Sync {
    /// The name in the registry.
    fn name(&self) -> &'static str;

    /// Groups the rows of `x` (`n x d`).
    ///
    /// # Errors
    /// When a parameter does not fit the data.
    fn cluster(&self, x: &Embeddings, rng: &mut Stream) -> Result<Clustering, RegionError>;
}
