//! Editable specifications of networks: a list of layers, as in the `[net]` of a recipe.

use crate::{DoctorError, Init};
use serde::{Deserialize, Serialize};

/// A function of single numbers, or the softmax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// None.
    #[default]
    Linear,
    /// `max(0, x)`.
    Relu,
    /// Slope 0.3 below 0, as in the published system.
    LeakyRelu,
    /// `exp(x) - 1` below 0.
    Elu,
    /// Self-normalising ELU (Klambauer et al. 2017).
    Selu,
    /// `x` above 1, else 0.
    ThresholdedRelu,
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function.
    Sigmoid,
    /// Only at the end of a network.
    Softmax,
}

/// Kind of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The largest.
    Max,
    /// The mean.
    Mean,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Layer {
    /// Weighted sums of all inputs; maps are flattened before.
    Dense {
        /// Units.
        units: usize,
        /// Initial weights instead of the network's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        init: Option<Init>,
        /// Initial biases instead of the network's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bias: Option<Init>,
        /// Adds the input of the layer to what its activation gives, where both have one size.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        residual: bool,
    },
    /// Square convolution with "same" padding.
    Conv {
        /// Channels out.
        channels: usize,
        /// Side of the kernel, odd.
        kernel: usize,
        /// Stride.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: usize,
        /// Initial weights instead of the network's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        init: Option<Init>,
        /// Initial biases instead of the network's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bias: Option<Init>,
        /// As for dense layers.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        residual: bool,
    },
    /// Batch norm.
    Norm {
        /// Weight of a new batch in the running statistics: 0.1 as in `PyTorch`; Keras has 0.01.
        #[serde(default = "new_batch")]
        momentum: f64,
    },
    /// An activation.
    Activation {
        /// Which.
        function: Activation,
    },
    /// Square pooling with its side as stride.
    Pool {
        /// Which.
        pooling: Pooling,
        /// Side.
        size: usize,
    },
    /// Maps to one row.
    Flatten,
    /// Entries set to 0 in training, the others scaled up.
    Dropout {
        /// Their share.
        share: f64,
    },
    /// Gaussian noise added in training.
    Noise {
        /// Its standard deviation.
        sd: f64,
    },
}

fn new_batch() -> f64 {
    0.1
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_one(n: &usize) -> bool {
    *n == 1
}

/// A network: its layers up to the last weighted one, and the activation of that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetSpec {
    /// Shape of a sample: `[features]`, or `[channels, height, width]`.
    pub input: Vec<usize>,
    /// Activation of the last layer.
    pub output: Activation,
    /// Initial weights of layers that do not say otherwise.
    #[serde(default)]
    pub init: Init,
    /// Initial biases of layers that do not say otherwise.
    #[serde(default = "Init::zeros")]
    pub bias: Init,
    /// The layers.
    pub layers: Vec<Layer>,
}

impl Layer {
    /// Whether it has a matrix or kernel of weights.
    pub fn weighted(&self) -> bool {
        matches!(self, Self::Dense { .. } | Self::Conv { .. })
    }

    /// A dense layer that takes the network's initial weights.
    pub fn dense(units: usize) -> Self {
        Self::Dense { units, init: None, bias: None, residual: false }
    }

    /// A convolution of stride 1 that takes the network's initial weights.
    pub fn conv(channels: usize, kernel: usize) -> Self {
        Self::Conv { channels, kernel, stride: 1, init: None, bias: None, residual: false }
    }

    /// Batch norm as in `PyTorch`.
    pub fn norm() -> Self {
        Self::Norm { momentum: new_batch() }
    }

    /// An activation.
    pub fn activation(function: Activation) -> Self {
        Self::Activation { function }
    }

    /// Where initial weights and biases of this layer stand.
    pub(crate) fn inits(&mut self) -> Option<(&mut Option<Init>, &mut Option<Init>)> {
        match self {
            Self::Dense { init, bias, .. } | Self::Conv { init, bias, .. } => Some((init, bias)),
            _ => None,
        }
    }
}

impl NetSpec {
    /// Dense hidden layers with one activation after each, and a last dense layer.
    pub fn mlp(input: usize, hidden: &[usize], function: Activation, width: usize, output: Activation) -> Self {
        let mut layers = Vec::new();
        for &units in hidden {
            layers.extend([Layer::dense(units), Layer::activation(function)]);
        }
        layers.push(Layer::dense(width));
        Self { input: vec![input], output, init: Init::GlorotUniform, bias: Init::Zeros, layers }
    }

