use super::{
    CaseData,
    case::positives,
    upstream::{self, Tested},
};
use crate::{
    Exit, Failure,
    args::{Algo, FitnessArg, PatchSearchArgs},
    say,
};
use hybridrepair_core::{ClassId, Streams};
use hybridrepair_patch::{
    Bias, Cases, FineTune, Fitness, Found, Guard, Head, Method, Objective, Outcome, PatchError, PatchFile, Provenance,
    RepairRequest, Samples, Sweep, evaluate_whole, localizer, repair_head, roles,
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
    let fitness = match args.fitness {
        FitnessArg::Balanced => Fitness::Balanced { lambda: args.lambda },
        FitnessArg::Ratio => Fitness::Ratio,
        FitnessArg::Soft => Fitness::Soft { alpha: args.alpha },
    };
    let guard = Guard { max_break: args.max_break.map(|s| s.0), protect: !args.protect_class.is_empty() };
    Objective { fitness, guard }
}

/// How new values are found.
fn method(args: &PatchSearchArgs, data: &CaseData) -> Result<Method, Failure> {
    let search = |name: &str| hybridrepair_patch::search(name, args.population, args.iterations);
    let search = match args.algo {
        Algo::Finetune => return Ok(Method::FineTune(FineTune { lambda: args.lambda, ..FineTune::default() })),
        Algo::Bias => {
            let steps = args.population * args.iterations;
            return Ok(Method::Search { localizer: Box::new(Bias), search: Box::new(Sweep { steps }) });
        }
        Algo::Pso => search("pso")?,
        Algo::PsoPublished => search("pso-published")?,
        Algo::De => search("de")?,
        Algo::DePublished => search("de-published")?,
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
        Method::FineTune(_) => ("all".to_owned(), "finetune".to_owned()),
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
    let judge = Judge { head: &data.head, choice: &choice, class, objective, protected: &protected };
    let (seed, mut best) = (args.case.runtime.seed.unwrap_or(0), None::<(f64, Found)>);
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
            seed,
        })?;
        let gain = judge.gain(&found)?;
        if best.as_ref().is_none_or(|(so_far, _)| gain > *so_far) {
            best = Some((gain, found));
        }
    }
    let (gain, found) = best.ok_or_else(|| Failure::new(Exit::Unexpected, "nothing was searched"))?;
    if gain <= 0.0 || found.changes.iter().all(|c| c.new.to_bits() == c.old.to_bits()) {
        return Err(PatchError::Refused(judge.why(&found)?).into());
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

/// What decides whether a patch is kept: samples that took no part in the search.
struct Judge<'a> {
    head: &'a Head,
    choice: &'a Samples,
    class: ClassId,
    objective: Objective,
    protected: &'a [ClassId],
}

impl Judge<'_> {
    /// How much better the model gets on the choosing samples (on those of the search if there are none of the class
    /// that are wrong); not above 0 when a limit is passed there.
    fn gain(&self, found: &Found) -> Result<f64, Failure> {
        let logits = self.head.logits(self.choice.features.view())?;
        let said = self.head.predict(self.choice.features.view())?;
        let Ok(cases) = Cases::new(&said, &self.choice.labels, Some(self.class), None) else {
            let after = found.trace.as_ref().map_or(f64::from(u8::from(found.outcome.repaired > 0)), |t| t.score);
            return Ok(after - found.identity);
        };
        let (n, m) = (cases.negatives.len(), cases.positives.len());
        let score = |logits: &ndarray::Array2<f32>| {
            self.objective.score(&evaluate_whole(logits, &self.choice.labels, &cases, self.protected), n, m)
        };
        let after = self.head.patched(&found.changes)?.logits(self.choice.features.view())?;
        Ok(score(&after) - score(&logits))
    }

    fn why(&self, found: &Found) -> Result<String, Failure> {
        let search = &found.outcome;
        let on =
            |o: &Outcome| format!("repairs {} of {}, breaks {} of {}", o.repaired, o.negatives, o.broken, o.positives);
        if self.choice.is_empty() {
            return Ok(format!("the best found {}", on(search)));
        }
        let choice = outcome(self.head, found, self.choice, self.class)?;
        Ok(format!("the best found {}; on the samples that choose it {}", on(search), on(&choice)))
    }
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
    super::files::describe(patch);
    say!("patch: {} ({} weights, {seconds:.1} s)", args.output.display(), patch.changes.len());
    Ok(ExitCode::SUCCESS)
}
