//! How a picture of any size and aspect becomes one of the network's input size.

use super::resample::{Window, resample};
use crate::DataError;
use std::{fmt, str::FromStr};

/// What happens to the aspect of a picture. All three resize as Pillow's antialiased bilinear does, to the bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Resize {
    /// The whole picture, its aspect changed: `Resize((h, w))` of torchvision. The published way for GTSRB.
    #[default]
    Stretch,
    /// The whole picture in its aspect, in the middle, black around it: `ImageOps.pad` of Pillow.
    FitPad,
    /// The middle of the picture in its aspect: `Resize(shorter)`, then `CenterCrop((h, w))` of torchvision.
    CenterCrop {
        /// The shorter side before cropping; `None` is the smallest that fills the input.
        shorter: Option<usize>,
    },
}

impl fmt::Display for Resize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stretch => f.write_str("stretch"),
            Self::FitPad => f.write_str("fit-pad"),
            Self::CenterCrop { shorter: None } => f.write_str("center-crop"),
            Self::CenterCrop { shorter: Some(n) } => write!(f, "center-crop={n}"),
        }
    }
}

impl FromStr for Resize {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let shorter = text.strip_prefix("center-crop=").map(str::parse);
        match (text, shorter) {
            ("stretch", _) => Ok(Self::Stretch),
            ("fit-pad", _) => Ok(Self::FitPad),
            ("center-crop", _) => Ok(Self::CenterCrop { shorter: None }),
            (_, Some(Ok(n))) => Ok(Self::CenterCrop { shorter: Some(n) }),
            _ => Err(DataError::Unknown {
                what: "resize policy",
                given: text.to_owned(),
                known: "stretch, fit-pad, center-crop, center-crop=SHORTER_SIDE".to_owned(),
            }),
        }
    }
}

/// The input size of a network, and how pictures are brought to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InputSize {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// What happens to the aspect.
    pub resize: Resize,
}

impl InputSize {
    /// The longest side of an input.
    pub const MOST: usize = 4096;

    /// A square of this side, filled with the whole picture.
    pub const fn square(side: usize) -> Self {
        Self { height: side, width: side, resize: Resize::Stretch }
    }

    /// Bytes of one picture.
    pub const fn stride(&self) -> usize {
        self.height * self.width * 3
    }

    /// Checks the sides.
    ///
    /// # Errors
    /// When a side is 0 or above 4096, or the shorter side before cropping is below a side of the input.
    pub fn check(&self) -> Result<(), DataError> {
        let refuse = |given: usize, why| Err(DataError::Value { what: "input size", given: given.to_string(), why });
        for side in [self.height, self.width] {
            if side == 0 || side > Self::MOST {
                return refuse(side, "is not between 1 and 4096");
            }
        }
        match self.resize {
            Resize::CenterCrop { shorter: Some(n) } if n < self.height.max(self.width) => {
                refuse(n, "as shorter side before cropping is below a side of the input")
            }
            Resize::CenterCrop { shorter: Some(n) } if n > 4 * Self::MOST => {
                refuse(n, "as shorter side before cropping is above 16384")
            }
            _ => Ok(()),
        }
    }

    /// Writes a picture of height and width `size`, `height x width x 3`, at this input size into `out`.
    ///
    /// # Panics
    /// When `out` or `pixels` has another length, or a side is 0.
    pub fn place(&self, pixels: &[u8], size: (usize, usize), out: &mut [u8]) {
        assert_eq!(out.len(), self.stride(), "one picture");
        let (height, width) = (self.height, self.width);
        match self.resize {
            Resize::Stretch => {
                out.copy_from_slice(&resample(pixels, size, &Window::whole((height, width))));
            }
            Resize::CenterCrop { shorter } => {
                let (h, w) = covering(size, (height, width), shorter);
                let (top, left) = (middle(h - height), middle(w - width));
                let window = Window { size: (h, w), rows: top..top + height, cols: left..left + width };
                out.copy_from_slice(&resample(pixels, size, &window));
            }
            Resize::FitPad => {
                let (h, w) = inside(size, (height, width));
                let (top, left) = (middle(height - h), middle(width - w));
                let small = resample(pixels, size, &Window::whole((h, w)));
                out.fill(0);
                for (row, out) in small.chunks_exact(w * 3).zip(out.chunks_exact_mut(width * 3).skip(top)) {
                    out[left * 3..(left + w) * 3].copy_from_slice(row);
                }
            }
        }
    }
}

