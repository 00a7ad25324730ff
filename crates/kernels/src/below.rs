use crate::sweep::Visit;
use crate::tile::{LANES, ROWS, Tile};

/// Collects the entries below a bound per lane.
#[derive(Clone)]
pub(crate) struct Below {
    below: [f32; LANES],
    /// Row, lane and entry, in row order.
    pub(crate) found: Vec<(u32, u32, f32)>,
}

impl Below {
    pub(crate) fn new(below: [f32; LANES]) -> Self {
        Self { below, found: Vec::new() }
    }
}

impl Visit for Below {
    #[inline(always)]
    fn tile(&mut self, first: usize, tile: &Tile) {
        for r in 0..ROWS {
            let row = &tile.0[r].0;
            let mut any = false;
            for l in 0..LANES {
                any |= row[l] < self.below[l];
            }
            if any {
                for l in 0..LANES {
                    if row[l] < self.below[l] {
                        self.found.push(((first + r) as u32, l as u32, row[l]));
                    }
                }
            }
        }
    }
}
