use super::{Applied, Remedy, activation::set_init, edit};
use crate::{Activation, Init, Layer, Plan, Problem};
use hybridrepair_core::Stream;
use rand::seq::SliceRandom;

const DRAWN: [Init; 6] =
    [Init::HeUniform, Init::HeNormal, Init::LecunUniform, Init::LecunNormal, Init::GlorotUniform, Init::GlorotNormal];

/// Initial weights and biases from two drawn rules, as published; the weights are drawn anew, which the published system
/// forgets.
pub(super) struct Initial;

impl Remedy for Initial {
    fn name(&self) -> &'static str {
        "initial"
    }

    fn structure(&self) -> u8 {
        1
    }

    fn apply(&self, plan: &Plan, _: Problem, attempt: usize, rng: &mut Stream) -> Applied {
        let mut draw = || *DRAWN.choose(rng).unwrap_or(&Init::GlorotUniform);
        for _ in 0..attempt {
            let _ = (draw(), draw());
        }
        let (weights, biases) = (draw(), draw());
        let plan = Plan { draw: plan.draw + 1 + attempt as u64, ..plan.clone() };
        let what = format!("initial weights {weights}, biases {biases}, drawn anew");
        edit(&plan, &what, |net| {
            set_init(net, weights, biases);
            true
        })
    }
}

/// The initial weights that belong to the activation, biases 0: He for `ReLU`, `LeCun` for SELU, Glorot for the rest.
pub(super) struct Matched;

impl Remedy for Matched {
    fn name(&self) -> &'static str {
        "matched-init"
    }

    fn structure(&self) -> u8 {
        1
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        edit(plan, "initial weights that belong to the activation, biases 0", |net| {
            let first = net.layers.iter().find_map(|l| match l {
                Layer::Activation { function } => Some(*function),
                _ => None,
            });
            let init = match first {
                Some(Activation::Relu | Activation::LeakyRelu | Activation::Elu | Activation::ThresholdedRelu) => {
                    Init::HeUniform
                }
                Some(Activation::Selu) => Init::LecunUniform,
                _ => Init::GlorotUniform,
            };
            set_init(net, init, Init::Zeros)
        })
    }
}
