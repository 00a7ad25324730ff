use super::{
    CaseData,
    case::positives,
    upstream::{self, Tested},
};
use crate::{
    Exit, Failure,
    args::{Algo, PatchSearchArgs},
    say,
};
use hybridrepair_core::{ClassId, Streams};
use hybridrepair_patch::{
    Bias, FineTune, Found, Guard, Head, Judge, Method, Objective, Outcome, PatchError, PatchFile, Provenance,
    RepairRequest, Retrain, SPARSE, Samples, Sweep, Verdict, localizer, repair_head, roles,
};
use serde_json::json;
use std::{process::ExitCode, time::Instant};

/// Seed of the cut into samples for the search and for the choice: part of the data, not of the run.
const ROLES_SEED: u64 = 10;

/// Refuses settings before anything is computed.
///
/// # Errors
/// When the output exists or a setting is outside its range.
pub fn check(args: &PatchSearchArgs) -> Result<(), Failure> {
    if !args.overwrite && args.output.symlink_metadata().is_ok() {
        return Err(Failure::new(Exit::Input, format!("{} exists already", args.output.display()))
            .help("choose another --output, or pass --overwrite"));
    }
    if args.restarts == 0 {
        return Err(Failure::new(Exit::Usage, "0 restarts search nothing"));
    }
    objective(args).check()?;
    Ok(())
}

/// What the arguments maximise, within which limits.
pub fn objective(args: &PatchSearchArgs) -> Objective {
    let fitness = args.fitness.fitness(args.lambda, args.alpha);
    let guard = Guard { max_break: args.max_break.map(|s| s.0), protect: !args.protect_class.is_empty() };
    Objective { fitness, guard }
}

/// Whether weights that bring nothing are put back: not for searches as published.
pub fn refine(args: &PatchSearchArgs) -> bool {
    !args.no_refine && matches!(args.algo, Algo::Pso | Algo::De)
}

/// How new values are found.
fn method(args: &PatchSearchArgs, data: &CaseData) -> Result<Method, Failure> {
    let search = |name: &str| hybridrepair_patch::search(name, args.population, args.iterations);
    let search = match args.algo {
        Algo::Finetune => return Ok(Method::FineTune(FineTune { lambda: Some(args.lambda), ..FineTune::default() })),
        Algo::Sparse => {
            let keep = Some(args.case.count.unwrap_or(SPARSE));
            return Ok(Method::FineTune(FineTune { lambda: Some(args.lambda), keep, ..FineTune::default() }));
        }
        Algo::Retrain => {
            let fit = FineTune { steps: 100, ..FineTune::default() };
            return Ok(Method::Retrain(Retrain { fit, steps: args.population * args.iterations }));
        }
        Algo::Bias => {
            let steps = args.population * args.iterations;
            return Ok(Method::Search { localizer: Box::new(Bias), search: Box::new(Sweep { steps }) });
        }
        other => search(other.search_name().unwrap_or_default())?,
    };
    Ok(match &args.weights {
        Some(path) => Method::Given { weights: upstream::read_weights(path, &data.head)?, search },
        None => Method::Search { localizer: localizer(&args.case.localize, args.case.count)?, search },
    })
}

/// Names of the two halves of a method, for the patch.
fn names(args: &PatchSearchArgs, method: &Method) -> (String, String) {
    match method {
        Method::Search { localizer, search } => (localizer.name().to_owned(), search.name().to_owned()),
        Method::Given { search, .. } => {
            (args.weights.as_ref().map_or_else(String::new, |p| p.display().to_string()), search.name().to_owned())
        }
        Method::FineTune(FineTune { keep: None, .. }) => ("all".to_owned(), "finetune".to_owned()),
        Method::Retrain(_) => ("all".to_owned(), "retrain".to_owned()),
        Method::FineTune(FineTune { keep: Some(n), .. }) => (format!("the strongest {n}"), "finetune".to_owned()),
    }
}

