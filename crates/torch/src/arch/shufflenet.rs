use super::layers::{BatchNorm, Builder, Conv, ConvShape, Linear};
use crate::model::Output;
use tch::Tensor;

/// Channels and units of the three stages; the first unit of a stage halves the map.
const STAGES: [(i64, usize); 3] = [(200, 4), (400, 8), (800, 4)];

/// `ShuffleNet` v1 with two groups (Zhang et al. 2018, table 1), for small pictures: a 1x1 stem and no first pool.
///
/// Parameter names: `conv1, bn1, layer{1..3}.{i}.{conv1,bn1,conv2,bn2,conv3,bn3}, linear`. Channels of another width
/// are rounded to multiples of 8, so that every group convolution divides evenly.
#[derive(Debug)]
pub(crate) struct ShuffleNetG2 {
    conv: Conv,
    bn: BatchNorm,
    units: Vec<Unit>,
    linear: Linear,
    features: usize,
}

#[derive(Debug)]
struct Unit {
    conv1: Conv,
    bn1: BatchNorm,
    /// Groups of the first convolution, which the shuffle mixes; 1 leaves the channels where they are.
    groups: i64,
    conv2: Conv,
    bn2: BatchNorm,
    conv3: Conv,
    bn3: BatchNorm,
    /// Whether the map is halved: then the input, pooled, is put beside the result instead of added to it.
    halves: bool,
}

impl ShuffleNetG2 {
    pub(super) fn new(build: &mut Builder<'_>, width: f64, classes: usize) -> Self {
        let scaled = |c: i64| ((c as f64 * width / 8.0).round() as i64).max(1) * 8;
        let mut input = scaled(24);
        let conv = build.conv("conv1", ConvShape { input: 3, output: input, kernel: 1, stride: 1, groups: 1 });
        let bn = build.batch_norm("bn1", input);
        let mut units = Vec::new();
        for (stage, (channels, count)) in STAGES.into_iter().enumerate() {
            // a stage is wider than the one before, at any width, so that the first unit has a branch
            let output = scaled(channels).max(input + 8);
            for i in 0..count {
                // the published network does not group the few channels of the stem
                let groups = if stage == 0 && i == 0 { 1 } else { 2 };
                let name = format!("layer{}.{i}", stage + 1);
                units.push(Unit::new(build, &name, input, output, groups, i == 0));
                input = output;
            }
        }
        let linear = build.linear("linear", input, classes as i64);
        Self { conv, bn, units, linear, features: input as usize }
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Steps: the stem, then each unit.
    pub(super) fn steps(&self) -> usize {
        self.units.len() + 1
    }

    pub(super) fn step_of(&self, tensor: &str) -> usize {
        let mut parts =
            tensor.strip_prefix("layer").unwrap_or_default().split('.').map_while(|p| p.parse::<usize>().ok());
        match (parts.next(), parts.next()) {
            (Some(stage), Some(unit)) => STAGES[..stage - 1].iter().map(|(_, count)| count).sum::<usize>() + unit + 1,
            _ if tensor.starts_with("linear") => self.steps(),
            _ => 0,
        }
    }

    pub(super) fn step(&self, i: usize, x: &Tensor, train: bool) -> Tensor {
        let Some(unit) = i.checked_sub(1).map(|at| &self.units[at]) else {
            return self.bn.forward(&self.conv.forward(x), train).relu_();
        };
        unit.forward(x, train)
    }

    /// The last map is averaged over its pixels.
    pub(super) fn head(&self, x: &Tensor) -> Output {
        let features = x.mean_dim([2i64, 3].as_slice(), false, None);
        Output { logits: self.linear.forward(&features), features }
    }
}

impl Unit {
    fn new(build: &mut Builder<'_>, name: &str, input: i64, output: i64, groups: i64, halves: bool) -> Self {
        let branch = if halves { output - input } else { output };
        let middle = branch / 4;
        let name = |part: &str| format!("{name}.{part}");
        let pointwise = |input, output, groups| ConvShape { input, output, kernel: 1, stride: 1, groups };
        let stride = if halves { 2 } else { 1 };
        Self {
            conv1: build.conv(&name("conv1"), pointwise(input, middle, groups)),
            bn1: build.batch_norm(&name("bn1"), middle),
            groups,
            conv2: build
                .conv(&name("conv2"), ConvShape { input: middle, output: middle, kernel: 3, stride, groups: middle }),
            bn2: build.batch_norm(&name("bn2"), middle),
            conv3: build.conv(&name("conv3"), pointwise(middle, branch, 2)),
            bn3: build.batch_norm(&name("bn3"), branch),
            halves,
        }
    }

    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let y = self.bn1.forward(&self.conv1.forward(x), train).relu_();
        let y = self.bn2.forward(&self.conv2.forward(&shuffle(&y, self.groups)), train).relu_();
        let y = self.bn3.forward(&self.conv3.forward(&y), train);
        if self.halves {
            // the pool counts the padding, as PyTorch's default does
            let shortcut = x.avg_pool2d([3, 3], [2, 2], [1, 1], false, true, None);
            Tensor::cat(&[y, shortcut], 1).relu_()
        } else {
            (y + x).relu_()
        }
    }
}

/// Channel `i` of group `g` becomes channel `i * groups + g`; the layout stays channels-last.
fn shuffle(x: &Tensor, groups: i64) -> Tensor {
    if groups == 1 {
        return x.shallow_clone();
    }
    let (_, c, h, w) = x.size4().expect("a batch of maps has four dimensions");
    // -1: a traced module must take any number of pictures
    let split = x.permute([0, 2, 3, 1]).reshape([-1, h, w, groups, c / groups]);
    split.transpose(3, 4).reshape([-1, h, w, c]).permute([0, 3, 1, 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn groups_are_interleaved() {
        let x = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([1, 6, 1, 1]);
        let y = shuffle(&x, 2).flatten(0, -1);
        assert_eq!(y, Tensor::from_slice(&[0f32, 3.0, 1.0, 4.0, 2.0, 5.0]));
    }
}
