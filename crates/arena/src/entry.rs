use crate::{ArenaError, Outcome, Referee, Stop, Task, Verdict, entries};
use hybridrepair_core::Stream;
use std::collections::BTreeMap;

/// An optimiser: trains a task that it has never seen until the task says [`Stop`].
pub trait Entry {
    /// Its name.
    fn name(&self) -> &str;

    /// Trains. Passes every [`Stop`] up with `?`; returning `Ok` is giving up.
    ///
    /// # Errors
    /// The [`Stop`] of the task.
    fn run(&mut self, task: &mut dyn Task, rng: &mut Stream) -> Result<(), Stop>;
}

/// Makes an entry.
pub type Maker = fn() -> Box<dyn Entry>;

/// Entries by name.
#[derive(Clone)]
pub struct Entries {
    known: BTreeMap<&'static str, (Maker, &'static str)>,
}

impl Entries {
    /// The entries of this crate.
    pub fn built_in() -> Self {
        let mut all = Self { known: BTreeMap::new() };
        for (name, about, make) in entries::ALL {
            all.register(name, about, *make);
        }
        all
    }

    /// Adds an entry, with a line on what it is.
    pub fn register(&mut self, name: &'static str, about: &'static str, make: Maker) {
        self.known.insert(name, (make, about));
    }

    /// Names and what they are.
    pub fn list(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.known.iter().map(|(name, (_, about))| (*name, *about))
    }

    /// Makes an entry.
    ///
    /// # Errors
    /// When none has this name.
    pub fn make(&self, name: &str) -> Result<Box<dyn Entry>, ArenaError> {
        let unknown = || ArenaError::Unknown {
            what: "entry",
            given: name.to_owned(),
            known: self.known.keys().copied().collect::<Vec<_>>().join(", "),
        };
        self.known.get(name).map(|(make, _)| make()).ok_or_else(unknown)
    }
}

/// A built-in entry.
///
/// # Errors
/// When none has this name.
pub fn entry(name: &str) -> Result<Box<dyn Entry>, ArenaError> {
    Entries::built_in().make(name)
}

/// Runs an entry in this process: for trying things out. Nothing holds an entry that does not come back.
pub fn play(entry: &mut dyn Entry, mut referee: Referee<'_>) -> Verdict {
    let mut rng = referee.streams().named(ENTRY_STREAM);
    referee.start_clock();
    // whatever the entry says of itself, the referee knows better
    let _ = entry.run(&mut referee, &mut rng);
    referee.verdict(Outcome::Returned)
}

/// Name of the stream that an entry draws from; the same in this process and in one of its own.
pub(crate) const ENTRY_STREAM: &str = "arena.entry";
