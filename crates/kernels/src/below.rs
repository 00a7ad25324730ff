use crate::sweep::Visit;
use crate::tile::{LANES, Tile};

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
        for (r, values) in tile.0.iter().enumerate() {
            for l in values.below(&self.below) {
                self.found.push(((first + r) as u32, l as u32, values.0[l]));
            }
        }
    }
}
