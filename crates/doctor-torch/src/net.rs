//! From a specification to a network.

use hybridrepair_core::Streams;
use hybridrepair_doctor::{Activation, DoctorError, Init, Layer, NetSpec, Pooling};
use hybridrepair_torch::{Device, Kind, Layers, Model, Output, Params, Tap, Tensor, note_tap};

/// The smallest probability that a loss sees where a network gives none by itself.
const LEAST: f64 = 1e-7;

/// A built network.
#[derive(Debug)]
struct Net {
    steps: Vec<Step>,
    output: Activation,
    width: i64,
    features: usize,
}

#[derive(Debug)]
enum Step {
    Dense { name: String, w: Tensor, b: Tensor, residual: bool },
    Conv { name: String, w: Tensor, b: Tensor, stride: i64, residual: bool },
    Norm { momentum: f64, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor },
    Activation(Activation),
    Pool(Pooling, i64),
    Flatten,
    Dropout(f64),
    Noise(f64),
}

/// The model of a specification. Tensors are named as in `PyTorch`'s `nn.Sequential` of the same layers; initial weights of
/// the `k`-th layer come from the stream `net.init` at (`draw`, `k`).
///
/// # Errors
/// When the layers do not fit each other.
pub fn build(spec: &NetSpec, draw: u64, device: Device, streams: Streams) -> Result<Model, DoctorError> {
    spec.check()?;
    let mut params = Params::new();
    let mut steps = Vec::new();
    let mut shape = spec.input.clone();
    let mut features = shape.iter().product();
    let mut weighted = 0;
    for (i, layer) in spec.layers.iter().enumerate() {
        let mut rng = streams.at("net.init", draw, weighted);
        let mut add = |name: &str, size: &[usize], init: Init, fan: (usize, usize)| {
            let numbers = init.draw(size.iter().product(), fan, &mut rng);
            let size = size.iter().map(|&s| s as i64).collect::<Vec<_>>();
            params.add_on(name, &Tensor::from_slice(&numbers).view(size.as_slice()), device)
        };
        let (weight, bias_name) = (format!("{i}.weight"), format!("{i}.bias"));
        match layer {
            Layer::Dense { units, init, bias, residual } => {
                let inputs = shape.iter().product();
                let fan = (inputs, *units);
                let w = add(&weight, &[*units, inputs], init.unwrap_or(spec.init), fan);
                let b = add(&bias_name, &[*units], bias.unwrap_or(spec.bias), fan);
                steps.push(Step::Dense { name: weight, w, b, residual: *residual && inputs == *units });
                (features, shape, weighted) = (inputs, vec![*units], weighted + 1);
            }
            Layer::Conv { channels, kernel, stride, init, bias, residual } => {
                let inputs = shape[0];
                let fan = (inputs * kernel * kernel, channels * kernel * kernel);
                let w = add(&weight, &[*channels, inputs, *kernel, *kernel], init.unwrap_or(spec.init), fan);
                let b = add(&bias_name, &[*channels], bias.unwrap_or(spec.bias), fan);
                let residual = *residual && inputs == *channels && *stride == 1;
                steps.push(Step::Conv { name: weight, w, b, stride: *stride as i64, residual });
                shape = vec![*channels, shape[1].div_ceil(*stride), shape[2].div_ceil(*stride)];
                weighted += 1;
            }
            Layer::Norm { momentum } => {
                let n = shape[0] as i64;
                let (ones, zeros) =
                    (Tensor::ones([n], (Kind::Float, Device::Cpu)), Tensor::zeros([n], (Kind::Float, Device::Cpu)));
                steps.push(Step::Norm {
                    momentum: *momentum,
                    weight: params.add_on(&weight, &ones, device),
                    bias: params.add_on(&bias_name, &zeros, device),
                    mean: params.add_buffer(&format!("{i}.running_mean"), &zeros, device),
                    var: params.add_buffer(&format!("{i}.running_var"), &ones, device),
                });
            }
            Layer::Activation { function } => steps.push(Step::Activation(*function)),
            Layer::Pool { pooling, size } => {
                steps.push(Step::Pool(*pooling, *size as i64));
                shape = vec![shape[0], shape[1] / size, shape[2] / size];
            }
            Layer::Flatten => {
                steps.push(Step::Flatten);
                shape = vec![shape.iter().product()];
            }
            Layer::Dropout { share } => steps.push(Step::Dropout(*share)),
            Layer::Noise { sd } => steps.push(Step::Noise(*sd)),
        }
    }
    let net = Net { steps, output: spec.output, width: spec.width() as i64, features };
    Ok(Model::of_layers(Box::new(net), params, spec.classes(), device))
}