    /// The same with these initial weights everywhere.
    #[must_use]
    pub fn with_init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Units of the last layer.
    pub fn width(&self) -> usize {
        match self.layers.last() {
            Some(Layer::Dense { units, .. }) => *units,
            _ => 0,
        }
    }

    /// Number of layers with weights.
    pub fn depth(&self) -> usize {
        self.layers.iter().filter(|l| l.weighted()).count()
    }

    /// Classes that it tells apart: a single unit tells two.
    pub fn classes(&self) -> usize {
        self.width().max(2)
    }

    /// Numbers of a sample.
    pub fn input_size(&self) -> usize {
        self.input.iter().product()
    }

    /// Checks that the layers fit each other.
    ///
    /// # Errors
    /// Says which layer does not, and why.
    pub fn check(&self) -> Result<(), DoctorError> {
        let wrong = |why: String| Err(DoctorError::Net(why));
        if !matches!(self.input.len(), 1 | 3) || self.input_size() == 0 {
            return wrong(format!("input {:?} is neither [features] nor [channels, height, width]", self.input));
        }
        let Some(Layer::Dense { units: 1.., .. }) = self.layers.last() else {
            return wrong("the last layer is no dense layer with units".to_owned());
        };
        if self.output == Activation::Softmax && self.width() < 2 {
            return wrong("a softmax over one unit says always the same".to_owned());
        }
        let mut map = (self.input.len() == 3).then(|| (self.input[1], self.input[2]));
        for (i, layer) in self.layers.iter().enumerate() {
            let place = format!("layer {}", i + 1);
            match layer {
                Layer::Dense { units, .. } if *units == 0 => return wrong(format!("{place} has 0 units")),
                Layer::Dense { .. } | Layer::Flatten => map = None,
                Layer::Conv { channels, kernel, stride, .. } => {
                    if *channels == 0 || kernel % 2 == 0 || *stride == 0 {
                        return wrong(format!("{place}: channels and stride are at least 1, kernels odd"));
                    }
                    let Some((h, w)) = map else {
                        return wrong(format!("{place}: a convolution needs maps, which end at the first dense layer"));
                    };
                    map = Some((h.div_ceil(*stride), w.div_ceil(*stride)));
                }
                Layer::Pool { size, .. } => {
                    let fits = map.filter(|(h, w)| *size > 0 && h / size > 0 && w / size > 0);
                    let Some((h, w)) = fits else {
                        return wrong(format!("{place}: a pooling of {size} does not fit {map:?}"));
                    };
                    map = Some((h / size, w / size));
                }
                Layer::Dropout { share } if !(0.0..1.0).contains(share) => {
                    return wrong(format!("{place}: dropout {share} is not at least 0 and below 1"));
                }
                Layer::Norm { momentum } if !(*momentum > 0.0 && *momentum <= 1.0) => {
                    return wrong(format!("{place}: momentum {momentum} is not above 0 and at most 1"));
                }
                Layer::Noise { sd } if !(*sd >= 0.0 && sd.is_finite()) => {
                    return wrong(format!("{place}: noise {sd} is not a finite number above or equal to 0"));
                }
                Layer::Activation { function: Activation::Softmax } => {
                    return wrong(format!("{place}: a softmax stands at the end, as `output`"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_read_and_checked() {
        let text = r#"
            input = [1, 28, 28]
            output = "softmax"
            init = "he-uniform"
            layers = [
              { kind = "conv", channels = 8, kernel = 3, stride = 2 },
              { kind = "norm" },
              { kind = "activation", function = "relu" },
              { kind = "pool", pooling = "max", size = 2 },
              { kind = "dropout", share = 0.1 },
              { kind = "dense", units = 10, init = "normal 0.1", bias = "constant -3" },
            ]"#;
        let net: NetSpec = toml::from_str(text).unwrap();
        net.check().unwrap();
        assert_eq!((net.width(), net.depth(), net.classes()), (10, 2, 10));
        let back: NetSpec = toml::from_str(&toml::to_string(&net).unwrap()).unwrap();
        assert_eq!(back, net);
        assert!(toml::from_str::<NetSpec>(&text.replace("units", "unit")).is_err());
        for (from, to, word) in [
            ("size = 2", "size = 20", "pooling of 20"),
            ("[1, 28, 28]", "[784]", "needs maps"),
            ("kernel = 3", "kernel = 4", "odd"),
            ("share = 0.1", "share = 1.0", "dropout 1"),
            ("relu", "softmax", "at the end"),
        ] {
            let net: NetSpec = toml::from_str(&text.replace(from, to)).unwrap();
            let error = net.check().unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
