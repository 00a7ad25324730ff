//! Files of the published toolkit.

use crate::{Exit, Failure};
use hybridrepair_core::ClassId;
use hybridrepair_patch::{
    Change, Found, Head, Localized, Outcome, PatchError, Samples, TensorFile,
    upstream::{ClassMetrics, ResultFile, RunRates, WeightRow, write_history, write_weights},
};
use std::{fs, path::Path};

/// Number of a tensor's layer: its place among the file's weights of two or more dimensions.
fn layer_number(file: &TensorFile, tensor: &str) -> i64 {
    let layers = file.names().filter(|n| file.shape(n).is_some_and(|s| s.len() >= 2));
    layers.into_iter().position(|n| n == tensor).map_or(-1, |at| at as i64)
}

/// A row of `weights.csv` has two coordinates: biases have none and stay out.
fn row(file: &TensorFile, l: &Localized, after: Option<f32>) -> Option<WeightRow> {
    let [j, i] = l.weight.index[..] else { return None };
    Some(WeightRow { layer: layer_number(file, &l.weight.tensor), i, j, before: Some(l.value), after })
}

pub(super) fn write_localized(path: &Path, file: &TensorFile, found: &[Localized]) -> Result<(), Failure> {
    let rows = found.iter().filter_map(|l| row(file, l, None)).collect::<Vec<_>>();
    Ok(write_weights(path, &rows)?)
}

/// What a repaired model says about its test samples.
pub(super) struct Tested<'a> {
    pub(super) head: &'a Head,
    pub(super) samples: &'a Samples,
    pub(super) outcome: &'a Outcome,
}

pub(super) fn write_all(
    dir: &Path,
    file: &TensorFile,
    found: &Found,
    settings: Vec<(String, String)>,
    tested: Option<&Tested<'_>>,
) -> Result<(), Failure> {
    let wrong = |e| Failure::new(Exit::Unexpected, format!("cannot write to {}: {e}", dir.display()));
    fs::create_dir_all(dir).map_err(wrong)?;
    let after = |l: &Localized| found.changes.iter().find(|c: &&Change| c.weight == l.weight).map(|c| c.new);
    let rows = found.localized.iter().filter_map(|l| row(file, l, after(l))).collect::<Vec<_>>();
    write_weights(&dir.join("weights.csv"), &rows)?;
    let percent = |o: &Outcome| RunRates { rr: 100.0 * o.repair_rate(), br: 100.0 * o.break_rate() };
    let rates = percent(&found.outcome);
    ResultFile { settings, runs: vec![rates] }.write(&dir.join("result.txt"))?;
    if let Some(trace) = &found.trace {
        write_history(&dir.join("optimization_history.csv"), &found.localized, trace)?;
    }
    if let Some(Tested { head, samples, outcome }) = tested {
        let logits = head.patched(&found.changes)?.logits(samples.features.view())?;
        let rates = percent(outcome);
        let metrics = ClassMetrics { rr: Some(rates.rr), br: Some(rates.br), ..metrics(&logits, &samples.labels) };
        metrics.write(&dir.join("test_class_metrics.txt"))?;
    }
    Ok(())
}

fn metrics(logits: &ndarray::Array2<f32>, truth: &[ClassId]) -> ClassMetrics {
    ClassMetrics::new(logits.view(), truth)
}

/// Weights of a `weights.csv`, all in the last layer.
pub(super) fn read_weights(path: &Path, head: &Head) -> Result<Vec<Localized>, PatchError> {
    hybridrepair_patch::upstream::read_weights(path)?.iter().map(|row| row.in_head(head)).collect()
}
