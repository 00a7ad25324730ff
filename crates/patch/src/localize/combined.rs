use super::{Arachne2, Bias, HeadCase, Localized, Localizer};
use crate::PatchError;
use hybridrepair_core::Stream;

/// The weights of Arachne v2 and the bias of the class under repair: a search over them can do all that a moved threshold
/// can.
#[derive(Clone, Copy, Debug)]
pub struct Combined;

impl Localizer for Combined {
    fn name(&self) -> &'static str {
        "combined"
    }

    fn locate(&self, case: &HeadCase<'_>, rng: &mut Stream) -> Result<Vec<Localized>, PatchError> {
        let mut found = Arachne2.locate(case, rng)?;
        found.extend(Bias.locate(case, rng)?);
        Ok(found)
    }
}
