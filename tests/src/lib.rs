//! Drives the built tool from outside, as a user does.
//!
//! Build it first with `scripts/hybridrepair --version`; `scripts/test` does.

pub mod browser;
pub mod pages;
pub mod pictures;

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The clone.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The built tool.
pub fn tool() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let tool = target.join("release/hybridrepair");
    assert!(tool.exists(), "{} is missing: run scripts/hybridrepair --version first", tool.display());
    tool
}

/// What a run of the tool gave.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; -1 when it was killed.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Ran {
    fn from(o: Output) -> Self {
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        Self { code: o.status.code().unwrap_or(-1), out: text(&o.stdout), err: text(&o.stderr) }
    }
}

impl Ran {
    /// The run must have succeeded.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    /// The run must have failed with this code, with these words in its message, and with advice.
    pub fn fails(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in: {}", self.err);
        }
        self
    }

    /// Its standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }
}

/// A folder of its own for one test, with a tiny recipe of the built-in data and a tiny trained model.
pub struct World {
    dir: tempfile::TempDir,
}

/// Pictures of the tiny data, as `[data.signs]` has it.
pub const TINY: &str = "[data.signs]\ntrain = 640\nval = 160\nfield = 800\nholdout = 400\n";

impl World {
    /// An empty folder.
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a temporary file");
        path
    }

    /// A command of the tool, not started, in this folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(tool());
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null()).env("HYBRIDREPAIR_HOME", root());
        command
    }

    /// Runs the tool.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.command(args).output().expect("the tool starts").into()
    }

    /// Trains the tiny model (a few seconds) and writes two recipes for it: `repair.toml` with the published method,
    /// `default.toml` with that of the preset.
    pub fn with_model() -> Self {
        let world = Self::new();
        world.write("train.toml", format!("model = \"mobilenet\"\nwidth = 0.1\nepochs = 3\nthreads = 1\n{TINY}"));
        world.run(&["train", "train.toml", "--output-dir", "model", "--quiet"]).ok();
        let finetune = "[finetune]\nepochs = 2\nreplay_epochs = 1\n";
        let top = "checkpoint = \"model/checkpoints/best.safetensors\"\nbudget = \"0.02\"\nthreads = 1\n";
        world.write("repair.toml", format!("method = \"hybrid\"\n{top}{finetune}{TINY}"));
        // the method of the preset
        world.write("default.toml", format!("{top}{finetune}[matching]\nepochs = 2\nunlabelled = 64\n{TINY}"));
        world
    }

    /// Reads a JSON file.
    pub fn read_json(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// Folder of unpacked real data, or `None` after saying aloud that the test is skipped.
pub fn real_data(set: &str) -> Option<PathBuf> {
    let found = std::env::var_os("HYBRIDREPAIR_DATA").map(|d| Path::new(&d).join(set)).filter(|d| d.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED: HYBRIDREPAIR_DATA does not hold {set}");
    }
    found
}
