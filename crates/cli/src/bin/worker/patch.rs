//! `patch` on a data set: the network is run once, what follows needs no libtorch.

mod inner;

use crate::{
    evaluate::{load_data, load_model, runtime},
    failure::failure,
};
use hybridrepair::{
    Error, RepairPart,
    data::{Labelled, Normalizer},
    holdout,
    torch::predict,
};
use hybridrepair_cli::{
    Exit, Failure,
    args::{CaseArgs, ModelArgs, PatchCommand, Split},
    light::patch::{CaseData, run as run_light},
};
use hybridrepair_core::{ClassId, Ledger};
use ndarray::Array2;
use std::process::ExitCode;

/// `patch`
pub(crate) fn run(command: &PatchCommand) -> Result<ExitCode, Failure> {
    match command {
        PatchCommand::Search(args) if args.case.inner() => return inner::search(args),
        PatchCommand::Localize(args) if args.case.inner() => return inner::localize(args),
        _ => {}
    }
    run_light(command, |command| match command {
        PatchCommand::Localize(args) => case(&args.case, false),
        PatchCommand::Search(args) => case(&args.case, true),
        PatchCommand::Compare(args) => case(&args.case, true),
        PatchCommand::Drill(args) => case(&args.case, true),
        other => unreachable!("{other:?} needs no samples"),
    })
}

/// The split of the arguments.
pub(crate) fn part(split: Split) -> Result<RepairPart, Failure> {
    match split {
        Split::Train => Ok(RepairPart::Train),
        Split::Val => Ok(RepairPart::Val),
        Split::Field => Ok(RepairPart::Field),
        Split::Holdout => Err(Failure::new(Exit::Usage, "the holdout judges a repair and is not repaired on")
            .help("pass --part field, val or train")),
    }
}

fn case(args: &CaseArgs, with_test: bool) -> Result<CaseData, Failure> {
    let part = part(args.part)?;
    let runtime = runtime(&args.runtime)?;
    let file = ModelArgs { checkpoint: Some(args.checkpoint.clone()), torchscript: None };
    let (config, splits) = load_data(&args.data, &file)?;
    let model = load_model(&file, &splits, runtime, None)?;
    let normalizer = Normalizer::new(splits.normalization)?;
    let n = args.budget.count(part.len(&splits))?;
    let mut ledger = Ledger::new(n);
    let samples = |labelled: Labelled| -> Result<(Array2<f32>, Vec<ClassId>), Failure> {
        let predicted = predict(&model, &labelled.images, &normalizer).map_err(|e| failure(Error::Torch(e)))?;
        Ok((predicted.features, labelled.labels))
    };
    let repair = samples(part.draw(&splits, n, &mut ledger))?;
    // own folders may come without a holdout
    let with_test = with_test && !splits.holdout.images.is_empty();
    let test = with_test.then(|| samples(holdout(&splits, &mut ledger))).transpose()?;
    let part = format!("{:?}", args.part).to_lowercase();
    CaseData::new(args, repair, test, Some(splits.class_names.clone()), format!("{} {part}", config.name))
}
