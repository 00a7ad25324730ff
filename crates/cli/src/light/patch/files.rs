use crate::{
    Exit, Failure,
    args::{ApplyArgs, MergeArgs},
    say,
};
use hybridrepair_patch::{Conflict, PatchFile, TensorFile, merge as merge_patches};
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
