use super::layers::{BatchNorm, Builder, Conv, ConvShape, Linear};
use crate::model::Output;
use tch::Tensor;

/// Inner channels and number of blocks of the four stages.
const STAGES: [(i64, usize); 4] = [(64, 3), (128, 4), (256, 6), (512, 3)];
/// Output over inner channels of a block.
const EXPANSION: i64 = 4;

/// `ResNet`-50 (He et al. 2016, table 1) as torchvision has it, the stride in the 3x3 convolution of a block.
///
/// Parameter names as there: `conv1, bn1, layer{1..4}.{i}.{conv1,bn1,conv2,bn2,conv3,bn3,downsample.0,downsample.1}, fc`.
/// Convolutions start kaiming-normal (fan out).
#[derive(Debug)]
pub(crate) struct ResNet50 {
    conv: Conv,
    bn: BatchNorm,
    blocks: Vec<Bottleneck>,
    fc: Linear,
    features: usize,
}

#[derive(Debug)]
struct Bottleneck {
    convs: [(Conv, BatchNorm); 3],
    /// Where the block changes the map: a 1x1 convolution makes the shortcut fit.
    downsample: Option<(Conv, BatchNorm)>,
}

impl ResNet50 {
    pub(super) fn new(build: &mut Builder<'_>, width: f64, classes: usize) -> Self {
        let scaled = |c: i64| ((c as f64 * width).round() as i64).max(4);
        let mut input = scaled(64);
        let conv = build.conv_fan_out("conv1", ConvShape { input: 3, output: input, kernel: 7, stride: 2, groups: 1 });
        let bn = build.batch_norm("bn1", input);
        let mut blocks = Vec::new();
        for (stage, (channels, count)) in STAGES.into_iter().enumerate() {
            for i in 0..count {
                let stride = if stage > 0 && i == 0 { 2 } else { 1 };
                let name = format!("layer{}.{i}", stage + 1);
                blocks.push(Bottleneck::new(build, &name, input, scaled(channels), stride));
                input = EXPANSION * scaled(channels);
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
            (Some(stage), Some(block)) => STAGES[..stage - 1].iter().map(|s| s.1).sum::<usize>() + block + 1,
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

impl Bottleneck {
    fn new(build: &mut Builder<'_>, name: &str, input: i64, inner: i64, stride: i64) -> Self {
        let output = EXPANSION * inner;
        let shapes = [(input, inner, 1, 1), (inner, inner, 3, stride), (inner, output, 1, 1)];
        let mut at = 0;
        // names are registered in torchvision's order
        let convs = shapes.map(|(input, output, kernel, stride)| {
            at += 1;
            let shape = ConvShape { input, output, kernel, stride, groups: 1 };
            let conv = build.conv_fan_out(&format!("{name}.conv{at}"), shape);
            (conv, build.batch_norm(&format!("{name}.bn{at}"), output))
        });
        let downsample = (stride != 1 || input != output).then(|| {
            let shape = ConvShape { input, output, kernel: 1, stride, groups: 1 };
            let conv = build.conv_fan_out(&format!("{name}.downsample.0"), shape);
            (conv, build.batch_norm(&format!("{name}.downsample.1"), output))
        });
        Self { convs, downsample }
    }

    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let [(conv1, bn1), (conv2, bn2), (conv3, bn3)] = &self.convs;
        let y = bn1.forward(&conv1.forward(x), train).relu_();
        let y = bn2.forward(&conv2.forward(&y), train).relu_();
        let y = bn3.forward(&conv3.forward(&y), train);
        match &self.downsample {
            Some((conv, bn)) => (y + bn.forward(&conv.forward(x), train)).relu_(),
            None => (y + x).relu_(),
        }
    }
}
