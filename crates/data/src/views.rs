//! Augmented views of pictures, for test-time augmentation and for training.

use crate::{AugMix, DataError, Images, Normalization, Normalizer, draw::unit};
use hybridrepair_core::{SampleId, Streams};
use rayon::prelude::*;
use std::{cell::RefCell, ops::Range, sync::Arc};

/// How views are made (`HybridRepair`, section 1.7).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewConfig {
    /// Augmented views of a picture, beside the clean one; at most 255.
    pub views: usize,
    /// Upper end of the strength of an operation: above 0.1, at most 10.
    pub severity: f64,
    /// Longest chain of operations, at least 1.
    pub max_depth: usize,
}

impl Default for ViewConfig {
    /// The published values: 8 views, severity 3, chains of up to 3.
    fn default() -> Self {
        Self { views: 8, severity: 3.0, max_depth: 3 }
    }
}

impl ViewConfig {
    fn check(self) -> Result<(), DataError> {
        let refuse = |what, given: String, why| Err(DataError::Value { what, given, why });
        if self.views > 255 {
            return refuse("views", self.views.to_string(), "is above 255");
        }
        if !(self.severity > 0.1 && self.severity <= 10.0) {
            return refuse("severity", self.severity.to_string(), "is not above 0.1 and at most 10");
        }
        if self.max_depth == 0 {
            return refuse("depth", self.max_depth.to_string(), "makes an empty chain");
        }
        Ok(())
    }
}

/// Makes view 0 = `pre(x)` and views `k >= 1` = `(1 - m) pre(x) + m pre(A(x))` with `m ~ U(0, 1)` and `A` a random chain.
///
/// The randomness of a view depends on the seed, the name, the epoch, the sample and the view, and on nothing else: any
/// thread count and any order of batches gives the same bits. Using one epoch throughout gives common random numbers.
#[derive(Clone, Debug)]
pub struct ViewMaker {
    images: Images,
    normalizer: Normalizer,
    config: ViewConfig,
    chain: AugMix,
    streams: Streams,
    name: String,
    keys: Option<Arc<[u64]>>,
}

