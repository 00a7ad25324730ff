//! `patch` over layers before the last one.

use super::part;
use crate::{
    evaluate::{load_data, load_model, runtime},
    failure::failure,
    show,
};
use hybridrepair::{
    Error,
    data::{Labelled, Normalizer, Splits},
    holdout,
    patch::{
        Cases, Localized, Outcome, PatchError, PatchFile, Positives, Provenance, TensorFile, roles,
        search as search_named,
    },
    patch_torch::{InnerRequest, Pictures, locate, patched, repair_inner, weight_layers},
    torch::{Model, predict},
};
use hybridrepair_cli::{
    Exit, Failure,
    args::{CaseArgs, LocalizeArgs, ModelArgs, PatchSearchArgs, Watched},
    light::patch::{check, describe_search, objective, refine},
    say,
};
use hybridrepair_core::{ClassId, Ledger, Streams, metrics::accuracy};
use serde_json::json;
use std::{process::ExitCode, time::Instant};

/// Seed of the cut into samples for the search and for the choice, as for the last layer.
const ROLES_SEED: u64 = 10;

struct Loaded {
    model: Model,
    file: TensorFile,
    splits: Splits,
    repair: Labelled,
    normalizer: Normalizer,
    ledger: Ledger,
    data: String,
}

fn load(args: &CaseArgs) -> Result<Loaded, Failure> {
    let part = part(args.part)?;
    let runtime = runtime(&args.runtime)?;
    let named = ModelArgs { checkpoint: Some(args.checkpoint.clone()), torchscript: None };
    let (config, splits) = load_data(&args.data, &named)?;
    let model = load_model(&named, &splits, runtime, None)?;
    let file = TensorFile::read(&args.checkpoint)?;
    let normalizer = Normalizer::new(splits.normalization)?;
    let n = args.budget.count(part.len(&splits))?;
    let mut ledger = Ledger::new(n);
    let repair = part.draw(&splits, n, &mut ledger);
    let data = format!("{} {}", config.name, format!("{:?}", args.part).to_lowercase());
    Ok(Loaded { model, file, splits, repair, normalizer, ledger, data })
}

impl Loaded {
    fn class(&self, text: &str) -> Result<ClassId, Failure> {
        let names = &self.splits.class_names;
        let numbered = text.parse::<usize>().ok().filter(|&c| c < names.len());
        names.iter().position(|n| n == text).or(numbered).map(ClassId::from).ok_or_else(|| {
            let known = names.join(", ");
            Failure::new(Exit::Usage, format!("unknown class {text:?}")).help(format!("classes are {known}"))
        })
    }

    fn said(&self, model: &Model, l: &Labelled) -> Result<Vec<ClassId>, Failure> {
        let predicted = predict(model, &l.images, &self.normalizer).map_err(|e| failure(Error::Torch(e)))?;
        Ok(predicted.classes())
    }

    /// The named class, or the one that is right least often on these rows.
    fn class_of(&self, args: &CaseArgs, rows: &[usize], said: &[ClassId]) -> Result<ClassId, Failure> {
        if let Some(text) = &args.class {
            return self.class(text);
        }
        let share = |c: usize| {
            let of = rows.iter().copied().filter(|&i| self.repair.labels[i].column() == c).collect::<Vec<_>>();
            let pick = |list: &[ClassId]| of.iter().map(|&i| list[i]).collect::<Vec<_>>();
            if of.is_empty() { 1.0 } else { accuracy(&pick(said), &pick(&self.repair.labels)) }
        };
        let worst = (0..self.splits.classes()).reduce(|a, b| if share(b) < share(a) { b } else { a });
        worst.map(ClassId::from).ok_or_else(|| Failure::new(Exit::Input, "there are no classes"))
    }

    fn layers(&self, args: &CaseArgs) -> Vec<String> {
        if args.layers == ["all"] { weight_layers(&self.model) } else { args.layers.clone() }
    }
}

fn positives(args: &CaseArgs) -> Positives {
    match args.positives {
        Watched::All => Positives::All,
        Watched::Count(count) => Positives::Balanced { count, margin: 1.0 },
    }
}

