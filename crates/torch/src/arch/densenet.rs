use super::layers::{BatchNorm, Builder, Conv, ConvShape, Linear};
use crate::model::Output;
use tch::Tensor;

/// Layers of the four dense blocks.
const BLOCKS: [usize; 4] = [6, 12, 24, 16];

/// Channels that each layer adds, at width 1.
const GROWTH: i64 = 32;

/// `DenseNet`-121 (Huang et al. 2017, table 1) with the `ImageNet` stem: a 7x7 convolution of stride 2 and a 3x3 maximum
/// pool.
///
/// Parameter names as in torchvision: `features.{conv0,norm0}, features.denseblock{1..4}.denselayer{1..}.{norm1,conv1,
/// norm2,conv2}, features.transition{1..3}.{norm,conv}, features.norm5, classifier`. Convolutions start kaiming-normal
/// (fan in), as there.
#[derive(Debug)]
pub(crate) struct DenseNet121 {
    stem: Conv,
    norm0: BatchNorm,
    parts: Vec<Part>,
    norm5: BatchNorm,
    linear: Linear,
    features: usize,
}

#[derive(Debug)]
enum Part {
    /// Adds channels to those that come in.
    Layer { norm1: BatchNorm, conv1: Conv, norm2: BatchNorm, conv2: Conv },
    /// Halves channels and sides.
    Transition { norm: BatchNorm, conv: Conv },
}

impl DenseNet121 {
    pub(super) fn new(build: &mut Builder<'_>, width: f64, classes: usize) -> Self {
        let growth = ((GROWTH as f64 * width).round() as i64).max(2);
        let shape = |input, output, kernel| ConvShape { input, output, kernel, stride: 1, groups: 1 };
        let mut channels = 2 * growth;
        let stem = build.conv_fan_in("features.conv0", ConvShape { stride: 2, ..shape(3, channels, 7) });
        let norm0 = build.batch_norm("features.norm0", channels);
        let mut parts = Vec::new();
        for (block, layers) in BLOCKS.into_iter().enumerate() {
            for layer in 0..layers {
                let name = |part: &str| format!("features.denseblock{}.denselayer{}.{part}", block + 1, layer + 1);
                parts.push(Part::Layer {
                    norm1: build.batch_norm(&name("norm1"), channels),
                    conv1: build.conv_fan_in(&name("conv1"), shape(channels, 4 * growth, 1)),
                    norm2: build.batch_norm(&name("norm2"), 4 * growth),
                    conv2: build.conv_fan_in(&name("conv2"), shape(4 * growth, growth, 3)),
                });
                channels += growth;
            }
            if block + 1 < BLOCKS.len() {
                let name = |part: &str| format!("features.transition{}.{part}", block + 1);
                parts.push(Part::Transition {
                    norm: build.batch_norm(&name("norm"), channels),
                    conv: build.conv_fan_in(&name("conv"), shape(channels, channels / 2, 1)),
                });
                channels /= 2;
            }
        }
        let norm5 = build.batch_norm("features.norm5", channels);
        let linear = build.linear("classifier", channels, classes as i64);
        Self { stem, norm0, parts, norm5, linear, features: channels as usize }
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Steps: the stem, then each layer and transition; the last norm belongs to the head.
    pub(super) fn steps(&self) -> usize {
        self.parts.len() + 1
    }

    pub(super) fn step_of(&self, tensor: &str) -> usize {
        let number = |text: &str| text.split('.').next().and_then(|t| t.parse::<usize>().ok());
        let before = |block: usize| BLOCKS[..block].iter().sum::<usize>() + block;
        if let Some(rest) = tensor.strip_prefix("features.denseblock")
            && let (Some(block), Some(layer)) = (number(rest), rest.split("denselayer").nth(1).and_then(number))
        {
            return before(block - 1) + layer;
        }
        if let Some(block) = tensor.strip_prefix("features.transition").and_then(number) {
            return before(block);
        }
        if tensor.starts_with("features.conv0") || tensor.starts_with("features.norm0") { 0 } else { self.steps() }
    }

    pub(super) fn step(&self, i: usize, x: &Tensor, train: bool) -> Tensor {
        let Some(part) = i.checked_sub(1).map(|at| &self.parts[at]) else {
            let x = self.norm0.forward(&self.stem.forward(x), train).relu_();
            return x.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false);
        };
        match part {
            Part::Layer { norm1, conv1, norm2, conv2 } => {
                let y = conv1.forward(&norm1.forward(x, train).relu_());
                let y = conv2.forward(&norm2.forward(&y, train).relu_());
                Tensor::cat(&[x, &y], 1)
            }
            Part::Transition { norm, conv } => {
                let y = conv.forward(&norm.forward(x, train).relu_());
                y.avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None)
            }
        }
    }

    /// The last map is averaged over its pixels.
    pub(super) fn head(&self, x: &Tensor, train: bool) -> Output {
        let features = self.norm5.forward(x, train).relu_().mean_dim([2i64, 3].as_slice(), false, None);
        Output { logits: self.linear.forward(&features), features }
    }
}
