use super::{enhance, geometry, point};
use crate::draw::{below, coin, unit};
use hybridrepair_core::Stream;

/// One operation with its parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Stretches each channel to the full range.
    Autocontrast,
    /// Equalises each channel's histogram.
    Equalize,
    /// Keeps the top so many bits (0 to 8).
    Posterize(u32),
    /// Turns about the centre by whole degrees, counter-clockwise.
    Rotate(i32),
    /// Inverts values at or above the threshold (0 to 256).
    Solarize(u32),
    /// Samples row `y` at `x + l y`.
    ShearX(f64),
    /// Samples column `x` at `y + l x`.
    ShearY(f64),
    /// Samples at `x + t`: moves the picture left by `t` pixels.
    TranslateX(i32),
    /// Samples at `y + t`: moves the picture up by `t` pixels.
    TranslateY(i32),
    /// Blends with black: 0 gives black, 1 the picture.
    Brightness(f32),
    /// Blends with the grey of the mean luma.
    Contrast(f32),
    /// Blends with the grey picture.
    Color(f32),
    /// Blends with the smoothed picture.
    Sharpness(f32),
}

impl Op {
    /// Number of operations of `AugMix`; the blends are no part of it.
    pub const COUNT: usize = 9;

    /// Draws an `AugMix` operation uniformly and its strength `s ~ U(0.1, severity)`; rotations, shears and translations change
    /// sign with probability 1/2.
    pub fn draw(severity: f64, (height, width): (usize, usize), stream: &mut Stream) -> Self {
        let kind = below(stream, Self::COUNT);
        let s = 0.1 + (severity - 0.1) * unit(stream);
        let negative = coin(stream);
        let whole = |max: f64| (s * max / 10.0) as i32;
        let signed = |v: i32| if negative { -v } else { v };
        let shear = if negative { -s * 0.3 / 10.0 } else { s * 0.3 / 10.0 };
        match kind {
            0 => Self::Autocontrast,
            1 => Self::Equalize,
            2 => Self::Posterize((4 - whole(4.0)).max(0) as u32),
            3 => Self::Rotate(signed(whole(30.0))),
            4 => Self::Solarize((256 - whole(256.0)).max(0) as u32),
            5 => Self::ShearX(shear),
            6 => Self::ShearY(shear),
            7 => Self::TranslateX(signed(whole(width as f64 / 3.0))),
            _ => Self::TranslateY(signed(whole(height as f64 / 3.0))),
        }
    }

    /// Applies the operation to one picture of `height x width x 3` bytes.
    ///
    /// # Panics
    /// When `from` or `to` is not `height * width * 3` long.
    pub fn apply(self, (height, width): (usize, usize), from: &[u8], to: &mut [u8]) {
        assert!(from.len() == height * width * 3 && to.len() == from.len(), "a picture of the stated size");
        let size = (height, width);
        match self {
            Self::Autocontrast => point::autocontrast(from, to),
            Self::Equalize => point::equalize(from, to),
            Self::Posterize(bits) => point::posterize(bits, from, to),
            Self::Rotate(degrees) => geometry::rotate(degrees, size, from, to),
            Self::Solarize(threshold) => point::solarize(threshold, from, to),
            Self::ShearX(l) => geometry::shear_x(l, size, from, to),
            Self::ShearY(l) => geometry::shear_y(l, size, from, to),
            Self::TranslateX(t) => geometry::translate_x(t, size, from, to),
            Self::TranslateY(t) => geometry::translate_y(t, size, from, to),
            Self::Brightness(f) => enhance::brightness(f, from, to),
            Self::Contrast(f) => enhance::contrast(f, from, to),
            Self::Color(f) => enhance::color(f, from, to),
            Self::Sharpness(f) => enhance::sharpness(f, size, from, to),
        }
    }
}
