//! Which weights wrong answers depend on.

mod arachne1;
mod arachne2;
mod bias;
mod combined;
mod gradient;
mod pareto;
mod random;

use crate::{Cases, Head, PatchError, Samples, WeightRef};
pub use arachne1::{Arachne1, Impact};
pub use arachne2::Arachne2;
pub use bias::Bias;
pub use combined::Combined;
pub(crate) use gradient::residuals;
pub use gradient::{Gradient, head_gradient};
use hybridrepair_core::{ClassId, Stream};
pub use pareto::pareto_front;
pub use random::Random;
use serde::Serialize;
use std::fmt::Debug;

/// A weight that was found, with both measures; larger is more suspicious.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Localized {
    /// The weight.
    pub weight: WeightRef,
    /// How much the loss of the wrong samples depends on it.
    pub grad_loss: f64,
    /// How much it takes part in their forward pass.
    pub forward_impact: f64,
    /// Its value.
    pub value: f32,
}

/// The last layer with what is wrong and what is right in front of it.
#[derive(Clone, Copy, Debug)]
pub struct HeadCase<'a> {
    /// The layer.
    pub head: &'a Head,
    /// The samples.
    pub samples: &'a Samples,
    /// Wrong and right ones.
    pub cases: &'a Cases,
    /// The class under repair, if it is one.
    pub class: Option<ClassId>,
}

/// Finds weights of the last layer.
pub trait Localizer: Debug + Send + Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// The weights, the most suspicious first.
    ///
    /// # Errors
    /// When the arrays do not fit or a setting is outside its range.
    fn locate(&self, case: &HeadCase<'_>, rng: &mut Stream) -> Result<Vec<Localized>, PatchError>;
}

/// A localizer by name with its default settings; `count` is the number of weights of those that take one.
///
/// # Errors
/// Lists the known names.
pub fn localizer(name: &str, count: Option<usize>) -> Result<Box<dyn Localizer>, PatchError> {
    let n = count.unwrap_or(15);
    Ok(match name {
        "arachne1" => Box::new(Arachne1::default()),
        "arachne1-published" => Box::new(Arachne1 { impact: Impact::Signed, ..Arachne1::default() }),
        "arachne2" => Box::new(Arachne2),
        "gradient" => Box::new(Gradient { count: n }),
        "random" => Box::new(Random { count: n }),
        "bias" => Box::new(Bias),
        "combined" => Box::new(Combined),
        other => {
            let known = "arachne1, arachne1-published, arachne2, gradient, random, bias, combined";
            return Err(PatchError::setting("localizer", format!("{other:?}"), format!("is none of {known}")));
        }
    })
}

/// Largest first by a measure, the earlier on ties.
pub(crate) fn sort_by(found: &mut [Localized], measure: impl Fn(&Localized) -> f64) {
    found.sort_by(|a, b| measure(b).total_cmp(&measure(a)));
}
