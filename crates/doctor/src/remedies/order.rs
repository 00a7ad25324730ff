use super::{Remedy, parse};
use crate::{DoctorError, MonitorSettings, Problem, ProfileName};
use serde::{Deserialize, Serialize};

/// In what order the published system tries its solutions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Its default, the only one that its code reaches.
    #[default]
    Balance,
    /// Small changes of the structure first.
    Structure,
    /// Cheap ones first.
    Efficiency,
}

/// The remedies of a problem in the order of the settings, each with its number of attempts; those that change more of the
/// structure than allowed are left out.
///
/// # Errors
/// When the settings name an unknown remedy.
pub fn order(settings: &MonitorSettings, problem: Problem) -> Result<Vec<(&'static dyn Remedy, usize)>, DoctorError> {
    let built_in: &[&str] = match settings.profile {
        ProfileName::House => house(problem),
        _ => published(problem, settings.strategy),
    };
    let mut all = match settings.order.get(&problem) {
        Some(names) => names.iter().map(|n| parse(n)).collect::<Result<Vec<_>, _>>()?,
        None => built_in.iter().map(|n| parse(n)).collect::<Result<Vec<_>, _>>()?,
    };
    all.retain(|(r, _)| r.structure() <= settings.structure);
    Ok(all)
}

/// Table of the published system.
fn published(problem: Problem, strategy: Strategy) -> &'static [&'static str] {
    use Strategy::{Balance, Efficiency, Structure};
    match (problem, strategy) {
        (Problem::VanishingGradient, Balance) => &["selu_1", "relu_1", "bn_1"],
        (Problem::VanishingGradient, _) => &["relu_1", "selu_1", "bn_1"],
        (Problem::ExplodingGradient, Balance) => &["selu_1", "relu_1", "gradient_2", "tanh_1", "bn_1"],
        (Problem::ExplodingGradient, Structure) => &["gradient_2", "relu_1", "selu_1", "tanh_1", "bn_1"],
        (Problem::ExplodingGradient, Efficiency) => &["relu_1", "selu_1", "tanh_1", "gradient_2", "bn_1"],
        (Problem::DyingRelu, Balance) => &["selu_1", "bn_1", "initial_3", "leaky_3"],
        (Problem::DyingRelu, _) => &["selu_1", "initial_3", "leaky_3", "bn_1"],
        (Problem::Oscillation, _) => {
            &["adam_1", "lr_3", "reduce-lr_1", "batch_4", "momentum_3", "noise_1", "initial_3"]
        }
        (Problem::SlowConvergence, _) => &["optimizer_3", "lr_3", "initial_3"],
        (Problem::Overfit, Balance) => &["regular_1", "estop_1", "dropout_1", "noise_1"],
        (Problem::Overfit, Structure) => &["estop_1", "regular_1", "dropout_1", "noise_1"],
        (Problem::Overfit, Efficiency) => &["regular_1", "dropout_1", "estop_1", "noise_1"],
        (Problem::OutputActivation, _) => &["activation_1"],
        (Problem::WrongLoss, _) => &["loss_1"],
        (Problem::AbnormalData, _) => &["data_1"],
    }
}

/// Ours: the published ones that ever helped, and changes from the user's own values.
fn house(problem: Problem) -> &'static [&'static str] {
    match problem {
        Problem::VanishingGradient => &["selu_1", "relu_1", "bn_1", "residual_1", "lr-higher_1", "adam_1"],
        Problem::ExplodingGradient => {
            &["lr-lower_2", "matched-init_1", "clip-norm_1", "selu_1", "relu_1", "standardize_1", "bn_1", "warmup_1"]
        }
        Problem::DyingRelu => {
            &["selu_1", "lr-lower_2", "matched-init_1", "leaky_2", "bn_1", "residual_1", "standardize_1"]
        }
        Problem::Oscillation => &["lr-lower_2", "larger-batch_2", "adam_1", "reduce-lr_1", "no-momentum_1"],
        Problem::SlowConvergence => &["lr-higher_3", "adam_1", "optimizer_2", "standardize_1", "selu_1", "lr-lower_1"],
        Problem::Overfit => &["regular_1", "estop_1", "dropout_1", "noise_1"],
        Problem::OutputActivation => &["activation_1"],
        Problem::WrongLoss => &["loss_1", "activation_1"],
        Problem::AbnormalData => &["standardize_1", "lr-lower_1", "bn_1"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_list_names_known_remedies_and_settings_win() {
        for profile in [ProfileName::Icse21, ProfileName::Extended23, ProfileName::House] {
            for strategy in [Strategy::Balance, Strategy::Structure, Strategy::Efficiency] {
                for problem in Problem::ALL {
                    let settings = MonitorSettings { profile, strategy, ..MonitorSettings::default() };
                    assert!(!order(&settings, problem).unwrap().is_empty());
                }
            }
        }
        let own = BTreeMap::from([(Problem::Oscillation, vec!["adam".to_owned(), "bn_2".to_owned()])]);
        let settings = MonitorSettings { order: own, structure: 1, ..MonitorSettings::default() };
        let list = order(&settings, Problem::Oscillation).unwrap();
        assert_eq!(list.iter().map(|(r, k)| (r.name(), *k)).collect::<Vec<_>>(), [("adam", 1)]);
    }
}
