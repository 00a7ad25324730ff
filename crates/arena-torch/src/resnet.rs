//! `ResNet`-18 in its form for CIFAR.

use hybridrepair_core::{Stream, Streams};
use hybridrepair_torch::{Device, Kind, Layers, Model, Output, Params, Tap, Tensor, TorchError, note_tap};
use rand::Rng;

/// Channels of the stem and of the first stage.
const CHANNELS: f64 = 64.0;
/// Blocks of each of the four stages.
const BLOCKS: usize = 2;

/// `ResNet`-18 for pictures of 32 x 32 (He et al. 2016, as the competition has it): a 3x3 stem without pooling, four stages
/// of two basic blocks with 64, 128, 256 and 512 channels and strides 1, 2, 2, 2, 1x1 projections as shortcuts, the mean of
/// the last map, a dense layer. 11,173,962 parameters at width 1 and 10 classes.
///
/// It is no architecture of `repair`, whose published `ResNet`-18 has the stem for `ImageNet`. Initial weights are
/// `PyTorch`'s defaults from the stream `init`; `width` is a factor on all channels.
///
/// # Errors
/// When the width leaves no channel.
pub fn resnet18(width: f64, classes: usize, device: Device, streams: Streams) -> Result<Model, TorchError> {
    let channels = (CHANNELS * width).round() as i64;
    if channels < 1 {
        return Err(TorchError::Spec(format!("width {width} leaves no channel")));
    }
    let mut params = Params::new();
    let mut build = Builder { params: &mut params, device, rng: &mut streams.named("init") };
    let stem = build.conv("conv1", "bn1", (3, channels, 3, 1));
    let (mut blocks, mut input) = (Vec::new(), channels);
    for stage in 0..4 {
        for i in 0..BLOCKS {
            let stride = if stage > 0 && i == 0 { 2 } else { 1 };
            blocks.push(Block::new(&mut build, &format!("layer{}.{i}", stage + 1), input, channels << stage, stride));
            input = channels << stage;
        }
    }
    let bound = 1.0 / (input as f64).sqrt();
    let weight = build.uniform("linear.weight", &[classes as i64, input], bound);
    let bias = build.uniform("linear.bias", &[classes as i64], bound);
    let net = ResNet { stem, blocks, weight, bias, features: input as usize };
    Ok(Model::of_layers(Box::new(net), params, classes, device))
}

#[derive(Debug)]
struct ResNet {
    stem: Conv,
    blocks: Vec<Block>,
    weight: Tensor,
    bias: Tensor,
    features: usize,
}

impl Layers for ResNet {
    fn forward(&self, x: &Tensor, train: bool) -> Output {
        let x = self.stem.forward(x, train).relu_();
        let x = self.blocks.iter().fold(x, |x, block| block.forward(&x, train));
        let features = x.mean_dim([2i64, 3].as_slice(), false, Kind::Float);
        let logits = features.linear(&self.weight, Some(&self.bias));
        tap("linear.weight", &self.weight, (&features, &logits), None);
        Output { logits, features }
    }

    fn features(&self) -> usize {
        self.features
    }
}

/// Two convolutions, and a projection where the block changes the map.
#[derive(Debug)]
struct Block {
    convs: [Conv; 2],
    shortcut: Option<Conv>,
}

impl Block {
    fn new(build: &mut Builder<'_>, name: &str, input: i64, output: i64, stride: i64) -> Self {
        let mut conv =
            |conv: &str, norm: &str, shape| build.conv(&format!("{name}.{conv}"), &format!("{name}.{norm}"), shape);
        let convs = [conv("conv1", "bn1", (input, output, 3, stride)), conv("conv2", "bn2", (output, output, 3, 1))];
        let fits = stride == 1 && input == output;
        let shortcut = (!fits).then(|| conv("shortcut.0", "shortcut.1", (input, output, 1, stride)));
        Self { convs, shortcut }
    }

    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let y = self.convs[1].forward(&self.convs[0].forward(x, train).relu_(), train);
        match &self.shortcut {
            Some(shortcut) => (y + shortcut.forward(x, train)).relu_(),
            None => (y + x).relu_(),
        }
    }
}

