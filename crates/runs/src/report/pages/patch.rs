use crate::{
    RunsError,
    report::{Align, Figure, Html, Page, RunFolder, Table, count, percent},
};
use serde::Deserialize;

/// The patch that lies in the run's folder: a few changed weights, and what they do.
pub(super) struct Patch;

const FILE: &str = "patch.json";
/// Weights that are shown without asking.
const SHOWN: usize = 20;

/// What the page reads of a patch.
#[derive(Deserialize)]
struct PatchText {
    base: String,
    base_sha256: String,
    changes: Vec<ChangeText>,
    provenance: ProvenanceText,
}

#[derive(Deserialize)]
struct ChangeText {
    tensor: String,
    index: Vec<usize>,
    old: f64,
    new: f64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProvenanceText {
    data: String,
    class: Option<usize>,
    class_name: Option<String>,
    localizer: String,
    search: String,
    seed: u64,
    labels: u64,
    on_search: Option<OutcomeText>,
    on_choice: Option<OutcomeText>,
    on_test: Option<OutcomeText>,
    merged: Vec<ProvenanceText>,
}

#[derive(Deserialize)]
struct OutcomeText {
    n: u64,
    before: f64,
    after: f64,
    class_before: f64,
    class_after: f64,
    negatives: u64,
    repaired: u64,
    positives: u64,
    broken: u64,
    worst_drop: f64,
}

impl Page for Patch {
    fn name(&self) -> &'static str {
        "patch"
    }

    fn title(&self) -> &'static str {
        "Patch"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[FILE]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        let patch: PatchText = run.json(FILE)?;
        let parts = if patch.provenance.merged.is_empty() {
            std::slice::from_ref(&patch.provenance)
        } else {
            &patch.provenance.merged[..]
        };
        let judged = parts.iter().filter_map(|p| p.on_test.as_ref().or(p.on_choice.as_ref()));
        let mut figures = vec![Figure::new("weights changed", count(patch.changes.len() as u64), "of the whole model")];
        if let (Some(o), [_]) = (judged.clone().next(), parts) {
            let rate = |part: u64, of: u64| percent(part as f64 / of.max(1) as f64);
            let of = |part: u64, all: u64, what: &str| format!("{} of {} {what}", count(part), count(all));
            figures.push(Figure::new(
                "repaired",
                rate(o.repaired, o.negatives),
                of(o.repaired, o.negatives, "wrong samples of the class"),
            ));
            figures.push(Figure::new(
                "broken",
                rate(o.broken, o.positives),
                of(o.broken, o.positives, "right samples"),
            ));
        }
        html.figures(&figures);
        for part in parts {
            outcomes(html, part);
        }
        html.heading("Weights");
        weights(html, &patch);
        html.hint(&format!(
            "For {} with SHA-256 {}; `patch apply` refuses any other file, `patch revert` gives it back to the bit.",
            patch.base, patch.base_sha256
        ));
        Ok(())
    }
}

fn outcomes(html: &mut Html, p: &ProvenanceText) {
    let class = p.class_name.clone().or_else(|| p.class.map(|c| c.to_string())).unwrap_or_else(|| "all".to_owned());
    html.heading(&format!("Class {class}"));
    html.paragraph(&format!(
        "Weights by {}, values by {}, seed {}, on {} labels of {}.",
        p.localizer,
        p.search,
        p.seed,
        count(p.labels),
        p.data
    ));
    let r = Align::Right;
    let mut table = Table::new(&[
        ("samples", Align::Left),
        ("n", r),
        ("repaired", r),
        ("broken", r),
        ("class", r),
        ("all", r),
        ("largest fall of another class", r),
    ]);
    for (name, outcome) in [("searched on", &p.on_search), ("chosen on", &p.on_choice), ("seen by neither", &p.on_test)]
    {
        if let Some(o) = outcome {
            table.row([
                name.to_owned(),
                count(o.n),
                format!("{} of {}", count(o.repaired), count(o.negatives)),
                format!("{} of {}", count(o.broken), count(o.positives)),
                format!("{} → {}", percent(o.class_before), percent(o.class_after)),
                format!("{} → {}", percent(o.before), percent(o.after)),
                percent(o.worst_drop),
            ]);
        }
    }
    html.table(&table);
}

fn weights(html: &mut Html, patch: &PatchText) {
    let r = Align::Right;
    let mut table = Table::new(&[("weight", Align::Left), ("before", r), ("after", r), ("change", r)]).shown(SHOWN);
    let number = |v: f64| format!("{v:.5}").replace('-', "−");
    for c in &patch.changes {
        let index = c.index.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let moved = format!("{:+.5}", c.new - c.old).replace('-', "−");
        table.row([format!("{}[{index}]", c.tensor), number(c.old), number(c.new), moved]);
    }
    html.table(&table);
}

#[cfg(test)]
mod tests {
    use crate::report::run_report;
    use std::fs;

    #[test]
    fn a_patch_in_the_folder_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.toml"), "").unwrap();
        let outcome = r#"{"n": 10, "before": 0.8, "after": 0.9, "class_before": 0.5, "class_after": 1.0, "negatives": 2,
            "repaired": 2, "positives": 8, "broken": 1, "worst_drop": 0.5}"#;
        let patch = format!(
            r#"{{"format_version": 1, "base_sha256": "ab", "base": "m.safetensors",
            "changes": [{{"tensor": "fc.weight", "index": [1, 2], "old": -0.125, "new": 0.5}}],
            "provenance": {{"tool": "t", "data": "signs field", "class": 1, "class_name": "<stop>", "localizer": "arachne1",
            "search": "pso", "seed": 3, "labels": 10, "on_search": {outcome}}}}}"#
        );
        fs::write(dir.path().join("patch.json"), patch).unwrap();
        let html = run_report(dir.path()).unwrap();
        for word in ["fc.weight[1,2]", "+0.62500", "Class &lt;stop&gt;", "2 of 2", "arachne1"] {
            assert!(html.contains(word), "{word}");
        }
    }
}
