use super::{HeadCase, Localized, Localizer};
use crate::PatchError;
use hybridrepair_core::Stream;

/// The bias of the class under repair: one number that moves the decision threshold. The baseline of every weight search.
#[derive(Clone, Copy, Debug)]
pub struct Bias;

impl Localizer for Bias {
    fn name(&self) -> &'static str {
        "bias"
    }

    fn locate(&self, case: &HeadCase<'_>, _: &mut Stream) -> Result<Vec<Localized>, PatchError> {
        let class =
            case.class.ok_or_else(|| PatchError::NoCase("a bias belongs to one class: name the class".to_owned()))?;
        let value = case.head.bias[class.column()];
        let weight = case.head.weight_ref(class.column(), None);
        Ok(vec![Localized { weight, grad_loss: 0.0, forward_impact: 0.0, value }])
    }
}
