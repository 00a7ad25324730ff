use crate::{ArenaError, Assignment, Clock, Limits};
use hybridrepair_runs::write_atomic;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};

/// What is run: `spec.toml` of a contest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the file.
    pub format_version: u32,
    /// Release that made it.
    pub hybridrepair: String,
    /// Suite.
    pub suite: String,
    /// Seed that the suite was drawn from, where it was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite_seed: Option<u64>,
    /// Entries by name.
    pub entries: Vec<String>,
    /// What speed-ups are over.
    pub baseline: String,
    /// The clock that ranks.
    pub clock: Clock,
    /// Runs of each entry on each task.
    pub repeats: u64,
    /// Seed of the first run of each entry on each task.
    pub seed: u64,
    /// Where it is run.
    pub machine: Machine,
    /// The tasks.
    #[serde(rename = "task")]
    pub tasks: Vec<PlannedTask>,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Operating system.
    pub os: String,
    /// Instruction set.
    pub arch: String,
    /// Processor, as the system calls it.
    pub processor: String,
    /// Cores that this process may use.
    pub cores: usize,
}

/// A task of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedTask {
    /// Name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// The target loss.
    pub target: f64,
    /// What ends a run.
    pub limits: Limits,
}

impl Machine {
    /// This machine.
    pub fn here() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|l| l.strip_prefix("model name")).and_then(|l| l.split_once(':'));
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            processor: model.map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl PlannedTask {
    pub(crate) fn of(task: &Assignment) -> Self {
        Self { name: task.name.clone(), about: task.about.clone(), target: task.target, limits: task.limits }
    }
}

impl Plan {
    /// Limits by task.
    pub fn limits(&self) -> BTreeMap<String, Limits> {
        self.tasks.iter().map(|t| (t.name.clone(), t.limits)).collect()
    }

    /// Reads `spec.toml`.
    ///
    /// # Errors
    /// When it cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, ArenaError> {
        let text = fs::read_to_string(path).map_err(|e| ArenaError::io("read", path, e))?;
        toml::from_str(&text).map_err(|e| ArenaError::Format { path: path.to_owned(), why: e.message().to_owned() })
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), ArenaError> {
        let text =
            toml::to_string(self).map_err(|e| ArenaError::Format { path: path.to_owned(), why: e.to_string() })?;
        Ok(write_atomic(path, text.as_bytes())?)
    }
}
