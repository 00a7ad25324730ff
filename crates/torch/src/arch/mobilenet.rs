use super::layers::{BatchNorm, Builder, Conv, ConvShape, Linear};
use crate::model::Output;
use tch::Tensor;

/// Output channels and stride of the 13 depthwise-separable blocks at width 1.
const BLOCKS: [(i64, i64); 13] = [
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
];

/// `MobileNet` v1 (Howard et al. 2017) in the variant for 32 x 32 pictures: stem of stride 1, 3,217,226 parameters at
/// width 1 and 10 classes, tensor names `conv1, bn1, layers.{0..12}.{conv1,bn1,conv2,bn2}, linear`.
#[derive(Debug)]
pub(crate) struct MobileNet {
    conv: Conv,
    bn: BatchNorm,
    blocks: Vec<Block>,
    linear: Linear,
    features: usize,
}

#[derive(Debug)]
struct Block {
    depthwise: Conv,
    bn1: BatchNorm,
    pointwise: Conv,
    bn2: BatchNorm,
}

impl MobileNet {
    pub(super) fn new(build: &mut Builder<'_>, width: f64, classes: usize) -> Self {
        let scaled = |c: i64| ((c as f64 * width).round() as i64).max(4);
        let mut input = scaled(32);
        let conv = build.conv("conv1", ConvShape { input: 3, output: input, kernel: 3, stride: 1, groups: 1 });
        let bn = build.batch_norm("bn1", input);
        let mut blocks = Vec::with_capacity(BLOCKS.len());
        for (i, (output, stride)) in BLOCKS.into_iter().enumerate() {
            let output = scaled(output);
            let name = |part: &str| format!("layers.{i}.{part}");
            blocks.push(Block {
                depthwise: build
                    .conv(&name("conv1"), ConvShape { input, output: input, kernel: 3, stride, groups: input }),
                bn1: build.batch_norm(&name("bn1"), input),
                pointwise: build.conv(&name("conv2"), ConvShape { input, output, kernel: 1, stride: 1, groups: 1 }),
                bn2: build.batch_norm(&name("bn2"), output),
            });
            input = output;
        }
        let linear = build.linear("linear", input, classes as i64);
        Self { conv, bn, blocks, linear, features: input as usize }
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Steps: the stem, then each block.
    pub(super) fn steps(&self) -> usize {
        self.blocks.len() + 1
    }

    pub(super) fn step_of(&self, tensor: &str) -> usize {
        let block =
            tensor.strip_prefix("layers.").and_then(|t| t.split('.').next()).and_then(|t| t.parse::<usize>().ok());
        match block {
            Some(block) => block + 1,
            None if tensor.starts_with("linear") => self.steps(),
            None => 0,
        }
    }

    pub(super) fn step(&self, i: usize, x: &Tensor, train: bool) -> Tensor {
        let Some(block) = i.checked_sub(1).map(|at| &self.blocks[at]) else {
            return self.bn.forward(&self.conv.forward(x), train).relu_();
        };
        let x = block.bn1.forward(&block.depthwise.forward(x), train).relu_();
        block.bn2.forward(&block.pointwise.forward(&x), train).relu_()
    }

    /// The last map is averaged over its pixels.
    pub(super) fn head(&self, x: &Tensor) -> Output {
        let features = x.mean_dim([2i64, 3].as_slice(), false, None);
        Output { logits: self.linear.forward(&features), features }
    }
}
