use crate::EmbedError;
use hybridrepair_core::{CoreError, Embeddings};
use hybridrepair_data::npy;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// Where embeddings come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extractor {
    /// The penultimate features of the model under repair.
    Penultimate,
    /// A `.npy` file with one row per sample of the field pool, made elsewhere.
    Npy(PathBuf),
}

impl FromStr for Extractor {
    type Err = EmbedError;

    fn from_str(text: &str) -> Result<Self, EmbedError> {
        let is_npy = |p: &Path| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"));
        match text {
            "penultimate" => Ok(Self::Penultimate),
            file if is_npy(Path::new(file)) => Ok(Self::Npy(PathBuf::from(file))),
            other => Err(EmbedError::Unknown(other.to_owned())),
        }
    }
}

impl Extractor {
    /// A short name for `summary.json`.
    pub fn name(&self) -> String {
        match self {
            Self::Penultimate => "penultimate".to_owned(),
            Self::Npy(file) => file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
        }
    }

    /// Embeddings of a pool of `n` samples, each row of unit length.
    ///
    /// # Errors
    /// When the file cannot be read, has another number of rows, or holds NaN.
    pub fn embeddings(&self, penultimate: &Embeddings, n: usize) -> Result<Embeddings, EmbedError> {
        let raw = match self {
            Self::Penultimate => penultimate.clone(),
            Self::Npy(file) => Embeddings::new(npy::read_f32_2d(file)?)?,
        };
        if raw.len() != n {
            return Err(CoreError::Rows { what: "embeddings", got: raw.len(), expected: n }.into());
        }
        Ok(raw.normalized())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_files() {
        assert_eq!("penultimate".parse::<Extractor>().unwrap(), Extractor::Penultimate);
        assert_eq!("a/dino.npy".parse::<Extractor>().unwrap().name(), "dino.npy");
        assert!("dino".parse::<Extractor>().unwrap_err().to_string().contains("penultimate"));
    }

    #[test]
    fn rows_must_fit_the_pool_and_have_unit_length() {
        let e = Embeddings::new(ndarray::array![[3.0, 4.0], [0.0, 2.0]]).unwrap();
        let unit = Extractor::Penultimate.embeddings(&e, 2).unwrap();
        assert_eq!(unit.row(0), [0.6, 0.8]);
        assert!(Extractor::Penultimate.embeddings(&e, 3).is_err());
    }
}
