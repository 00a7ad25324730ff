use super::Sign;
use crate::{Activation, Loss, OutputFacts, Probe, Thresholds};

/// The loss does not belong to the number of outputs (extended study): up to two need the binary cross-entropy, more the
/// categorical one.
pub fn improper_loss(output: OutputFacts) -> Sign {
    let fits = match output.loss {
        Loss::BinaryCrossEntropy => output.width <= 2,
        Loss::CrossEntropy => output.width > 2,
        Loss::MeanSquared | Loss::MeanAbsolute => false,
    };
    (!fits).then(|| format!("{:?} over {} outputs", output.loss, output.width))
}

/// The last activation does not belong to the loss, or its outputs are no probabilities.
pub fn improper_output(output: OutputFacts, probe: Option<&Probe>, t: &Thresholds) -> Sign {
    let OutputFacts { width, activation, loss } = output;
    let needed = match loss {
        Loss::BinaryCrossEntropy if width != 2 => Some(Activation::Sigmoid),
        Loss::CrossEntropy if width > 1 => Some(Activation::Softmax),
        _ => None,
    };
    if let Some(needed) = needed.filter(|n| *n != activation) {
        return Some(format!("the last activation is {activation:?}, the loss needs {needed:?}"));
    }
    needed?;
    let sum = probe?.output?.row_sum;
    // `!(<=)`: NaN is improper too
    let proper = sum <= t.row_sum + 0.1;
    (!proper).then(|| format!("the outputs of a sample sum up to {sum:.2}"))
}

/// The mean activation of some layer but the last is large.
pub fn abnormal_activation(probe: &Probe, t: &Thresholds) -> Sign {
    let (_, hidden) = probe.layers.split_last()?;
    let large = hidden.iter().find(|l| l.activation.is_some_and(|a| a >= t.activation))?;
    Some(format!("the mean activation of layer {} is {:.1}", large.name, large.activation?))
}
