//! Tries entries in this process, on work alone: quicker than `arena run`, and only for development.
//!
//! ```text
//! cargo run --release -p hybridrepair-arena --example develop -- ENTRY,ENTRY tiny|SEED,SEED [REPEATS] [--trials]
//! ```
//!
//! `--trials` tells task, entry, seed, outcome, work, seconds and default batch of every run as it ends, on standard error.
//! A number is a seed of suite `hidden`. Without arguments it runs two entries on the first task of suite `tiny`, once.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

use hybridrepair_arena::{
    ArenaError, Assignment, Clock, Entries, Referee, Scores, Trial, Variation, calibrate, entry, play, table, tiny,
    variations,
};
use rayon::prelude::*;

fn main() -> Result<(), ArenaError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize, default: &str| arguments.get(at).map_or(default, String::as_str).to_owned();
    let mut entries: Vec<String> = argument(0, "adam-0.01").split(',').map(str::to_owned).collect();
    if !entries.iter().any(|e| e == "adam") {
        entries.push("adam".to_owned());
    }
    let tell = arguments.iter().any(|a| a == "--trials");
    let repeats: u64 = argument(2, "1").parse().unwrap_or(1);
    let mut tasks: Vec<Assignment> = Vec::new();
    if argument(1, "tiny") == "calibrate" {
        for task in tiny()? {
            println!("{}: {:?}", task.name, calibrate(&task, &Entries::built_in(), "adam"));
        }
        return Ok(());
    }
    for suite in argument(1, "tiny").split(',') {
        match suite.parse() {
            Ok(seed) => {
                for v in kept(seed)? {
                    tasks.push(Assignment::designed(format!("{seed}/{}", v.name), &v.design, v.target)?);
                }
            }
            Err(_) => tasks.extend(tiny()?),
        }
    }
    if arguments.is_empty() {
        tasks.truncate(1);
    }
    let jobs: Vec<(&Assignment, &String, u64)> =
        tasks.iter().flat_map(|t| entries.iter().flat_map(move |e| (0..repeats).map(move |s| (t, e, s)))).collect();
    let trials: Vec<Trial> = jobs
        .par_iter()
        .map(|(task, name, seed)| {
            let mut problem = task.problem()?;
            let batch = problem.sizes().batch;
            let referee = Referee::new(&task.name, &mut *problem, task.target, task.limits, *seed);
            let verdict = play(&mut *entry(name)?, referee);
            let trial = Trial::new(&task.name, name, *seed, &verdict, None);
            if tell {
                let (outcome, work, seconds) = (trial.outcome, trial.work, trial.seconds);
                eprintln!("{} {name} {seed} {outcome} {work} {seconds} {batch}", task.name);
            }
            Ok(trial)
        })
        .collect::<Result<_, ArenaError>>()?;
    let limits = tasks.iter().map(|t| (t.name.clone(), t.limits)).collect();
    let scores = Scores::new(&trials, &limits, "adam", Clock::Work)?;
    println!("{}", table(&scores));
    for trial in trials.iter().filter(|t| t.outcome != hybridrepair_arena::Outcome::Reached) {
        println!("{} {} {}: {} at {:?}", trial.task, trial.entry, trial.seed, trial.outcome, trial.loss);
    }
    Ok(())
}

/// The variations of a seed; targets take minutes to calibrate and are kept in the temporary folder.
fn kept(seed: u64) -> Result<Vec<Variation>, ArenaError> {
    let path = std::env::temp_dir().join(format!("arena-develop-{seed}.json"));
    if let Ok(text) = std::fs::read(&path)
        && let Ok(all) = serde_json::from_slice(&text)
    {
        return Ok(all);
    }
    let all = variations(seed, &Entries::built_in(), "adam", &mut |said| eprintln!("{said}"))?;
    if let Ok(text) = serde_json::to_vec(&all) {
        let _ = std::fs::write(&path, text);
    }
    Ok(all)
}
