use super::{
    Applied, Remedy,
    activation::{set_hidden, set_init},
    edit,
};
use crate::{Activation, Init, Plan, Problem};
use hybridrepair_core::Stream;

/// Another activation in all hidden layers, with the initial weights that belong to it.
pub(super) struct Hidden {
    name: &'static str,
    function: Activation,
    init: Init,
    bias: Init,
    what: &'static str,
}

/// Self-normalising units keep activations and gradients near unit size at any depth.
pub(super) const SELU: Hidden = Hidden {
    name: "selu",
    function: Activation::Selu,
    init: Init::LecunUniform,
    bias: Init::Zeros,
    what: "hidden activations are SELU, initial weights LeCun uniform",
};

/// Slope 1 on the active side: gradients are not squashed layer by layer.
pub(super) const RELU: Hidden = Hidden {
    name: "relu",
    function: Activation::Relu,
    init: Init::HeUniform,
    bias: Init::Zeros,
    what: "hidden activations are ReLU, initial weights He uniform",
};

/// Bounded activations stop a growth from layer to layer.
pub(super) const TANH: Hidden = Hidden {
    name: "tanh",
    function: Activation::Tanh,
    init: Init::HeUniform,
    bias: Init::Zeros,
    what: "hidden activations are tanh, initial weights He uniform",
};

impl Remedy for Hidden {
    fn name(&self) -> &'static str {
        self.name
    }

    fn structure(&self) -> u8 {
        1
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        edit(plan, self.what, |net| {
            let function = set_hidden(net, self.function);
            set_init(net, self.init, self.bias) || function
        })
    }
}
