//! The built-in road signs, 8 x 8.

use super::dataset::{Dataset, Splits};
use crate::ArenaError;
use hybridrepair_data::{Images, Labelled, SignsSpec, signs};

/// Side of a picture in the tasks.
pub(crate) const SIDE: usize = 8;

/// Training, target and holdout pictures.
const SIZES: (usize, usize, usize) = (1300, 500, 500);

/// Pictures of the training domain, channels scaled to mean 0 and deviation 1 by the training part.
pub(crate) fn pictures(seed: u64) -> Result<Splits, ArenaError> {
    let (train, target, holdout) = SIZES;
    let drawn = signs(&SignsSpec { seed, train, val: target + holdout, field: 0, holdout: 0 })?;
    let (mut train, mut val) = (small(&drawn.train), small(&drawn.val));
    for c in 0..Images::CHANNELS {
        let values = || train.inputs.iter().skip(c).step_by(Images::CHANNELS).map(|&v| f64::from(v));
        let n = (train.inputs.len() / Images::CHANNELS) as f64;
        let mean = values().sum::<f64>() / n;
        let deviation = (values().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        for data in [&mut train, &mut val] {
            let of_channel = data.inputs.iter_mut().skip(c).step_by(Images::CHANNELS);
            of_channel.for_each(|v| *v = ((f64::from(*v) - mean) / deviation) as f32);
        }
    }
    let (target, holdout) = val.split(target);
    Ok(Splits { train, target, holdout })
}

/// The mean of every block of pixels.
fn small(part: &Labelled) -> Dataset {
    let block = part.images.height() / SIDE;
    let mut inputs = Vec::with_capacity(part.images.len() * SIDE * SIDE * Images::CHANNELS);
    for i in 0..part.images.len() {
        let picture = part.images.get(i);
        for (y, x, c) in
            (0..SIDE).flat_map(|y| (0..SIDE).flat_map(move |x| (0..Images::CHANNELS).map(move |c| (y, x, c))))
        {
            let sum: u32 = (0..block * block)
                .map(|k| {
                    let (row, col) = (y * block + k / block, x * block + k % block);
                    u32::from(picture[(row * part.images.width() + col) * Images::CHANNELS + c])
                })
                .sum();
            inputs.push(sum as f32 / (block * block) as f32);
        }
    }
    let labels = part.labels.iter().map(|c| c.0).collect();
    Dataset { inputs, features: SIDE * SIDE * Images::CHANNELS, labels, places: 1 }
}
