//! Field pictures made worse, to see what a repair does under a shift that the source has not seen.

use crate::{DataError, Field, Images, draw::unit};
use hybridrepair_core::{Stream, Streams};
use image::{ExtendedColorType, codecs::jpeg::JpegEncoder};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What is done to a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Corruption {
    /// Gaussian noise on every channel of every pixel, of deviation 10 at severity 1 and 50 at 5 (of 255).
    Noise,
    /// A Gaussian blur, of deviation 0.5 pixels of a picture of 32 at severity 1 and 1.5 at 5, wider on larger ones.
    Blur,
    /// White haze in slow billows, hiding 25 % of the picture at severity 1 and 75 % at 5 on average.
    Fog,
    /// Drawn towards the mean of the picture, to 70 % of its contrast at severity 1 and 14 % at 5.
    Contrast,
    /// Written and read as a JPEG of quality 50 at severity 1 and 8 at 5.
    Jpeg,
}

/// A corruption and how strong it is: `noise`, or `noise=4`; the severity is 1 to 5, and 3 when it is not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Corrupt {
    /// What is done.
    pub kind: Corruption,
    /// From 1 to 5.
    pub severity: u8,
}

const NAMES: [(Corruption, &str); 5] = [
    (Corruption::Noise, "noise"),
    (Corruption::Blur, "blur"),
    (Corruption::Fog, "fog"),
    (Corruption::Contrast, "contrast"),
    (Corruption::Jpeg, "jpeg"),
];

impl FromStr for Corrupt {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let (name, severity) = text.split_once('=').unwrap_or((text, "3"));
        let kind = NAMES.iter().find(|(_, n)| *n == name).map(|(kind, _)| *kind).ok_or_else(|| {
            let known = NAMES.map(|(_, n)| n).join(", ");
            DataError::Unknown { what: "corruption", given: name.to_owned(), known }
        })?;
        let severity = severity.parse().ok().filter(|s| (1..=5).contains(s)).ok_or_else(|| DataError::Value {
            what: "severity",
            given: severity.to_owned(),
            why: "is not 1 to 5",
        })?;
        Ok(Self { kind, severity })
    }
}

impl TryFrom<String> for Corrupt {
    type Error = DataError;

    fn try_from(text: String) -> Result<Self, DataError> {
        text.parse()
    }
}

impl From<Corrupt> for String {
    fn from(c: Corrupt) -> Self {
        c.to_string()
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, name)| name);
        write!(f, "{name}={}", self.severity)
    }
}

impl Corrupt {
    /// Corrupts a split. What happens to a picture depends on the seed and on its id alone, so that a cut leaves it as it is.
    ///
    /// # Errors
    /// When the JPEG encoder fails.
    pub fn apply(self, field: &mut Field, seed: u64) -> Result<(), DataError> {
        let images = &field.images;
        let (size, stride) = ((images.height(), images.width()), images.stride());
        let streams = Streams::new(seed);
        let name = format!("corrupt.{self}");
        let mut data = images.as_slice().to_vec();
        data.par_chunks_exact_mut(stride)
            .zip(&field.ids)
            .try_for_each(|(picture, id)| self.picture(picture, size, &mut streams.at(&name, 0, id.0)))?;
        field.images = Images::new(data, size.0, size.1)?;
        Ok(())
    }

    fn picture(self, picture: &mut [u8], size: (usize, usize), stream: &mut Stream) -> Result<(), DataError> {
        let s = f64::from(self.severity);
        match self.kind {
            Corruption::Noise => {
                for p in picture {
                    *p = byte(f64::from(*p) + 10.0 * s * normal(stream));
                }
            }
            Corruption::Blur => {
                let sigma = (0.25 + 0.25 * s) * size.0.min(size.1) as f64 / 32.0;
                blur(picture, size, sigma);
            }
            Corruption::Fog => fog(picture, size, 0.125 + 0.125 * s, stream),
            Corruption::Contrast => {
                let mean = picture.iter().map(|&p| f64::from(p)).sum::<f64>() / picture.len() as f64;
                let keep = 0.84 - 0.14 * s;
                for p in picture {
                    *p = byte(mean + keep * (f64::from(*p) - mean));
                }
            }
            Corruption::Jpeg => jpeg(picture, size, [50, 34, 22, 14, 8][usize::from(self.severity) - 1])?,
        }
        Ok(())
    }
}

fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Standard normal by Box and Muller.
fn normal(stream: &mut Stream) -> f64 {
    let u = 1.0 - unit(stream);
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * unit(stream)).cos()
}

/// Separable Gaussian, edges repeated.
fn blur(picture: &mut [u8], (height, width): (usize, usize), sigma: f64) {
    let reach = (3.0 * sigma).ceil() as isize;
    let weights = (-reach..=reach).map(|d| (-((d * d) as f64) / (2.0 * sigma * sigma)).exp()).collect::<Vec<_>>();
    let total = weights.iter().sum::<f64>();
    let at = |y: usize, x: usize, c: usize| (y * width + x) * 3 + c;
    let moved = |i: usize, d: isize, n: usize| (i as isize + d).clamp(0, n as isize - 1) as usize;
    let mut rows = vec![0.0; picture.len()];
    for (y, x, c) in places(height, width) {
        let sum = weights.iter().zip(-reach..).map(|(w, d)| w * f64::from(picture[at(y, moved(x, d, width), c)]));
        rows[at(y, x, c)] = sum.sum::<f64>() / total;
    }
    for (y, x, c) in places(height, width) {
        let sum = weights.iter().zip(-reach..).map(|(w, d)| w * rows[at(moved(y, d, height), x, c)]);
        picture[at(y, x, c)] = byte(sum.sum::<f64>() / total);
    }
}

