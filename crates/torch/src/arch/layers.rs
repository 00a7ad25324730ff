//! Convolution, batch norm and dense layers with `PyTorch`'s default initialisation from our own streams.

use super::tap::{Tap, note};
use crate::Params;
use hybridrepair_core::Stream;
use rand::Rng;
use rand_distr::StandardNormal;
use tch::{Device, Kind, Tensor};

/// Creates layers and registers their tensors under `PyTorch`'s names.
pub(super) struct Builder<'a> {
    pub(super) params: &'a mut Params,
    pub(super) device: Device,
    pub(super) rng: &'a mut Stream,
}

impl Builder<'_> {
    /// Uniform in `+-bound`.
    fn uniform(&mut self, size: &[i64], bound: f64) -> Tensor {
        let n = size.iter().product::<i64>();
        let values = (0..n).map(|_| self.rng.gen_range(-bound..bound) as f32).collect::<Vec<_>>();
        Tensor::from_slice(&values).view(size)
    }

    /// Square convolution without bias; "same" padding for odd kernels.
    pub(super) fn conv(&mut self, name: &str, shape: ConvShape) -> Conv {
        let fan_in = shape.input / shape.groups * shape.kernel * shape.kernel;
        // kaiming-uniform with a = sqrt(5): bound = 1 / sqrt(fan_in)
        let w = self.uniform(&shape.weight(), 1.0 / (fan_in as f64).sqrt());
        self.conv_of(name, shape, &w)
    }

    /// As [`Builder::conv`], started kaiming-normal by the fan out (He et al. 2015): sd = sqrt(2 / fan out).
    pub(super) fn conv_fan_out(&mut self, name: &str, shape: ConvShape) -> Conv {
        let fan_out = shape.output * shape.kernel * shape.kernel;
        let sd = (2.0 / fan_out as f64).sqrt();
        let size = shape.weight();
        let normal = |_| (self.rng.sample::<f64, _>(StandardNormal) * sd) as f32;
        let values = (0..size.iter().product::<i64>()).map(normal).collect::<Vec<_>>();
        self.conv_of(name, shape, &Tensor::from_slice(&values).view(size))
    }

    /// As [`Builder::conv`], started kaiming-normal by the fan in: sd = sqrt(2 / fan in).
    pub(super) fn conv_fan_in(&mut self, name: &str, shape: ConvShape) -> Conv {
        let fan_in = shape.input / shape.groups * shape.kernel * shape.kernel;
        let sd = (2.0 / fan_in as f64).sqrt();
        let size = shape.weight();
        let normal = |_| (self.rng.sample::<f64, _>(StandardNormal) * sd) as f32;
        let values = (0..size.iter().product::<i64>()).map(normal).collect::<Vec<_>>();
        self.conv_of(name, shape, &Tensor::from_slice(&values).view(size))
    }

    /// As [`Builder::conv_fan_out`], with a bias that starts at 0.
    pub(super) fn conv_with_bias(&mut self, name: &str, shape: ConvShape) -> Conv {
        let conv = self.conv_fan_out(name, shape);
        let zeros = Tensor::zeros([shape.output], (Kind::Float, Device::Cpu));
        Conv { b: Some(self.params.param(&format!("{name}.bias"), &zeros, self.device)), ..conv }
    }

    fn conv_of(&mut self, name: &str, shape: ConvShape, w: &Tensor) -> Conv {
        let ConvShape { kernel, stride, groups, .. } = shape;
        let name = format!("{name}.weight");
        let w = self.params.param(&name, w, self.device);
        Conv { name, w, b: None, stride, pad: kernel / 2, groups }
    }

    pub(super) fn batch_norm(&mut self, name: &str, channels: i64) -> BatchNorm {
        let ones = Tensor::ones([channels], (Kind::Float, Device::Cpu));
        let zeros = Tensor::zeros([channels], (Kind::Float, Device::Cpu));
        BatchNorm {
            weight: self.params.param(&format!("{name}.weight"), &ones, self.device),
            bias: self.params.param(&format!("{name}.bias"), &zeros, self.device),
            mean: self.params.buffer(&format!("{name}.running_mean"), &zeros, self.device),
            var: self.params.buffer(&format!("{name}.running_var"), &ones, self.device),
        }
    }

    pub(super) fn linear(&mut self, name: &str, input: i64, output: i64) -> Linear {
        let bound = 1.0 / (input as f64).sqrt();
        let (w, b) = (self.uniform(&[output, input], bound), self.uniform(&[output], bound));
        let weight = format!("{name}.weight");
        Linear {
            w: self.params.param(&weight, &w, self.device),
            name: weight,
            b: self.params.param(&format!("{name}.bias"), &b, self.device),
        }
    }
}

/// Shape of a convolution.
#[derive(Clone, Copy)]
pub(super) struct ConvShape {
    pub(super) input: i64,
    pub(super) output: i64,
    pub(super) kernel: i64,
    pub(super) stride: i64,
    pub(super) groups: i64,
}

impl ConvShape {
    /// Shape of its weight.
    fn weight(self) -> [i64; 4] {
        [self.output, self.input / self.groups, self.kernel, self.kernel]
    }
}

#[derive(Debug)]
pub(super) struct Conv {
    /// Of its weight.
    name: String,
    w: Tensor,
    b: Option<Tensor>,
    stride: i64,
    pad: i64,
    groups: i64,
}

impl Conv {
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let y = x.conv2d(&self.w, self.b.as_ref(), [self.stride; 2], [self.pad; 2], [1, 1], self.groups);
        note(|| Tap {
            weight: self.name.clone(),
            value: self.w.shallow_clone(),
            input: x.shallow_clone(),
            output: y.shallow_clone(),
            conv: Some((self.stride, self.pad, self.groups)),
        });
        y
    }
}

#[derive(Debug)]
pub(super) struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    var: Tensor,
}

impl BatchNorm {
    /// Momentum .1 and epsilon 1e-5, as `PyTorch`. In training the running statistics move, with or without gradients.
    pub(super) fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        x.batch_norm(Some(&self.weight), Some(&self.bias), Some(&self.mean), Some(&self.var), train, 0.1, 1e-5, true)
    }
}

#[derive(Debug)]
pub(super) struct Linear {
    /// Of its weight.
    name: String,
    w: Tensor,
    b: Tensor,
}

impl Linear {
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let y = x.linear(&self.w, Some(&self.b));
        note(|| Tap {
            weight: self.name.clone(),
            value: self.w.shallow_clone(),
            input: x.shallow_clone(),
            output: y.shallow_clone(),
            conv: None,
        });
        y
    }
}
