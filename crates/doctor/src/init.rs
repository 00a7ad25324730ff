use crate::DoctorError;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where initial weights come from. In files a word, with its number where it has one: `normal 0.1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Init {
    /// Uniform within `sqrt(6 / (in + out))` (Glorot and Bengio 2010).
    #[default]
    GlorotUniform,
    /// Normal with standard deviation `sqrt(2 / (in + out))`.
    GlorotNormal,
    /// Uniform within `sqrt(6 / in)` (He et al. 2015).
    HeUniform,
    /// Normal with standard deviation `sqrt(2 / in)`.
    HeNormal,
    /// Uniform within `sqrt(3 / in)` (`LeCun` et al. 1998).
    LecunUniform,
    /// Normal with standard deviation `sqrt(1 / in)`.
    LecunNormal,
    /// Normal with this standard deviation.
    Normal(f64),
    /// All the same.
    Constant(f64),
    /// All 0.
    Zeros,
}

impl Init {
    /// All 0.
    pub fn zeros() -> Self {
        Self::Zeros
    }

    /// `n` numbers for a layer with so many inputs and outputs per unit.
    pub fn draw(self, n: usize, fan: (usize, usize), rng: &mut impl Rng) -> Vec<f32> {
        let (inputs, outputs) = (fan.0.max(1) as f64, fan.1.max(1) as f64);
        let mut uniform = |bound: f64| (0..n).map(|_| rng.gen_range(-bound..bound) as f32).collect();
        match self {
            Self::GlorotUniform => uniform((6.0 / (inputs + outputs)).sqrt()),
            Self::HeUniform => uniform((6.0 / inputs).sqrt()),
            Self::LecunUniform => uniform((3.0 / inputs).sqrt()),
            Self::GlorotNormal => normals(n, (2.0 / (inputs + outputs)).sqrt(), rng),
            Self::HeNormal => normals(n, (2.0 / inputs).sqrt(), rng),
            Self::LecunNormal => normals(n, (1.0 / inputs).sqrt(), rng),
            Self::Normal(sd) => normals(n, sd, rng),
            Self::Constant(value) => vec![value as f32; n],
            Self::Zeros => vec![0.0; n],
        }
    }
}

/// Box and Muller's transform: pairs of uniform numbers to pairs of normal ones.
fn normals(n: usize, sd: f64, rng: &mut impl Rng) -> Vec<f32> {
    let mut out = Vec::with_capacity(n + 1);
    while out.len() < n {
        let (u, v): (f64, f64) = (1.0 - rng.r#gen::<f64>(), rng.r#gen());
        let (radius, angle) = ((-2.0 * u.ln()).sqrt() * sd, std::f64::consts::TAU * v);
        out.extend([(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]);
    }
    out.truncate(n);
    out
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GlorotUniform => f.write_str("glorot-uniform"),
            Self::GlorotNormal => f.write_str("glorot-normal"),
            Self::HeUniform => f.write_str("he-uniform"),
            Self::HeNormal => f.write_str("he-normal"),
            Self::LecunUniform => f.write_str("lecun-uniform"),
            Self::LecunNormal => f.write_str("lecun-normal"),
            Self::Normal(sd) => write!(f, "normal {sd}"),
            Self::Constant(value) => write!(f, "constant {value}"),
            Self::Zeros => f.write_str("zeros"),
        }
    }
}

impl FromStr for Init {
    type Err = DoctorError;

    fn from_str(text: &str) -> Result<Self, DoctorError> {
        let number = |word: &str| {
            let number = text.strip_prefix(word).and_then(|n| n.trim().parse::<f64>().ok());
            number.filter(|n| n.is_finite())
        };
        let plain = [
            Self::GlorotUniform,
            Self::GlorotNormal,
            Self::HeUniform,
            Self::HeNormal,
            Self::LecunUniform,
            Self::LecunNormal,
            Self::Zeros,
        ];
        if let Some(init) = plain.into_iter().find(|i| i.to_string() == text) {
            return Ok(init);
        }
        if let Some(sd) = number("normal ").filter(|sd| *sd > 0.0) {
            return Ok(Self::Normal(sd));
        }
        number("constant ").map(Self::Constant).ok_or_else(|| {
            let known = plain.map(|i| i.to_string()).join(", ");
            DoctorError::setting("init", format!("{text:?}"), format!("is none of {known}, normal SD, constant X"))
        })
    }
}

impl TryFrom<String> for Init {
    type Error = DoctorError;

    fn try_from(text: String) -> Result<Self, DoctorError> {
        text.parse()
    }
}

impl From<Init> for String {
    fn from(init: Init) -> Self {
        init.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn words_come_back_and_moments_are_right() {
        let mut rng = Streams::new(1).named("t");
        for (text, sd) in [
            ("glorot-uniform", (2.0f64 / 300.0).sqrt()),
            ("glorot-normal", (2.0f64 / 300.0).sqrt()),
            ("he-uniform", (2.0f64 / 100.0).sqrt()),
            ("he-normal", (2.0f64 / 100.0).sqrt()),
            ("lecun-uniform", (1.0f64 / 100.0).sqrt()),
            ("lecun-normal", (1.0f64 / 100.0).sqrt()),
            ("normal 0.5", 0.5),
        ] {
            let init: Init = text.parse().unwrap();
            assert_eq!(init.to_string(), text);
            let x = init.draw(20_001, (100, 200), &mut rng);
            let got = (x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / x.len() as f64).sqrt();
            assert!((got / sd - 1.0).abs() < 0.03, "{text}: {got} for {sd}");
        }
        assert_eq!("constant -3".parse::<Init>().unwrap(), Init::Constant(-3.0));
        for bad in ["he", "normal", "normal -1", "constant nan"] {
            assert!(bad.parse::<Init>().is_err(), "{bad}");
        }
    }
}