fn places(height: usize, width: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..height).flat_map(move |y| (0..width).flat_map(move |x| (0..3).map(move |c| (y, x, c))))
}

/// Mixes with white; how much varies over the picture as some slow waves.
fn fog(picture: &mut [u8], (height, width): (usize, usize), dense: f64, stream: &mut Stream) {
    let waves: [[f64; 3]; 4] = std::array::from_fn(|i| {
        let (angle, phase) = (std::f64::consts::TAU * unit(stream), std::f64::consts::TAU * unit(stream));
        let cycles = 0.7 * (i + 1) as f64;
        [cycles * angle.cos(), cycles * angle.sin(), phase]
    });
    for (i, pixel) in picture.chunks_exact_mut(3).enumerate() {
        let (y, x) = ((i / width) as f64 / height as f64, (i % width) as f64 / width as f64);
        let wave = waves.iter().map(|[a, b, phase]| (std::f64::consts::TAU * (a * x + b * y) + phase).cos());
        let t = (dense + 0.12 * wave.sum::<f64>() / 2.0).clamp(0.0, 0.95);
        for p in pixel {
            *p = byte(f64::from(*p) * (1.0 - t) + 235.0 * t);
        }
    }
}

fn jpeg(picture: &mut [u8], (height, width): (usize, usize), quality: u8) -> Result<(), DataError> {
    let failed = |_| DataError::Value { what: "pictures", given: format!("{width} x {height}"), why: "make no JPEG" };
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
    encoder.encode(picture, width as u32, height as u32, ExtendedColorType::Rgb8).map_err(failed)?;
    let read = image::load_from_memory_with_format(&file, image::ImageFormat::Jpeg).map_err(failed)?;
    picture.copy_from_slice(read.to_rgb8().as_raw());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, SampleId, SealedLabels};

    fn field(rows: &[u64]) -> Field {
        let picture = |id: u64| (0..32 * 32 * 3).map(move |p: u64| ((p * 7 + id * 31) % 200) as u8);
        let data = rows.iter().flat_map(|&id| picture(id)).collect();
        let labels = vec![ClassId::from(0); rows.len()];
        Field {
            images: Images::new(data, 32, 32).unwrap(),
            labels: SealedLabels::seal("field", labels),
            ids: rows.iter().map(|&id| SampleId(id)).collect(),
            conditions: None,
        }
    }

    fn damage(c: Corrupt) -> f64 {
        let (clean, mut worse) = (field(&[1, 2, 3]), field(&[1, 2, 3]));
        c.apply(&mut worse, 5).unwrap();
        let pairs = clean.images.as_slice().iter().zip(worse.images.as_slice());
        pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>()
    }

    #[test]
    fn severities_grow_and_pictures_do_not_depend_on_their_neighbours() {
        for (kind, name) in NAMES {
            let of = |severity| damage(Corrupt { kind, severity });
            assert!(
                (1..5).all(|s| of(s) < of(s + 1)) && of(1) > 0.0,
                "{name}: {:?}",
                (1..6).map(of).collect::<Vec<_>>()
            );
            let c: Corrupt = format!("{name}=2").parse().unwrap();
            let (mut all, mut one) = (field(&[7, 8, 9]), field(&[8]));
            c.apply(&mut all, 5).unwrap();
            c.apply(&mut one, 5).unwrap();
            assert_eq!(all.images.get(1), one.images.get(0), "{name}");
            assert_eq!(c.to_string(), format!("{name}=2"));
        }
        assert_eq!("fog".parse::<Corrupt>().unwrap().severity, 3);
        for wrong in ["", "rain", "fog=0", "fog=6", "fog=x"] {
            assert!(wrong.parse::<Corrupt>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_blur_keeps_the_mean_and_a_flat_picture() {
        let mut flat = vec![77u8; 8 * 8 * 3];
        blur(&mut flat, (8, 8), 1.5);
        assert!(flat.iter().all(|&p| p == 77));
        // a point becomes what the weights say: exp(-d^2 / 2) over their sum, along both axes
        let mut point = vec![0u8; 9 * 9 * 3];
        point[(4 * 9 + 4) * 3] = 255;
        blur(&mut point, (9, 9), 1.0);
        let total = (-3..=3).map(|d: i32| (-f64::from(d * d) / 2.0).exp()).sum::<f64>();
        assert_eq!(f64::from(point[(4 * 9 + 4) * 3]), (255.0 / total / total).round());
        assert_eq!(f64::from(point[(4 * 9 + 5) * 3]), (255.0 / total / total * (-0.5f64).exp()).round());
    }
}