/// A convolution without bias and its batch norm.
#[derive(Debug)]
struct Conv {
    name: String,
    weight: Tensor,
    /// Kernel and stride.
    shape: (i64, i64),
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    var: Tensor,
}

impl Conv {
    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let (pad, stride) = (self.shape.0 / 2, self.shape.1);
        let y = x.conv2d(&self.weight, None::<&Tensor>, [stride; 2], [pad; 2], [1, 1], 1);
        tap(&self.name, &self.weight, (x, &y), Some((stride, pad, 1)));
        let (scale, shift) = (Some(&self.scale), Some(&self.shift));
        y.batch_norm(scale, shift, Some(&self.mean), Some(&self.var), train, 0.1, 1e-5, true)
    }
}

/// Tells who listens what passes a layer.
fn tap(name: &str, weight: &Tensor, (input, output): (&Tensor, &Tensor), conv: Option<(i64, i64, i64)>) {
    note_tap(|| Tap {
        weight: name.to_owned(),
        value: weight.shallow_clone(),
        input: input.shallow_clone(),
        output: output.shallow_clone(),
        conv,
    });
}

struct Builder<'a> {
    params: &'a mut Params,
    device: Device,
    rng: &'a mut Stream,
}

impl Builder<'_> {
    /// A parameter, uniform in `+-bound`.
    fn uniform(&mut self, name: &str, size: &[i64], bound: f64) -> Tensor {
        let n = size.iter().product::<i64>();
        let values = (0..n).map(|_| self.rng.gen_range(-bound..bound) as f32).collect::<Vec<_>>();
        self.params.add_on(name, &Tensor::from_slice(&values).view(size), self.device)
    }

    /// `shape` is input and output channels, kernel and stride.
    fn conv(&mut self, name: &str, norm: &str, (input, output, kernel, stride): (i64, i64, i64, i64)) -> Conv {
        let name = format!("{name}.weight");
        // kaiming-uniform with a = sqrt(5): bound = 1 / sqrt(fan in)
        let bound = 1.0 / ((input * kernel * kernel) as f64).sqrt();
        let weight = self.uniform(&name, &[output, input, kernel, kernel], bound);
        let cpu = (Kind::Float, Device::Cpu);
        let (ones, zeros) = (Tensor::ones([output], cpu), Tensor::zeros([output], cpu));
        Conv {
            name,
            weight,
            shape: (kernel, stride),
            scale: self.params.add_on(&format!("{norm}.weight"), &ones, self.device),
            shift: self.params.add_on(&format!("{norm}.bias"), &zeros, self.device),
            mean: self.params.add_buffer(&format!("{norm}.running_mean"), &zeros, self.device),
            var: self.params.add_buffer(&format!("{norm}.running_var"), &ones, self.device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_parameters_of_the_competition_and_keeps_small_pictures_large() {
        let net = resnet18(1.0, 10, Device::Cpu, Streams::new(42)).unwrap();
        assert_eq!(net.params().count(), 11_173_962);
        let net = resnet18(0.125, 10, Device::Cpu, Streams::new(42)).unwrap();
        let (out, taps) = net.forward_tapped(&Tensor::zeros([2, 3, 32, 32], (Kind::Float, Device::Cpu)));
        assert_eq!((out.logits.size(), out.features.size()), (vec![2, 10], vec![2, 64]));
        // the stem, two convolutions in each of eight blocks, three projections, the dense layer
        assert_eq!(taps.len(), 1 + 16 + 3 + 1);
        assert_eq!(taps[20 - 1].output.size(), [2, 64, 4, 4], "three strides of 2 make 4 of 32");
        assert!(resnet18(0.001, 10, Device::Cpu, Streams::new(0)).is_err());
    }
}
