//! One line per sample as CSV, for spreadsheets and data frames.

use crate::{RunsError, write_atomic_with};
use hybridrepair_core::{ClassId, PoolIdx, RegionId, SampleId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fs::File, io::BufReader, path::Path};

/// One line of `predictions.csv`: a sample that judged the repair, its class, and what the three models say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The sample in its data set.
    pub id: SampleId,
    /// Its class.
    pub truth: ClassId,
    /// The deployed model's answer.
    pub raw: ClassId,
    /// That of the model after the replay fine-tune.
    pub before: ClassId,
    /// That of the repaired model.
    pub after: ClassId,
}

/// One line of `field.csv`: a sample of the field pool on the map, and what the models say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldRow {
    /// Its row in the pool.
    pub idx: PoolIdx,
    /// The sample in its data set.
    pub id: SampleId,
    /// First principal component of its embedding.
    pub x: f32,
    /// Second principal component.
    pub y: f32,
    /// The deployed model's answer.
    pub raw: ClassId,
    /// With which probability.
    pub confidence: f32,
    /// The repaired model's answer.
    pub after: ClassId,
    /// What the repair did to it, where the data set has its class.
    pub change: Option<FieldChange>,
}

/// The deployed model against the repaired one on a sample of the field pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldChange {
    /// Right, and right.
    Right,
    /// Wrong, and wrong.
    Wrong,
    /// Wrong, then right.
    Repaired,
    /// Right, then wrong.
    Broken,
}

impl FieldChange {
    /// From whether each of the two is right.
    pub fn of(before: bool, after: bool) -> Self {
        match (before, after) {
            (true, true) => Self::Right,
            (false, false) => Self::Wrong,
            (false, true) => Self::Repaired,
            (true, false) => Self::Broken,
        }
    }
}

/// `thumbnails.json`: which samples of the pool are in `thumbnails.jpg`, in reading order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnails {
    /// Version of this file's format: 1.
    pub format_version: u32,
    /// Pixels of a side of each.
    pub side: usize,
    /// How many stand in a line.
    pub columns: usize,
    /// The rows of the pool.
    pub idx: Vec<PoolIdx>,
    /// Bought pictures with what lies around them, in order of purchase.
    pub groups: Vec<Group>,
}

/// A bought picture and those that lie nearest to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The bought picture.
    pub idx: PoolIdx,
    /// Its region, where there are regions.
    pub region: Option<RegionId>,
    /// Pictures of that region.
    pub size: Option<usize>,
    /// Why it was bought, in words.
    pub reason: String,
    /// The nearest others, of its region where there are regions, nearest first.
    pub members: Vec<PoolIdx>,
}

/// Writes rows with a line of names above them, in one piece.
///
/// # Errors
/// When the file cannot be written.
pub fn write_csv<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), RunsError> {
    write_atomic_with(path, |out| {
        let mut writer = csv::Writer::from_writer(out);
        for row in rows {
            writer.serialize(row).map_err(std::io::Error::other)?;
        }
        writer.flush()
    })
}

/// Reads rows by the names of their columns.
///
/// # Errors
/// When the file cannot be read, or a row does not fit.
pub fn read_csv<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, RunsError> {
    let file = File::open(path).map_err(|source| RunsError::io("read", path, source))?;
    let mut reader = csv::Reader::from_reader(BufReader::new(file));
    let rows = reader.deserialize().collect::<Result<Vec<T>, _>>();
    rows.map_err(|error| RunsError::Table { path: path.to_owned(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back_and_a_bad_row_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("field.csv");
        let row = |idx: u32, change| FieldRow {
            idx: PoolIdx(idx),
            id: SampleId(7),
            x: 0.1,
            y: -1e-8,
            raw: ClassId(3),
            confidence: 0.75,
            after: ClassId(1),
            change,
        };
        let rows = [row(0, Some(FieldChange::Repaired)), row(1, None)];
        write_csv(&path, &rows).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("idx,id,x,y,raw,confidence,after,change\n0,7,0.1,-1e-8,3,0.75,1,repaired\n"),
            "{text}"
        );
        assert_eq!(read_csv::<FieldRow>(&path).unwrap(), rows);
        std::fs::write(&path, "idx,id\n1,x\n").unwrap();
        let error = read_csv::<FieldRow>(&path).unwrap_err().to_string();
        assert!(error.contains("line: 2") || error.contains("record 1"), "{error}");
        assert_eq!(FieldChange::of(true, false), FieldChange::Broken);
    }
}