/// `patch localize --layers`
pub(super) fn localize(args: &LocalizeArgs) -> Result<ExitCode, Failure> {
    let case = &args.case;
    let l = load(case)?;
    let said = l.said(&l.model, &l.repair)?;
    let rows = (0..l.repair.labels.len()).collect::<Vec<_>>();
    let class = l.class_of(case, &rows, &said)?;
    let cases = Cases::new(&said, &l.repair.labels, Some(class), None)?;
    let mut rng = Streams::new(case.runtime.seed.unwrap_or(0)).named("patch-localize");
    let (few, none) = (Positives::Proportional(cases.negatives.len()), ndarray::Array2::zeros((0, 0)));
    let right = few.sample(&cases.positives, &l.repair.labels, &none, Some(class), &mut rng)?;
    let fill = |row: usize, out: &mut [f32]| l.normalizer.apply(l.repair.images.get(row), out);
    let size = (l.repair.images.height(), l.repair.images.width());
    let pictures = Pictures { size, fill: &fill, labels: &l.repair.labels };
    let found: Vec<Localized> = locate(&l.model, &pictures, &cases.negatives, &right, &l.layers(case))?;
    let name = &l.splits.class_names[class.column()];
    if case.json {
        show::json(&json!({
            "class": class, "class_name": name, "negatives": cases.negatives.len(), "localizer": "arachne2",
            "weights": found,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("class {name}: {} wrong samples; arachne2 finds {} weights", cases.negatives.len(), found.len());
    for f in &found {
        say!("  {:<36} {:>12.5} {:>12.3e} {:>12.3e}", f.weight.to_string(), f.value, f.grad_loss, f.forward_impact);
    }
    Ok(ExitCode::SUCCESS)
}

/// `patch search --layers`
pub(super) fn search(args: &PatchSearchArgs) -> Result<ExitCode, Failure> {
    check(args)?;
    let began = Instant::now();
    let Some(name) = args.algo.search_name() else {
        return Err(Failure::new(Exit::Usage, "--algo bias, finetune, sparse and retrain change the last layer alone")
            .help("leave out --layers, or take pso or de"));
    };
    let algo = search_named(name, args.population, args.iterations)?;
    let case = &args.case;
    let mut l = load(case)?;
    let (rows, chosen) = roles(&l.repair.labels, args.choose_share.0, Streams::new(ROLES_SEED));
    let said = l.said(&l.model, &l.repair)?;
    let class = l.class_of(case, &rows, &said)?;
    let protected = args.protect_class.iter().map(|t| l.class(t)).collect::<Result<Vec<_>, _>>()?;
    let fill = |row: usize, out: &mut [f32]| l.normalizer.apply(l.repair.images.get(row), out);
    let size = (l.repair.images.height(), l.repair.images.width());
    let seed = case.runtime.seed.unwrap_or(0);
    let found = repair_inner(&InnerRequest {
        model: &l.model,
        file: &l.file,
        pictures: Pictures { size, fill: &fill, labels: &l.repair.labels },
        rows: &rows,
        class: Some(class),
        layers: &l.layers(case),
        search: &*algo,
        positives: positives(case),
        objective: objective(args),
        protected: &protected,
        refine: refine(args),
        seed,
    })?;
    let repaired = patched(&l.model, &found.changes)?;
    let choice = l.repair.select(&chosen);
    let test = holdout(&l.splits, &mut l.ledger);
    let outcome = |labelled: &Labelled| {
        let (before, after) = (l.said(&l.model, labelled)?, l.said(&repaired, labelled)?);
        Ok::<_, Failure>(Outcome::new(&before, &after, &labelled.labels, Some(class)))
    };
    let on_choice = (!choice.labels.is_empty()).then(|| outcome(&choice)).transpose()?;
    let gained = found.trace.as_ref().is_some_and(|t| t.score > found.identity);
    // where nothing is wrong among the choosing samples, the search has the only ones
    let judged = on_choice.as_ref().filter(|o| o.negatives > 0).unwrap_or(&found.outcome);
    let beyond = args.max_break.is_some_and(|limit| judged.break_rate() > limit.0);
    if !gained || judged.repaired == 0 || beyond {
        let o = judged;
        let why =
            format!("the best found repairs {} of {}, breaks {} of {}", o.repaired, o.negatives, o.broken, o.positives);
        return Err(PatchError::Refused(why).into());
    }
    let provenance = Provenance {
        tool: concat!("hybridrepair ", env!("CARGO_PKG_VERSION")).to_owned(),
        data: l.data.clone(),
        class: Some(class),
        class_name: Some(l.splits.class_names[class.column()].clone()),
        localizer: format!("arachne2 over {}", case.layers.join(",")),
        search: name.to_owned(),
        seed,
        labels: l.repair.labels.len(),
        on_search: Some(found.outcome.clone()),
        on_choice,
        on_test: (!test.labels.is_empty()).then(|| outcome(&test)).transpose()?,
        merged: Vec::new(),
    };
    let patch = PatchFile::new(&l.file, &found.changes, provenance)?;
    patch.write(&args.output)?;
    describe_search(args, &patch, began.elapsed().as_secs_f64())
}
