//! What the name of a training picture says.

use super::CLASSES;
use super::names::class_names;
use crate::bytes::format_error;
use crate::{DataError, Images, Whole};
use hybridrepair_core::ClassId;
use std::{fmt, path::Path};

/// A training picture by its name, `CCCCC/TTTTT_FFFFF.ppm`: class, track and frame, five digits each.
///
/// A track is a drive past one physical sign; its frames (30, in one case 29) show that sign from afar to close by.
/// Ordered as the names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame {
    /// The class.
    pub class: u32,
    /// The track within its class.
    pub track: u32,
    /// The frame within its track.
    pub frame: u32,
}

impl Frame {
    /// Reads a name like `00012/00003_00029.ppm`.
    pub fn parse(name: &str) -> Option<Self> {
        let (class, rest) = name.split_once('/')?;
        let (track, frame) = rest.strip_suffix(".ppm")?.split_once('_')?;
        let number = |digits: &str| {
            let plain = digits.len() == 5 && digits.bytes().all(|b| b.is_ascii_digit());
            if plain { digits.parse().ok() } else { None }
        };
        let frame = Self { class: number(class)?, track: number(track)?, frame: number(frame)? };
        ((frame.class as usize) < CLASSES).then_some(frame)
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}/{:05}_{:05}.ppm", self.class, self.track, self.frame)
    }
}

/// Training pictures with their names, in the order of the names.
#[derive(Clone, Debug)]
pub struct Frames {
    /// The pictures.
    pub images: Images,
    /// What each shows.
    pub frames: Vec<Frame>,
}

impl Frames {
    /// Puts pictures into the order of their names.
    pub(super) fn sorted(images: Images, frames: Vec<Frame>, source: &Path) -> Result<Self, DataError> {
        let mut order: Vec<usize> = (0..frames.len()).collect();
        order.sort_unstable_by_key(|&i| frames[i]);
        if let Some(twice) = order.windows(2).find(|w| frames[w[0]] == frames[w[1]]) {
            return Err(format_error(source, format!("{} stands twice", frames[twice[0]])));
        }
        if order.is_sorted() {
            return Ok(Self { images, frames });
        }
        Ok(Self { images: images.select(&order), frames: order.iter().map(|&i| frames[i]).collect() })
    }

    /// The same as a data set, without tracks.
    pub(super) fn into_whole(self) -> Whole {
        let labels = self.frames.iter().map(|f| ClassId(f.class)).collect();
        Whole { images: self.images, labels, class_names: class_names() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_none() {
        let name = "00042/00003_00029.ppm";
        let frame = Frame::parse(name).unwrap();
        assert_eq!((frame.class, frame.track, frame.frame, frame.to_string().as_str()), (42, 3, 29, name));
        for bad in [
            "",
            "00043/00003_00029.ppm",
            "0042/00003_00029.ppm",
            "00042/00003_00029.png",
            "00042/00003-00029.ppm",
            "00042/+0003_00029.ppm",
            "00000.ppm",
            "a/00042/00003_00029.ppm",
        ] {
            assert_eq!(Frame::parse(bad), None, "{bad}");
        }
    }
}
