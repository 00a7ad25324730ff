use crate::frame::Frame;
use crate::sweep::Visit;
use crate::tile::{LANES, ROWS, Tile};
use crate::{Points, squared_distance};

/// What all panels of a search share.
pub(crate) struct Context<'a> {
    pub(crate) x: Points<'a>,
    /// Squared core distances.
    pub(crate) core: &'a [f64],
    /// The same in the frame of the sweep.
    pub(crate) core_scaled: &'a [f32],
    pub(crate) component: &'a [u32],
    /// Relative error of the sweep.
    pub(crate) eps: f64,
}

/// The shortest mutual reachability edge of each lane to a row of another component, below a limit per lane.
pub(crate) struct Outside<'a> {
    context: &'a Context<'a>,
    points: &'a [u32],
    /// Entries at or above this cannot win.
    below: [f32; LANES],
    norm: [f32; LANES],
    /// Squared core distance of the lane: no edge is shorter.
    core: [f32; LANES],
    component: [u32; LANES],
    lowest: [f32; LANES],
    found: Vec<(u32, u32, f32)>,
    /// Squared weight and row, when there is one that may be below the limit.
    pub(crate) shortest: [Option<(f64, u32)>; LANES],
}

impl<'a> Outside<'a> {
    /// Lanes for some points; `limit` gives the squared weight above which an edge is of no use to a point.
    pub(crate) fn new(context: &'a Context<'a>, frame: &Frame, points: &'a [u32], limit: impl Fn(u32) -> f64) -> Self {
        let mut out = Self {
            context,
            points,
            below: [f32::NEG_INFINITY; LANES],
            norm: [0.0; LANES],
            core: [0.0; LANES],
            component: [0; LANES],
            lowest: [f32::INFINITY; LANES],
            found: Vec::new(),
            shortest: [None; LANES],
        };
        let mut buffer = vec![0.0; context.x.dim()];
        for (l, &i) in points.iter().enumerate() {
            out.norm[l] = frame.put(&context.x.row(i as usize), 1.0, &mut buffer);
            out.core[l] = context.core_scaled[i as usize];
            out.component[l] = context.component[i as usize];
            out.lowest[l] = frame.scaled(limit(i)).min(f64::from(f32::MAX)) as f32;
            out.below[l] = out.lowest[l] + out.slack(l) - out.norm[l];
        }
        out
    }

    /// How far above the lowest entry another one may lie and still be the shorter edge in truth.
    #[inline(always)]
    fn slack(&self, l: usize) -> f32 {
        self.context.eps as f32 * (8.0 * self.norm[l] + 6.0 * self.lowest[l])
    }

    #[inline(always)]
    fn note(&mut self, row: usize, l: usize, entry: f32) {
        let weight = (entry + self.norm[l]).max(self.context.core_scaled[row]);
        if weight - self.norm[l] >= self.below[l] {
            return;
        }
        self.found.push((row as u32, l as u32, weight));
        if weight < self.lowest[l] {
            self.lowest[l] = weight;
            self.below[l] = weight + self.slack(l) - self.norm[l];
            if weight + self.slack(l) < self.core[l] {
                // the edge weighs exactly the lane's core distance: none is shorter
                self.below[l] = f32::NEG_INFINITY;
            }
        }
    }
}

impl Visit for Outside<'_> {
    #[inline(always)]
    fn tile(&mut self, first: usize, tile: &Tile) {
        for r in 0..ROWS.min(self.context.component.len() - first) {
            let row = &tile.0[r].0;
            let component = self.context.component[first + r];
            let mut any = false;
            for l in 0..LANES {
                any |= row[l] < self.below[l] && component != self.component[l];
            }
            if any {
                for l in 0..LANES {
                    if row[l] < self.below[l] && component != self.component[l] {
                        self.note(first + r, l, row[l]);
                    }
                }
            }
        }
    }

    fn finish(&mut self) {
        let context = self.context;
        for (j, l, weight) in std::mem::take(&mut self.found) {
            let l = l as usize;
            if weight > self.lowest[l] + self.slack(l) {
                continue;
            }
            let (i, to) = (self.points[l] as usize, j as usize);
            let squared = squared_distance(&context.x.row(i), &context.x.row(to));
            let squared = squared.max(context.core[i]).max(context.core[to]);
            let better = |(s, t): (f64, u32)| squared.total_cmp(&s).then(j.cmp(&t)).is_lt();
            if self.shortest[l].is_none_or(better) {
                self.shortest[l] = Some((squared, j));
            }
        }
    }
}
