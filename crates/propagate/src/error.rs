use hybridrepair_core::{ClassId, CoreError, PoolIdx, RegionId};
use hybridrepair_kernels::KernelError;
use thiserror::Error;

/// Why labels could not be spread.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PropagateError {
    /// Values of the domain that do not fit.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// Data that a kernel refuses.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// Something that the propagator needs and was not given.
    #[error("{propagator} needs {what}")]
    Missing {
        /// The propagator.
        propagator: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// A label of a sample outside the pool.
    #[error("row {idx} is outside the pool of {len}")]
    OutsidePool {
        /// The sample.
        idx: PoolIdx,
        /// Samples of the pool.
        len: usize,
    },
    /// A pick that names a region that does not exist.
    #[error("the pick of row {idx} speaks for region {region}, but there are {len}")]
    NoSuchRegion {
        /// The sample.
        idx: PoolIdx,
        /// The region.
        region: RegionId,
        /// Number of regions.
        len: usize,
    },
    /// A class outside the model's.
    #[error("class {class} is outside the {classes} classes")]
    OutsideClasses {
        /// The class.
        class: ClassId,
        /// Number of classes.
        classes: usize,
    },
    /// A parameter outside its range.
    #[error("{what} is {given}, expected {expected}")]
    Parameter {
        /// The parameter.
        what: &'static str,
        /// Its value.
        given: f64,
        /// What it should be.
        expected: &'static str,
    },
}
