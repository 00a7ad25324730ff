use super::{CaseData, upstream};
use crate::{Exit, Failure, args::LocalizeArgs, say};
use hybridrepair_core::Streams;
use hybridrepair_patch::localizer;
use serde_json::json;
use std::process::ExitCode;

/// `patch localize`
///
/// # Errors
/// When nothing is wrong, or a setting cannot be used.
pub fn localize(args: &LocalizeArgs, data: &CaseData) -> Result<ExitCode, Failure> {
    let case = &args.case;
    let rule = localizer(&case.localize, case.count)?;
    let class = data.class_of(case, &data.samples)?;
    let (cases, _) = data.cases(case, class)?;
    let mut rng = Streams::new(case.runtime.seed.unwrap_or(0)).named("patch-localize");
    let found = rule.locate(&data.head_case(&cases, class), &mut rng)?;
    if let Some(path) = &args.output {
        upstream::write_localized(path, &data.file, &found)?;
    }
    let (name, wrong, right) = (&data.class_names[class.column()], cases.negatives.len(), cases.positives.len());
    if case.json {
        let value = json!({
            "class": class, "class_name": name, "negatives": wrong, "positives": right,
            "localizer": rule.name(), "weights": found,
        });
        let text = serde_json::to_string_pretty(&value).map_err(|e| Failure::new(Exit::Unexpected, e))?;
        say!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    say!(
        "class {name}: {wrong} wrong samples, {right} right ones watched; {} finds {} weights",
        rule.name(),
        found.len()
    );
    say!("  {:<28} {:>12} {:>12} {:>12}", "weight", "value", "gradient", "impact");
    for l in &found {
        say!("  {:<28} {:>12.5} {:>12.3e} {:>12.3e}", l.weight.to_string(), l.value, l.grad_loss, l.forward_impact);
    }
    Ok(ExitCode::SUCCESS)
}