impl Net {
    /// What the last layer gives before its activation, and what went into it.
    fn raw(&self, x: &Tensor, train: bool) -> (Tensor, Tensor) {
        let last = self.steps.len() - 1;
        let mut x = x.shallow_clone();
        // what a residual layer adds once its activation is done
        let mut around: Option<Tensor> = None;
        for step in &self.steps[..last] {
            let skip = matches!(step, Step::Dense { residual: true, .. } | Step::Conv { residual: true, .. });
            let input = skip.then(|| x.shallow_clone());
            x = step.forward(&x, train);
            if let (Step::Activation(_), Some(before)) = (step, &around) {
                // not in place: the gradient of some activations is computed from what they gave
                x = x.g_add(before);
                around = None;
            }
            if input.is_some() {
                around = input;
            }
        }
        let features = x.flatten(1, -1);
        (self.steps[last].forward(&features, train), features)
    }
}

impl Layers for Net {
    fn forward(&self, x: &Tensor, train: bool) -> Output {
        let (raw, features) = self.raw(x, train);
        let logits = match (self.output, self.width) {
            // one unit tells two classes: the other one's logit is 0
            (Activation::Sigmoid, 1) => Tensor::cat(&[raw.zeros_like(), raw], 1),
            (Activation::Softmax, 2..) => raw,
            (function, 1) => {
                let p = apply(function, &raw).clamp(LEAST, 1.0 - LEAST);
                Tensor::cat(&[1.0 - &p, p], 1).log()
            }
            // outputs that do not sum up to 1 are divided by their sum, as the loss of Keras does
            (function, _) => {
                let y = apply(function, &raw);
                let sum = y.sum_dim_intlist([1i64].as_slice(), true, Kind::Float).clamp_min(LEAST);
                (y / sum).clamp(LEAST, 1.0 - LEAST).log()
            }
        };
        Output { logits, features }
    }

    fn features(&self) -> usize {
        self.features
    }
}

impl Step {
    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        match self {
            Self::Dense { name, w, b, .. } => {
                let x = if x.dim() > 2 { x.flatten(1, -1) } else { x.shallow_clone() };
                let y = x.linear(w, Some(b));
                tap(name, w, &x, &y, None);
                y
            }
            Self::Conv { name, w, b, stride, .. } => {
                let pad = w.size()[2] / 2;
                let y = x.conv2d(w, Some(b), [*stride; 2], [pad; 2], [1, 1], 1);
                tap(name, w, x, &y, Some((*stride, pad, 1)));
                y
            }
            Self::Norm { momentum, weight, bias, mean, var } => {
                // a batch of one row has no variance of its own
                let own = train && x.size()[0] > 1;
                x.batch_norm(Some(weight), Some(bias), Some(mean), Some(var), own, *momentum, 1e-5, true)
            }
            Self::Activation(function) => apply(*function, x),
            Self::Pool(Pooling::Max, size) => x.max_pool2d([*size; 2], [*size; 2], [0, 0], [1, 1], false),
            Self::Pool(Pooling::Mean, size) => x.avg_pool2d([*size; 2], [*size; 2], [0, 0], false, true, None),
            Self::Flatten => x.flatten(1, -1),
            Self::Dropout(share) => x.dropout(*share, train),
            Self::Noise(sd) => {
                if train {
                    x + x.randn_like() * *sd
                } else {
                    x.shallow_clone()
                }
            }
        }
    }
}

fn tap(name: &str, w: &Tensor, x: &Tensor, y: &Tensor, conv: Option<(i64, i64, i64)>) {
    note_tap(|| Tap {
        weight: name.to_owned(),
        value: w.shallow_clone(),
        input: x.shallow_clone(),
        output: y.shallow_clone(),
        conv,
    });
}

