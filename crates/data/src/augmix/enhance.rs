//! Operations that blend a picture with a degenerate version of itself: Pillow's `ImageEnhance`.

/// `ITU-R 601-2` luma in Pillow's fixed-point arithmetic.
fn luma(p: [u8; 3]) -> u8 {
    let [r, g, b] = p.map(u32::from);
    ((r * 19_595 + g * 38_470 + b * 7_471 + 0x8000) >> 16) as u8
}

/// `degenerate + factor * (value - degenerate)`, cut off towards zero and clipped.
fn blend(degenerate: u8, value: u8, factor: f32) -> u8 {
    let d = f32::from(degenerate);
    // a cast saturates, as Pillow clips
    (d + factor * (f32::from(value) - d)) as u8
}

/// Away from black: 0 is black, 1 the picture.
pub(super) fn brightness(factor: f32, from: &[u8], to: &mut [u8]) {
    for (o, &v) in to.iter_mut().zip(from) {
        *o = blend(0, v, factor);
    }
}

/// Away from the grey of the mean luma.
pub(super) fn contrast(factor: f32, from: &[u8], to: &mut [u8]) {
    let pixels = from.as_chunks::<3>().0;
    let sum = pixels.iter().map(|p| u64::from(luma(*p))).sum::<u64>();
    let mean = (sum as f64 / pixels.len().max(1) as f64 + 0.5) as u8;
    for (o, &v) in to.iter_mut().zip(from) {
        *o = blend(mean, v, factor);
    }
}

/// Away from the grey picture.
pub(super) fn color(factor: f32, from: &[u8], to: &mut [u8]) {
    for (o, p) in to.as_chunks_mut::<3>().0.iter_mut().zip(from.as_chunks::<3>().0) {
        let grey = luma(*p);
        *o = p.map(|v| blend(grey, v, factor));
    }
}

/// Away from the smoothed picture: weight 5 in the middle, 1 around, over 13; the border stays as it is.
pub(super) fn sharpness(factor: f32, (height, width): (usize, usize), from: &[u8], to: &mut [u8]) {
    to.copy_from_slice(from);
    let row = width * 3;
    for y in 1..height.saturating_sub(1) {
        for i in y * row + 3..(y + 1) * row - 3 {
            let around = [i - row - 3, i - row, i - row + 3, i - 3, i, i + 3, i + row - 3, i + row, i + row + 3];
            let sum = around.iter().map(|&j| u32::from(from[j])).sum::<u32>() + 4 * u32::from(from[i]);
            // nearest whole number, as Pillow's filter
            let smooth = ((2 * sum + 13) / 26) as u8;
            to[i] = blend(smooth, from[i], factor);
        }
    }
}
