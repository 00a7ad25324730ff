use crate::{Activation, Init, Layer, NetSpec};

/// Gives all hidden layers another activation; `true` when that changed something. Layers without weights before it and the
/// output keep theirs.
pub(super) fn set_hidden(net: &mut NetSpec, function: Activation) -> bool {
    let mut other = false;
    for layer in &mut net.layers {
        if let Layer::Activation { function: now } = layer {
            other |= *now != function;
            *now = function;
        }
    }
    other
}

/// Gives all layers the same initial weights and biases; `true` when that changed something.
pub(super) fn set_init(net: &mut NetSpec, weights: Init, biases: Init) -> bool {
    let before = net.clone();
    (net.init, net.bias) = (weights, biases);
    for layer in &mut net.layers {
        if let Some((init, bias)) = layer.inits() {
            (*init, *bias) = (None, None);
        }
    }
    *net != before
}
