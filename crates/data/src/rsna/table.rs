//! `stage_2_train_labels.csv`: a row per finding.

use crate::DataError;
use crate::bytes::format_error;
use std::{collections::BTreeMap, path::Path};

/// Target of each patient, by id: 1 for pneumonia. A patient with several findings has several rows.
pub(super) fn read_targets(path: &Path) -> Result<BTreeMap<String, u8>, DataError> {
    let mut reader = csv::Reader::from_path(path).map_err(|e| format_error(path, e.to_string()))?;
    let header = reader.headers().map_err(|e| format_error(path, e.to_string()))?;
    let column = |name: &str| {
        header
            .iter()
            .position(|h| h.trim() == name)
            .ok_or_else(|| format_error(path, format!("it has no column {name}")))
    };
    let (patient, target) = (column("patientId")?, column("Target")?);
    let mut targets = BTreeMap::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|e| format_error(path, e.to_string()))?;
        let wrong = |why: String| format_error(path, format!("row {}: {why}", row + 1));
        let id = record.get(patient).unwrap_or_default();
        // an id names a file: nothing else may
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(wrong(format!("{id:?} is no patient")));
        }
        let value = match record.get(target).unwrap_or_default() {
            "0" => 0,
            "1" => 1,
            other => return Err(wrong(format!("target {other:?} is neither 0 nor 1"))),
        };
        if *targets.entry(id.to_owned()).or_insert(value) != value {
            return Err(wrong(format!("patient {id} has both targets")));
        }
    }
    if targets.is_empty() {
        return Err(format_error(path, "it has no rows"));
    }
    Ok(targets)
}
