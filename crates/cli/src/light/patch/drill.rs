use super::CaseData;
use crate::{Exit, Failure, args::DrillArgs, say};
use hybridrepair_patch::{DrillRequest, Drilled, Restored, drill as plant_and_repair};
use serde_json::json;
use std::{process::ExitCode, time::Instant};

/// Refuses settings before anything is computed.
pub(super) fn check(args: &DrillArgs) -> Result<(), Failure> {
    args.case.last_layer_only()?;
    name(args)?;
    if args.faults == 0 {
        return Err(Failure::new(Exit::Usage, "0 faults show nothing"));
    }
    Ok(())
}

fn name(args: &DrillArgs) -> Result<&'static str, Failure> {
    args.algo.search_name().ok_or_else(|| {
        Failure::new(Exit::Usage, "--algo bias, finetune, sparse and retrain locate no weights").help("take pso or de")
    })
}

/// `patch drill`
pub(super) fn drill(args: &DrillArgs, data: &CaseData) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let case = &args.case;
    let done = plant_and_repair(&DrillRequest {
        head: &data.head,
        precision: data.precision,
        repair: &data.samples,
        test: data.test.as_ref(),
        faults: args.faults,
        at_least: args.at_least.0,
        localizer: &case.localize,
        search: name(args)?,
        fitness: args.fitness.fitness(0.5, 1.0),
        population: args.population,
        iterations: args.iterations,
        seed: case.runtime.seed.unwrap_or(0),
    })?;
    if case.json {
        let faults = done
            .iter()
            .map(|d| json!({ "drilled": d, "restored": d.repair.share(), "restored_test": d.test.map(|t| t.share()) }));
        let value = json!({
            "format_version": 1, "data": data.what, "labels": data.samples.len(),
            "seconds": began.elapsed().as_secs_f64(), "faults": faults.collect::<Vec<_>>(),
        });
        let text = serde_json::to_string_pretty(&value).map_err(|e| Failure::new(Exit::Unexpected, e))?;
        say!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    say!("{} faults in the last layer, each costing at least {:.1} points", done.len(), 100.0 * args.at_least.0);
    say!("  {:<24} {:>9} {:>8} {:>8} {:>40} {:>40}", "weight", "located", "of", "changed", "repair", "test");
    for d in &done {
        let side = |r: &Restored| {
            let pc = |v: f64| 100.0 * v;
            let share = pc(r.share());
            format!("{:.2} -> {:.2} -> {:.2} %, {share:.1} % back", pc(r.sound), pc(r.faulty), pc(r.repaired))
        };
        say!(
            "  {:<24} {:>9} {:>8} {:>8} {:>40} {:>40}",
            d.fault.weight.to_string(),
            if d.located { "yes" } else { "no" },
            d.candidates,
            d.weights,
            side(&d.repair),
            d.test.as_ref().map_or_else(String::new, side)
        );
    }
    summary(&done);
    say!("{:.1} s", began.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

fn summary(done: &[Drilled]) {
    let located = done.iter().filter(|d| d.located).count();
    let back = |shares: &[f64]| {
        let full = shares.iter().filter(|s| **s >= 0.95).count();
        let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
        format!("at least 95 % back in {full} of {}, least {:.1} %", shares.len(), 100.0 * least)
    };
    let repair = done.iter().map(|d| d.repair.share()).collect::<Vec<_>>();
    let test = done.iter().filter_map(|d| d.test.map(|t| t.share())).collect::<Vec<_>>();
    say!("located: {located} of {}; repair samples: {}", done.len(), back(&repair));
    if !test.is_empty() {
        say!("test samples: {}", back(&test));
    }
}
