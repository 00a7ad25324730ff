//! What a [`Similarity`](crate::Similarity) does with the tiles of its sweeps.

use crate::likeness::Likeness;
use crate::similarity::Change;
use crate::sweep::Visit;
use crate::tile::{LANES, Lane, ROWS, Tile};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the visitors of one panel share: its lanes and the rows of a sweep that is done in blocks.
#[derive(Clone, Copy)]
pub(crate) struct Pairs<'a> {
    /// Squared norms of the lanes, 0 past the end.
    pub(crate) lanes: [f32; LANES],
    /// Squared norms of all rows.
    pub(crate) rows: &'a [f32],
    /// The row with which the present block begins.
    pub(crate) start: usize,
    pub(crate) like: Likeness,
}

/// A visitor whose rows come in several sweeps.
pub(crate) trait InBlocks<'a>: Visit {
    fn pairs(&mut self) -> &mut Pairs<'a>;
}

macro_rules! in_blocks {
    ($($visitor:ident),*) => {$(
        impl<'a> InBlocks<'a> for $visitor<'a> {
            fn pairs(&mut self) -> &mut Pairs<'a> {
                &mut self.pairs
            }
        }
    )*};
}
in_blocks!(Lost, Keep, Above);

impl Pairs<'_> {
    /// Rows of a tile that exist, by their number in the whole and in the tile.
    #[inline(always)]
    fn of_tile(&self, first: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let first = self.start + first;
        (first..self.rows.len().min(first + ROWS)).zip(0..)
    }

    /// Squared distances of one row to the lanes. Product first, then the norms: the same in either order.
    #[inline(always)]
    fn squared(&self, row: usize, products: &[f32; LANES]) -> [f32; LANES] {
        let norm = self.rows[row];
        let mut out = [0.0; LANES];
        for l in 0..LANES {
            let s = (norm + self.lanes[l]) - 2.0 * products[l];
            out[l] = if s > 0.0 { s } else { 0.0 };
        }
        out
    }
}

/// Adds `weight * ([k - from]_+ - [k - to]_+)` for each lane.
#[inline(always)]
pub(crate) fn add(part: &mut [f32; LANES], like: &[f32; LANES], change: &Change) {
    for l in 0..LANES {
        let (before, now) = (like[l] - change.from, like[l] - change.to);
        let (before, now) = (if before > 0.0 { before } else { 0.0 }, if now > 0.0 { now } else { 0.0 });
        part[l] += change.weight * (before - now);
    }
}

/// Sums over the changes of all rows.
pub(crate) struct Lost<'a> {
    pub(crate) pairs: Pairs<'a>,
    pub(crate) changes: &'a [Change],
    /// From which squared distance on a change does not matter.
    pub(crate) reach: &'a [f32],
    pub(crate) sums: [f64; LANES],
}

impl Visit for Lost<'_> {
    #[inline(always)]
    fn tile(&mut self, first: usize, tile: &Tile) {
        let mut part = [0.0f32; LANES];
        for (row, r) in self.pairs.of_tile(first) {
            let squared = self.pairs.squared(row, &tile.0[r].0);
            let mut any = false;
            for l in 0..LANES {
                any |= squared[l] < self.reach[row];
            }
            if any {
                add(&mut part, &self.pairs.like.of(squared), &self.changes[row]);
            }
        }
        for l in 0..LANES {
            self.sums[l] += f64::from(part[l]);
        }
    }
}

/// All likenesses, row by row.
pub(crate) struct Keep<'a> {
    pub(crate) pairs: Pairs<'a>,
    pub(crate) out: Vec<Lane>,
}

impl Visit for Keep<'_> {
    #[inline(always)]
    fn tile(&mut self, first: usize, tile: &Tile) {
        for (row, r) in self.pairs.of_tile(first) {
            self.out.push(Lane(self.pairs.like.of(self.pairs.squared(row, &tile.0[r].0))));
        }
    }
}

/// Rows more like a lane than its floor.
pub(crate) struct Above<'a> {
    pub(crate) pairs: Pairs<'a>,
    pub(crate) floor: [f32; LANES],
    pub(crate) reach: [f32; LANES],
    pub(crate) found: Vec<Vec<(u32, f32)>>,
    /// How many this panel has found since it last said so.
    pub(crate) new: usize,
    /// How many all panels have found, and may find.
    pub(crate) count: &'a AtomicUsize,
    pub(crate) most: usize,
}

impl Above<'_> {
    /// How many a panel finds before it says so.
    const SAY: usize = 4096;

    /// Counts what was found; when all together are too many, drops it and looks for nothing any more.
    #[cold]
    fn say(&mut self) {
        if self.count.fetch_add(self.new, Ordering::Relaxed) + self.new > self.most {
            self.reach = [f32::NEG_INFINITY; LANES];
            self.found.iter_mut().for_each(|list| *list = Vec::new());
        }
        self.new = 0;
    }
}

impl Visit for Above<'_> {
    #[inline(always)]
    fn tile(&mut self, first: usize, tile: &Tile) {
        for (row, r) in self.pairs.of_tile(first) {
            let squared = self.pairs.squared(row, &tile.0[r].0);
            let mut any = false;
            for l in 0..LANES {
                any |= squared[l] < self.reach[l];
            }
            if any {
                let like = self.pairs.like.of(squared);
                for l in 0..LANES {
                    if like[l] > self.floor[l] {
                        self.found[l].push((row as u32, like[l]));
                        self.new += 1;
                    }
                }
            }
        }
        if self.new >= Self::SAY {
            self.say();
        }
    }

    fn finish(&mut self) {
        self.say();
        self.found.iter_mut().for_each(Vec::shrink_to_fit);
    }
}
