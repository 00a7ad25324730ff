use crate::{Exit, Failure, args::ReportArgs, say};
use hybridrepair_runs::{
    Comparison, Layout, Summary,
    report::{comparison_report, run_report},
    write_atomic,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `report`
pub(super) fn run(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let (html, place) = match &args.runs[..] {
        [one] if !is_comparison(one) => (run_report(one)?, Layout::new(one).report()),
        [one] => (compared(&runs_of(one)?, &title(one), args)?, one.join("report.html")),
        several => {
            let mut runs = Vec::new();
            for folder in several {
                if is_comparison(folder) { runs.extend(runs_of(folder)?) } else { runs.push(folder.clone()) }
            }
            (compared(&runs, &format!("{} runs", runs.len()), args)?, PathBuf::from("report.html"))
        }
    };
    let place = args.output.clone().unwrap_or(place);
    write_atomic(&place, html.as_bytes())?;
    say!("{} ({:.1} MB): open it in a browser; it needs nothing else", place.display(), html.len() as f64 / 1e6);
    Ok(ExitCode::SUCCESS)
}

/// What `compare` writes.
pub(super) fn is_comparison(folder: &Path) -> bool {
    folder.join("comparison.json").is_file() && !Layout::new(folder).config().is_file()
}

/// The complete runs in the folder of a comparison, by name.
pub(super) fn runs_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let fail = |e: std::io::Error| {
        Failure::new(Exit::Input, format!("{}: {e}", folder.display())).help("check the path and its rights")
    };
    let mut runs = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if Layout::new(&path).summary().is_file() {
            runs.push(path);
        }
    }
    runs.sort();
    Ok(runs)
}

/// The last part of a path.
pub(super) fn title(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    absolute.file_name().map_or_else(|| "runs".to_owned(), |n| n.to_string_lossy().into_owned())
}

fn compared(runs: &[PathBuf], title: &str, args: &ReportArgs) -> Result<String, Failure> {
    let mut summaries = Vec::new();
    for run in runs {
        let path = Layout::new(run).summary();
        if !path.is_file() {
            return Err(Failure::new(
                Exit::Usage,
                format!("no complete run here (summary.json is missing): {}", run.display()),
            )
            .help("go on with `hybridrepair resume`, or leave it out"));
        }
        summaries.push(Summary::read(&path)?);
    }
    let has = |name: &str| summaries.iter().any(|s| s.method == name);
    let first = || summaries.first().map(|s| s.method.clone()).unwrap_or_default();
    let usual = ["no-repair", "random"].into_iter().find(|name| has(name)).map_or_else(first, str::to_owned);
    // that of `compare`, when it is its folder
    let baseline = args.baseline.clone().or_else(|| own_baseline(args)).unwrap_or(usual);
    Ok(comparison_report(title, &Comparison::of(&summaries, &baseline)?))
}

fn own_baseline(args: &ReportArgs) -> Option<String> {
    let [folder] = &args.runs[..] else { return None };
    let text = fs::read(folder.join("comparison.json")).ok()?;
    let value: serde_json::Value = serde_json::from_slice(&text).ok()?;
    Some(value.get("baseline")?.as_str()?.to_owned())
}
