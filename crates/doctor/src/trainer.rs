use crate::{DoctorError, Finding, Plan, Problem, Weights};
use serde::{Deserialize, Serialize};

/// One training under a monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its name, by which its weights are found again.
    pub name: String,
    /// Epochs that it ran.
    pub epochs: usize,
    /// Epochs that it was to run.
    pub wished: usize,
    /// The problem that was reported, which ended it.
    pub finding: Option<Finding>,
    /// Validation accuracy after the last epoch.
    #[serde(with = "crate::number")]
    pub last_acc: f64,
    /// The best validation accuracy.
    #[serde(with = "crate::number")]
    pub best_acc: f64,
    /// Mean validation accuracy of the last five epochs: what training ends with, swings included.
    #[serde(with = "crate::number")]
    pub settled: f64,
    /// The lowest validation loss.
    #[serde(with = "crate::number")]
    pub best_loss: f64,
    /// How long it took.
    pub seconds: f64,
}

impl Trial {
    /// The problem that was reported.
    pub fn problem(&self) -> Option<Problem> {
        self.finding.as_ref().map(|f| f.problem)
    }
}

/// What shall be trained.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// How.
    pub plan: &'a Plan,
    /// Under this name weights and readings are kept.
    pub name: &'a str,
    /// Epochs; fewer than the plan's for a first look.
    pub epochs: usize,
    /// Where the weights come from: `None` from initial ones, else from the trial of this name.
    pub from: Option<&'a str>,
}

/// Whoever trains: libtorch, or a script in a test.
pub trait Trainer {
    /// Trains under the rules that it was made with, until they report a problem or the epochs are over.
    ///
    /// # Errors
    /// When training fails for a reason that is no training problem, or is interrupted.
    fn train(&mut self, job: Job<'_>) -> Result<Trial, DoctorError>;
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Silent, and accuracy rose as far as asked.
    Solved,
    /// Silent, but accuracy did not rise as far as asked.
    QuietButPoor,
    /// Another problem came up.
    Changed,
    /// The same problem again.
    Failed,
    /// A first look at few epochs, by which attempts are ranked.
    Looked,
}

/// One training on the way to a repair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Round, from 1.
    pub round: usize,
    /// The problem that is treated.
    pub problem: Problem,
    /// The remedy.
    pub remedy: String,
    /// Which of its attempts, from 0.
    pub attempt: usize,
    /// What it changed, in words.
    pub change: String,
    /// Where the weights came from.
    pub weights: Weights,
    /// The plan.
    pub plan: Plan,
    /// What training gave.
    pub trial: Trial,
    /// What became of it.
    pub verdict: Verdict,
}

/// Where attempts are kept, so that an interrupted repair does not train them again.
pub trait Journal {
    /// The trial of this name, if exactly this plan was trained under it.
    fn find(&self, name: &str, plan: &Plan) -> Option<Trial>;

    /// Keeps an attempt.
    ///
    /// # Errors
    /// When it cannot be written.
    fn record(&mut self, attempt: &Attempt) -> Result<(), DoctorError>;
}

/// A journal in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// All attempts in order.
    pub attempts: Vec<Attempt>,
}

impl Journal for Memory {
    fn find(&self, name: &str, plan: &Plan) -> Option<Trial> {
        self.attempts.iter().find(|a| a.trial.name == name && a.plan == *plan).map(|a| a.trial.clone())
    }

    fn record(&mut self, attempt: &Attempt) -> Result<(), DoctorError> {
        self.attempts.push(attempt.clone());
        Ok(())
    }
}
