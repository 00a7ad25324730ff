use crate::{
    Exit, Failure,
    args::{ApplyArgs, MergeArgs, ShowArgs},
    say,
};
use hybridrepair_patch::{Conflict, Outcome, PatchFile, Provenance, TensorFile, merge as merge_patches};
use std::{path::Path, process::ExitCode};

fn free(path: &Path, overwrite: bool) -> Result<(), Failure> {
    if !overwrite && path.symlink_metadata().is_ok() {
        return Err(Failure::new(Exit::Input, format!("{} exists already", path.display()))
            .help("choose another --output, or pass --overwrite"));
    }
    Ok(())
}

/// `patch apply` and `patch revert`
pub(super) fn apply(args: &ApplyArgs, revert: bool) -> Result<ExitCode, Failure> {
    free(&args.output, args.overwrite)?;
    let patch = PatchFile::read(&args.patch)?;
    let mut model = TensorFile::read(&args.checkpoint)?;
    let done = if revert { patch.revert(&mut model)? } else { patch.apply(&mut model)? };
    model.write(&args.output)?;
    say!("{}: {} weights {}", args.output.display(), done.weights, if revert { "as before" } else { "patched" });
    say!("sha256 {}", done.sha256);
    Ok(ExitCode::SUCCESS)
}

/// `patch merge`
pub(super) fn merge(args: &MergeArgs) -> Result<ExitCode, Failure> {
    free(&args.output, args.overwrite)?;
    let rule = args.on_conflict.as_deref().map(str::parse::<Conflict>).transpose()?;
    let patches = args.patches.iter().map(|p| PatchFile::read(p)).collect::<Result<Vec<_>, _>>()?;
    let merged = merge_patches(&patches, rule)?;
    let model = TensorFile::read(&args.checkpoint)?;
    merged.check_model(&model)?;
    // rounded to what the model's file holds: a mean may lie between two numbers
    let patch = PatchFile::new(&model, &merged.changes, merged.provenance)?;
    patch.write(&args.output)?;
    say!("{}: {} weights of {} patches", args.output.display(), patch.changes.len(), patches.len());
    Ok(ExitCode::SUCCESS)
}

/// Weights that are listed one by one.
const LISTED: usize = 40;

/// `patch show`
pub(super) fn show(args: &ShowArgs) -> Result<ExitCode, Failure> {
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
