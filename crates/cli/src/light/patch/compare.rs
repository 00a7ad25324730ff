use super::{CaseData, case::positives};
use crate::{Exit, Failure, args::PatchCompareArgs, say};
use hybridrepair_core::metrics::MeanInterval;
use hybridrepair_patch::{CompareRequest, Compared, Guard, MethodSettings, PatchError, compare as compare_methods};
use hybridrepair_runs::write_atomic;
use serde_json::json;
use std::{process::ExitCode, time::Instant};

/// Refuses settings before anything is computed.
pub(super) fn check(args: &PatchCompareArgs) -> Result<(), Failure> {
    args.case.last_layer_only()?;
    if let Some(lambda) = args.lambdas.iter().find(|l| !(0.0..=1.0).contains(*l)) {
        return Err(PatchError::setting("lambda", lambda, "is outside [0, 1]").into());
    }
    for name in &args.methods {
        hybridrepair_patch::named_method(name, &settings(args))?;
    }
    if args.seeds == 0 {
        return Err(Failure::new(Exit::Usage, "0 seeds compare nothing"));
    }
    Ok(())
}

fn settings(args: &PatchCompareArgs) -> MethodSettings {
    let lambda = args.lambdas.first().copied().unwrap_or(0.2);
    let positives = positives(&args.case);
    MethodSettings { lambda, population: args.population, iterations: args.iterations, positives }
}

/// `patch compare`
pub(super) fn compare(args: &PatchCompareArgs, data: &CaseData) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let test = data.test.as_ref().ok_or_else(|| {
        Failure::new(Exit::Usage, "a comparison needs samples that nothing is chosen on")
            .help("pass --test-features and --test-labels, or a data set with a holdout")
    })?;
    let class = data.class_of(&args.case, &data.samples)?;
    let done = compare_methods(&CompareRequest {
        head: &data.head,
        precision: data.precision,
        samples: &data.samples,
        test,
        class,
        methods: &args.methods,
        lambdas: &args.lambdas,
        settings: settings(args),
        guard: Guard { max_break: args.max_break.map(|s| s.0), protect: false },
        choose_share: args.choose_share.0,
        seeds: args.seeds,
        seed: args.case.runtime.seed.unwrap_or(0),
    })?;
    let name = &data.class_names[class.column()];
    let value = json!({
        "format_version": 1, "class_name": name, "data": data.what, "labels": data.samples.len(),
        "seconds": began.elapsed().as_secs_f64(), "comparison": done,
    });
    let text = serde_json::to_string_pretty(&value).map_err(|e| Failure::new(Exit::Unexpected, e))?;
    if let Some(path) = &args.output {
        write_atomic(path, format!("{text}\n").as_bytes())?;
    }
    if let Some(path) = &args.html {
        write_atomic(path, super::page::page(&done, name, &data.what, data.samples.len()).as_bytes())?;
    }
    if args.case.json {
        say!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    say!(
        "class {name}: {} wrong and {} right test samples, {} seeds, {} labels of {}",
        done.negatives,
        done.positives,
        args.seeds,
        data.samples.len(),
        data.what
    );
    say!(
        "  {:<10} {:>6} {:>8} {:>15} {:>14} {:>17} {:>15} {:>14} {:>8}",
        "method",
        "lambda",
        "weights",
        "repair rate",
        "break rate",
        "above threshold",
        "class",
        "all",
        "refused"
    );
    for method in &done.methods {
        line(method);
    }
    say!("per cent and points, mean and half the 95 % interval over the seeds; {:.1} s", began.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

fn line(m: &Compared) {
    let [method, lambda, weights, rr, br, above, class, all, refused] = cells(m);
    say!("  {method:<10} {lambda:>6} {weights:>8} {rr:>15} {br:>14} {above:>17} {class:>15} {all:>14} {refused:>8}");
}

/// A row of the table: per cent and points.
pub(super) fn cells(m: &Compared) -> [String; 9] {
    let with = |m: &MeanInterval, digits: usize, sign: bool| {
        let mean = if sign { format!("{:+.digits$}", 100.0 * m.mean) } else { format!("{:.digits$}", 100.0 * m.mean) };
        if m.half_width.is_finite() { format!("{mean} ± {:.digits$}", 100.0 * m.half_width) } else { mean }
    };
    [
        m.method.clone(),
        m.lambda.map_or_else(|| "-".to_owned(), |l| l.to_string()),
        format!("{:.1}", m.weights.mean),
        with(&m.rr, 1, false),
        with(&m.br, 2, false),
        with(&m.above, 1, true),
        with(&m.class, 1, true),
        with(&m.total, 2, true),
        format!("{} / {}", m.refused, m.runs.len()),
    ]
}
