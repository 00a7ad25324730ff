use crate::pairs::add;
use crate::similarity::Change;
use crate::tile::{LANES, Lane, ROWS};
use rayon::prelude::*;

/// The likeness of all pairs: for each panel of 32 points that to every point.
pub(crate) struct Kept(pub(crate) Vec<Vec<Lane>>);

impl Kept {
    /// The likeness of all `n` points to one.
    pub(crate) fn column(&self, at: usize, n: usize) -> Vec<f32> {
        self.0.iter().flat_map(|panel| panel[at].0).take(n).collect()
    }

    /// The sums of [`Similarity::lost`](crate::Similarity::lost) for each panel.
    pub(crate) fn lost(&self, changes: &[Change]) -> Vec<[f64; LANES]> {
        self.0
            .par_iter()
            .map(|panel| {
                #[cfg(target_arch = "x86_64")]
                {
                    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                        // SAFETY: detected
                        return unsafe { lost_avx512(panel, changes) };
                    }
                    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                        // SAFETY: detected
                        return unsafe { lost_avx2(panel, changes) };
                    }
                }
                lost(panel, changes)
            })
            .collect()
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn lost_avx512(panel: &[Lane], changes: &[Change]) -> [f64; LANES] {
    lost(panel, changes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn lost_avx2(panel: &[Lane], changes: &[Change]) -> [f64; LANES] {
    lost(panel, changes)
}

#[inline(always)]
fn lost(panel: &[Lane], changes: &[Change]) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for group in changes.chunks(ROWS) {
        let mut part = [0.0; LANES];
        for change in group {
            add(&mut part, &panel[change.at as usize].0, change);
        }
        for l in 0..LANES {
            sums[l] += f64::from(part[l]);
        }
    }
    sums
}
