//! What may help, one file per remedy. A remedy turns a plan into another one and says what it changed.

mod activation;
mod adam;
mod batch;
mod clip;
mod early_stop;
mod hidden;
mod initial;
mod leaky;
mod lr;
mod momentum;
mod noise;
mod norm;
mod optimizer;
mod order;
mod output;
mod plateau;
mod regularize;
mod residual;
mod scaling;
mod warmup;

use crate::{DoctorError, NetSpec, Plan, Problem};
use hybridrepair_core::Stream;
pub use order::{Strategy, order};

/// What a remedy made of a plan.
#[derive(Debug)]
pub enum Applied {
    /// Another plan, and what is different, in words.
    Changed(Box<Plan>, String),
    /// The plan has it already: no further attempt of this remedy is of use.
    Already,
    /// The remedy edits the network, and this network cannot be edited.
    Fixed,
}

/// A change to a plan that may cure a problem.
pub trait Remedy: Sync {
    /// Its name in settings and files.
    fn name(&self) -> &'static str;

    /// How much of the structure it changes, 0 (nothing) to 3.
    fn structure(&self) -> u8 {
        0
    }

    /// The plan of an attempt, counted from 0. The stream begins at the same place for every attempt of a round, so that
    /// attempts can draw without repetition.
    fn apply(&self, plan: &Plan, problem: Problem, attempt: usize, rng: &mut Stream) -> Applied;
}

/// All remedies. A new one is a file and a line here.
pub const ALL: &[&dyn Remedy] = &[
    &hidden::SELU,
    &hidden::RELU,
    &hidden::TANH,
    &norm::BatchNorm,
    &clip::ClipValue,
    &clip::ClipNorm,
    &initial::Initial,
    &initial::Matched,
    &leaky::Leaky,
    &adam::Adam,
    &lr::Lr,
    &lr::LOWER,
    &lr::HIGHER,
    &plateau::ReduceLr,
    &batch::Batch,
    &batch::LargerBatch,
    &momentum::Momentum,
    &momentum::NoMomentum,
    &noise::Noise,
    &optimizer::Another,
    &regularize::L2,
    &regularize::Dropout,
    &early_stop::EarlyStop,
    &output::OutputActivation,
    &output::OtherLoss,
    &scaling::MinMax,
    &scaling::Standardize,
    &warmup::Warmup,
    &residual::Residual,
];

/// The remedy of this name.
///
/// # Errors
/// When there is none.
pub fn remedy(name: &str) -> Result<&'static dyn Remedy, DoctorError> {
    ALL.iter().copied().find(|r| r.name() == name).ok_or_else(|| {
        let known = ALL.iter().map(|r| r.name()).collect::<Vec<_>>().join(", ");
        DoctorError::setting("remedy", format!("{name:?}"), format!("is none of {known}"))
    })
}

/// A remedy and how often it is tried, from `name_k` (or `name`, for once).
///
/// # Errors
/// When there is no such remedy.
pub fn parse(text: &str) -> Result<(&'static dyn Remedy, usize), DoctorError> {
    match text.rsplit_once('_').and_then(|(name, k)| Some((name, k.parse::<usize>().ok()?))) {
        Some((_, 0)) => Err(DoctorError::setting("remedy", format!("{text:?}"), "is tried 0 times")),
        Some((name, k)) => Ok((remedy(name)?, k)),
        None => Ok((remedy(text)?, 1)),
    }
}

/// The plan after a change, with what changed.
fn changed(plan: Plan, what: impl Into<String>) -> Applied {
    Applied::Changed(Box::new(plan), what.into())
}

/// Edits the network of a plan; `false` when there was nothing to edit.
fn edit(plan: &Plan, what: &str, change: impl FnOnce(&mut NetSpec) -> bool) -> Applied {
    let mut plan = plan.clone();
    match plan.net.as_mut().map(change) {
        None => Applied::Fixed,
        Some(false) => Applied::Already,
        Some(true) => changed(plan, what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, OptimizerPlan, test_plan};
    use hybridrepair_core::Streams;

    #[test]
    fn names_are_distinct_and_lead_back() {
        for r in ALL {
            assert_eq!(ALL.iter().filter(|o| o.name() == r.name()).count(), 1);
            let (found, k) = parse(&format!("{}_3", r.name())).unwrap();
            assert_eq!((found.name(), k), (r.name(), 3));
        }
        assert!(parse("lr_0").is_err() && parse("prayer").is_err());
    }

    #[test]
    fn every_remedy_gives_another_plan_that_can_be_trained_or_says_why_not() {
        let plans = [
            test_plan(&[5; 12], Activation::Sigmoid),
            Plan { net: None, ..test_plan(&[5], Activation::Relu) },
            Plan {
                optimizer: OptimizerPlan { momentum: 0.9, ..OptimizerPlan::new("sgd", 0.01) },
                net: Some(NetSpec::mlp(2, &[50], Activation::Relu, 3, Activation::Relu)),
                ..test_plan(&[50], Activation::Relu)
            },
        ];
        for r in ALL {
            let mut helped = false;
            for plan in &plans {
                for problem in Problem::ALL {
                    for attempt in 0..3 {
                        let mut rng = Streams::new(3).named(r.name());
                        match r.apply(plan, problem, attempt, &mut rng) {
                            Applied::Changed(new, what) => {
                                new.check().unwrap_or_else(|e| panic!("{}: {e}", r.name()));
                                assert_ne!(*new, *plan, "{}", r.name());
                                assert!(!what.is_empty());
                                assert!(
                                    r.structure() > 0
                                        || new.net.as_ref().map(NetSpec::depth)
                                            == plan.net.as_ref().map(NetSpec::depth)
                                );
                                helped = true;
                            }
                            Applied::Fixed => assert!(plan.net.is_none(), "{}", r.name()),
                            Applied::Already => {}
                        }
                    }
                }
            }
            assert!(helped, "{} never changed anything", r.name());
        }
    }
}
