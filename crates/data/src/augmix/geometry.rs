//! Operations that move pixels.
//!
//! Pillow's affine transform with bilinear sampling: the centre of an output pixel is mapped into the input; outside the
//! picture the result is black, inside it is interpolated in `f64` between the four neighbours (clamped to the picture)
//! and *truncated* to a byte. The order of the floating-point operations is Pillow's, so the bytes are.

use std::sync::LazyLock;

type Size = (usize, usize);

/// `x' = m[0] x + m[1] y + m[2]`, `y' = m[3] x + m[4] y + m[5]`.
type Matrix = [f64; 6];

/// Interpolates along one axis.
fn lerp(a: f64, b: f64, d: f64) -> f64 {
    a + (b - a) * d
}

fn pixel(line: &[u8], x: usize) -> [f64; 3] {
    line[3 * x..].first_chunk::<3>().map_or([0.0; 3], |p| p.map(f64::from))
}

/// Two pixels of a line; most often they are neighbours and one look at the bounds does for both.
fn pair(line: &[u8], x0: usize, x1: usize) -> ([f64; 3], [f64; 3]) {
    match line[3 * x0..].first_chunk::<6>() {
        Some(&[a, b, c, d, e, f]) if x1 > x0 => ([a, b, c].map(f64::from), [d, e, f].map(f64::from)),
        _ => (pixel(line, x0), pixel(line, x1)),
    }
}

/// The centre of pixel `i`. (By way of `u32`: the machine converts that at once, and `usize` not.)
fn centre(i: usize) -> f64 {
    f64::from(i as u32) + 0.5
}

/// The two neighbours of a coordinate, clamped to `0..n`, and the distance from the first. `at` lies in [0, n).
fn neighbours(at: f64, n: usize) -> (usize, usize, f64) {
    let at = at - 0.5;
    // at >= -0.5: only the first half pixel rounds to -1
    if at < 0.0 {
        return (0, 0, at + 1.0);
    }
    let lo = at as i32;
    (lo as usize, (lo as usize + 1).min(n - 1), at - f64::from(lo))
}

fn affine(m: &Matrix, (height, width): Size, from: &[u8], to: &mut [u8]) {
    let (w, h) = (width as f64, height as f64);
    let stride = width * 3;
    for (y, out) in to.chunks_exact_mut(stride).enumerate() {
        let yo = centre(y);
        let (by_x, by_y) = (m[1] * yo, m[4] * yo);
        for (x, o) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let xo = centre(x);
            let (xi, yi) = (m[0] * xo + by_x + m[2], m[3] * xo + by_y + m[5]);
            if !(xi >= 0.0 && xi < w && yi >= 0.0 && yi < h) {
                *o = [0; 3];
                continue;
            }
            let (x0, x1, dx) = neighbours(xi, width);
            let (y0, y1, dy) = neighbours(yi, height);
            let (top, bottom) = (&from[y0 * stride..(y0 + 1) * stride], &from[y1 * stride..(y1 + 1) * stride]);
            let ((a, b), (c, d)) = (pair(top, x0, x1), pair(bottom, x0, x1));
            for k in 0..3 {
                o[k] = lerp(lerp(a[k], b[k], dx), lerp(c[k], d[k], dx), dy) as u8;
            }
        }
    }
}

/// Cosine and sine of whole degrees, rounded to 15 decimals as Pillow does.
static TURNS: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| {
    let rounded = |v: f64| format!("{v:.15}").parse().unwrap_or(v);
    (0..360).map(|d| f64::from(d).to_radians()).map(|a| (rounded(a.cos()), rounded(a.sin()))).collect()
});

/// Turns about the centre, counter-clockwise for positive degrees; the size stays.
pub(super) fn rotate(degrees: i32, size: Size, from: &[u8], to: &mut [u8]) {
    let turn = degrees.rem_euclid(360) as usize;
    if turn == 0 {
        to.copy_from_slice(from);
        return;
    }
    let (cos, sin) = TURNS[turn];
    // Pillow turns by minus the angle: sin(-a) = -sin(a), exactly
    let (a, b, d, e) = (cos, -sin, sin, cos);
    let (cx, cy) = (size.1 as f64 / 2.0, size.0 as f64 / 2.0);
    let c = a * -cx + b * -cy + 0.0 + cx;
    let f = d * -cx + e * -cy + 0.0 + cy;
    affine(&[a, b, c, d, e, f], size, from, to);
}

/// Samples row `y` at `x + l y`.
pub(super) fn shear_x(l: f64, size: Size, from: &[u8], to: &mut [u8]) {
    let (height, width) = size;
    let stride = width * 3;
    debug_assert_eq!(from.len(), height * stride);
    for (y, (out, line)) in to.chunks_exact_mut(stride).zip(from.chunks_exact(stride)).enumerate() {
        let shift = l * centre(y);
        for (x, o) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let xi = centre(x) + shift;
            if !(xi >= 0.0 && xi < width as f64) {
                *o = [0; 3];
                continue;
            }
            let (x0, x1, dx) = neighbours(xi, width);
            let (a, b) = pair(line, x0, x1);
            *o = [lerp(a[0], b[0], dx) as u8, lerp(a[1], b[1], dx) as u8, lerp(a[2], b[2], dx) as u8];
        }
    }
}

/// Samples column `x` at `y + l x`.
pub(super) fn shear_y(l: f64, size: Size, from: &[u8], to: &mut [u8]) {
    let (height, width) = size;
    let stride = width * 3;
    for (y, out) in to.chunks_exact_mut(stride).enumerate() {
        let yo = centre(y);
        for (x, o) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let yi = l * centre(x) + yo;
            if !(yi >= 0.0 && yi < height as f64) {
                *o = [0; 3];
                continue;
            }
            let (y0, y1, dy) = neighbours(yi, height);
            let (a, b) = (pixel(&from[y0 * stride..], x), pixel(&from[y1 * stride..], x));
            *o = [lerp(a[0], b[0], dy) as u8, lerp(a[1], b[1], dy) as u8, lerp(a[2], b[2], dy) as u8];
        }
    }
}

/// Moves each row left by `t` pixels (right when negative), with black behind it.
pub(super) fn translate_x(t: i32, (_, width): Size, from: &[u8], to: &mut [u8]) {
    let by = (t.unsigned_abs() as usize).min(width) * 3;
    for (out, line) in to.chunks_exact_mut(width * 3).zip(from.chunks_exact(width * 3)) {
        shift(t > 0, by, line, out);
    }
}

/// Moves the picture up by `t` pixels (down when negative), with black behind it.
pub(super) fn translate_y(t: i32, (height, width): Size, from: &[u8], to: &mut [u8]) {
    shift(t > 0, (t.unsigned_abs() as usize).min(height) * width * 3, from, to);
}

/// Drops the first (or last) `by` bytes and puts zeros at the other end.
fn shift(forward: bool, by: usize, from: &[u8], to: &mut [u8]) {
    let kept = from.len() - by;
    if forward {
        to[..kept].copy_from_slice(&from[by..]);
        to[kept..].fill(0);
    } else {
        to[by..].copy_from_slice(&from[..kept]);
        to[..by].fill(0);
    }
}
