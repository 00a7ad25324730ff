//! Operations that map each value of a channel by itself.

type Table = [[u8; 256]; 3];
type Histogram = [[u32; 256]; 3];

const IDENTITY: [u8; 256] = {
    let mut table = [0; 256];
    let mut v = 0;
    while v < 256 {
        table[v] = v as u8;
        v += 1;
    }
    table
};

/// Counts the values of each channel.
fn histogram(pixels: &[u8]) -> Histogram {
    // two sets of counters: equal neighbours would otherwise wait for each other's store
    let mut even = [[0u32; 256]; 3];
    let mut odd = [[0u32; 256]; 3];
    let (pairs, rest) = pixels.as_chunks::<6>();
    for p in pairs {
        for c in 0..3 {
            even[c][p[c] as usize] += 1;
            odd[c][p[c + 3] as usize] += 1;
        }
    }
    for (c, &v) in rest.iter().enumerate() {
        even[c][v as usize] += 1;
    }
    for (e, o) in even.as_flattened_mut().iter_mut().zip(odd.as_flattened()) {
        *e += o;
    }
    even
}

fn map(table: &Table, from: &[u8], to: &mut [u8]) {
    let [r, g, b] = table;
    for (o, p) in to.as_chunks_mut::<3>().0.iter_mut().zip(from.as_chunks::<3>().0) {
        *o = [r[p[0] as usize], g[p[1] as usize], b[p[2] as usize]];
    }
}

/// Per channel `v -> trunc((v - lo) * 255 / (hi - lo))`, with the products in the order in which Pillow rounds them.
pub(super) fn autocontrast(from: &[u8], to: &mut [u8]) {
    let (mut lo, mut hi) = ([255u8; 3], [0u8; 3]);
    for p in from.as_chunks::<3>().0 {
        for c in 0..3 {
            lo[c] = lo[c].min(p[c]);
            hi[c] = hi[c].max(p[c]);
        }
    }
    let mut table = [IDENTITY; 3];
    for c in 0..3 {
        if hi[c] > lo[c] {
            let scale = 255.0 / f64::from(hi[c] - lo[c]);
            let offset = -f64::from(lo[c]) * scale;
            for v in lo[c]..=hi[c] {
                table[c][v as usize] = (f64::from(v) * scale + offset) as u8;
            }
        }
    }
    map(&table, from, to);
}

/// Per channel `lut[v] = (step / 2 + #{values below v}) / step`, `step = (all - count of the highest value) / 255`.
pub(super) fn equalize(from: &[u8], to: &mut [u8]) {
    let counts = histogram(from);
    let mut table = [IDENTITY; 3];
    for (h, lut) in counts.iter().zip(&mut table) {
        let highest = h.iter().rposition(|&n| n > 0).map_or(0, |v| h[v]);
        let step = (h.iter().sum::<u32>() - highest) / 255;
        // one value only: the sum is the highest value's count, the step 0
        if step > 0 {
            let mut below = step / 2;
            for (out, &n) in lut.iter_mut().zip(h) {
                *out = (below / step).min(255) as u8;
                below += n;
            }
        }
    }
    map(&table, from, to);
}

/// Keeps the top `bits` bits.
pub(super) fn posterize(bits: u32, from: &[u8], to: &mut [u8]) {
    let mask = 0xff00u32.wrapping_shr(bits.min(8)) as u8;
    for (o, &v) in to.iter_mut().zip(from) {
        *o = v & mask;
    }
}

/// Inverts values at or above the threshold.
pub(super) fn solarize(threshold: u32, from: &[u8], to: &mut [u8]) {
    let Some(last_kept) = threshold.min(256).checked_sub(1).map(|v| v as u8) else {
        to.iter_mut().zip(from).for_each(|(o, &v)| *o = !v);
        return;
    };
    for (o, &v) in to.iter_mut().zip(from) {
        *o = if v > last_kept { !v } else { v };
    }
}
