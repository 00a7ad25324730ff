use super::Design;
use crate::{ArenaError, Limits, Problem, problems::Supervised};
use std::{fmt, path::PathBuf, sync::Arc};

/// Makes the problem of a task anew, for a run of its own.
pub type MakeProblem = Arc<dyn Fn() -> Result<Box<dyn Problem>, ArenaError> + Send + Sync>;

/// A task of a suite.
#[derive(Clone)]
pub struct Assignment {
    /// Name, unique in its suite.
    pub name: String,
    /// A line on what it is.
    pub about: String,
    /// The target loss.
    pub target: f64,
    /// Work that the baseline is given when the target is calibrated.
    pub budget: f64,
    /// What ends a run.
    pub limits: Limits,
    /// Files that its data lie in.
    pub files: Vec<PathBuf>,
    make: MakeProblem,
}

/// A run may take so many times what the baseline was given for calibration.
const PATIENCE: f64 = 4.0;

impl Assignment {
    /// A task of anything. Limits are four times the budget in work; see [`Assignment::limited`] for time and memory.
    pub fn new(name: impl Into<String>, about: impl Into<String>, target: f64, budget: f64, make: MakeProblem) -> Self {
        let limits = Limits { work: PATIENCE * budget, seconds: 60.0, memory: 2 << 30 };
        Self { name: name.into(), about: about.into(), target, budget, limits, files: Vec::new(), make }
    }

    /// A task of this design.
    ///
    /// # Errors
    /// When its data cannot be made.
    pub fn designed(name: impl Into<String>, design: &Design, target: f64) -> Result<Self, ArenaError> {
        let splits = Arc::new(design.splits()?);
        // a pass and a probe
        let epoch = splits.train.len() as f64 + splits.target.len() as f64 / 3.0;
        let design = *design;
        let make: MakeProblem = Arc::new(move || {
            let net = design.net().ok_or_else(|| ArenaError::Setting {
                what: "depth",
                given: design.depth.to_string(),
                why: "leaves no layer",
            })?;
            Ok(Box::new(Supervised::new(net, splits.clone(), design.family.batch())))
        });
        let budget = (design.family.epochs() as f64 * epoch).round();
        Ok(Self::new(name, design.to_string(), target, budget, make))
    }

    /// With other limits of time (seconds) and memory (bytes).
    #[must_use]
    pub fn limited(mut self, seconds: f64, memory: u64) -> Self {
        (self.limits.seconds, self.limits.memory) = (seconds, memory);
        self
    }

    /// The problem, fresh.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn problem(&self) -> Result<Box<dyn Problem>, ArenaError> {
        (self.make)()
    }
}

impl fmt::Debug for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assignment").field("name", &self.name).field("target", &self.target).finish_non_exhaustive()
    }
}

impl fmt::Display for Design {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} width x{} depth {:+} label noise {} inputs x{} data seed {}",
            self.family.name(),
            self.width,
            self.depth,
            self.label_noise,
            self.input_scale,
            self.data_seed
        )
    }
}
