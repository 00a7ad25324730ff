//! Batches of network input from pictures in memory, made in parallel.

use crate::{DataError, Images, Normalization, Normalizer, TrainTransform};
use hybridrepair_core::Streams;
use rayon::prelude::*;

/// Pictures per task: below this a thread's start costs more than its work.
const MIN_TASK: usize = 16;

/// Makes batches with the train transform.
///
/// The randomness of an input depends on the seed, the name, the epoch and its slot in the epoch (how many inputs came
/// before it), so batches are the same for any thread count, and a resumed epoch goes on with the same pictures.
#[derive(Clone, Debug)]
pub struct TrainBatches {
    images: Images,
    transform: TrainTransform,
    normalizer: Normalizer,
    streams: Streams,
    name: String,
}

impl TrainBatches {
    /// Batches of these pictures.
    ///
    /// # Errors
    /// When `normalization` is out of range, or the padding is above a side of the pictures.
    pub fn new(
        images: Images,
        normalization: Normalization,
        transform: TrainTransform,
        streams: Streams,
        name: &str,
    ) -> Result<Self, DataError> {
        if transform.padding > images.height().min(images.width()) {
            let (given, why) = (transform.padding.to_string(), "is above a side of the pictures");
            return Err(DataError::Value { what: "padding", given, why });
        }
        Ok(Self { images, transform, normalizer: Normalizer::new(normalization)?, streams, name: name.to_owned() })
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Numbers of one input: `height * width * 3`.
    pub fn stride(&self) -> usize {
        self.images.stride()
    }

    /// Writes the transformed pictures of `rows`, `rows x height x width x 3`; `first_slot` is the slot of `rows[0]`.
    ///
    /// # Panics
    /// When a row does not exist, or `out` has another length.
    pub fn fill(&self, rows: &[usize], epoch: u64, first_slot: u64, out: &mut [f32]) {
        assert_eq!(out.len(), rows.len() * self.stride(), "rows x picture");
        let size = (self.images.height(), self.images.width());
        out.par_chunks_mut(self.stride()).zip(rows).with_min_len(MIN_TASK).enumerate().for_each(|(i, (out, &row))| {
            let mut stream = self.streams.at(&self.name, epoch, first_slot + i as u64);
            self.transform.apply(self.images.get(row), size, &self.normalizer, &mut stream, out);
        });
    }
}

impl Normalizer {
    /// Writes the normalised pictures of `rows`, `rows x height x width x 3`, in parallel: the test transform of a batch.
    ///
    /// # Panics
    /// When a row does not exist, or `out` has another length.
    pub fn fill(&self, images: &Images, rows: &[usize], out: &mut [f32]) {
        assert_eq!(out.len(), rows.len() * images.stride(), "rows x picture");
        out.par_chunks_mut(images.stride())
            .zip(rows)
            .with_min_len(MIN_TASK)
            .for_each(|(out, &row)| self.apply(images.get(row), out));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORM: Normalization = Normalization { mean: [0.5; 3], std: [0.25; 3] };

    #[test]
    fn a_resumed_epoch_goes_on_with_the_same_inputs() {
        let images = Images::new((0..60 * 8 * 8 * 3).map(|i| (i % 253) as u8).collect(), 8, 8).unwrap();
        let b = TrainBatches::new(images, NORM, TrainTransform::PUBLISHED, Streams::new(1), "train").unwrap();
        let rows: Vec<usize> = (0..60).rev().collect();
        let mut whole = vec![0.0; 60 * b.stride()];
        rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| b.fill(&rows, 2, 0, &mut whole));
        let mut rest = vec![0.0; 20 * b.stride()];
        let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        three.install(|| b.fill(&rows[40..], 2, 40, &mut rest));
        assert_eq!(rest, whole[40 * b.stride()..]);
        b.fill(&rows[40..], 3, 40, &mut rest);
        assert_ne!(rest, whole[40 * b.stride()..]);
    }

    #[test]
    fn padding_beyond_the_picture_is_refused() {
        let images = Images::new(vec![0; 4 * 6 * 3], 4, 6).unwrap();
        let new = |padding| {
            let transform = TrainTransform { flip: true, padding };
            TrainBatches::new(images.clone(), NORM, transform, Streams::new(1), "train").is_ok()
        };
        assert!(new(4) && !new(5) && !new(usize::MAX));
    }

    #[test]
    fn without_changes_the_train_transform_is_the_test_transform() {
        let images = Images::new((0..7 * 4 * 5 * 3).map(|i| (i * 3 % 256) as u8).collect(), 4, 5).unwrap();
        let b = TrainBatches::new(images.clone(), NORM, TrainTransform::NONE, Streams::new(1), "train").unwrap();
        let (mut a, mut c) = (vec![0.0; 3 * 60], vec![0.0; 3 * 60]);
        b.fill(&[6, 0, 6], 0, 0, &mut a);
        Normalizer::new(NORM).unwrap().fill(&images, &[6, 0, 6], &mut c);
        assert_eq!(a, c);
    }
}