thread_local! {
    /// Working space of a thread: the augmented picture and the chain's second buffer.
    static SCRATCH: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

impl ViewMaker {
    /// Views of these pictures.
    ///
    /// # Errors
    /// When a value of `config` or of `normalization` is out of range.
    pub fn new(
        images: Images,
        normalization: Normalization,
        config: ViewConfig,
        streams: Streams,
        name: &str,
    ) -> Result<Self, DataError> {
        config.check()?;
        let size = (images.height(), images.width());
        let chain = AugMix { size, severity: config.severity, max_depth: config.max_depth };
        let normalizer = Normalizer::new(normalization)?;
        Ok(Self { images, normalizer, config, chain, streams, name: name.to_owned(), keys: None })
    }

    /// Ties the randomness to the samples rather than to their rows, so that a sample's views are the same in every
    /// pool cut from one data set.
    ///
    /// # Errors
    /// When there is not one id per picture, or an id is 2^56 or above.
    pub fn keyed_by(mut self, ids: &[SampleId]) -> Result<Self, DataError> {
        if ids.len() != self.images.len() {
            return Err(DataError::Rows { what: "views", got: ids.len(), expected: self.images.len() });
        }
        if let Some(id) = ids.iter().find(|id| id.0 >> 56 != 0) {
            return Err(DataError::Value { what: "sample id", given: id.to_string(), why: "is 2^56 or above" });
        }
        self.keys = Some(ids.iter().map(|id| id.0).collect());
        Ok(self)
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The settings.
    pub fn config(&self) -> ViewConfig {
        self.config
    }

    /// Numbers of one view: `height * width * 3`.
    pub fn stride(&self) -> usize {
        self.images.stride()
    }

    /// Writes one view, `height x width x 3`; view 0 is the clean picture.
    ///
    /// # Panics
    /// When `image` or `view` does not exist, or `out` is not [`ViewMaker::stride`] long.
    pub fn view_into(&self, image: usize, view: usize, epoch: u64, out: &mut [f32]) {
        assert!(view <= self.config.views, "view {view} of {}", self.config.views);
        let clean = self.images.get(image);
        if view == 0 {
            self.normalizer.apply(clean, out);
            return;
        }
        let key = self.keys.as_ref().map_or(image as u64, |k| k[image]);
        let mut stream = self.streams.at(&self.name, epoch, (key << 8) | view as u64);
        SCRATCH.with_borrow_mut(|(changed, scratch)| {
            changed.resize(clean.len(), 0);
            let m = unit(&mut stream) as f32;
            self.chain.augment(clean, &mut stream, scratch, changed);
            self.normalizer.blend(clean, changed, m, out);
        });
    }

    /// Writes views of many pictures in parallel, `views x rows x height x width x 3`: all rows of the first view, then
    /// all rows of the next.
    ///
    /// # Panics
    /// When a row or a view does not exist, or `out` has another length.
    pub fn fill(&self, rows: &[usize], views: Range<usize>, epoch: u64, out: &mut [f32]) {
        let stride = self.stride();
        assert_eq!(out.len(), views.len() * rows.len() * stride, "views x rows x picture");
        out.par_chunks_mut(stride).with_min_len(8).enumerate().for_each(|(i, out)| {
            self.view_into(rows[i % rows.len()], views.start + i / rows.len(), epoch, out);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORM: Normalization = Normalization { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.25] };

    fn maker(n: usize) -> ViewMaker {
        let data = (0..n as u32 * 16 * 12 * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let images = Images::new(data, 16, 12).unwrap();
        ViewMaker::new(images, NORM, ViewConfig::default(), Streams::new(10), "views").unwrap()
    }

    fn bits(v: &[f32]) -> Vec<u32> {
        v.iter().map(|x| x.to_bits()).collect()
    }

    #[test]
    fn views_do_not_depend_on_threads_or_order() {
        let maker = maker(20);
        let rows: Vec<usize> = (0..20).collect();
        let stride = maker.stride();
        let run = |threads: usize| {
            let mut out = vec![0.0; 9 * 20 * stride];
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| maker.fill(&rows, 0..9, 0, &mut out));
            out
        };
        let one = run(1);
        assert_eq!(bits(&one), bits(&run(2)));
        assert_eq!(bits(&one), bits(&run(5)));
        let mut some = vec![0.0; 2 * 3 * stride];
        maker.fill(&[17, 3, 17], 4..6, 0, &mut some);
        for (i, (view, row)) in [(4, 17), (4, 3), (4, 17), (5, 17), (5, 3), (5, 17)].into_iter().enumerate() {
            let at = (view * 20 + row) * stride;
            assert_eq!(bits(&some[i * stride..(i + 1) * stride]), bits(&one[at..at + stride]));
        }
    }

    #[test]
    fn views_are_frozen() {
        // golden number: changing it changes every published result
        let maker = maker(20);
        let mut out = vec![0.0; 8 * 20 * maker.stride()];
        maker.fill(&(0..20).collect::<Vec<_>>(), 1..9, 0, &mut out);
        let hash = out
            .iter()
            .flat_map(|v| v.to_bits().to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        assert_eq!(hash, 0x116d_ff10_95e7_b61d, "{hash:#x}");
    }

    #[test]
    fn views_differ_between_views_epochs_and_seeds_and_the_clean_one_is_clean() {
        let maker = maker(4);
        let view = |m: &ViewMaker, row, view, epoch| {
            let mut out = vec![0.0; m.stride()];
            m.view_into(row, view, epoch, &mut out);
            bits(&out)
        };
        let mut clean = vec![0.0; maker.stride()];
        Normalizer::new(NORM).unwrap().apply(maker.images.get(2), &mut clean);
        assert_eq!(view(&maker, 2, 0, 7), bits(&clean));
        let same = (1..=8)
            .flat_map(|k| (0..4).map(move |r| (r, k)))
            .filter(|&(r, k)| view(&maker, r, k, 0) == view(&maker, r, k, 1));
        // chains of translations by 0 leave a picture as it is now and then
        assert!(same.count() <= 3);
    }

    #[test]
    fn keyed_views_follow_their_sample() {
        let all = maker(6);
        let part = ViewMaker { images: all.images.select(&[5, 2]), ..all.clone() };
        let part = part.keyed_by(&[SampleId(5), SampleId(2)]).unwrap();
        let (mut a, mut b) = (vec![0.0; all.stride()], vec![0.0; all.stride()]);
        for (row, of) in [(0, 5), (1, 2)] {
            part.view_into(row, 3, 0, &mut a);
            all.view_into(of, 3, 0, &mut b);
            assert_eq!(bits(&a), bits(&b));
        }
        assert!(all.clone().keyed_by(&[SampleId(1)]).is_err());
    }

    #[test]
    fn impossible_settings_are_refused() {
        let images = Images::new(vec![0; 12], 2, 2).unwrap();
        for config in [
            ViewConfig { views: 256, ..ViewConfig::default() },
            ViewConfig { severity: 0.1, ..ViewConfig::default() },
            ViewConfig { severity: f64::NAN, ..ViewConfig::default() },
            ViewConfig { max_depth: 0, ..ViewConfig::default() },
        ] {
            assert!(ViewMaker::new(images.clone(), NORM, config, Streams::new(0), "v").is_err(), "{config:?}");
        }
    }
}
