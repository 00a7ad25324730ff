//! Knowledge gain: what share of a layer's directions carries signal.

use crate::{Factor, TuneError, Variant, evbmf, spectrum::singular_values};
use serde::{Deserialize, Serialize};

/// Fewer singular values than this say nothing: their noise cannot be told.
pub const LEAST_ROWS: usize = 4;

/// A weight as it is read from a network.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Its name.
    pub name: &'a str,
    /// `[out, in]` of a dense layer, `[out, in / groups, height, width]` of a convolution.
    pub shape: &'a [usize],
    /// Groups of a convolution; 1 for a dense layer.
    pub groups: usize,
    /// Its numbers in row-major order.
    pub values: &'a [f32],
}

/// One unfolding of a weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Knowledge gain S in [0, 1]: the sum of the signal's singular values over the largest of them, per row.
    pub gain: f64,
    /// Rank of the signal per row, in [0, 1].
    pub rank: f64,
    /// Largest over smallest singular value of the signal; 0 without signal.
    pub condition: f64,
}

/// Both unfoldings of a weight; `None` for one that can show nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerGain {
    /// The weight.
    pub name: String,
    /// A row per input channel.
    pub input: Option<Side>,
    /// A row per output channel.
    pub output: Option<Side>,
}

/// Reads a network's weights; weights of other than 2 or 4 dimensions are left out. `before` is the reading of the epoch
/// before, which stands in for a side that [`Variant::Upstream`] cannot read.
///
/// # Errors
/// When a shape does not fit its numbers. Weights that are not finite are the caller's to notice.
pub fn knowledge(
    layers: &[Layer<'_>],
    variant: Variant,
    before: Option<&[LayerGain]>,
) -> Result<Vec<LayerGain>, TuneError> {
    let read = layers.iter().filter(|l| l.shape.len() == 4 || (l.shape.len() == 2 && variant == Variant::Fixed));
    read.map(|layer| {
        let old = before.and_then(|b| b.iter().find(|g| g.name == layer.name));
        layer.gain(variant, old)
    })
    .collect()
}

impl Layer<'_> {
    /// Output channels, input channels of a group, numbers per kernel.
    fn dims(&self) -> Result<[usize; 3], TuneError> {
        let [out, of_group] = [self.shape[0], self.shape[1]];
        let kernel = self.shape[2..].iter().product::<usize>();
        if out * of_group * kernel != self.values.len() || self.groups == 0 || !out.is_multiple_of(self.groups) {
            let (name, values) = (self.name.to_owned(), self.values.len());
            return Err(TuneError::Shape { name, values, shape: self.shape.to_vec() });
        }
        Ok([out, of_group, kernel])
    }

    fn gain(&self, variant: Variant, before: Option<&LayerGain>) -> Result<LayerGain, TuneError> {
        let [out, of_group, kernel] = self.dims()?;
        // the published code knows nothing of groups
        let groups = if variant == Variant::Upstream { 1 } else { self.groups };
        let inputs = of_group * groups;
        let wide = self.values.iter().map(|&w| f64::from(w)).collect::<Vec<_>>();
        let out_spectrum = singular_values(&wide, out, of_group * kernel)?;
        let output = side(&out_spectrum, out, out, of_group * kernel, variant);
        let (in_rows, in_cols) = (inputs, out / groups * kernel);
        // a 1 x 1 convolution and a dense layer are one matrix and its transpose, a depthwise convolution one matrix alone
        let same = (groups == 1 && kernel == 1) || (of_group == 1 && groups == out);
        let in_spectrum = if same { out_spectrum } else { singular_values(&self.by_input(groups), in_rows, in_cols)? };
        let input = side(&in_spectrum, in_rows, in_rows, in_cols, variant);
        let keep = |found: Read, old: Option<Option<Side>>| match found {
            Read::Side(side) => Some(side),
            Read::TooSmall => None,
            Read::Failed => Some(old.flatten().unwrap_or_default()),
        };
        Ok(LayerGain {
            name: self.name.to_owned(),
            input: keep(input, before.map(|b| b.input)),
            output: keep(output, before.map(|b| b.output)),
        })
    }

    /// A row per input channel, with the outputs and kernels of its group; groups stand below each other.
    fn by_input(&self, groups: usize) -> Vec<f64> {
        let [out, of_group, kernel] = [self.shape[0], self.shape[1], self.shape[2..].iter().product::<usize>()];
        let per_group = out / groups;
        let mut rows = Vec::with_capacity(self.values.len());
        for group in 0..groups {
            for input in 0..of_group {
                for output in group * per_group..(group + 1) * per_group {
                    let at = (output * of_group + input) * kernel;
                    rows.extend(self.values[at..at + kernel].iter().map(|&w| f64::from(w)));
                }
            }
        }
        rows
    }
}

enum Read {
    Side(Side),
    TooSmall,
    Failed,
}

fn side(spectrum: &[f64], channels: usize, rows: usize, cols: usize, variant: Variant) -> Read {
    if variant == Variant::Fixed && rows.min(cols) < LEAST_ROWS {
        return Read::TooSmall;
    }
    match evbmf(spectrum, rows, cols, variant) {
        Some(factor) => Read::Side(measure(&factor, channels)),
        None => Read::Failed,
    }
}

fn measure(factor: &Factor, channels: usize) -> Side {
    let (Some(first), Some(last)) = (factor.kept.first(), factor.kept.last()) else { return Side::default() };
    let n = channels as f64;
    Side {
        gain: factor.kept.iter().sum::<f64>() / first / n,
        rank: factor.kept.len() as f64 / n,
        condition: first / last,
    }
}

/// Share of the sides without any signal, in [0, 1]: 1 for random weights, falling as structure appears.
///
/// # Errors
/// When there is no side at all.
pub fn silent_share(gains: &[LayerGain]) -> Result<f64, TuneError> {
    let sides = gains.iter().flat_map(|g| [g.input, g.output]).flatten();
    let (silent, all) = sides.fold((0usize, 0usize), |(z, n), s| (z + usize::from(s.gain.abs() < 1e-8), n + 1));
    if all == 0 {
        return Err(TuneError::NoLayers { rows: LEAST_ROWS });
    }
    Ok(silent as f64 / all as f64)
}
