use crate::pack::{Lanes, Rows};
use crate::tile::{Isa, LANES, Lane, Portable, ROWS, Tile};
use rayon::prelude::*;

/// What to do with the tiles of one panel of 32 lanes, given in the order of the rows.
///
/// Implementations mark `tile` as `#[inline(always)]`, so that its loops over lanes are compiled with the vector
/// instructions of the kernel that calls it.
pub(crate) trait Visit: Send {
    /// Entries of rows `first..first + 12` against all lanes; rows past the end are infinite.
    fn tile(&mut self, first: usize, tile: &Tile);

    /// Whether the rows `first..first + 12` can matter at all; when not, their tile is not computed.
    #[inline(always)]
    fn wants(&self, _first: usize) -> bool {
        true
    }

    /// Called once after the last tile, in the same thread: the place to shrink what was collected.
    fn finish(&mut self) {}
}

/// Where the panels of 32 lanes come from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Packed beforehand, for several sweeps.
    Packed(&'a Lanes),
    /// Packed by the task that needs them: `row(i, out)` writes lane `i` of `n`.
    Fresh {
        /// Number of lanes.
        n: usize,
        /// Writes one lane.
        row: &'a (dyn Fn(usize, &mut [f32]) + Sync),
    },
}

/// Bytes of packed rows that stay in the second-level cache while several panels pass over them.
const BLOCK_BYTES: usize = 256 * 1024;

/// Gives every panel of `lanes` (one visitor each) the tiles of all `rows`.
///
/// An entry is `bias_r + sum_k rows[r][k] * lanes[l][k]`. Panels are independent and see their tiles in row order, so
/// the result does not depend on the number of threads.
pub(crate) fn sweep<V: Visit>(rows: &Rows, lanes: Source<'_>, visitors: &mut [V]) {
    let d = rows.dim();
    let chunk = (BLOCK_BYTES / (d * LANES * 4).max(1)).clamp(1, 16);
    let block = (BLOCK_BYTES / (d * ROWS * 4).max(1)).max(1);
    visitors.par_chunks_mut(chunk).enumerate().for_each(|(c, visitors)| {
        let first = c * chunk;
        let fresh;
        let panels = match lanes {
            Source::Packed(lanes) => lanes.panels(first..first + visitors.len()),
            Source::Fresh { n, row } => {
                let (start, end) = (first * LANES, n.min((first + visitors.len()) * LANES));
                fresh = Lanes::pack_here(end - start, d, |i, out| row(start + i, out));
                fresh.panels(0..visitors.len())
            }
        };
        let task = Task { rows, panels, block };
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                // SAFETY: the instructions were just detected
                return unsafe { avx512(&task, visitors) };
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                // SAFETY: the instructions were just detected
                return unsafe { avx2(&task, visitors) };
            }
        }
        // SAFETY: plain Rust
        unsafe { task.run::<Portable, V>(visitors) }
    });
}

struct Task<'a> {
    rows: &'a Rows,
    panels: &'a [Lane],
    block: usize,
}

impl Task<'_> {
    /// # Safety
    /// The processor must have the instructions of `I`.
    #[inline(always)]
    unsafe fn run<I: Isa, V: Visit>(&self, visitors: &mut [V]) {
        let (groups, d) = (self.rows.groups(), self.rows.dim());
        let mut tile = Tile::EMPTY;
        for start in (0..groups).step_by(self.block) {
            for (p, visitor) in visitors.iter_mut().enumerate() {
                let panel = &self.panels[p * d..(p + 1) * d];
                for g in start..groups.min(start + self.block) {
                    if !visitor.wants(g * ROWS) {
                        continue;
                    }
                    let (columns, bias) = self.rows.group(g);
                    // SAFETY: promised by the caller
                    unsafe { I::compute(bias, columns, panel, &mut tile) };
                    visitor.tile(g * ROWS, &tile);
                }
            }
        }
        visitors.iter_mut().for_each(V::finish);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn avx512<V: Visit>(task: &Task<'_>, visitors: &mut [V]) {
    // SAFETY: this function is entered only where the instructions exist
    unsafe { task.run::<crate::tile::Avx512, V>(visitors) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<V: Visit>(task: &Task<'_>, visitors: &mut [V]) {
    // SAFETY: this function is entered only where the instructions exist
    unsafe { task.run::<crate::tile::Avx2, V>(visitors) }
}
