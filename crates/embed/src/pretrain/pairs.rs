use super::ViewSettings;
use hybridrepair_core::Streams;
use hybridrepair_data::{Images, Normalization};
use hybridrepair_torch::{Device, Kind, Tensor};
use hybridrepair_train::{At, TrainError, shuffled_batches};

/// The pictures that an extractor learns from, as `uint8` where the network is: `n x h x w x 3`.
#[derive(Debug)]
pub struct Pictures {
    pixels: Tensor,
}

impl Pictures {
    /// Copies pictures of one size to a device, set by set.
    ///
    /// # Errors
    /// When there is none, sizes differ, or they do not fit into the device's memory.
    pub fn new(sets: &[&Images], device: Device) -> Result<Self, TrainError> {
        let sets = sets.iter().filter(|s| !s.is_empty()).collect::<Vec<_>>();
        let Some(first) = sets.first() else { return Err(TrainError::Empty("no picture".to_owned())) };
        let size = (first.height(), first.width());
        let mut parts = Vec::with_capacity(sets.len());
        for set in &sets {
            let (h, w) = (set.height(), set.width());
            if (h, w) != size {
                return Err(TrainError::Setting {
                    what: "pictures of",
                    given: format!("{h} x {w}"),
                    why: "stand beside others of another size",
                });
            }
            let n = set.len() as i64;
            let part = Tensor::f_from_slice(set.as_slice())?.f_view([n, h as i64, w as i64, 3])?;
            parts.push(part.f_to_device(device)?);
        }
        Ok(Self { pixels: Tensor::f_cat(&parts, 0)? })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.pixels.size()[0] as usize
    }

    /// Never true.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some of them, `n x 3 x h x w` in [0, 1].
    fn batch(&self, rows: &[usize]) -> Tensor {
        let rows = Tensor::from_slice(&rows.iter().map(|&r| r as i64).collect::<Vec<_>>());
        let chosen = self.pixels.index_select(0, &rows.to_device(self.pixels.device()));
        chosen.permute([0, 3, 1, 2]).to_kind(Kind::Float) / 255.0
    }
}

/// Pairs of random views in batches.
#[derive(Debug)]
pub struct PairData {
    pictures: Pictures,
    views: ViewSettings,
    normalization: Normalization,
    streams: Streams,
    batch_size: usize,
    batches: Vec<Vec<usize>>,
}

impl PairData {
    /// Pairs of views of these pictures.
    ///
    /// # Errors
    /// When a setting cannot be used, or there are fewer pictures than two.
    pub fn new(
        pictures: Pictures,
        views: ViewSettings,
        normalization: Normalization,
        batch_size: usize,
        streams: Streams,
    ) -> Result<Self, TrainError> {
        views.check()?;
        if batch_size < 2 {
            let why = "is below 2: a picture is told apart from the others of its batch";
            return Err(TrainError::Setting { what: "batch size", given: batch_size.to_string(), why });
        }
        if pictures.len() < 2 {
            return Err(TrainError::Empty("one picture cannot be told apart from others".to_owned()));
        }
        let batch_size = batch_size.min(pictures.len());
        Ok(Self { pictures, views, normalization, streams, batch_size, batches: Vec::new() })
    }

    /// Draws the order of an epoch; the last, smaller batch is left out.
    pub(super) fn begin_epoch(&mut self, epoch: usize) {
        let mut rng = self.streams.at("pretrain.order", epoch as u64, 0);
        self.batches = shuffled_batches(self.pictures.len(), self.batch_size, true, &mut rng);
    }

    /// Steps of the epoch.
    pub(super) fn steps(&self) -> usize {
        self.batches.len()
    }

    /// The rows of a step and two views of each, normalised, `n x 3 x h x w`; `None` when the epoch is over.
    pub(super) fn pair(&self, at: At) -> Option<(&[usize], Tensor, Tensor)> {
        let rows = self.batches.get(at.step)?;
        let pictures = self.pictures.batch(rows);
        let view = |second: bool| {
            let number = (at.step as u64) << 1 | u64::from(second);
            let mut rng = self.streams.at("pretrain.views", at.epoch as u64, number);
            self.views.view(&pictures, second, &self.normalization, &mut rng)
        };
        Some((rows, view(false), view(true)))
    }
}
