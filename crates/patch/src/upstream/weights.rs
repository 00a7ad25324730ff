use crate::{Head, Localized, PatchError, tensors::write_whole};
use serde::Serialize;
use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

/// A row of `weights.csv`: `layer, input neuron, output neuron[, value before[, value after]]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WeightRow {
    /// Number of the layer in the program that wrote it; it means nothing to another program.
    pub layer: i64,
    /// Input neuron.
    pub i: usize,
    /// Output neuron: the class, for the last layer.
    pub j: usize,
    /// Value before.
    pub before: Option<f32>,
    /// Value after.
    pub after: Option<f32>,
}

impl WeightRow {
    /// The weight in this layer, whatever the row's layer is numbered.
    ///
    /// # Errors
    /// When the layer is too small, or the value before is another one (to 1e-3: the file may have been written from
    /// another precision).
    pub fn in_head(&self, head: &Head) -> Result<Localized, PatchError> {
        let weight = head.weight_ref(self.j, Some(self.i));
        let value = head.value(&weight)?;
        if let Some(before) = self.before
            && (before - value).abs() > 1e-3 * value.abs().max(1.0)
        {
            return Err(PatchError::OtherValue { weight, got: value, expected: before });
        }
        Ok(Localized { weight, grad_loss: 0.0, forward_impact: 0.0, value })
    }
}

/// Reads `weights.csv`; blank lines are passed over.
///
/// # Errors
/// When it is missing, or a line is something else, which is named.
pub fn read_weights(path: &Path) -> Result<Vec<WeightRow>, PatchError> {
    let text = fs::read_to_string(path).map_err(PatchError::io(path))?;
    let mut rows: Vec<WeightRow> = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let wrong = |why: &str| PatchError::format(path, format!("line {}: {why}: {line:?}", at + 1));
        let fields = line.split(',').map(str::trim).collect::<Vec<_>>();
        if !(3..=5).contains(&fields.len()) {
            return Err(wrong("not 3 to 5 fields"));
        }
        let whole = |k: usize| fields[k].parse::<usize>().map_err(|_| wrong("no whole number"));
        let number = |k: usize| match fields.get(k).map(|f| f.parse::<f32>()) {
            None => Ok(None),
            Some(Ok(v)) if v.is_finite() => Ok(Some(v)),
            Some(_) => Err(wrong("no finite number")),
        };
        let layer = fields[0].parse().map_err(|_| wrong("no layer number"))?;
        let row = WeightRow { layer, i: whole(1)?, j: whole(2)?, before: number(3)?, after: number(4)? };
        if !seen.insert((row.layer, row.i, row.j)) {
            return Err(wrong("a weight stands twice"));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Writes `weights.csv`.
///
/// # Errors
/// When it cannot be written.
pub fn write_weights(path: &Path, rows: &[WeightRow]) -> Result<(), PatchError> {
    let mut text = String::new();
    for row in rows {
        let _ = write!(text, "{},{},{}", row.layer, row.i, row.j);
        for value in [row.before, row.after].into_iter().flatten() {
            let _ = write!(text, ",{value}");
        }
        text.push('\n');
    }
    write_whole(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_round_trip_and_bad_lines_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("weights.csv");
        let row = |before, after| WeightRow { layer: -1, i: 3, j: 1, before, after };
        for rows in [vec![row(None, None)], vec![row(Some(0.1), None)], vec![row(Some(-1e-8), Some(2.5))]] {
            write_weights(&path, &rows).unwrap();
            assert_eq!(read_weights(&path).unwrap(), rows);
        }
        for (bad, word) in
            [("1,2\n", "line 1"), ("\n18,x,2", "line 2"), ("18,1,2,nan", "finite"), ("18,1,2\n18,1,2", "twice")]
        {
            fs::write(&path, bad).unwrap();
            assert!(read_weights(&path).unwrap_err().to_string().contains(word), "{bad:?}");
        }
    }
}