/// Half of the space left, a half rounded to the even side, as Python rounds.
fn middle(space: usize) -> usize {
    (space as f64 / 2.0).round_ties_even() as usize
}

/// The size in which a picture covers the input: its shorter side as asked for, the longer one rounded down.
fn covering((h, w): (usize, usize), (height, width): (usize, usize), shorter: Option<usize>) -> (usize, usize) {
    match shorter {
        Some(n) if h <= w => (n, n * w / h),
        Some(n) => (n * h / w, n),
        // wider than the input: its height decides
        None if w * height >= h * width => (height, height * w / h),
        None => (width * h / w, width),
    }
}

/// The largest size of a picture inside the input.
fn inside((h, w): (usize, usize), (height, width): (usize, usize)) -> (usize, usize) {
    let part = |of: usize, by: usize, side: usize, most: usize| {
        ((of as f64 / by as f64 * side as f64).round_ties_even() as usize).clamp(1, most)
    };
    if w * height > h * width { (part(h, w, width, height), width) } else { (height, part(w, h, height, width)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POLICIES: [Resize; 4] = [
        Resize::Stretch,
        Resize::FitPad,
        Resize::CenterCrop { shorter: None },
        Resize::CenterCrop { shorter: Some(40) },
    ];

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for policy in POLICIES {
            assert_eq!(policy.to_string().parse::<Resize>().unwrap(), policy);
        }
        for bad in ["", "crop", "center-crop=", "center-crop=-1", "Stretch"] {
            let e = bad.parse::<Resize>().unwrap_err().to_string();
            assert!(e.starts_with("unknown resize policy") && e.contains("fit-pad"), "{e}");
        }
    }

    #[test]
    fn sides_are_checked() {
        let input = |height, width, resize| InputSize { height, width, resize }.check().is_ok();
        assert!(input(1, 4096, Resize::Stretch) && !input(0, 3, Resize::FitPad) && !input(4097, 3, Resize::FitPad));
        let crop = |n| Resize::CenterCrop { shorter: Some(n) };
        assert!(input(20, 40, crop(40)) && !input(20, 40, crop(39)) && !input(2, 2, crop(usize::MAX)));
    }

    #[test]
    fn padding_is_black_and_around_the_middle() {
        let input = InputSize { height: 4, width: 8, resize: Resize::FitPad };
        let mut out = vec![9; input.stride()];
        input.place(&[200; 2 * 2 * 3], (2, 2), &mut out);
        let bright: Vec<bool> = out.chunks_exact(3).map(|p| p == [200; 3]).collect();
        let expected: Vec<bool> = (0..32).map(|i| (2..6).contains(&(i % 8))).collect();
        assert_eq!(bright, expected);
    }

    proptest! {
        #[test]
        fn any_size_goes_into_any_input(h in 1usize..300, w in 1usize..300, height in 1usize..40, width in 1usize..40) {
            for resize in POLICIES {
                let input = InputSize { height, width, resize };
                let mut out = vec![0; input.stride()];
                input.place(&[77; 3].repeat(h * w), (h, w), &mut out);
                prop_assert!(out.iter().all(|&v| v == 77 || (resize == Resize::FitPad && v == 0)));
                prop_assert!(out.contains(&77));
            }
        }
    }

    #[test]
    fn strips_cost_no_more_than_their_window() {
        let input = InputSize { height: 224, width: 224, resize: Resize::CenterCrop { shorter: Some(256) } };
        let mut out = vec![0; input.stride()];
        for size in [(1, 60_000), (60_000, 1)] {
            input.place(&vec![5; 180_000], size, &mut out);
            assert!(out.iter().all(|&v| v == 5));
        }
    }
}
