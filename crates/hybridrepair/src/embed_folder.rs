//! Embeddings of a folder of pictures of any size: shard by shard, each kept under the hash of all it depends on.

use crate::{
    Error, Progress,
    arrays::{NpyRows, read_array, write_array},
    encode::{PassedOver, encode_files, input_of},
    session::parameters,
};
use hybridrepair_data::DataError;
use hybridrepair_embed::Opened;
use hybridrepair_runs::{Cache, Fingerprint, StageKey, read_json, write_json};
use ndarray::Array2;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Pictures of a shard: what is in memory at once as rows of numbers, and what is not done again after an interruption.
const SHARD: usize = 2048;

/// What was embedded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// The files that have a row, in order.
    pub files: Vec<PathBuf>,
    /// The files that do not decode, and why.
    pub skipped: Vec<(PathBuf, String)>,
    /// Numbers of each.
    pub dim: usize,
    /// Shards that were computed.
    pub computed: usize,
    /// Shards that were found in the cache.
    pub cached: usize,
}

/// Writes the unit-length embeddings of picture files as `.npy`, in their order. Memory does not grow with their number.
///
/// `extractor` is the file that `opened` came from. Shards are found again in `cache` when extractor and contents of all
/// their files are the same.
///
/// # Errors
/// When no file decodes, one cannot be read, or the output cannot be written.
pub fn embed_files(
    opened: &Opened,
    extractor: &Path,
    files: &[PathBuf],
    cache: &Cache,
    output: &Path,
    progress: &mut dyn Progress,
) -> Result<Embedded, Error> {
    if files.is_empty() {
        return Err(Error::Config("no pictures to embed".to_owned()));
    }
    let input = input_of(opened)?;
    let model = Fingerprint::of_file(extractor)?;
    let dim = opened.encoder.dim();
    let mut rows = NpyRows::create(output, dim)?;
    let mut embedded = Embedded { dim, ..Embedded::default() };
    progress.begin("embed", Some(files.len() as u64));
    for (at, shard) in files.chunks(SHARD).enumerate() {
        let key = StageKey::new("embed-files", 1).input("extractor", model).input("pictures", contents(shard)?);
        let shown = (opened.input, opened.resize.as_deref(), opened.normalization);
        let key = parameters(key, &shown)?;
        let (folder, found) = cache.get_or_store(&key, |folder| {
            let (part, skipped) = encode_files(opened, shard, &input)?;
            write_array(&folder.join("embeddings.npy"), &part)?;
            Ok::<_, Error>(write_json(&folder.join("skipped.json"), &skipped)?)
        })?;
        *(if found { &mut embedded.cached } else { &mut embedded.computed }) += 1;
        let skipped: PassedOver = read_json(&folder.join("skipped.json"))?;
        for (i, file) in shard.iter().enumerate() {
            match skipped.iter().find(|s| s.0 == i) {
                Some((_, why)) => embedded.skipped.push((file.clone(), why.clone())),
                None => embedded.files.push(file.clone()),
            }
        }
        let part: Array2<f32> = read_array(&folder.join("embeddings.npy"))?;
        if !part.is_empty() {
            rows.push(hybridrepair_core::Embeddings::new(part)?.normalized().as_slice())?;
        }
        let done = (at * SHARD + shard.len()) as u64;
        progress.advance(done, Some(files.len() as u64), "");
    }
    if embedded.files.is_empty() {
        return Err(Error::Config(format!("none of the {} files is a picture that decodes", files.len())));
    }
    rows.finish()?;
    progress.end(embedded.computed == 0);
    Ok(embedded)
}

/// One hash of the contents of files, in their order.
fn contents(files: &[PathBuf]) -> Result<Fingerprint, Error> {
    let each = files
        .par_iter()
        .map(|file| {
            let bytes = std::fs::read(file).map_err(DataError::io(file))?;
            Ok::<_, DataError>(Fingerprint::of_bytes(&bytes).to_string())
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Fingerprint::of_bytes(each.concat().as_bytes()))
}
