//! The search for a plan without a problem.

use crate::{
    Attempt, DoctorError, Job, Journal, MonitorSettings, Plan, Problem, ProfileName, Trainer, Trial, Verdict, Weights,
    remedies::{Applied, order},
};
use hybridrepair_core::Streams;

/// How a repair ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A plan without a problem, and good enough.
    Solved,
    /// No remedy helped.
    NothingHelped,
    /// A problem came up again that was treated before.
    Cycle,
    /// All rounds were used.
    Rounds,
    /// The budget was used.
    Budget,
}

/// What a repair gave.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// The best plan and its training, the original ones where nothing was better.
    pub plan: Plan,
    /// Its training.
    pub trial: Trial,
    /// All that was trained on the way.
    pub attempts: Vec<Attempt>,
    /// Trainings to the end that it cost; shorter ones by their share of the epochs.
    pub models: f64,
}

/// A plan that shall be trained.
struct Candidate {
    remedy: String,
    attempt: usize,
    change: String,
    plan: Plan,
}

/// The state of a repair.
pub struct Solver<'a> {
    settings: &'a MonitorSettings,
    streams: Streams,
    trainer: &'a mut dyn Trainer,
    journal: &'a mut dyn Journal,
    attempts: Vec<Attempt>,
    /// The least accuracy that is a success.
    wanted: f64,
    models: f64,
    seconds: f64,
}

impl<'a> Solver<'a> {
    /// Nothing tried yet. `good` is an accuracy that a success must reach besides gaining the margin.
    pub fn new(
        settings: &'a MonitorSettings,
        streams: Streams,
        trainer: &'a mut dyn Trainer,
        journal: &'a mut dyn Journal,
    ) -> Self {
        Self { settings, streams, trainer, journal, attempts: Vec::new(), wanted: 0.0, models: 0.0, seconds: 0.0 }
    }

    /// Looks for a plan without the problem that ended `first`. `good` is the accuracy that a success must reach besides
    /// gaining the margin; the published system asks for nothing but silence.
    ///
    /// # Errors
    /// When training fails, is interrupted, or the journal cannot be written.
    pub fn solve(mut self, plan: &Plan, first: &Trial, good: Option<f64>) -> Result<Outcome, DoctorError> {
        let published = self.settings.profile == ProfileName::Icse21;
        let margin = |acc: f64| if acc.is_nan() { 0.0 } else { acc + self.settings.margin };
        self.wanted = if published { f64::NEG_INFINITY } else { margin(first.settled).max(good.unwrap_or(0.0)) };
        let (mut plan, mut from) = (plan.clone(), first.clone());
        let mut best = (plan.clone(), first.clone());
        let mut handled = Vec::new();
        let mut next = first.problem();
        for round in 1..=self.settings.rounds {
            let Some(problem) = next else { return Ok(self.end(Ending::NothingHelped, best)) };
            if handled.contains(&problem) {
                return Ok(self.end(Ending::Cycle, best));
            }
            handled.push(problem);
            let before = self.attempts.len();
            let solved = self.round(round, problem, &plan, &from)?;
            let tried = self.attempts[before..].iter().filter(|a| a.verdict != Verdict::Looked).collect::<Vec<_>>();
            if let Some(solved) = solved {
                return Ok(self.end(Ending::Solved, solved));
            }
            for a in &tried {
                if better(&a.trial, &best.1) {
                    best = (a.plan.clone(), a.trial.clone());
                }
            }
            // the problem became another one: go on from the best of those
            let potential = tried.iter().filter(|a| matches!(a.verdict, Verdict::Changed | Verdict::QuietButPoor));
            let Some(potential) = potential.reduce(|a, b| if better(&b.trial, &a.trial) { b } else { a }) else {
                let ending = if self.over() { Ending::Budget } else { Ending::NothingHelped };
                return Ok(self.end(ending, best));
            };
            // a training that is quiet and poor learns too slowly, whatever the rules say
            next = Some(potential.trial.problem().unwrap_or(Problem::SlowConvergence));
            (plan, from) = (potential.plan.clone(), potential.trial.clone());
            if self.over() {
                return Ok(self.end(Ending::Budget, best));
            }
        }
        Ok(self.end(Ending::Rounds, best))
    }

    /// Tries the remedies of one problem, all on the same plan.
    fn round(
        &mut self,
        round: usize,
        problem: Problem,
        plan: &Plan,
        from: &Trial,
    ) -> Result<Option<(Plan, Trial)>, DoctorError> {
        let mut candidates = self.candidates(round, problem, plan)?;
        let few = (self.settings.short * plan.epochs as f64).ceil() as usize;
        let keep = ((self.settings.keep * candidates.len() as f64).ceil() as usize).max(2);
        let look = few < plan.epochs && keep < candidates.len();
        if look {
            let mut ranked = Vec::new();
            for candidate in candidates {
                let Some(trial) = self.train(round, problem, &candidate, few, from)? else { break };
                ranked.push((trial, candidate));
            }
            ranked.sort_by(|(a, _), (b, _)| rank(a).total_cmp(&rank(b)));
            candidates = ranked.into_iter().map(|(_, c)| c).collect();
        }
        let mut solved: Option<(&Candidate, Trial)> = None;
        for candidate in candidates.iter().take(if look { keep } else { usize::MAX }) {
            let Some(trial) = self.train(round, problem, candidate, plan.epochs, from)? else { break };
            if self.good() && solved.as_ref().is_none_or(|(_, s)| better(&trial, s)) {
                solved = Some((candidate, trial));
            }
            // one after the other: the first that works ends it; after a look all that were kept are compared
            if solved.is_some() && !look {
                break;
            }
        }
        let Some((candidate, trial)) = solved else { return Ok(None) };
        if look {
            self.combine(round, problem, &candidates, candidate, trial, from).map(Some)
        } else {
            Ok(Some((candidate.plan.clone(), trial)))
        }
    }

