//! What a folder of pictures holds.

use super::decode::{Look, look_at};
use super::walk::pictures;
use super::{ClassTree, Report};
use crate::DataError;
use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// What a folder of pictures holds. Every file is decoded once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Survey {
    /// Files that decode.
    pub pictures: usize,
    /// Smallest, median and largest width in pixels, as the pictures are shown.
    pub width: [u32; 3],
    /// The same of the heights.
    pub height: [u32; 3],
    /// Files per format.
    pub formats: BTreeMap<String, usize>,
    /// Files per kind of colour: grey, RGB, with transparency, 8 or 16 bits.
    pub colours: BTreeMap<String, usize>,
    /// Pictures that their EXIF entry turns or mirrors.
    pub turned: usize,
    /// Files that decode per folder of the top level.
    pub classes: BTreeMap<String, usize>,
    /// Pictures at the top level, in no folder.
    pub loose: usize,
    /// Groups of files with the same bytes.
    pub duplicates: Vec<Vec<String>>,
    /// Files that do not decode, and why.
    pub unusable: Vec<String>,
    /// What else should be known: files of other kinds, folders without pictures.
    pub notes: Vec<String>,
}

/// Looks at all pictures below a folder.
///
/// # Errors
/// When the folder cannot be listed.
pub fn survey(dir: &Path) -> Result<Survey, DataError> {
    let mut report = Report::default();
    let files = pictures(dir, &mut report);
    let folders = ClassTree::scan(dir, &mut Report::default()).map(|t| t.classes).unwrap_or_default();
    let seen: Vec<_> = files.par_iter().map(|path| look_at(path).map(|(look, bytes)| (look, hash(&bytes)))).collect();
    let mut survey = Survey { notes: Vec::new(), ..Survey::default() };
    let (mut widths, mut heights) = (Vec::new(), Vec::new());
    let mut same: BTreeMap<[u8; 32], Vec<String>> = BTreeMap::new();
    survey.classes.extend(folders.into_iter().map(|name| (name, 0)));
    for (path, seen) in files.iter().zip(seen) {
        let name = shown(dir, path);
        let (Look { width, height, format, colour, turned }, hash) = match seen {
            Ok(seen) => seen,
            Err(why) => {
                survey.unusable.push(format!("{name} {why}"));
                continue;
            }
        };
        survey.pictures += 1;
        widths.push(width);
        heights.push(height);
        *survey.formats.entry(format).or_default() += 1;
        *survey.colours.entry(colour).or_default() += 1;
        survey.turned += usize::from(turned);
        let below = path.strip_prefix(dir).unwrap_or(path);
        match below.parent().and_then(|p| p.iter().next()).and_then(|c| c.to_str()) {
            Some(class) => *survey.classes.entry(class.to_owned()).or_default() += 1,
            None => survey.loose += 1,
        }
        same.entry(hash).or_default().push(name);
    }
    survey.duplicates = same.into_values().filter(|group| group.len() > 1).collect();
    survey.duplicates.sort();
    (survey.width, survey.height) = (spread(widths), spread(heights));
    survey.unusable.extend(report.skipped.iter().map(|s| format!("{} {}", shown(dir, &s.path), s.why)));
    report.skipped.clear();
    survey.notes = report.lines();
    Ok(survey)
}

fn shown(dir: &Path, path: &Path) -> String {
    path.strip_prefix(dir).unwrap_or(path).display().to_string()
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn spread(mut sides: Vec<u32>) -> [u32; 3] {
    sides.sort_unstable();
    match sides[..] {
        [] => [0; 3],
        _ => [sides[0], sides[sides.len() / 2], sides[sides.len() - 1]],
    }
}
