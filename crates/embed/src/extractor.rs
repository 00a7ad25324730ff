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
    /// The same, averaged over the augmented views by which unsmoothness is measured.
    PenultimateViews,
    /// A `.npy` file with one row per sample of the field pool, made elsewhere.
    Npy(PathBuf),
    /// A network: one that `pretrain` made, TorchScript, a checkpoint of `MoCo` v3, or a state dict of a known
    /// architecture.
    Network(PathBuf),
}

/// Endings of files that hold networks.
const NETWORKS: [&str; 7] = ["safetensors", "pt", "pth", "tar", "t7", "ts", "torchscript"];

impl FromStr for Extractor {
    type Err = EmbedError;

    fn from_str(text: &str) -> Result<Self, EmbedError> {
        let path = Path::new(text);
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        match text {
            "penultimate" => Ok(Self::Penultimate),
            "penultimate-views" => Ok(Self::PenultimateViews),
            _ if ending == "npy" => Ok(Self::Npy(path.to_owned())),
            _ if NETWORKS.contains(&ending.as_str()) => Ok(Self::Network(path.to_owned())),
            other => Err(EmbedError::Unknown(other.to_owned())),
        }
    }
}

impl Extractor {
    /// A short name for `summary.json`.
    pub fn name(&self) -> String {
        match self {
            Self::Penultimate => "penultimate".to_owned(),
            Self::PenultimateViews => "penultimate-views".to_owned(),
            Self::Npy(file) | Self::Network(file) => {
                file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
            }
        }
    }

    /// The file that it is in.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Penultimate | Self::PenultimateViews => None,
            Self::Npy(file) | Self::Network(file) => Some(file),
        }
    }
}

/// The rows of a `.npy` file, one per sample of a pool of `n`, each of unit length.
///
/// # Errors
/// When the file cannot be read, has another number of rows, or holds NaN.
pub fn read_embeddings(file: &Path, n: usize) -> Result<Embeddings, EmbedError> {
    let raw = Embeddings::new(npy::read_f32_2d(file)?)?;
    if raw.len() != n {
        return Err(CoreError::Rows { what: "embeddings", got: raw.len(), expected: n }.into());
    }
    Ok(raw.normalized())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_files() {
        let of = |text: &str| text.parse::<Extractor>();
        assert_eq!(of("penultimate").unwrap(), Extractor::Penultimate);
        assert_eq!(of("penultimate-views").unwrap().name(), "penultimate-views");
        assert_eq!(of("a/dino.npy").unwrap().name(), "dino.npy");
        assert_eq!(of("a/checkpoint.pth.tar").unwrap(), Extractor::Network("a/checkpoint.pth.tar".into()));
        assert_eq!(of("x.SafeTensors").unwrap().file(), Some(Path::new("x.SafeTensors")));
        assert!(of("dino").unwrap_err().to_string().contains("penultimate"));
    }
}
