use crate::{
    ArenaError,
    nets::{BatchNorm, Conv, Dense, Embed, Layer, Lstm, MeanPool, Net, Relu, Scale, Tanh},
    problems::{SIDE, STEPS, SYMBOLS, Splits, blob, chain, circle, pictures},
};
use hybridrepair_core::Streams;
use serde::{Deserialize, Serialize};

/// Classes of the built-in road signs.
const SIGNS: usize = 16;

/// A kind of task; its sample is in suite `tiny`, its variations are in suite `hidden`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Convolutions with batch normalisation on road signs.
    SignsCnn,
    /// A plain net on road signs.
    SignsMlp,
    /// Three Gaussians in the plane.
    Blob,
    /// Two rings in the plane.
    Circle,
    /// LSTM on random text.
    ChainLm,
    /// Ten layers of tanh.
    DeepTanh,
    /// Two rings, coordinates times 100.
    BadScale,
}

impl Family {
    /// All, in the order of the tables.
    pub const ALL: [Self; 7] =
        [Self::SignsCnn, Self::SignsMlp, Self::Blob, Self::Circle, Self::ChainLm, Self::DeepTanh, Self::BadScale];

    /// Name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignsCnn => "signs-cnn",
            Self::SignsMlp => "signs-mlp",
            Self::Blob => "blob",
            Self::Circle => "circle",
            Self::ChainLm => "chain-lm",
            Self::DeepTanh => "deep-tanh",
            Self::BadScale => "bad-scale",
        }
    }

    /// Passes over the data that the baseline is given when a target is calibrated.
    pub fn epochs(self) -> usize {
        match self {
            Self::SignsCnn => 20,
            Self::SignsMlp => 22,
            Self::Blob => 30,
            Self::Circle | Self::ChainLm => 48,
            Self::DeepTanh | Self::BadScale => 60,
        }
    }

    /// Default batch.
    pub(crate) fn batch(self) -> usize {
        if self == Self::ChainLm { 32 } else { 64 }
    }

    /// Hidden width and number of hidden layers of the sample.
    fn size(self) -> (usize, usize) {
        match self {
            Self::SignsCnn => (16, 3),
            Self::SignsMlp => (128, 2),
            Self::Blob | Self::BadScale => (64, 2),
            Self::Circle => (32, 2),
            Self::ChainLm => (64, 1),
            Self::DeepTanh => (32, 10),
        }
    }
}

/// A task of a family: the sample, or a variation of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// What it is like.
    pub family: Family,
    /// Width over that of the sample.
    pub width: f64,
    /// Layers more than the sample has.
    pub depth: i64,
    /// Share of training labels replaced by random ones.
    pub label_noise: f64,
    /// Factor of the inputs.
    pub input_scale: f32,
    /// Seed of the data.
    pub data_seed: u64,
}

impl Design {
    /// The sample of a family.
    pub fn sample(family: Family) -> Self {
        Self { family, width: 1.0, depth: 0, label_noise: 0.0, input_scale: 1.0, data_seed: 0 }
    }

    /// The net; none where nothing would be left of it.
    pub(crate) fn net(&self) -> Option<Net> {
        let (width, layers) = self.family.size();
        let width = (width as f64 * self.width).round() as usize;
        let layers = usize::try_from(layers as i64 + self.depth).ok().filter(|&n| n > 0)?;
        let mut scale: Vec<Box<dyn Layer>> = Vec::new();
        let factor = self.input_scale * if self.family == Family::BadScale { 100.0 } else { 1.0 };
        if factor != 1.0 {
            scale.push(Box::new(Scale(factor)));
        }
        Some(match self.family {
            Family::SignsCnn => {
                Net::new([scale, convolutions(width, layers)].into_iter().flatten().collect(), SIGNS, 1)
            }
            Family::SignsMlp => dense(scale, &[3 * SIDE * SIDE, width, SIGNS], layers, false),
            Family::Blob => dense(scale, &[2, width, 3], layers, false),
            Family::DeepTanh => dense(scale, &[2, width, 3], layers, true),
            Family::Circle | Family::BadScale => dense(scale, &[2, width, 2], layers, false),
            Family::ChainLm => language(scale, (SYMBOLS, STEPS), width, layers),
        })
    }

    /// Whether it is no larger than its sample.
    pub(crate) fn fits(&self) -> bool {
        let size = |design: &Self| design.net().map_or(usize::MAX, |net| net.layout().len());
        size(self) <= size(&Self::sample(self.family))
    }

    /// The data.
    pub(crate) fn splits(&self) -> Result<Splits, ArenaError> {
        let (mut splits, classes) = match self.family {
            Family::SignsCnn | Family::SignsMlp => (pictures(self.data_seed)?, SIGNS),
            Family::Blob | Family::DeepTanh => (blob(self.data_seed), 3),
            Family::Circle | Family::BadScale => (circle(self.data_seed), 2),
            Family::ChainLm => (chain(self.data_seed), SYMBOLS),
        };
        let mut stream = Streams::new(self.data_seed).named("arena.label-noise");
        splits.label_noise(self.label_noise, classes as u32, &mut stream);
        Ok(splits)
    }
}

/// Hidden layers between input and output of these widths.
fn dense(mut layers: Vec<Box<dyn Layer>>, &[input, width, output]: &[usize; 3], hidden: usize, tanh: bool) -> Net {
    for number in 0..hidden {
        layers.push(Box::new(Dense { input: if number == 0 { input } else { width }, output: width }));
        layers.push(if tanh { Box::new(Tanh) } else { Box::new(Relu) });
    }
    layers.push(Box::new(Dense { input: width, output }));
    Net::new(layers, output, 1)
}

/// Convolutions of doubling width, halving the side from the second to the third.
fn convolutions(width: usize, hidden: usize) -> Vec<Box<dyn Layer>> {
    let mut layers: Vec<Box<dyn Layer>> = Vec::new();
    let (mut side, mut input, mut output) = (SIDE, 3, width);
    for number in 0..hidden {
        let stride = if number == 1 || number == 2 { 2 } else { 1 };
        if number == 1 || number == 2 {
            output = 2 * input;
        }
        let conv = Conv { side, input, output, stride };
        side = conv.out_side();
        layers.push(Box::new(conv));
        layers.push(Box::new(BatchNorm { channels: output }));
        layers.push(Box::new(Relu));
        input = output;
    }
    layers.push(Box::new(MeanPool { cells: side * side, channels: output }));
    layers.push(Box::new(Dense { input: output, output: SIGNS }));
    layers
}

/// Embedding, LSTM layers, logits of the next symbol. `scale` multiplies the embedded symbols.
pub(crate) fn language(
    scale: Vec<Box<dyn Layer>>,
    (symbols, steps): (usize, usize),
    width: usize,
    hidden: usize,
) -> Net {
    let mut layers: Vec<Box<dyn Layer>> = vec![Box::new(Embed { symbols, width, steps })];
    layers.extend(scale);
    layers.extend((0..hidden).map(|_| Box::new(Lstm { input: width, width, steps }) as Box<dyn Layer>));
    layers.push(Box::new(Dense { input: width, output: symbols }));
    Net::new(layers, symbols, steps)
}
