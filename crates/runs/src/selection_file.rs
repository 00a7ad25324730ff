//! Picks and labels as JSON lines, each with the sample it speaks of.

use crate::{RunsError, read_lines, write_atomic_with};
use hybridrepair_core::{ClassId, Label, LabelSet, Pick, Pool, PoolIdx, Provenance, RegionId, SampleId, Selection};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One line of `selection.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PickLine {
    v: u32,
    id: SampleId,
    idx: PoolIdx,
    rank: usize,
    score: f64,
    region: Option<RegionId>,
    reason: String,
}

/// One line of `labels.jsonl` or `propagated.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct LabelLine {
    v: u32,
    id: SampleId,
    idx: PoolIdx,
    class: ClassId,
    provenance: Provenance,
    weight: f32,
}

/// Writes the picks in order of purchase, in one piece.
///
/// # Errors
/// When a score is not finite, or the file cannot be written.
pub fn write_selection(path: &Path, selection: &Selection) -> Result<(), RunsError> {
    let lines = selection.picks.iter().map(|pick| {
        finite("score of sample", pick.id, pick.score)?;
        let Pick { id, idx, rank, score, region, reason } = pick.clone();
        Ok(PickLine { v: 1, id, idx, rank, score, region, reason })
    });
    write_all(path, lines)
}

/// Reads the picks.
///
/// # Errors
/// When the file cannot be read, or a pick is not of this pool.
pub fn read_selection(path: &Path, pool: &Pool) -> Result<Selection, RunsError> {
    let mut picks = Vec::new();
    for PickLine { id, idx, rank, score, region, reason, .. } in read_lines(path)?.rows {
        same_pool(path, pool, idx, id)?;
        picks.push(Pick { id, idx, rank, score, region, reason });
    }
    Ok(Selection { picks })
}

/// Writes labels in row order, in one piece.
///
/// # Errors
/// When a weight is not finite or a row is outside the pool, or the file cannot be written.
pub fn write_labels(path: &Path, labels: &LabelSet, pool: &Pool) -> Result<(), RunsError> {
    let lines = labels.iter().map(|&Label { idx, class, provenance, weight }| {
        if idx.row() >= pool.len() {
            return Err(hybridrepair_core::CoreError::OutsidePool { idx, len: pool.len() }.into());
        }
        finite("weight of sample", pool.id(idx), f64::from(weight))?;
        Ok(LabelLine { v: 1, id: pool.id(idx), idx, class, provenance, weight })
    });
    write_all(path, lines)
}

/// Reads labels.
///
/// # Errors
/// When the file cannot be read, or a label is not of this pool.
pub fn read_labels(path: &Path, pool: &Pool) -> Result<LabelSet, RunsError> {
    let mut labels = LabelSet::new();
    for LabelLine { id, idx, class, provenance, weight, .. } in read_lines(path)?.rows {
        same_pool(path, pool, idx, id)?;
        labels.insert(Label { idx, class, provenance, weight });
    }
    Ok(labels)
}

/// Reads labels without the pool that they belong to: a report has none.
///
/// # Errors
/// When the file cannot be read.
pub fn read_label_rows(path: &Path) -> Result<Vec<Label>, RunsError> {
    let label = |LabelLine { idx, class, provenance, weight, .. }| Label { idx, class, provenance, weight };
    Ok(read_lines(path)?.rows.into_iter().map(label).collect())
}

fn write_all<T: Serialize>(path: &Path, lines: impl Iterator<Item = Result<T, RunsError>>) -> Result<(), RunsError> {
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    write_atomic_with(path, |out| {
        for line in &lines {
            serde_json::to_writer(&mut *out, line)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}

fn finite(what: &str, id: SampleId, value: f64) -> Result<(), RunsError> {
    if value.is_finite() { Ok(()) } else { Err(RunsError::BadNumber { what: format!("{what} {id}"), value }) }
}

/// A row says little by itself: the sample in it must be the one that the file names.
fn same_pool(path: &Path, pool: &Pool, idx: PoolIdx, found: SampleId) -> Result<(), RunsError> {
    let here = (idx.row() < pool.len()).then(|| pool.id(idx));
    if here == Some(found) {
        return Ok(());
    }
    Err(RunsError::OtherPool {
        path: path.to_owned(),
        row: idx.0,
        expected: here.map_or_else(|| "(none)".to_owned(), |id| id.to_string()),
        found: found.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        Pool::new(vec![SampleId(70), SampleId(80), SampleId(90)]).unwrap()
    }

    fn selection(score: f64) -> Selection {
        let pick = |row: u32, rank, region| Pick {
            id: pool().id(PoolIdx(row)),
            idx: PoolIdx(row),
            rank,
            score,
            region,
            reason: "far from \"all\"\nothers".into(),
        };
        Selection { picks: vec![pick(2, 0, Some(RegionId(5))), pick(0, 1, None)] }
    }

    #[test]
    fn picks_come_back_in_order_and_keep_every_bit_of_the_score() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("selection.jsonl");
        let written = selection(0.1 + 0.2);
        write_selection(&path, &written).unwrap();
        assert_eq!(read_selection(&path, &pool()).unwrap(), written);
        assert!(matches!(write_selection(&path, &selection(f64::NAN)), Err(RunsError::BadNumber { .. })));
        let error = read_selection(&path, &Pool::counted(3)).unwrap_err();
        assert!(error.to_string().starts_with("row 2 is sample 2 of the pool, not 90"), "{error}");
        assert!(matches!(read_selection(&path, &Pool::counted(1)), Err(RunsError::OtherPool { .. })));
    }

    #[test]
    fn labels_come_back_with_their_provenance() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.jsonl");
        let mut labels = LabelSet::new();
        labels.insert_bought(PoolIdx(1), ClassId(4));
        labels.insert(Label { idx: PoolIdx(0), class: ClassId(2), provenance: Provenance::Propagated, weight: 0.3 });
        write_labels(&path, &labels, &pool()).unwrap();
        assert_eq!(read_labels(&path, &pool()).unwrap(), labels);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(r#"{"v":1,"id":70,"idx":0,"class":2,"provenance":"propagated","weight":0.3}"#),
            "{text}"
        );
        assert!(write_labels(&path, &labels, &Pool::counted(1)).is_err());
    }
}
