use crate::{Exit, Failure};
use hybridrepair_label::AskedImage;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The file of a picture that is asked about: absolute, or in the run.
pub(super) fn file_of(run: &Path, image: &AskedImage) -> PathBuf {
    run.join(&image.file)
}

/// Its bytes and the ending of its name.
pub(super) fn read(run: &Path, image: &AskedImage) -> Result<(String, Vec<u8>), Failure> {
    let path = file_of(run, image);
    let bytes = fs::read(&path).map_err(|e| {
        Failure::new(Exit::Input, format!("{}: {e}", path.display())).help("put the picture back where it was")
    })?;
    let ending = path.extension().and_then(|e| e.to_str()).map_or_else(|| "png".to_owned(), str::to_lowercase);
    Ok((ending, bytes))
}
