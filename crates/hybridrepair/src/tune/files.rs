//! The files of a search, in `tune/` of a run.

use crate::Error;
use hybridrepair_runs::{JsonLines, read_config, read_lines, write_atomic, write_config};
use hybridrepair_tune::{Choice, Probe, ProbeLine, Trace, layer_table, probe_lines, probes_of, trace_table};
use std::{fs, path::PathBuf};

/// Where a search writes.
pub(crate) struct TuneFiles {
    folder: PathBuf,
    probes: JsonLines,
}

impl TuneFiles {
    /// Opens the folder, or makes it.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, Error> {
        let tables = folder.join("auto-lr");
        fs::create_dir_all(&tables).map_err(|e| Error::Array { path: tables, why: e.to_string() })?;
        let probes = JsonLines::open(&folder.join("probes.jsonl"))?;
        Ok(Self { folder, probes })
    }

    /// The probes that were trained before.
    pub(crate) fn probes(&self) -> Result<Vec<Probe>, Error> {
        Ok(probes_of(&read_lines::<ProbeLine>(self.probes.path())?.rows))
    }

    /// The choice, when the search has ended before.
    pub(crate) fn choice(&self) -> Result<Option<Choice>, Error> {
        let file = self.folder.join("choice.toml");
        Ok(if file.is_file() { Some(read_config(&file)?) } else { None })
    }

    /// Keeps a finished probe.
    pub(crate) fn keep(&mut self, probe: &Probe) -> Result<(), Error> {
        // the table first: a probe counts once its last line is there
        if probe.epochs.iter().any(|e| !e.layers.is_empty()) {
            let decay = probe.point.wd.map(|wd| format!("-wd-{wd:e}")).unwrap_or_default();
            let name = format!("lr-{:.4e}{decay}-seed-{}.csv", probe.point.lr, probe.point.seed);
            write_atomic(&self.folder.join("auto-lr").join(name), layer_table(probe)?.as_bytes())?;
        }
        for line in probe_lines(probe) {
            self.probes.append(&line)?;
        }
        Ok(self.probes.sync()?)
    }

    /// Keeps what the search came to.
    pub(crate) fn finish(&self, choice: &Choice, trace: &[Trace]) -> Result<(), Error> {
        if !trace.is_empty() {
            write_atomic(&self.folder.join("lrrt.csv"), trace_table(trace)?.as_bytes())?;
        }
        Ok(write_config(&self.folder.join("choice.toml"), choice)?)
    }
}
