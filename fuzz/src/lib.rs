//! What the targets share: a folder in memory, for readers that take paths.

use hybridrepair_core::{Ledger, PoolIdx, Purpose, SampleId};
use hybridrepair_label::{Answers, Asked, AskedImage, take, verdicts};
use std::path::{Path, PathBuf};

/// A folder of this process on a file system in memory where there is one; made once, not removed.
pub struct Scratch(PathBuf);

impl Scratch {
    /// The folder `name` of this process.
    pub fn new(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let dir = base.join(format!("hybridrepair-fuzz-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder for the inputs");
        Self(dir)
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file of the folder.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the input in a file");
        path
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.0
    }
}

/// Shows an error, so that its text is made too.
pub fn seen<T, E: std::fmt::Display>(result: Result<T, E>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(!error.to_string().is_empty(), "an error that says nothing");
            None
        }
    }
}

/// Takes answers into an empty ledger as `label import` does, and once more, which must change nothing.
pub fn import(path: &Path, answers: &Answers) {
    let image = |i: u32| AskedImage {
        id: SampleId(u64::from(i)),
        idx: PoolIdx(i),
        rank: i as usize,
        purpose: Purpose::Annotate,
        region: None,
        reason: String::new(),
        file: format!("/field/cam {}/{i}.png", i % 2),
        predicted: 0,
        confidence: 1.0,
    };
    let classes = ["stop", "30", "Stop"].map(str::to_owned).to_vec();
    let images = (0..64).map(image).collect();
    let asked = Asked { format_version: 1, classes, answers: 1, cannot_tell_costs: false, images };
    let mut ledger = Ledger::new(0);
    for round in 0..2 {
        let Some(taken) = seen(take(path, "x#1", answers, None, &asked, ledger.entries())) else { return };
        assert!(round == 0 || taken.replies.is_empty(), "taken twice: {:?}", taken.replies);
        taken.replies.into_iter().for_each(|reply| ledger.record(reply));
    }
    let judged = verdicts(ledger.entries());
    assert!(judged.len() <= ledger.entries().len());
}
