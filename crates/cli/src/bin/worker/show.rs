//! What people see of a run.
#![expect(clippy::print_stderr, reason = "results go to standard output, the rest beside them")]

use hybridrepair::{Report, Session};
use hybridrepair_cli::say;
use hybridrepair_cli::{Exit, Failure};
use hybridrepair_core::metrics::Change;
use hybridrepair_runs::Summary;
use serde::Serialize;
use std::path::Path;

/// What is about to be done.
pub(crate) fn opening(session: &Session, run: &Path) {
    let c = &session.config;
    let s = &session.splits;
    eprintln!(
        "repairing {} (width {}) on {}: {} field images, {} labels to buy, method {}, seed {}, {} with {} threads",
        session.meta.spec.arch.name(),
        session.meta.spec.width,
        s.name,
        s.field.images.len(),
        session.budget,
        c.method,
        c.seed,
        session.runtime.device_name(),
        session.runtime.threads,
    );
    eprintln!("run: {}", run.display());
}

/// A value as one line of JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::new(Exit::Unexpected, e))?;
    say!("{text}");
    Ok(())
}

/// A run that was complete before.
pub(crate) fn finished(s: &Summary, run: &Path) {
    let h = &s.holdout;
    say!("{} is complete: method {}, seed {}, {} labels", run.display(), s.method, s.seed, s.labels_bought);
    say!("holdout accuracy: before {:.2} %, repaired {:.2} %", 100.0 * h.before, 100.0 * h.after);
}

/// The outcome of a repair.
pub(crate) fn report(session: &Session, report: &Report, run: &Path) {
    let (s, h) = (&report.summary, &report.summary.holdout);
    let points = 100.0 * (h.after - h.before);
    say!();
    say!("holdout accuracy ({} images)", h.n);
    say!("  as deployed          {:6.2} %", 100.0 * h.raw);
    say!("  after replay         {:6.2} %   (the baseline of every method)", 100.0 * h.before);
    if s.checkpoint.is_some() {
        say!("  repaired             {:6.2} %   {points:+.2} points", 100.0 * h.after);
        let p = report.evaluation.before_after.mcnemar();
        say!("  repaired {} images, broke {} (McNemar p = {p:.2e})", h.repaired, h.broken);
        say!("  against the deployed model: repaired {}, broke {}", h.repaired_vs_raw, h.broken_vs_raw);
    }
    per_class(session, &report.evaluation.before_after);
    say!();
    let seconds = s.seconds.values().sum::<f64>();
    say!(
        "cost: {} labels, {} images trained, {} predicted, {seconds:.0} s",
        s.labels_bought,
        s.images_trained,
        s.images_forward
    );
    if let Some(checkpoint) = &s.checkpoint {
        say!("repaired model: {}", run.join(checkpoint).display());
    }
    say!("everything else: {}", run.display());
}

/// The classes that changed most, both ways.
fn per_class(session: &Session, change: &Change) {
    let mut classes = change.per_class.iter().filter(|c| c.repaired + c.broken > 0).collect::<Vec<_>>();
    if classes.is_empty() {
        return;
    }
    classes.sort_by_key(|c| c.broken as i64 - c.repaired as i64);
    let shown = if classes.len() > 10 { [&classes[..5], &classes[classes.len() - 5..]].concat() } else { classes };
    say!();
    say!("  {:<22} {:>6} {:>9} {:>9} {:>9} {:>7}", "class", "images", "before", "after", "repaired", "broken");
    for c in shown {
        let name = session.splits.class_names.get(c.class.column()).map_or("?", String::as_str);
        let (before, after) = (100.0 * c.before, 100.0 * c.after);
        say!("  {name:<22} {:>6} {before:>7.1} % {after:>7.1} % {:>9} {:>7}", c.n, c.repaired, c.broken);
    }
}
