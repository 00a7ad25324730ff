//! All picture files below a folder, in a fixed order.

use super::{Report, SkipReason, Skipped};
use crate::DataError;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Endings of pictures, in lower case.
const ENDINGS: [&str; 14] =
    ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "ppm", "pgm", "pbm", "pnm", "tif", "tiff", "gif"];
/// What file managers and archivers leave behind, in lower case.
const LITTER: [&str; 5] = ["thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"];

/// What an entry of a folder is, links followed.
#[derive(Debug)]
pub(super) enum Entry {
    Hidden,
    Folder {
        link: bool,
    },
    Picture,
    /// A file with another ending.
    Other(String),
    Unusable(SkipReason),
}

/// Looks at one entry of a folder.
pub(super) fn look(entry: &std::fs::DirEntry) -> Entry {
    let (name, path) = (entry.file_name(), entry.path());
    let name = name.to_string_lossy().to_lowercase();
    if name.starts_with('.') || LITTER.contains(&name.as_str()) {
        return Entry::Hidden;
    }
    let kind = match entry.file_type() {
        Ok(kind) if kind.is_symlink() => std::fs::metadata(&path).map(|m| (m.file_type(), true)),
        other => other.map(|kind| (kind, false)),
    };
    let ending = path.extension().unwrap_or(OsStr::new("")).to_string_lossy().to_lowercase();
    let picture = ENDINGS.contains(&ending.as_str());
    match kind {
        Ok((kind, link)) if kind.is_dir() => Entry::Folder { link },
        Ok((kind, _)) if kind.is_file() && picture => Entry::Picture,
        Err(e) => Entry::Unusable(e.into()),
        Ok((kind, _)) if !kind.is_file() && picture => Entry::Unusable(SkipReason::NotAFile),
        Ok(_) => Entry::Other(ending),
    }
}

/// The entries of a folder, sorted by the bytes of their names.
pub(super) fn entries(dir: &Path) -> io::Result<Vec<std::fs::DirEntry>> {
    let mut entries = std::fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by(|a, b| a.file_name().as_encoded_bytes().cmp(b.file_name().as_encoded_bytes()));
    Ok(entries)
}

/// The paths of all picture files in `dir` and the folders below it, by their names, in the order of torchvision's
/// `ImageFolder`. Nothing is opened.
///
/// # Errors
/// When `dir` is no folder.
pub fn picture_files(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    if !dir.is_dir() {
        return Err(crate::bytes::format_error(dir, "no such folder"));
    }
    Ok(pictures(dir, &mut Report::default()))
}

/// All picture files in `dir` and the folders below it, folder by folder in the order of their paths, and in each in the
/// order of the names: the order of torchvision's `ImageFolder`. What is no picture goes into the report.
pub(super) fn pictures(dir: &Path, report: &mut Report) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let trail = dir.canonicalize().into_iter().collect();
    descend(dir, &mut Walk { found: &mut found, report, trail });
    found.sort_by(|a: &PathBuf, b| order(a).cmp(&order(b)));
    found
}

/// Folder, then name, as bytes.
fn order(path: &Path) -> (&[u8], &[u8]) {
    let bytes = |part: Option<&'_ OsStr>| -> usize { part.map_or(0, OsStr::len) };
    let all = path.as_os_str().as_encoded_bytes();
    let folder = path.parent().map(Path::as_os_str);
    (&all[..bytes(folder)], &all[all.len() - bytes(path.file_name())..])
}

struct Walk<'a> {
    found: &'a mut Vec<PathBuf>,
    report: &'a mut Report,
    /// The true paths of the folders that we are in.
    trail: Vec<PathBuf>,
}

fn descend(dir: &Path, walk: &mut Walk<'_>) {
    let entries = match entries(dir) {
        Ok(entries) => entries,
        Err(e) => return walk.report.skipped.push(Skipped { path: dir.to_owned(), why: e.into() }),
    };
    for entry in entries {
        let path = entry.path();
        match look(&entry) {
            Entry::Hidden => walk.report.hidden += 1,
            Entry::Picture => walk.found.push(path),
            Entry::Other(ending) => *walk.report.other.entry(ending).or_default() += 1,
            Entry::Unusable(why) => walk.report.skipped.push(Skipped { path, why }),
            Entry::Folder { link } => {
                let whole = match (link, walk.trail.last()) {
                    (false, Some(last)) => Ok(last.join(entry.file_name())),
                    _ => path.canonicalize(),
                };
                match whole {
                    Err(e) => walk.report.skipped.push(Skipped { path, why: e.into() }),
                    Ok(whole) if walk.trail.contains(&whole) => {
                        walk.report.skipped.push(Skipped { path, why: SkipReason::Loop });
                    }
                    Ok(whole) => {
                        walk.trail.push(whole);
                        descend(&path, walk);
                        walk.trail.pop();
                    }
                }
            }
        }
    }
}
