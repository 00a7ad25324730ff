use crate::{Failure, args::ArenaListArgs, say};
use hybridrepair_arena::{Entries, tiny};
use serde_json::json;
use std::process::ExitCode;

const SUITES: [(&str, &str); 5] = [
    ("tiny", "seven small tasks, seconds each"),
    ("hidden", "twenty variations of them, drawn by --suite-seed; targets from the baseline"),
    ("language", "LSTM on generated text, or on a text of yours (--text)"),
    ("repair", "the shipped model fine-tuned for the field, once per seed of labels; needs libtorch, minutes each"),
    ("cifar", "ResNet-18 on CIFAR-10 (--data-dir) as in the competition; needs libtorch, and a GPU to end today"),
];

/// `arena list`
pub(super) fn run(args: &ArenaListArgs) -> Result<ExitCode, Failure> {
    let entries = Entries::built_in();
    let tasks = tiny()?;
    if args.json {
        let pairs = |list: Vec<(&str, &str)>| -> Vec<serde_json::Value> {
            list.iter().map(|(name, about)| json!({"name": name, "about": about})).collect()
        };
        let tasks: Vec<_> = tasks
            .iter()
            .map(|t| json!({"suite": "tiny", "name": t.name, "about": t.about, "target": t.target, "work": t.limits.work}))
            .collect();
        super::json(&json!({
            "suites": pairs(SUITES.to_vec()),
            "tasks": tasks,
            "entries": pairs(entries.list().collect()),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("suites");
    for (name, about) in SUITES {
        say!("  {name:<16} {about}");
    }
    say!("\ntasks of suite tiny");
    for task in tasks {
        say!("  {:<16} target {:.3}, at most {:.0} examples; {}", task.name, task.target, task.limits.work, task.about);
    }
    say!("\nentries");
    for (name, about) in entries.list() {
        say!("  {name:<16} {about}");
    }
    say!("  FILE.py, FILE.zip  a Python entry: train(task) of the AutoTrain competition");
    Ok(ExitCode::SUCCESS)
}
