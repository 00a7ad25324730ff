use super::canvas::{Canvas, SIDE, mix};
use super::dice::Dice;
use super::plane::{Point, direction};

/// A camera shaken along a line of `length` pixels.
pub(super) fn shaken(canvas: &Canvas, length: f32, dice: &mut Dice) -> Canvas {
    let (c, s) = direction(dice.between(0.0, 180.0));
    let taps = length as usize * 2 + 3;
    let offsets: Vec<Point> = (0..taps)
        .map(|k| {
            let along = length * ((k as f32 + 0.5) / taps as f32 - 0.5);
            (c * along, s * along)
        })
        .collect();
    canvas.averaged(&offsets)
}

/// The picture of a camera with `side` pixels a side, enlarged again: in blocks or smoothly.
pub(super) fn coarse(canvas: &Canvas, side: usize, blocks: bool) -> Canvas {
    const TAPS: usize = 4;
    let cell = SIDE as f32 / side as f32;
    let small: Vec<_> = (0..side * side)
        .map(|k| {
            let (x, y) = ((k % side) as f32, (k / side) as f32);
            let mut sum = [0.0f32; 3];
            for tap in 0..TAPS * TAPS {
                let dx = ((tap % TAPS) as f32 + 0.5) / TAPS as f32;
                let dy = ((tap / TAPS) as f32 + 0.5) / TAPS as f32;
                let c = canvas.at(((x + dx) * cell, (y + dy) * cell));
                sum = std::array::from_fn(|k| sum[k] + c[k]);
            }
            sum.map(|v| v / (TAPS * TAPS) as f32)
        })
        .collect();
    let at = |x: usize, y: usize| small[y.min(side - 1) * side + x.min(side - 1)];
    Canvas::from_fn(|(x, y)| {
        if blocks {
            return at((x / cell) as usize, (y / cell) as usize);
        }
        let (x, y) = ((x / cell - 0.5).max(0.0), (y / cell - 0.5).max(0.0));
        let (x0, y0) = (x as usize, y as usize);
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let top = mix(at(x0, y0), at(x0 + 1, y0), fx);
        mix(top, mix(at(x0, y0 + 1), at(x0 + 1, y0 + 1), fx), fy)
    })
}

/// Writes the picture as bytes, with sensor noise of standard deviation `noise`.
pub(super) fn expose(canvas: &Canvas, noise: f32, dice: &mut Dice, out: &mut [u8]) {
    let values = canvas.pixels().as_flattened();
    for (pair, bytes) in values.chunks(2).zip(out.chunks_mut(2)) {
        let draws = dice.normal_pair();
        for ((value, draw), byte) in pair.iter().zip(draws).zip(bytes) {
            // a cast to an integer saturates: 0 below, 255 above
            *byte = (value + noise * draw + 0.5) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    fn ramp() -> Canvas {
        Canvas::from_fn(|p| [4.0 * p.0, 4.0 * p.1, 100.0])
    }

    #[test]
    fn full_resolution_changes_nothing_and_a_coarse_picture_has_blocks() {
        assert_eq!(coarse(&Canvas::from_fn(|_| [7.0; 3]), 10, false).pixels()[500], [7.0; 3]);
        let blocks = coarse(&ramp(), 8, true);
        assert_eq!(blocks.pixels()[0], blocks.pixels()[3]);
        assert_ne!(blocks.pixels()[3], blocks.pixels()[4]);
        let smooth = coarse(&ramp(), 16, false);
        let close = |a: &[f32; 3], b: &[f32; 3]| a.iter().zip(b).all(|(x, y)| (x - y).abs() < 0.5);
        assert!(close(&smooth.pixels()[16 * SIDE + 16], &ramp().pixels()[16 * SIDE + 16]));
    }

    #[test]
    fn shaking_keeps_what_is_even() {
        let mut dice = Dice::new(Streams::new(0).named("test"));
        let blurred = shaken(&ramp(), 6.0, &mut dice);
        for (a, b) in blurred.pixels()[16 * SIDE + 16].iter().zip(ramp().pixels()[16 * SIDE + 16]) {
            assert!((a - b).abs() < 0.01);
        }
    }

    #[test]
    fn bytes_are_rounded_and_saturate() {
        let mut dice = Dice::new(Streams::new(0).named("test"));
        let mut out = vec![1u8; SIDE * SIDE * 3];
        expose(&Canvas::from_fn(|_| [-20.0, 99.6, 400.0]), 0.0, &mut dice, &mut out);
        assert_eq!(out[..3], [0, 100, 255]);
        assert_eq!(out[3069..], [0, 100, 255]);
    }
}
