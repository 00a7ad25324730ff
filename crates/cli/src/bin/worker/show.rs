//! What people see of a run.
#![expect(clippy::print_stderr, reason = "results go to standard output, the rest beside them")]

use hybridrepair::{Plan, Report, Session, Waiting};
use hybridrepair_cli::say;
use hybridrepair_cli::{Exit, Failure};
use hybridrepair_core::{intervals::Interval, metrics::Change};
use hybridrepair_runs::{Advice, Layout, Summary};
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

/// Which part of the network is trained, and why.
pub(crate) fn tier(plan: &Plan, steps: Option<u64>) {
    let Plan { chosen, why, .. } = plan;
    eprintln!("tier {}: {} ({why}); about {:.1} minutes", chosen.tier, chosen.trains, chosen.minutes);
    if let Some(steps) = steps {
        eprintln!("training stops after {steps} steps");
    }
}

/// A value as one line of JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::new(Exit::Unexpected, e))?;
    say!("{text}");
    Ok(())
}

/// A run that waits for people, and what they do next.
pub(crate) fn waiting(waiting: Waiting, run: &Path, as_json: bool) -> Result<(), Failure> {
    let Waiting { asked, judges, missing, ties } = waiting;
    let advice = Advice::of(&Layout::new(run));
    if as_json {
        return json(&serde_json::json!({
            "format_version": 1, "waiting": true, "run": run, "asked": asked, "judges": judges, "missing": missing,
            "ties": ties, "advice": advice,
        }));
    }
    let run = run.display();
    say!(
        "waiting for labels: {missing} of {asked} pictures have not enough answers{}",
        match ties {
            0 => String::new(),
            ties => format!(", and on {ties} the answers are at odds"),
        }
    );
    if judges > 0 {
        say!("({judges} of them are drawn at random: they estimate accuracy and are not trained on)");
    }
    for line in advice.iter().flat_map(Advice::words) {
        say!("  {line}");
    }
    say!("  1. hybridrepair label serve {run}                (in a browser on this machine; Ctrl-C when you are done)");
    say!("     or, with a tool of your own:");
    say!("     hybridrepair label export {run} --to csv      (or label-studio, cvat, sheet)");
    say!("     hybridrepair label import {run} FILE          (as often as you like, also in pieces)");
    say!("  2. hybridrepair resume {run}");
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
    let alone = s.random_share.as_ref().is_some_and(|r| r.instead_of_holdout);
    let what = if alone { "accuracy on the random share of the field" } else { "holdout accuracy" };
    say!("{what} ({} images)", h.n);
    say!("  as deployed          {:6.2} %", 100.0 * h.raw);
    if s.tier == "full" {
        say!("  after replay         {:6.2} %   (the baseline of every method)", 100.0 * h.before);
    }
    if s.checkpoint.is_some() {
        say!("  repaired             {:6.2} %   {points:+.2} points", 100.0 * h.after);
        let p = report.evaluation.before_after.mcnemar();
        say!("  repaired {} images, broke {} (McNemar p = {p:.2e})", h.repaired, h.broken);
        say!("  against the deployed model: repaired {}, broke {}", h.repaired_vs_raw, h.broken_vs_raw);
    }
    if let Some(r) = &s.random_share {
        say!();
        say!("field accuracy by {} random samples, with 95 % intervals", r.n);
        say!("  as deployed          {}", percent(&r.raw));
        say!("  repaired             {}", percent(&r.after));
        let Interval { value, low, high } = r.gain;
        say!("  gain                 {:+6.2} points [{:+.1}, {:+.1}]", 100.0 * value, 100.0 * low, 100.0 * high);
    }
    foretold(run, h.after - h.raw);
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

/// What was foretold, beside what came of it.
fn foretold(run: &Path, gain: f64) {
    let advice = Advice::of(&Layout::new(run));
    if let Some(told) = advice.and_then(|a| a.forecasts.first().copied()) {
        let Interval { value, low, high } = told.gain;
        let (value, low, high, gain) = (100.0 * value, 100.0 * low, 100.0 * high, 100.0 * gain);
        say!();
        say!(
            "predicted before buying: {value:+.1} points [{low:+.1}, {high:+.1}] against the deployed model; found: {gain:+.1}"
        );
    }
}

/// A share with its interval.
fn percent(i: &Interval) -> String {
    format!("{:6.2} % [{:.1}, {:.1}]", 100.0 * i.value, 100.0 * i.low, 100.0 * i.high)
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
