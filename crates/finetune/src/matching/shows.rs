//! How the pictures of a step come before the network: made anew each time, or taken from what a frozen trunk gave before.

use crate::Replay;
use hybridrepair_data::{Images, RandAugment};
use hybridrepair_torch::{Kind, Model, Tensor, Trunk, nhwc_tensor};
use hybridrepair_train::At;
use rand::Rng;
use rayon::prelude::*;
use std::{cell::RefCell, fmt::Debug};

/// Where a picture comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Source,
    Field,
}

/// How a picture of a step is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    pub(super) from: Origin,
    pub(super) row: usize,
    pub(super) strong: bool,
}

/// Brings pictures before the network.
pub(super) trait Shows: Debug {
    /// Network input; `purpose` names the randomness of the views.
    fn input(&self, shown: &[Shown], purpose: &str, at: At, model: &Model) -> Tensor;

    /// Logits for such an input.
    fn logits(&self, model: &Model, input: &Tensor, train: bool) -> Tensor;

    /// Source and field pictures.
    fn counts(&self) -> [usize; 2];

    /// Whether batch-norm statistics move in training, so that they can be estimated anew.
    fn moves_statistics(&self) -> bool;
}

/// Pictures that are varied anew in every step.
#[derive(Debug)]
pub(super) struct Pictures {
    pub(super) replay: Replay,
    pub(super) field: Images,
    pub(super) strong: RandAugment,
}

thread_local! {
    /// Working space of a thread.
    static SCRATCH: RefCell<[Vec<u8>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

impl Shows for Pictures {
    fn input(&self, shown: &[Shown], purpose: &str, at: At, model: &Model) -> Tensor {
        let (replay, field) = (&self.replay, &self.field);
        let (size, stride) = ((field.height(), field.width()), field.stride());
        let mut pixels = vec![0f32; shown.len() * stride];
        pixels.par_chunks_exact_mut(stride).zip(shown).enumerate().for_each(|(slot, (out, shown))| {
            let image = if shown.from == Origin::Source { &replay.source.images } else { field }.get(shown.row);
            let mut rng = replay.streams.at(purpose, at.epoch as u64, (at.step as u64) << 20 | slot as u64);
            if shown.strong {
                let apply = |scratch: &mut [Vec<u8>; 2]| {
                    self.strong.apply(image, size, &replay.normalizer, &mut rng, scratch, out);
                };
                SCRATCH.with_borrow_mut(apply);
            } else {
                replay.transform.apply(image, size, &replay.normalizer, &mut rng, out);
            }
        });
        nhwc_tensor(&pixels, size.0, size.1, model.device())
    }

    fn logits(&self, model: &Model, input: &Tensor, train: bool) -> Tensor {
        model.forward(input, train).logits
    }

    fn counts(&self) -> [usize; 2] {
        [self.replay.source.images.len(), self.field.len()]
    }

    fn moves_statistics(&self) -> bool {
        true
    }
}

/// What a frozen trunk gave to some views of each picture, `(views * n) x ...`: all of view 0, then all of view 1, and so on.
#[derive(Debug)]
pub struct KeptViews {
    /// The outputs.
    pub kept: Tensor,
    /// Pictures.
    pub n: usize,
}

impl KeptViews {
    /// Views of each picture.
    pub fn views(&self) -> usize {
        self.kept.size()[0] as usize / self.n.max(1)
    }

    /// Outputs of one view, `n x ...`.
    pub fn view(&self, view: usize) -> Tensor {
        self.kept.narrow(0, (view * self.n) as i64, self.n as i64)
    }

    fn row(&self, view: usize, row: usize) -> i64 {
        (view * self.n + row) as i64
    }
}

/// Views of all pictures behind a frozen trunk.
#[derive(Debug)]
pub struct Kept {
    /// Where the network is cut.
    pub trunk: std::rc::Rc<Trunk>,
    /// Weak views of source pictures.
    pub source: KeptViews,
    /// Weak views of field pictures.
    pub weak: KeptViews,
    /// Strong views of field pictures.
    pub strong: KeptViews,
}

/// [`Kept`] with the randomness by which views are drawn.
#[derive(Debug)]
pub(super) struct FromKept {
    pub(super) kept: Kept,
    pub(super) streams: hybridrepair_core::Streams,
}

impl Shows for FromKept {
    fn input(&self, shown: &[Shown], purpose: &str, at: At, _: &Model) -> Tensor {
        let mut rng = self.streams.at(purpose, at.epoch as u64, at.step as u64);
        // runs of one kind stay together, so that one look-up serves each
        let parts = shown.chunk_by(|a, b| (a.from, a.strong) == (b.from, b.strong)).map(|run| {
            let of = match (run[0].from, run[0].strong) {
                (Origin::Source, _) => &self.kept.source,
                (Origin::Field, false) => &self.kept.weak,
                (Origin::Field, true) => &self.kept.strong,
            };
            let rows = run.iter().map(|s| of.row(rng.gen_range(0..of.views()), s.row)).collect::<Vec<_>>();
            of.kept.index_select(0, &Tensor::from_slice(&rows)).to_kind(Kind::Float)
        });
        Tensor::cat(&parts.collect::<Vec<_>>(), 0)
    }

    fn logits(&self, model: &Model, input: &Tensor, _: bool) -> Tensor {
        self.kept.trunk.logits(model, input)
    }

    fn counts(&self) -> [usize; 2] {
        [self.kept.source.n, self.kept.weak.n]
    }

    fn moves_statistics(&self) -> bool {
        false
    }
}