/// An activation of a tensor.
fn apply(function: Activation, x: &Tensor) -> Tensor {
    match function {
        Activation::Linear => x.shallow_clone(),
        Activation::Relu => x.relu(),
        Activation::LeakyRelu => x.relu() - (-x).relu() * 0.3,
        Activation::Elu => x.elu(),
        Activation::Selu => x.selu(),
        Activation::ThresholdedRelu => x.threshold(1.0, 0.0),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => x.sigmoid(),
        Activation::Softmax => x.softmax(-1, Kind::Float),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probs(output: Activation, width: usize, raw: &[f32]) -> Vec<f32> {
        let spec = NetSpec::mlp(width, &[], Activation::Relu, width, output);
        let model = build(&spec, 0, Device::Cpu, Streams::new(0)).unwrap();
        // the identity: what goes in is what the last layer gives
        let (_, w) = model.params().trained().next().unwrap();
        tch::no_grad(|| w.shallow_clone().copy_(&Tensor::eye(width as i64, (Kind::Float, Device::Cpu))));
        let x = Tensor::from_slice(raw).view([1, width as i64]);
        Vec::<f32>::try_from(model.forward(&x, false).logits.softmax(-1, Kind::Float).view([-1])).unwrap()
    }

    #[test]
    fn logits_say_the_probabilities_that_the_last_activation_gives() {
        let near = |a: &[f32], b: &[f64]| a.iter().zip(b).all(|(x, y)| (f64::from(*x) - y).abs() < 1e-5);
        let sigmoid = 1.0 / (1.0 + (-0.5f64).exp());
        assert!(near(&probs(Activation::Sigmoid, 1, &[0.5]), &[1.0 - sigmoid, sigmoid]));
        let e = [1f64.exp(), 2f64.exp()];
        assert!(near(&probs(Activation::Softmax, 2, &[1.0, 2.0]), &[e[0] / (e[0] + e[1]), e[1] / (e[0] + e[1])]));
        assert!(near(&probs(Activation::Relu, 3, &[1.0, 3.0, -2.0]), &[0.25, 0.75, 0.0]));
        assert!(near(&probs(Activation::Linear, 1, &[0.3]), &[0.7, 0.3]));
    }

    #[test]
    fn a_gradient_goes_around_and_through_every_activation() {
        use Activation::{Elu, LeakyRelu, Linear, Relu, Selu, Sigmoid, Tanh, ThresholdedRelu};
        for function in [Linear, Relu, LeakyRelu, Elu, Selu, ThresholdedRelu, Tanh, Sigmoid] {
            let residual = |of| Layer::Dense { units: of, init: None, bias: None, residual: true };
            let layers = vec![residual(4), Layer::activation(function), Layer::dense(2)];
            let (output, init) = (Activation::Softmax, Init::GlorotUniform);
            let spec = NetSpec { input: vec![4], output, init, bias: Init::Zeros, layers };
            let model = build(&spec, 0, Device::Cpu, Streams::new(1)).unwrap();
            let x = Tensor::linspace(-1.0, 1.0, 12, (Kind::Float, Device::Cpu)).view([3, 4]);
            model.forward(&x, true).logits.square().sum(Kind::Float).f_backward().unwrap();
            assert!(model.params().trained().all(|(_, p)| p.grad().defined()), "{function:?}");
        }
    }

    #[test]
    fn a_network_of_all_layers_runs_and_repeats() {
        let layers = vec![
            Layer::Noise { sd: 0.1 },
            Layer::conv(4, 3),
            Layer::norm(),
            Layer::activation(Activation::Relu),
            Layer::Conv { channels: 4, kernel: 3, stride: 1, init: None, bias: None, residual: true },
            Layer::activation(Activation::Selu),
            Layer::Pool { pooling: Pooling::Max, size: 2 },
            Layer::Pool { pooling: Pooling::Mean, size: 2 },
            Layer::Dropout { share: 0.5 },
            Layer::Flatten,
            Layer::dense(7),
            Layer::activation(Activation::Tanh),
            Layer::dense(3),
        ];
        let spec = NetSpec {
            input: vec![1, 9, 9],
            output: Activation::Softmax,
            init: Init::HeNormal,
            bias: Init::Zeros,
            layers,
        };
        let model = |draw| build(&spec, draw, Device::Cpu, Streams::new(4)).unwrap();
        let x = Tensor::linspace(-1.0, 1.0, 2 * 81, (Kind::Float, Device::Cpu)).view([2, 1, 9, 9]);
        let (a, b) = (model(0), model(0));
        let out = a.forward(&x, false);
        assert_eq!((out.logits.size(), out.features.size(), a.feature_dim()), (vec![2, 3], vec![2, 7], 7));
        assert_eq!(out.logits, b.forward(&x, false).logits);
        assert_ne!(out.logits, model(1).forward(&x, false).logits);
        let names = a.params().all().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(names[..4], ["1.weight", "1.bias", "2.weight", "2.bias"]);
        assert_eq!(a.forward_tapped(&x).1.len(), 4);
        let _ = a.forward(&x, true);
        assert_ne!(out.logits, a.forward(&x, false).logits, "batch norm moved");
    }
}
