use super::layers::{BatchNorm, Builder, Conv, ConvShape, Linear};
use crate::model::Output;
use tch::Tensor;

/// Channels of the four stages, two basic blocks each.
const STAGES: [i64; 4] = [64, 128, 256, 512];

/// `ResNet`-18 (He et al. 2016, table 1) with the `ImageNet` stem, as the published work uses it on small pictures: a
/// 7x7 convolution of stride 2 and a 3x3 maximum pool halve a 32x32 picture twice before the first block.
///
/// Parameter names as in torchvision: `conv1, bn1, layer{1..4}.{0,1}.{conv1,bn1,conv2,bn2,downsample.0,downsample.1},
/// fc`. Convolutions start kaiming-normal (fan out), as there.
#[derive(Debug)]
pub(crate) struct ResNet18 {
    conv: Conv,
    bn: BatchNorm,
    blocks: Vec<Block>,
    fc: Linear,
    features: usize,
}

#[derive(Debug)]
struct Block {
    conv1: Conv,
    bn1: BatchNorm,
    conv2: Conv,
    bn2: BatchNorm,
    /// Where the block changes the map: a 1x1 convolution makes the shortcut fit.
    downsample: Option<(Conv, BatchNorm)>,
}

impl ResNet18 {
    pub(super) fn new(build: &mut Builder<'_>, width: f64, classes: usize) -> Self {
        let scaled = |c: i64| ((c as f64 * width).round() as i64).max(4);
        let mut input = scaled(64);
        let conv = build.conv_fan_out("conv1", ConvShape { input: 3, output: input, kernel: 7, stride: 2, groups: 1 });
        let bn = build.batch_norm("bn1", input);
        let mut blocks = Vec::with_capacity(2 * STAGES.len());
        for (stage, channels) in STAGES.into_iter().enumerate() {
            for i in 0..2 {
                let stride = if stage > 0 && i == 0 { 2 } else { 1 };
                let name = format!("layer{}.{i}", stage + 1);
                blocks.push(Block::new(build, &name, input, scaled(channels), stride));
                input = scaled(channels);
            }
        }
        let fc = build.linear("fc", input, classes as i64);
        Self { conv, bn, blocks, fc, features: input as usize }
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
            (Some(stage), Some(block)) => 2 * (stage - 1) + block + 1,
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

impl Block {
    fn new(build: &mut Builder<'_>, name: &str, input: i64, output: i64, stride: i64) -> Self {
        let three = |input, stride| ConvShape { input, output, kernel: 3, stride, groups: 1 };
        // names are registered in torchvision's order
        let conv1 = build.conv_fan_out(&format!("{name}.conv1"), three(input, stride));
        let bn1 = build.batch_norm(&format!("{name}.bn1"), output);
        let conv2 = build.conv_fan_out(&format!("{name}.conv2"), three(output, 1));
        let bn2 = build.batch_norm(&format!("{name}.bn2"), output);
        let downsample = (stride != 1 || input != output).then(|| {
            let shape = ConvShape { input, output, kernel: 1, stride, groups: 1 };
            let conv = build.conv_fan_out(&format!("{name}.downsample.0"), shape);
            (conv, build.batch_norm(&format!("{name}.downsample.1"), output))
        });
        Self { conv1, bn1, conv2, bn2, downsample }
    }

    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let y = self.bn1.forward(&self.conv1.forward(x), train).relu_();
        let y = self.bn2.forward(&self.conv2.forward(&y), train);
        match &self.downsample {
            Some((conv, bn)) => (y + bn.forward(&conv.forward(x), train)).relu_(),
            None => (y + x).relu_(),
        }
    }
}