    /// Two remedies may help more together: those that ranked best are put, one after the other, on the plan that solved it.
    fn combine(
        &mut self,
        round: usize,
        problem: Problem,
        ranked: &[Candidate],
        best: &Candidate,
        trial: Trial,
        from: &Trial,
    ) -> Result<(Plan, Trial), DoctorError> {
        let mut used = vec![best.remedy.clone()];
        let (mut plan, mut changes, mut trial) = (best.plan.clone(), best.change.clone(), trial);
        let mut left = self.settings.combine;
        for other in ranked {
            if left == 0 {
                break;
            }
            if used.contains(&other.remedy) {
                continue;
            }
            let mut rng = self.stream(&other.remedy, round);
            let applied = crate::remedies::remedy(&other.remedy)?.apply(&plan, problem, other.attempt, &mut rng);
            let Applied::Changed(new, change) = applied else { continue };
            // one took the place of the other: that plan is known
            if ranked.iter().any(|c| c.plan == *new) {
                continue;
            }
            left -= 1;
            let remedy = format!("{}+{}", used.join("+"), other.remedy);
            let candidate =
                Candidate { remedy, attempt: other.attempt, change: format!("{changes}; {change}"), plan: *new };
            let Some(found) = self.train(round, problem, &candidate, plan.epochs, from)? else { break };
            if self.good() && better(&found, &trial) {
                used.push(other.remedy.clone());
                (plan, changes, trial) = (candidate.plan, candidate.change, found);
            }
        }
        Ok((plan, trial))
    }

    /// Whether the last training was a success.
    fn good(&self) -> bool {
        self.attempts.last().is_some_and(|a| a.verdict == Verdict::Solved)
    }

    fn stream(&self, remedy: &str, round: usize) -> hybridrepair_core::Stream {
        self.streams.at(&format!("doctor.{remedy}"), round as u64, 0)
    }

    fn candidates(&self, round: usize, problem: Problem, plan: &Plan) -> Result<Vec<Candidate>, DoctorError> {
        let mut all: Vec<Candidate> = Vec::new();
        for (remedy, attempts) in order(self.settings, problem)? {
            for attempt in 0..attempts {
                let mut rng = self.stream(remedy.name(), round);
                match remedy.apply(plan, problem, attempt, &mut rng) {
                    Applied::Changed(new, change) => {
                        if !all.iter().any(|c| c.plan == *new) {
                            all.push(Candidate { remedy: remedy.name().to_owned(), attempt, change, plan: *new });
                        }
                    }
                    // the user's value happens to be this attempt's: a later one may differ
                    Applied::Already => {}
                    Applied::Fixed => break,
                }
            }
        }
        Ok(all)
    }

    /// Trains a candidate, or takes what the journal has; `None` when the budget is used.
    fn train(
        &mut self,
        round: usize,
        problem: Problem,
        candidate: &Candidate,
        epochs: usize,
        from: &Trial,
    ) -> Result<Option<Trial>, DoctorError> {
        if self.over() {
            return Ok(None);
        }
        let Candidate { remedy, attempt, change, plan } = candidate;
        let name = format!("{round}-{remedy}-{attempt}{}", if epochs < plan.epochs { "-look" } else { "" });
        let weights = self.settings.start();
        let known = self.journal.find(&name, plan);
        let trial = if let Some(trial) = &known {
            trial.clone()
        } else {
            let from = (weights == Weights::Warm).then_some(from.name.as_str());
            self.trainer.train(Job { plan, name: &name, epochs, from })?
        };
        self.models += trial.epochs as f64 / plan.epochs as f64;
        self.seconds += trial.seconds;
        let verdict = if epochs < plan.epochs {
            Verdict::Looked
        } else {
            match trial.problem() {
                Some(again) if again == problem => Verdict::Failed,
                Some(_) => Verdict::Changed,
                None if trial.settled >= self.wanted || self.wanted == f64::NEG_INFINITY => Verdict::Solved,
                None => Verdict::QuietButPoor,
            }
        };
        let (remedy, attempt, change, plan) = (remedy.clone(), *attempt, change.clone(), plan.clone());
        let attempt = Attempt { round, problem, remedy, attempt, change, weights, plan, trial: trial.clone(), verdict };
        if known.is_none() {
            self.journal.record(&attempt)?;
        }
        self.attempts.push(attempt);
        Ok(Some(trial))
    }

    fn over(&self) -> bool {
        self.settings.budget_models.is_some_and(|b| self.models >= b)
            || self.settings.budget_seconds.is_some_and(|b| self.seconds >= b)
    }

    fn end(&mut self, ending: Ending, (plan, trial): (Plan, Trial)) -> Outcome {
        Outcome { ending, plan, trial, attempts: std::mem::take(&mut self.attempts), models: self.models }
    }
}

/// Whether a training ended better than another: by the accuracy that it settled at, then by its loss.
pub(crate) fn better(a: &Trial, b: &Trial) -> bool {
    let key = |t: &Trial| (if t.settled.is_nan() { -1.0 } else { t.settled }, -rank(t));
    let (x, y) = (key(a), key(b));
    x.0 > y.0 || (x.0 == y.0 && x.1 > y.1)
}

/// Validation loss for ranking; what is not finite comes last.
fn rank(trial: &Trial) -> f64 {
    if trial.best_loss.is_finite() { trial.best_loss } else { f64::INFINITY }
}
