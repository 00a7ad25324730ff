use super::{Checksum, DownloadError, Options, Part, Published, Take, fetch, unpack};
use std::fs;
use std::path::{Path, PathBuf};

/// What was done for one part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was there.
    Present,
    /// Its archive was there and was unpacked.
    Unpacked,
    /// It was fetched: so many bytes were received.
    Fetched(u64),
}

/// A part of a data set that is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The file or folder.
    pub path: PathBuf,
    /// What was done for it.
    pub step: Step,
}

/// Whether all parts of the data set are in the folder `dir`. Looks at names only.
pub fn is_there(set: &Published, dir: &Path) -> bool {
    set.parts.iter().all(|part| found(part, dir).is_some())
}

/// Fetches and unpacks what is missing of a data set in the folder `dir`, and checks what is there against the published
/// checksums, as far as there are any for single files.
///
/// An archive that was put into `dir` by hand is checked, unpacked and left there; one that was fetched is removed when
/// it is unpacked.
///
/// # Errors
/// When something cannot be fetched or unpacked, or what is there is not what was published.
pub fn prepare(set: &Published, dir: &Path, options: &Options<'_>) -> Result<Vec<Prepared>, DownloadError> {
    set.parts.iter().map(|part| prepare_part(part, dir, options)).collect()
}

fn prepare_part(part: &Part, dir: &Path, options: &Options<'_>) -> Result<Prepared, DownloadError> {
    if let Some(path) = found(part, dir) {
        check(part, &path)?;
        return Ok(Prepared { path, step: Step::Present });
    }
    let archive = dir.join(part.source.file);
    let by_hand = archive.exists();
    let step = match make(part, dir, options) {
        Ok(_) if by_hand => Step::Unpacked,
        Ok(received) => Step::Fetched(received),
        // another process had the same job and was faster
        Err(_) if found(part, dir).is_some() => Step::Present,
        Err(error) => return Err(error),
    };
    let path = dir.join(part.makes);
    if part.archive.is_some() {
        check(part, &path)?;
        if !by_hand && archive.exists() {
            let _ = fs::remove_file(&archive); // or the other process does
        }
    }
    Ok(Prepared { path, step })
}

/// Fetches and unpacks; returns the bytes received.
fn make(part: &Part, dir: &Path, options: &Options<'_>) -> Result<u64, DownloadError> {
    let fetched = fetch(&part.source, dir, options)?;
    if let Some(kind) = part.archive {
        let take = Take { inside: part.inside, without: part.without, to: &dir.join(part.makes) };
        unpack(&fetched.path, kind, &take, options)?;
    }
    Ok(fetched.received)
}

/// Where the part lies: as its archive has it, or its files right in `dir`.
fn found(part: &Part, dir: &Path) -> Option<PathBuf> {
    let unpacked = dir.join(part.makes);
    if unpacked.exists() {
        return Some(unpacked);
    }
    let all = !part.contents.is_empty() && part.contents.iter().all(|(name, _)| dir.join(name).is_file());
    all.then(|| dir.to_owned())
}

/// Compares what is at `path` with the published checksums.
fn check(part: &Part, path: &Path) -> Result<(), DownloadError> {
    let sums = part.contents.iter().map(|&(name, digits)| (path.join(name), Checksum::Sha256(digits)));
    let whole = part.archive.is_none().then(|| (path.to_owned(), part.source.checksum));
    for (path, sum) in sums.chain(whole) {
        if !path.is_file() {
            return Err(DownloadError::InTheWay { path, why: "a file of the data set should be here".to_owned() });
        }
        let got = sum.of(&path)?;
        if got != sum.digits() {
            let (kind, expected) = (sum.kind(), sum.digits().to_owned());
            return Err(DownloadError::Checksum { path, kind, expected, got });
        }
    }
    Ok(())
}
