use crate::sweep::Visit;
use crate::tile::{LANES, Tile};

/// The `keep` lowest entries per lane, ties by lowest row, leaving out one row per lane.
pub(crate) struct TopK<F> {
    keep: usize,
    /// Entries at or above this cannot be among the lowest.
    below: [f32; LANES],
    /// The row that each lane leaves out; `u32::MAX` for none.
    skip: [u32; LANES],
    found: Vec<Vec<(f32, u32)>>,
    done: F,
}

impl<F> TopK<F> {
    /// `done(lane, entries)` receives the lowest entries of each lane, ascending, when the sweep ends.
    pub(crate) fn new(keep: usize, skip: [u32; LANES], done: F) -> Self {
        Self { keep, below: [f32::INFINITY; LANES], skip, found: Vec::new(), done }
    }

    #[cold]
    fn shrink(&mut self, lane: usize) {
        let found = &mut self.found[lane];
        if found.len() > self.keep {
            found.select_nth_unstable_by(self.keep - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            found.truncate(self.keep);
            // rows come in order: a later row with this very entry is a worse tie
            self.below[lane] = found[self.keep - 1].0;
        }
    }
}

impl<F: FnMut(usize, &[(f32, u32)]) + Send> Visit for TopK<F> {
    #[inline(always)]
    fn tile(&mut self, first: usize, tile: &Tile) {
        if self.found.is_empty() {
            self.found = std::iter::repeat_with(|| Vec::with_capacity(2 * self.keep)).take(LANES).collect();
        }
        for (r, values) in tile.0.iter().enumerate() {
            let row = (first + r) as u32;
            for l in values.below(&self.below) {
                if row != self.skip[l] {
                    self.found[l].push((values.0[l], row));
                    if self.found[l].len() == 2 * self.keep {
                        self.shrink(l);
                    }
                }
            }
        }
    }

    fn finish(&mut self) {
        for (l, mut found) in std::mem::take(&mut self.found).into_iter().enumerate() {
            found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            found.truncate(self.keep);
            (self.done)(l, &found);
        }
    }
}
