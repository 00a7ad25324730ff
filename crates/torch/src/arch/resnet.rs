use super::layers::{BatchNorm, Builder, Conv, ConvShape, Linear};
use crate::model::Output;
use tch::Tensor;

/// Number of blocks of the four stages.
const BLOCKS_18: [usize; 4] = [2, 2, 2, 2];
const BLOCKS_50: [usize; 4] = [3, 4, 6, 3];
/// Output over inner channels of a bottleneck.
const EXPANSION: i64 = 4;

/// The residual networks of He et al. 2016, table 1, as torchvision has them: basic blocks (`ResNet`-18) or bottlenecks
/// with the stride in their 3x3 convolution (`ResNet`-50).
///
/// The stem is that for `ImageNet`, which the published work uses on small pictures as well: a 7x7 convolution of stride
/// 2 and a 3x3 maximum pool halve a 32x32 picture twice before the first block. Parameter names: `conv1, bn1,
/// layer{1..4}.{i}.{conv1,bn1,conv2,bn2,[conv3,bn3,]downsample.0,downsample.1}, fc`. Convolutions start kaiming-normal
/// (fan out).
#[derive(Debug)]
pub(crate) struct ResNet {
    conv: Conv,
    bn: BatchNorm,
    blocks: Vec<Block>,
    /// Blocks before each stage.
    before: [usize; 4],
    fc: Linear,
    features: usize,
}

#[derive(Debug)]
struct Block {
    convs: Vec<(Conv, BatchNorm)>,
    /// Where the block changes the map: a 1x1 convolution makes the shortcut fit.
    downsample: Option<(Conv, BatchNorm)>,
}

impl ResNet {
    pub(super) fn resnet18(build: &mut Builder<'_>, width: f64, classes: usize) -> Self {
        Self::new(build, width, classes, BLOCKS_18, |input, inner, stride| {
            vec![shape(input, inner, 3, stride), shape(inner, inner, 3, 1)]
        })
    }

    pub(super) fn resnet50(build: &mut Builder<'_>, width: f64, classes: usize) -> Self {
        Self::new(build, width, classes, BLOCKS_50, |input, inner, stride| {
            vec![shape(input, inner, 1, 1), shape(inner, inner, 3, stride), shape(inner, EXPANSION * inner, 1, 1)]
        })
    }

    /// `convolutions(input, inner, stride)` are those of one block.
    fn new(
        build: &mut Builder<'_>,
        width: f64,
        classes: usize,
        blocks: [usize; 4],
        convolutions: fn(i64, i64, i64) -> Vec<ConvShape>,
    ) -> Self {
        let scaled = |c: i64| ((c as f64 * width).round() as i64).max(4);
        let mut input = scaled(64);
        let conv = build.conv_fan_out("conv1", shape(3, input, 7, 2));
        let bn = build.batch_norm("bn1", input);
        let (mut all, mut before) = (Vec::new(), [0; 4]);
        for (stage, &count) in blocks.iter().enumerate() {
            before[stage] = all.len();
            for i in 0..count {
                let stride = if stage > 0 && i == 0 { 2 } else { 1 };
                let shapes = convolutions(input, scaled(64 << stage), stride);
                let output = shapes.last().map_or(input, |s| s.output);
                all.push(Block::new(
                    build,
                    &format!("layer{}.{i}", stage + 1),
                    &shapes,
                    shape(input, output, 1, stride),
                ));
                input = output;
            }
        }
        let fc = build.linear("fc", input, classes as i64);
        Self { conv, bn, blocks: all, before, fc, features: input as usize }
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Steps: the stem, then each block.
    pub(super) fn steps(&self) -> usize {
        self.blocks.len() + 1
    }

    pub(super) fn step_of(&self, tensor: &str) -> usize {
        let mut parts =
            tensor.strip_prefix("layer").unwrap_or_default().split('.').map_while(|p| p.parse::<usize>().ok());
        match (parts.next(), parts.next()) {
            (Some(stage), Some(block)) => self.before[stage - 1] + block + 1,
            _ if tensor.starts_with("fc") => self.steps(),
            _ => 0,
        }
    }

    pub(super) fn step(&self, i: usize, x: &Tensor, train: bool) -> Tensor {
        let Some(block) = i.checked_sub(1).map(|at| &self.blocks[at]) else {
            let x = self.bn.forward(&self.conv.forward(x), train).relu_();
            return x.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false);
        };
        block.forward(x, train)
    }

    /// The last map is averaged over its pixels.
    pub(super) fn head(&self, x: &Tensor) -> Output {
        let features = x.mean_dim([2i64, 3].as_slice(), false, None);
        Output { logits: self.fc.forward(&features), features }
    }
}

fn shape(input: i64, output: i64, kernel: i64, stride: i64) -> ConvShape {
    ConvShape { input, output, kernel, stride, groups: 1 }
}

impl Block {
    fn new(build: &mut Builder<'_>, name: &str, convolutions: &[ConvShape], shortcut: ConvShape) -> Self {
        // names are registered in torchvision's order
        let mut add = |conv: &str, bn: &str, of: ConvShape| {
            let conv = build.conv_fan_out(&format!("{name}.{conv}"), of);
            (conv, build.batch_norm(&format!("{name}.{bn}"), of.output))
        };
        let numbered = convolutions.iter().enumerate();
        let convs = numbered.map(|(at, &of)| add(&format!("conv{}", at + 1), &format!("bn{}", at + 1), of)).collect();
        let fits = shortcut.stride == 1 && shortcut.input == shortcut.output;
        let downsample = (!fits).then(|| add("downsample.0", "downsample.1", shortcut));
        Self { convs, downsample }
    }

    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let mut y = x.shallow_clone();
        for (at, (conv, bn)) in self.convs.iter().enumerate() {
            y = bn.forward(&conv.forward(&y), train);
            if at + 1 < self.convs.len() {
                y = y.relu_();
            }
        }
        match &self.downsample {
            Some((conv, bn)) => (y + bn.forward(&conv.forward(x), train)).relu_(),
            None => (y + x).relu_(),
        }
    }
}
