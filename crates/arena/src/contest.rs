//! All entries on all tasks.

use crate::{
    ArenaError, Assignment, Clock, Contender, Plan, Programs, Scores, Seen, Trial, markdown,
    page::page,
    plan::{Machine, PlannedTask},
    wire::Ground,
};
use hybridrepair_runs::{JsonLines, read_lines, write_atomic, write_json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files of a contest.
const SPEC: &str = "spec.toml";
const TRIALS: &str = "trials.jsonl";
const SCORES: &str = "scores.json";
const REPORT: &str = "report.md";
const PAGE: &str = "report.html";
const CURVES: &str = "curves";
const NAMES: [&str; 8] = [SPEC, TRIALS, SCORES, REPORT, PAGE, CURVES, "entries", "work"];

/// Who competes on what, and how it is counted.
#[derive(Clone, Debug)]
pub struct Contest {
    /// Name of the suite.
    pub suite: String,
    /// Seed that the suite was drawn from.
    pub suite_seed: Option<u64>,
    /// Tasks.
    pub tasks: Vec<Assignment>,
    /// Entries, the baseline among them.
    pub contenders: Vec<Contender>,
    /// What speed-ups are over.
    pub baseline: String,
    /// The clock that ranks.
    pub clock: Clock,
    /// Runs of each entry on each task.
    pub repeats: u64,
    /// Seed of the first of them.
    pub seed: u64,
    /// The programs that entries run in.
    pub programs: Programs,
}

/// Scores on both clocks: `scores.json`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Standings {
    /// Version of the file.
    pub format_version: u32,
    /// The clock that ranks.
    pub ranked_by: Clock,
    /// By work.
    pub work: Scores,
    /// By seconds.
    pub wall: Scores,
}

impl Standings {
    /// Those that rank.
    pub fn ranking(&self) -> &Scores {
        match self.ranked_by {
            Clock::Work => &self.work,
            Clock::Wall => &self.wall,
        }
    }

    /// Scores of finished runs.
    ///
    /// # Errors
    /// When runs and plan do not belong together.
    pub fn of(plan: &Plan, trials: &[Trial], clock: Clock) -> Result<Self, ArenaError> {
        let on = |clock| Scores::new(trials, &plan.limits(), &plan.baseline, clock);
        Ok(Self { format_version: 1, ranked_by: clock, work: on(Clock::Work)?, wall: on(Clock::Wall)? })
    }
}

impl Contest {
    /// Makes the folder: it must be new or empty, or with `overwrite` that of another contest.
    ///
    /// # Errors
    /// When it holds anything else, or cannot be made.
    pub fn prepare(folder: &Path, overwrite: bool) -> Result<(), ArenaError> {
        fs::create_dir_all(folder).map_err(|e| ArenaError::io("create", folder, e))?;
        let holds = fs::read_dir(folder).map_err(|e| ArenaError::io("read", folder, e))?.next().is_some();
        if !holds {
            return Ok(());
        }
        if !overwrite || !folder.join(SPEC).is_file() {
            return Err(ArenaError::Setting {
                what: "folder",
                given: folder.display().to_string(),
                why: if overwrite { "holds something else than a contest" } else { "is not empty" },
            });
        }
        for path in NAMES.map(|name| folder.join(name)) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            if let Err(e) = removed
                && e.kind() != std::io::ErrorKind::NotFound
            {
                return Err(ArenaError::io("remove", &path, e));
            }
        }
        Ok(())
    }

    /// Runs all, writes all files, and scores. `said` is told of every run and remark.
    ///
    /// # Errors
    /// When the arena fails; not when an entry does.
    pub fn run(&self, folder: &Path, said: &mut dyn FnMut(&str, Option<&Trial>)) -> Result<Standings, ArenaError> {
        // a process of an entry has another working folder
        let folder = &fs::canonicalize(folder).map_err(|e| ArenaError::io("read", folder, e))?;
        let plan = self.plan();
        plan.write(&folder.join(SPEC))?;
        let ground = Ground { folder: folder.clone(), programs: self.programs.clone() };
        for path in [ground.entries(), folder.join(CURVES), folder.join("work")] {
            fs::create_dir_all(&path).map_err(|e| ArenaError::io("create", &path, e))?;
        }
        for contender in &self.contenders {
            for lacking in contender.lay_out(&ground.entries())? {
                said(&lacking, None);
            }
        }
        let mut trials = Vec::new();
        for task in &self.tasks {
            for seed in self.seed..self.seed + self.repeats {
                for contender in &self.contenders {
                    let (trial, curve) = ground.play(contender, task, seed)?;
                    let curve: String = std::iter::once("work,seconds,loss\n".to_owned())
                        .chain(curve.iter().map(|s| format!("{},{:.6},{}\n", s.work, s.seconds, s.loss)))
                        .collect();
                    write_atomic(&folder.join(CURVES).join(curve_name(&trial)), curve.as_bytes())?;
                    JsonLines::open(&folder.join(TRIALS))?.append(&trial)?;
                    said("", Some(&trial));
                    trials.push(trial);
                }
            }
        }
        // scratch folders are gone one by one
        let _ = fs::remove_dir(folder.join("work"));
        conclude(folder, &plan, &trials, self.clock)
    }

    fn plan(&self) -> Plan {
        Plan {
            format_version: 1,
            hybridrepair: env!("CARGO_PKG_VERSION").to_owned(),
            suite: self.suite.clone(),
            suite_seed: self.suite_seed,
            entries: self.contenders.iter().map(|c| c.name().to_owned()).collect(),
            baseline: self.baseline.clone(),
            clock: self.clock,
            repeats: self.repeats,
            seed: self.seed,
            machine: Machine::here(),
            tasks: self.tasks.iter().map(PlannedTask::of).collect(),
        }
    }
}

