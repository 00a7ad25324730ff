//! What a TorchScript file says about itself beside its code: the extra file `hybridrepair.json` in its archive, which
//! `scripts/export_torchscript.py` writes (`torch.jit.save(..., _extra_files=...)`).

use crate::TorchError;
use hybridrepair_data::Normalization;
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, Write},
    path::Path,
};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// What the network wants to be shown, and what its answers mean. Each may be missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScriptFacts {
    /// A name per class, in the order of the logits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
    /// Channel statistics of the test transform, of pixels in [0, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalization: Option<Normalization>,
    /// Height and width of the pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<[usize; 2]>,
    /// How pictures are brought to that size, as `--resize` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<String>,
}

/// The name of the entry, below the folder of the archive.
const ENTRY: &str = "/extra/hybridrepair.json";
/// The most that it may hold.
const MOST_BYTES: u64 = 1 << 24;

/// Whether a file is an archive with code in it, and no state dict.
pub fn is_torchscript(path: &Path) -> bool {
    let archive = File::open(path).ok().and_then(|f| ZipArchive::new(f).ok());
    archive.is_some_and(|a| a.file_names().any(|name| name.contains("/code/")))
}

impl ScriptFacts {
    /// Reads them from a TorchScript file; a file without them, or that is no archive, has none.
    ///
    /// # Errors
    /// When the entry is there and cannot be understood, or the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, TorchError> {
        let file = File::open(path).map_err(|source| TorchError::Io { path: path.to_owned(), source })?;
        match Self::text(file) {
            None => Ok(Self::default()),
            Some(text) => {
                let wrong = |why: String| TorchError::Script { path: path.to_owned(), why };
                let facts: Self =
                    serde_json::from_slice(&text).map_err(|e| wrong(format!("its hybridrepair.json: {e}")))?;
                let statistics = facts.normalization.iter().flat_map(|n| n.mean.into_iter().chain(n.std));
                if statistics.into_iter().any(|v| !v.is_finite())
                    || facts.normalization.is_some_and(|n| n.std.iter().any(|s| *s <= 0.0))
                {
                    return Err(wrong("its hybridrepair.json: a mean or deviation that cannot be".to_owned()));
                }
                Ok(facts)
            }
        }
    }

    /// The entry's content, where there is one.
    pub(super) fn text(file: impl Read + Seek) -> Option<Vec<u8>> {
        let mut archive = ZipArchive::new(file).ok()?;
        let name = archive.file_names().find(|n| n.ends_with(ENTRY))?.to_owned();
        let mut text = Vec::new();
        archive.by_name(&name).ok()?.take(MOST_BYTES).read_to_end(&mut text).ok()?;
        Some(text)
    }

    /// Adds the entry to a file that libtorch wrote.
    pub(super) fn add(path: &Path, text: &[u8]) -> std::io::Result<()> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let folder = ZipArchive::new(&file)?.file_names().next().and_then(|n| n.split('/').next()).map(str::to_owned);
        let mut archive = ZipWriter::new_append(&file)?;
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(format!("{}{ENTRY}", folder.unwrap_or_else(|| "archive".to_owned())), stored)?;
        archive.write_all(text)?;
        archive.finish()?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn facts_are_added_read_and_checked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.pt");
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("m/data.pkl", SimpleFileOptions::default()).unwrap();
        zip.write_all(b"x").unwrap();
        std::fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
        assert_eq!(ScriptFacts::read(&path).unwrap(), ScriptFacts::default());
        let facts = ScriptFacts {
            class_names: Some(vec!["a".into(), "b".into()]),
            normalization: Some(Normalization { mean: [0.5; 3], std: [0.25; 3] }),
            input: Some([224, 224]),
            resize: Some("center-crop=256".into()),
        };
        ScriptFacts::add(&path, &serde_json::to_vec(&facts).unwrap()).unwrap();
        assert_eq!(ScriptFacts::read(&path).unwrap(), facts);
        assert_eq!(ZipArchive::new(File::open(&path).unwrap()).unwrap().len(), 2);

        std::fs::write(&path, "no archive").unwrap();
        assert_eq!(ScriptFacts::read(&path).unwrap(), ScriptFacts::default());
        for bad in ["{", r#"{"normalization":{"mean":[0,0,0],"std":[1,0,1]}}"#, r#"{"input":[-1,2]}"#] {
            let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
            zip.start_file("m/extra/hybridrepair.json", SimpleFileOptions::default()).unwrap();
            zip.write_all(bad.as_bytes()).unwrap();
            std::fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
            assert!(ScriptFacts::read(&path).is_err(), "{bad}");
        }
    }
}
