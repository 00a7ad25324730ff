use super::layers::{Builder, Conv, ConvShape, Linear};
use crate::model::Output;
use tch::Tensor;

/// Output channels of the convolutions; a pool of 2 stands before the third, fifth, eighth and eleventh, and at the end.
const CONVS: [i64; 13] = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];

/// Convolutions with a pool before them.
const POOLED: [usize; 4] = [2, 4, 7, 10];

/// Their places in torchvision's `features`, where rectifiers and pools count too.
const PLACES: [usize; 13] = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];

/// `VGG16` (Simonyan and Zisserman 2015, configuration D) for small pictures: the convolutions, one dense layer of 4,096
/// and the classifier, without the second dense layer, as the early-repair experiment has it. The last map is averaged
/// over its pixels; that of a 32 x 32 picture is one pixel.
///
/// Parameter names as in torchvision: `features.{0,2,5,...,28}`, then `classifier.0` and `classifier.2`.
#[derive(Debug)]
pub(crate) struct Vgg16 {
    convs: Vec<Conv>,
    dense: Linear,
    linear: Linear,
    features: usize,
}

impl Vgg16 {
    pub(super) fn new(build: &mut Builder<'_>, width: f64, classes: usize) -> Self {
        let scaled = |c: i64| ((c as f64 * width).round() as i64).max(4);
        let mut input = 3;
        let mut convs = Vec::with_capacity(CONVS.len());
        for (channels, place) in CONVS.into_iter().zip(PLACES) {
            let output = scaled(channels);
            let shape = ConvShape { input, output, kernel: 3, stride: 1, groups: 1 };
            convs.push(build.conv_with_bias(&format!("features.{place}"), shape));
            input = output;
        }
        let hidden = scaled(4096);
        let dense = build.linear("classifier.0", input, hidden);
        let linear = build.linear("classifier.2", hidden, classes as i64);
        Self { convs, dense, linear, features: hidden as usize }
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Steps: the convolutions, each with its pool, and the dense layer.
    pub(super) fn steps(&self) -> usize {
        self.convs.len() + 1
    }

    pub(super) fn step_of(&self, tensor: &str) -> usize {
        let place = tensor.strip_prefix("features.").and_then(|t| t.split('.').next()).and_then(|t| t.parse().ok());
        match place.and_then(|place: usize| PLACES.iter().position(|p| *p == place)) {
            Some(at) => at,
            None if tensor.starts_with("classifier.0") => self.convs.len(),
            None => self.steps(),
        }
    }

    pub(super) fn step(&self, i: usize, x: &Tensor) -> Tensor {
        let halved = |x: &Tensor| x.max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false);
        let Some(conv) = self.convs.get(i) else {
            let pixel = halved(x).mean_dim([2i64, 3].as_slice(), false, None);
            return self.dense.forward(&pixel).relu();
        };
        // not in place: a tap keeps what comes out of the convolution
        if POOLED.contains(&i) { conv.forward(&halved(x)).relu() } else { conv.forward(x).relu() }
    }

    pub(super) fn head(&self, x: Tensor) -> Output {
        Output { logits: self.linear.forward(&x), features: x }
    }
}
