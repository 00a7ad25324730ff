use crate::tile::{LANES, Lane, ROWS};
use rayon::prelude::*;
use std::ops::Range;

/// Rows packed in groups of 12, column by column, each with a number that starts its sums.
pub(crate) struct Rows {
    d: usize,
    groups: Vec<[f32; ROWS]>,
    bias: Vec<[f32; ROWS]>,
}

impl Rows {
    /// Packs `n` rows: `row(i, out)` writes the `d` numbers of row `i` and returns its bias.
    ///
    /// The rows that fill up the last group have an infinite bias, so that no minimum falls on them.
    pub(crate) fn pack(n: usize, d: usize, row: impl Fn(usize, &mut [f32]) -> f32 + Sync) -> Self {
        let mut groups = vec![[0.0; ROWS]; n.div_ceil(ROWS) * d];
        let mut bias = vec![[f32::INFINITY; ROWS]; n.div_ceil(ROWS)];
        groups.par_chunks_mut(d).zip(&mut bias).enumerate().for_each_init(
            || vec![0.0; d],
            |buffer, (g, (group, bias))| {
                for r in 0..ROWS.min(n - g * ROWS) {
                    bias[r] = row(g * ROWS + r, buffer);
                    for (column, &x) in group.iter_mut().zip(&*buffer) {
                        column[r] = x;
                    }
                }
            },
        );
        Self { d, groups, bias }
    }

    /// Columns.
    pub(crate) fn dim(&self) -> usize {
        self.d
    }

    /// Number of groups.
    pub(crate) fn groups(&self) -> usize {
        self.bias.len()
    }

    /// The columns of one group and its biases.
    #[inline(always)]
    pub(crate) fn group(&self, g: usize) -> (&[[f32; ROWS]], &[f32; ROWS]) {
        (&self.groups[g * self.d..(g + 1) * self.d], &self.bias[g])
    }
}

/// Points packed in panels of 32 lanes, column by column.
pub(crate) struct Lanes {
    d: usize,
    panels: Vec<Lane>,
}

impl Lanes {
    /// Packs `n` points: `row(i, out)` writes the `d` numbers of point `i`. Lanes without a point hold zeros.
    pub(crate) fn pack(n: usize, d: usize, row: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        let mut panels = vec![Lane([0.0; LANES]); n.div_ceil(LANES) * d];
        panels.par_chunks_mut(d).enumerate().for_each_init(
            || vec![0.0; d],
            |buffer, (p, panel)| {
                for l in 0..LANES.min(n - p * LANES) {
                    row(p * LANES + l, buffer);
                    for (column, &x) in panel.iter_mut().zip(&*buffer) {
                        column.0[l] = x;
                    }
                }
            },
        );
        Self { d, panels }
    }

    /// As [`Lanes::pack`] for a few panels, in the calling thread.
    pub(crate) fn pack_here(n: usize, d: usize, row: impl Fn(usize, &mut [f32])) -> Self {
        let mut panels = vec![Lane([0.0; LANES]); n.div_ceil(LANES) * d];
        let mut buffer = vec![0.0; d];
        for i in 0..n {
            row(i, &mut buffer);
            for (column, &x) in panels[i / LANES * d..].iter_mut().zip(&buffer) {
                column.0[i % LANES] = x;
            }
        }
        Self { d, panels }
    }

    /// Writes the numbers of one point.
    pub(crate) fn row(&self, i: usize, out: &mut [f32]) {
        let panel = &self.panels[i / LANES * self.d..(i / LANES + 1) * self.d];
        for (o, column) in out.iter_mut().zip(panel) {
            *o = column.0[i % LANES];
        }
    }

    /// The columns of some panels, one panel after the other.
    pub(crate) fn panels(&self, range: Range<usize>) -> &[Lane] {
        &self.panels[range.start * self.d..range.end * self.d]
    }
}