/// `patch search`
///
/// # Errors
/// When nothing is wrong, a setting cannot be used, or nothing admissible is better than the model as it is.
pub fn search(args: &PatchSearchArgs, data: &CaseData) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let (rows, chosen) = roles(&data.samples.labels, args.choose_share.0, Streams::new(ROLES_SEED));
    let (samples, choice) = (data.samples.select(&rows), data.samples.select(&chosen));
    let class = data.class_of(&args.case, &samples)?;
    let as_class = args.case.as_class.as_deref().map(|t| data.class(t)).transpose()?;
    let protected = args.protect_class.iter().map(|t| data.class(t)).collect::<Result<Vec<_>, _>>()?;
    let (method, objective) = (method(args, data)?, objective(args));
    let judge = Judge { head: &data.head, choice: &choice, class: Some(class), objective, protected: &protected };
    let (seed, mut best) = (args.case.runtime.seed.unwrap_or(0), None::<(Verdict, Found)>);
    for restart in 0..args.restarts {
        // the first one is the run without restarts; seeds stay below 2^63, as everywhere
        let seed = if restart == 0 { seed } else { Streams::new(seed).number("patch-restart", restart, 0) >> 1 };
        let found = repair_head(&RepairRequest {
            head: &data.head,
            precision: data.precision,
            samples: &samples,
            class: Some(class),
            as_class,
            method: &method,
            positives: positives(&args.case),
            objective,
            protected: &protected,
            refine: refine(args),
            seed,
        })?;
        let verdict = judge.judge(&found)?;
        // what would be kept comes before what would not
        let rank = |v: &Verdict| (v.refused.is_none(), v.gain);
        if best.as_ref().is_none_or(|(so_far, _)| rank(&verdict) > rank(so_far)) {
            best = Some((verdict, found));
        }
    }
    let (verdict, found) = best.ok_or_else(|| Failure::new(Exit::Unexpected, "nothing was searched"))?;
    if let Some(why) = verdict.refused {
        return Err(PatchError::Refused(why).into());
    }
    let outcome = |s: &Samples| outcome(&data.head, &found, s, class);
    let on_choice = (!choice.is_empty()).then(|| outcome(&choice)).transpose()?;
    let on_test = data.test.as_ref().map(outcome).transpose()?;
    let (localizer, search) = names(args, &method);
    let provenance = Provenance {
        tool: concat!("hybridrepair ", env!("CARGO_PKG_VERSION")).to_owned(),
        data: data.what.clone(),
        class: Some(class),
        class_name: Some(data.class_names[class.column()].clone()),
        localizer,
        search,
        seed,
        labels: data.samples.len(),
        on_search: Some(found.outcome.clone()),
        on_choice,
        on_test,
        merged: Vec::new(),
    };
    let patch = PatchFile::new(&data.file, &found.changes, provenance)?;
    patch.write(&args.output)?;
    if let Some(dir) = &args.upstream_dir {
        let tested = data.test.as_ref().zip(patch.provenance.on_test.as_ref());
        let tested = tested.map(|(samples, outcome)| Tested { head: &data.head, samples, outcome });
        upstream::write_all(dir, &data.file, &found, settings(args, data, &patch), tested.as_ref())?;
    }
    describe_search(args, &patch, began.elapsed().as_secs_f64())
}

fn outcome(head: &Head, found: &Found, samples: &Samples, class: ClassId) -> Result<Outcome, PatchError> {
    let before = head.predict(samples.features.view())?;
    let after = head.patched(&found.changes)?.predict(samples.features.view())?;
    Ok(Outcome::new(&before, &after, &samples.labels, Some(class)))
}

fn settings(args: &PatchSearchArgs, data: &CaseData, patch: &PatchFile) -> Vec<(String, String)> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    vec![
        pair("dataset", data.what.clone()),
        pair("method", format!("{} {}", patch.provenance.localizer, patch.provenance.search)),
        pair("model_dir", args.case.checkpoint.display().to_string()),
        pair("num_grad", "None".to_owned()),
        pair("target_data_dir", patch.provenance.class_name.clone().unwrap_or_default()),
        pair("positive_inputs_dir", format!("{:?}", args.case.positives)),
        pair("output_dir", args.output.display().to_string()),
        pair("num_particles", args.population.to_string()),
        pair("num_iterations", args.iterations.to_string()),
        pair("num_runs", "1".to_owned()),
    ]
}

/// Tells what a written patch does.
///
/// # Errors
/// Never but for a bug.
pub fn describe_search(args: &PatchSearchArgs, patch: &PatchFile, seconds: f64) -> Result<ExitCode, Failure> {
    let p = &patch.provenance;
    if args.case.json {
        let value = json!({
            "format_version": 1, "patch": args.output, "weights": patch.changes.len(), "seconds": seconds,
            "provenance": p,
        });
        let text = serde_json::to_string_pretty(&value).map_err(|e| Failure::new(Exit::Unexpected, e))?;
        say!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    super::show::describe(patch);
    say!("patch: {} ({} weights, {seconds:.1} s)", args.output.display(), patch.changes.len());
    Ok(ExitCode::SUCCESS)
}