/// Scores the stored runs of one or several contests again: of the same plan but for suite seed and tasks.
///
/// # Errors
/// When a folder holds no contest.
pub fn rescore(folders: &[PathBuf], clock: Option<Clock>) -> Result<(Plan, Vec<Trial>, Standings), ArenaError> {
    let mut joined: Option<(Plan, Vec<Trial>)> = None;
    for folder in folders {
        let mut plan = Plan::read(&folder.join(SPEC))?;
        let mut trials: Vec<Trial> = read_lines(&folder.join(TRIALS))?.rows;
        let Some((all, so_far)) = &mut joined else {
            joined = Some((plan, trials));
            continue;
        };
        if all.entries != plan.entries || all.baseline != plan.baseline {
            return Err(ArenaError::Format {
                path: folder.clone(),
                why: "has other entries or another baseline".into(),
            });
        }
        // tasks of different seeds are called alike
        let number = all.tasks.len();
        for task in &mut plan.tasks {
            task.name = format!("{}#{number}", task.name);
        }
        for t in &mut trials {
            t.task = format!("{}#{number}", t.task);
        }
        all.tasks.append(&mut plan.tasks);
        all.suite_seed = None;
        so_far.append(&mut trials);
    }
    let (plan, trials) = joined.ok_or_else(|| ArenaError::Setting {
        what: "folders",
        given: "none".into(),
        why: "leaves nothing to score",
    })?;
    let standings = Standings::of(&plan, &trials, clock.unwrap_or(plan.clock))?;
    Ok((plan, trials, standings))
}

/// Writes scores and report.
///
/// # Errors
/// When a file cannot be written.
pub fn conclude(folder: &Path, plan: &Plan, trials: &[Trial], clock: Clock) -> Result<Standings, ArenaError> {
    let standings = Standings::of(plan, trials, clock)?;
    write_json(&folder.join(SCORES), &standings)?;
    write_atomic(&folder.join(REPORT), markdown(plan, trials, &standings).as_bytes())?;
    let seen = |trial: &Trial| read_curve(&folder.join(CURVES).join(curve_name(trial)));
    write_atomic(&folder.join(PAGE), page(plan, trials, &seen, &standings).as_bytes())?;
    Ok(standings)
}

fn curve_name(trial: &Trial) -> String {
    format!("{}--{}--{}.csv", trial.task, trial.entry, trial.seed)
}

/// What the probes of a run saw; nothing where the file is not there or is not ours.
fn read_curve(path: &Path) -> Vec<Seen> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let row = |line: &str| {
        let numbers: Vec<f64> = line.split(',').map_while(|n| n.parse().ok()).collect();
        let [work, seconds, loss] = numbers[..] else { return None };
        Some(Seen { work, seconds, loss })
    };
    text.lines().skip(1).filter_map(row).collect()
}
