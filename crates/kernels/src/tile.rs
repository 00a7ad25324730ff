//! The inner kernel: a tile of 12 rows by 32 lanes, one fused multiply-add chain per entry.

/// Lanes of a panel: two registers of 16.
pub(crate) const LANES: usize = 32;
/// Rows of a group: with two registers each, 24 accumulators.
pub(crate) const ROWS: usize = 12;

/// One number for each lane.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Lane(pub(crate) [f32; LANES]);

impl Lane {
    /// The lanes below their bound, one bit each. Most rows of a sweep have none, which costs two comparisons.
    #[inline(always)]
    pub(crate) fn below(&self, bound: &[f32; LANES]) -> Lanes32 {
        let mut any = false;
        for (v, b) in self.0.iter().zip(bound) {
            any |= v < b;
        }
        let mut bits = 0u32;
        if any {
            for (l, (v, b)) in self.0.iter().zip(bound).enumerate() {
                bits |= u32::from(v < b) << l;
            }
        }
        Lanes32(bits)
    }
}

/// A set of lanes, given in ascending order.
pub(crate) struct Lanes32(u32);

impl Iterator for Lanes32 {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let lane = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(lane)
    }
}

/// A tile of accumulators, rows by lanes.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Tile(pub(crate) [Lane; ROWS]);

impl Tile {
    /// Zeros, to be written over.
    pub(crate) const EMPTY: Self = Self([Lane([0.0; LANES]); ROWS]);
}

/// A set of vector instructions: writes `bias[r] + sum_k rows[k][r] * lanes[k][l]` to a tile.
///
/// All sets fuse and add in the order of `k`, so they agree to the last bit.
pub(crate) trait Isa {
    /// # Safety
    /// The processor must have the instructions.
    unsafe fn compute(bias: &[f32; ROWS], rows: &[[f32; ROWS]], lanes: &[Lane], tile: &mut Tile);
}

/// Plain Rust; the compiler uses what the target always has.
pub(crate) struct Portable;

/// One rounding where the target fuses cheaply, two elsewhere (old x86 without `FMA`).
#[inline(always)]
pub(crate) fn fused(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) { a.mul_add(b, c) } else { a * b + c }
}

