//! The files of the published toolkit (eAI-Repair-Toolkit), read and written.

mod history;
mod metrics;
mod result;
mod weights;

pub use history::write_history;
pub use metrics::ClassMetrics;
pub(crate) use metrics::auc;
pub use result::{ResultFile, RunRates};
pub use weights::{WeightRow, read_weights, write_weights};
