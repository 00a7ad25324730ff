//! What a patch, or a file of the published toolkit, says.

use crate::{Exit, Failure, args::ShowArgs, say};
use hybridrepair_patch::{
    Outcome, PatchFile, Provenance,
    upstream::{ClassMetrics, ResultFile, RunRates, WeightRow, read_weights},
};
use std::{fs, io::Read, path::Path, process::ExitCode};

/// A file of the published toolkit.
enum Foreign {
    /// `weights.csv`.
    Weights(Vec<WeightRow>),
    /// `result.txt`.
    Result(ResultFile),
    /// `test_class_metrics.txt`.
    Metrics(ClassMetrics),
}

/// Reads a file of the published toolkit, told by its beginning; none for anything else.
fn foreign(path: &Path) -> Result<Option<Foreign>, Failure> {
    let mut begins = Vec::new();
    if let Ok(file) = fs::File::open(path) {
        let _ = file.take(64).read_to_end(&mut begins);
    }
    let begins = String::from_utf8_lossy(&begins);
    let begins = begins.trim_start();
    Ok(Some(if path.extension().is_some_and(|e| e == "csv") {
        Foreign::Weights(read_weights(path)?)
    } else if begins.starts_with("# Settings") {
        Foreign::Result(ResultFile::read(path)?)
    } else if begins.replace(char::is_whitespace, "").starts_with("{\"per_class_accuracy\"") {
        Foreign::Metrics(ClassMetrics::read(path)?)
    } else {
        return Ok(None);
    }))
}

fn tell(found: &Foreign, json: bool) -> Result<ExitCode, Failure> {
    if json {
        let text = match found {
            Foreign::Weights(rows) => serde_json::to_string_pretty(rows),
            Foreign::Result(file) => serde_json::to_string_pretty(file),
            Foreign::Metrics(metrics) => serde_json::to_string_pretty(metrics),
        };
        let text = text.map_err(|e| Failure::new(Exit::Unexpected, e))?;
        say!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    match found {
        Foreign::Weights(rows) => {
            let value = |v: Option<f32>| v.map_or_else(|| "-".to_owned(), |v| v.to_string());
            say!("{} weights", rows.len());
            say!("  {:>6} {:>6} {:>6} {:>14} {:>14}", "layer", "input", "output", "before", "after");
            for r in rows.iter().take(LISTED) {
                say!("  {:>6} {:>6} {:>6} {:>14} {:>14}", r.layer, r.i, r.j, value(r.before), value(r.after));
            }
            if rows.len() > LISTED {
                say!("  and {} more", rows.len() - LISTED);
            }
        }
        Foreign::Result(file) => {
            for (name, value) in &file.settings {
                say!("{name}: {value}");
            }
            let rates = |name: &str, r: &RunRates| say!("  {name:>8} {:>8.2} % repaired {:>8.2} % broken", r.rr, r.br);
            for (i, run) in file.runs.iter().enumerate() {
                rates(&i.to_string(), run);
            }
            rates("average", &file.averages());
        }
        Foreign::Metrics(m) => {
            let line = |name: &str, v: f64| say!("  {name:<14} {v:.4}");
            line("accuracy", m.accuracy);
            line("macro F1", m.f1);
            line("macro recall", m.recall);
            line("AUC", m.auc_under_roc);
            line("weighted", m.weighted_acc);
            if let (Some(rr), Some(br)) = (m.rr, m.br) {
                say!("  {rr:.2} % repaired, {br:.2} % broken");
            }
            for (class, recall) in m.per_class_accuracy.iter().enumerate() {
                say!("  class {class:>4} {recall:.4}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Weights that are listed one by one.
const LISTED: usize = 40;

/// `patch show`
pub(super) fn show(args: &ShowArgs) -> Result<ExitCode, Failure> {
    if let Some(found) = foreign(&args.patch)? {
        return tell(&found, args.json);
    }
    let patch = PatchFile::read(&args.patch)?;
    if args.json {
        let text = serde_json::to_string_pretty(&patch).map_err(|e| Failure::new(Exit::Unexpected, e))?;
        say!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    say!("for {} (sha256 {})", patch.base, patch.base_sha256);
    describe(&patch);
    for change in patch.changes.iter().take(LISTED) {
        say!("  {:<28} {:>12} -> {:>12}", change.weight.to_string(), change.old, change.new);
    }
    if patch.changes.len() > LISTED {
        say!("  and {} more", patch.changes.len() - LISTED);
    }
    Ok(ExitCode::SUCCESS)
}

/// Where a patch comes from, and what it does.
pub(super) fn describe(patch: &PatchFile) {
    one(&patch.provenance);
    for part in &patch.provenance.merged {
        one(part);
    }
}

fn one(p: &Provenance) {
    if let (Some(class), Some(name)) = (p.class, &p.class_name) {
        say!(
            "class {name} ({class}): {} + {}, seed {}, on {} labels of {}",
            p.localizer,
            p.search,
            p.seed,
            p.labels,
            p.data
        );
    }
    let rows = [("search", &p.on_search), ("choice", &p.on_choice), ("test", &p.on_test)];
    if rows.iter().any(|(_, o)| o.is_some()) {
        say!("  {:<7} {:>7} {:>18} {:>16} {:>20} {:>20}", "", "samples", "repaired", "broken", "class", "all");
    }
    for (name, outcome) in rows {
        if let Some(o) = outcome {
            line(name, o);
        }
    }
}

fn line(name: &str, o: &Outcome) {
    let rate = |part: usize, of: usize, rate: f64| format!("{part}/{of} {:.1} %", 100.0 * rate);
    let moved = |a: f64, b: f64| format!("{:.2} -> {:.2} %", 100.0 * a, 100.0 * b);
    say!(
        "  {name:<7} {:>7} {:>18} {:>16} {:>20} {:>20}",
        o.n,
        rate(o.repaired, o.negatives, o.repair_rate()),
        rate(o.broken, o.positives, o.break_rate()),
        moved(o.class_before, o.class_after),
        moved(o.before, o.after)
    );
}