impl Isa for Portable {
    #[inline(always)]
    unsafe fn compute(bias: &[f32; ROWS], rows: &[[f32; ROWS]], lanes: &[Lane], tile: &mut Tile) {
        for first in (0..ROWS).step_by(2) {
            let mut acc = [[bias[first]; LANES], [bias[first + 1]; LANES]];
            for (a, b) in rows.iter().zip(lanes) {
                for l in 0..LANES {
                    acc[0][l] = fused(a[first], b.0[l], acc[0][l]);
                    acc[1][l] = fused(a[first + 1], b.0[l], acc[1][l]);
                }
            }
            [tile.0[first].0, tile.0[first + 1].0] = acc;
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Isa, Lane, ROWS, Tile};
    use std::arch::x86_64::{
        _mm256_fmadd_ps, _mm256_load_ps, _mm256_set1_ps, _mm256_store_ps, _mm512_fmadd_ps, _mm512_load_ps,
        _mm512_set1_ps, _mm512_store_ps,
    };

    /// 512-bit registers.
    pub(crate) struct Avx512;

    impl Isa for Avx512 {
        #[inline(always)]
        unsafe fn compute(bias: &[f32; ROWS], rows: &[[f32; ROWS]], lanes: &[Lane], tile: &mut Tile) {
            // SAFETY: the caller promises the instructions
            unsafe { avx512(bias, rows, lanes, tile) }
        }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn avx512(bias: &[f32; ROWS], rows: &[[f32; ROWS]], lanes: &[Lane], tile: &mut Tile) {
        // SAFETY (loads and stores): a `Lane` is 128 bytes aligned to 64
        let mut acc = std::array::from_fn::<_, ROWS, _>(|r| [_mm512_set1_ps(bias[r]); 2]);
        for (a, b) in rows.iter().zip(lanes) {
            let p = b.0.as_ptr();
            let (lo, hi) = unsafe { (_mm512_load_ps(p), _mm512_load_ps(p.add(16))) };
            for r in 0..ROWS {
                let x = _mm512_set1_ps(a[r]);
                acc[r][0] = _mm512_fmadd_ps(x, lo, acc[r][0]);
                acc[r][1] = _mm512_fmadd_ps(x, hi, acc[r][1]);
            }
        }
        for (row, [lo, hi]) in tile.0.iter_mut().zip(acc) {
            let p = row.0.as_mut_ptr();
            unsafe {
                _mm512_store_ps(p, lo);
                _mm512_store_ps(p.add(16), hi);
            }
        }
    }

    /// 256-bit registers with fused multiply-add.
    pub(crate) struct Avx2;

    impl Isa for Avx2 {
        #[inline(always)]
        unsafe fn compute(bias: &[f32; ROWS], rows: &[[f32; ROWS]], lanes: &[Lane], tile: &mut Tile) {
            // SAFETY: the caller promises the instructions
            unsafe { avx2(bias, rows, lanes, tile) }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn avx2(bias: &[f32; ROWS], rows: &[[f32; ROWS]], lanes: &[Lane], tile: &mut Tile) {
        // 16 registers hold 6 rows of two halves: four passes of the tile
        for half in 0..2 {
            for first in [0, ROWS / 2] {
                // SAFETY (loads and stores): a `Lane` is 128 bytes aligned to 64; 16 * half + 15 < 32
                let mut acc = std::array::from_fn::<_, { ROWS / 2 }, _>(|r| [_mm256_set1_ps(bias[first + r]); 2]);
                for (a, b) in rows.iter().zip(lanes) {
                    let p = b.0[16 * half..].as_ptr();
                    let (lo, hi) = unsafe { (_mm256_load_ps(p), _mm256_load_ps(p.add(8))) };
                    for r in 0..ROWS / 2 {
                        let x = _mm256_set1_ps(a[first + r]);
                        acc[r][0] = _mm256_fmadd_ps(x, lo, acc[r][0]);
                        acc[r][1] = _mm256_fmadd_ps(x, hi, acc[r][1]);
                    }
                }
                for (r, [lo, hi]) in acc.into_iter().enumerate() {
                    let p = tile.0[first + r].0[16 * half..].as_mut_ptr();
                    unsafe {
                        _mm256_store_ps(p, lo);
                        _mm256_store_ps(p.add(8), hi);
                    }
                }
            }
        }
    }
}
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_instruction_sets_agree_to_the_last_bit() {
        let value = |i: usize| ((i * 2_654_435_761) % 1000) as f32 / 500.0 - 1.0;
        for depth in [0, 1, 2, 7, 64, 65] {
            let rows = (0..depth).map(|k| std::array::from_fn(|r| value(k * 31 + r))).collect::<Vec<[f32; ROWS]>>();
            let lanes = (0..depth).map(|k| Lane(std::array::from_fn(|l| value(k * 77 + l + 5)))).collect::<Vec<_>>();
            let bias = std::array::from_fn(value);
            let mut wide = Tile::EMPTY;
            for (r, row) in wide.0.iter_mut().enumerate() {
                for (l, x) in row.0.iter_mut().enumerate() {
                    *x = rows.iter().zip(&lanes).fold(bias[r], |sum, (a, b)| a[r].mul_add(b.0[l], sum));
                }
            }
            let bits = |t: &Tile| t.0.iter().flat_map(|row| row.0.map(f32::to_bits)).collect::<Vec<_>>();
            let mut tile = Tile::EMPTY;
            // SAFETY: plain Rust
            unsafe { Portable::compute(&bias, &rows, &lanes, &mut tile) };
            for (a, b) in tile.0.iter().flat_map(|r| r.0).zip(wide.0.iter().flat_map(|r| r.0)) {
                assert!((a - b).abs() < 1e-4);
            }
            #[cfg(target_arch = "x86_64")]
            {
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: detected
                    unsafe { Avx2::compute(&bias, &rows, &lanes, &mut tile) };
                    assert_eq!(bits(&tile), bits(&wide));
                }
                if is_x86_feature_detected!("avx512f") {
                    // SAFETY: detected
                    unsafe { Avx512::compute(&bias, &rows, &lanes, &mut tile) };
                    assert_eq!(bits(&tile), bits(&wide));
                }
            }
        }
    }
}
