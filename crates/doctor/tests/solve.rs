//! Every branch of the search, with a trainer that follows a script.
#![allow(missing_docs, clippy::unwrap_used)]

use hybridrepair_core::Streams;
use hybridrepair_doctor::{
    Activation, Demo, DoctorError, Ending, Finding, Job, Journal, Memory, MonitorSettings, Plan, Problem, Solver,
    Trainer, Trial, Verdict, random_control,
};

type Script = Box<dyn FnMut(&str, &Plan) -> (Option<Problem>, f64)>;

/// Answers what a script says, notes what was asked, and may be interrupted.
struct Fake {
    script: Script,
    asked: Vec<(String, usize, Option<String>)>,
    left: usize,
}

fn fake(script: impl FnMut(&str, &Plan) -> (Option<Problem>, f64) + 'static) -> Fake {
    Fake { script: Box::new(script), asked: Vec::new(), left: usize::MAX }
}

impl Trainer for Fake {
    fn train(&mut self, job: Job<'_>) -> Result<Trial, DoctorError> {
        if self.left == 0 {
            return Err(DoctorError::Interrupted);
        }
        self.left -= 1;
        let (problem, acc) = (self.script)(job.name, job.plan);
        self.asked.push((job.name.to_owned(), job.epochs, job.from.map(str::to_owned)));
        Ok(trial(job.name, problem, acc, job.epochs))
    }
}

fn trial(name: &str, problem: Option<Problem>, acc: f64, epochs: usize) -> Trial {
    let finding =
        problem.map(|problem| Finding { problem, epoch: 9, since: 6, evidence: "a script says so".to_owned() });
    let name = name.to_owned();
    Trial {
        name,
        epochs,
        wished: epochs,
        finding,
        last_acc: acc,
        best_acc: acc,
        settled: acc,
        best_loss: 1.0 - acc,
        seconds: 1.0,
    }
}

fn solve(
    settings: &MonitorSettings,
    fake: &mut Fake,
    journal: &mut Memory,
    good: Option<f64>,
) -> Result<hybridrepair_doctor::Outcome, DoctorError> {
    let demo = Demo::named("vanish").unwrap();
    let first = trial("before", Some(Problem::VanishingGradient), 0.5, 90);
    Solver::new(settings, Streams::new(1), fake, journal).solve(&demo.plan, &first, good)
}

/// One remedy after the other, to the end.
fn one_by_one() -> MonitorSettings {
    MonitorSettings { short: 1.0, ..MonitorSettings::default() }
}

#[test]
fn the_first_remedy_that_works_ends_it() {
    let mut fake = fake(|_, _| (None, 0.85));
    let out = solve(&MonitorSettings::published(), &mut fake, &mut Memory::default(), None).unwrap();
    assert_eq!(out.ending, Ending::Solved);
    assert_eq!(fake.asked, [("1-selu-0".to_owned(), 300, Some("before".to_owned()))], "published retraining is warm");
    assert_eq!(out.trial.best_acc, 0.85);
    assert_eq!(out.attempts[0].change, "hidden activations are SELU, initial weights LeCun uniform");
    let net = out.plan.net.unwrap();
    assert_eq!(net.output, Activation::Sigmoid, "the output keeps its activation");
    assert_eq!(out.models, 1.0);
}

#[test]
fn silence_without_accuracy_is_a_success_for_the_published_rules_alone() {
    let script = |name: &str, _: &Plan| if name.contains("relu") { (None, 0.85) } else { (None, 0.51) };
    let out = solve(&MonitorSettings::published(), &mut fake(script), &mut Memory::default(), Some(0.7)).unwrap();
    assert_eq!((out.ending, out.trial.best_acc), (Ending::Solved, 0.51));
    let out = solve(&one_by_one(), &mut fake(script), &mut Memory::default(), Some(0.7)).unwrap();
    assert_eq!((out.ending, out.trial.best_acc), (Ending::Solved, 0.85));
    let verdicts = out.attempts.iter().map(|a| a.verdict).collect::<Vec<_>>();
    assert_eq!(verdicts, [Verdict::QuietButPoor, Verdict::Solved]);
    // the margin alone: 0.51 is not 0.02 above 0.5
    let out = solve(&one_by_one(), &mut fake(script), &mut Memory::default(), None).unwrap();
    assert_eq!(out.trial.best_acc, 0.85);
}

#[test]
fn one_problem_may_become_another_and_is_followed_from_the_best_of_its_plans() {
    let script = |name: &str, _: &Plan| match name {
        "1-relu-0" => (Some(Problem::Oscillation), 0.7),
        "1-bn-0" => (Some(Problem::SlowConvergence), 0.6),
        name if name.starts_with("2-lr") => (None, 0.86),
        name if name.starts_with('2') => (Some(Problem::Oscillation), 0.7),
        _ => (Some(Problem::VanishingGradient), 0.5),
    };
    let mut fake = fake(script);
    let out = solve(&MonitorSettings::published(), &mut fake, &mut Memory::default(), None).unwrap();
    assert_eq!(out.ending, Ending::Solved);
    let last = out.attempts.last().unwrap();
    assert_eq!((last.round, last.problem), (2, Problem::Oscillation));
    assert_eq!(fake.asked.last().unwrap().2.as_deref(), Some("1-relu-0"));
    let hidden = out.plan.net.unwrap().layers[1].clone();
    assert_eq!(hidden, hybridrepair_doctor::Layer::activation(Activation::Relu), "round two kept round one's change");
}

#[test]
fn a_problem_that_comes_back_ends_a_cycle_with_the_best_there_was() {
    let script = |name: &str, _: &Plan| match name.split('-').next() {
        Some("1") => (Some(Problem::Oscillation), 0.6),
        _ => (Some(Problem::VanishingGradient), 0.7),
    };
    let out = solve(&MonitorSettings::published(), &mut fake(script), &mut Memory::default(), None).unwrap();
    assert_eq!((out.ending, out.trial.best_acc), (Ending::Cycle, 0.7));
    assert_eq!(out.attempts.last().unwrap().round, 2);
}

#[test]
fn when_all_fail_the_original_stays_the_best() {
    let out = solve(
        &MonitorSettings::published(),
        &mut fake(|_, _| (Some(Problem::VanishingGradient), 0.49)),
        &mut Memory::default(),
        None,
    )
    .unwrap();
    assert_eq!((out.ending, out.trial.name.as_str(), out.attempts.len()), (Ending::NothingHelped, "before", 3));
    assert!(out.attempts.iter().all(|a| a.verdict == Verdict::Failed));
}

#[test]
fn budgets_in_models_and_seconds_and_rounds_end_it() {
    let poor = |_: &str, _: &Plan| (Some(Problem::VanishingGradient), 0.5);
    let settings = MonitorSettings { budget_models: Some(2.0), ..one_by_one() };
    let out = solve(&settings, &mut fake(poor), &mut Memory::default(), None).unwrap();
    assert_eq!((out.ending, out.attempts.len(), out.models), (Ending::Budget, 2, 2.0));
    let settings = MonitorSettings { budget_seconds: Some(1.0), ..one_by_one() };
    let out = solve(&settings, &mut fake(poor), &mut Memory::default(), None).unwrap();
    assert_eq!((out.ending, out.attempts.len()), (Ending::Budget, 1));
    let settings = MonitorSettings { rounds: 1, ..MonitorSettings::published() };
    let changes = |_: &str, _: &Plan| (Some(Problem::Oscillation), 0.5);
    let out = solve(&settings, &mut fake(changes), &mut Memory::default(), None).unwrap();
    assert_eq!(out.ending, Ending::Rounds);
}

#[test]
fn a_first_look_at_few_epochs_chooses_who_goes_on() {
    let script = |name: &str, _: &Plan| match name {
        "1-bn-0-look" | "1-bn-0" => (None, 0.9),
        "1-adam-0" => (None, 0.95),
        "1-lr-higher-0-look" => (None, 0.8),
        "1-lr-higher-0" => (None, 0.7),
        _ => (None, 0.55),
    };
    let mut fake = fake(script);
    let out = solve(&MonitorSettings::default(), &mut fake, &mut Memory::default(), Some(0.6)).unwrap();
    assert_eq!((out.ending, out.trial.name.as_str()), (Ending::Solved, "1-bn-0"));
    let looks = fake.asked.iter().filter(|a| a.0.ends_with("-look")).collect::<Vec<_>>();
    assert!(looks.iter().all(|a| a.1 == 60 && a.2.is_none()), "a fifth of 300 epochs, from fresh weights");
    let full = fake.asked.iter().filter(|a| a.1 == 300).map(|a| a.0.as_str()).collect::<Vec<_>>();
    assert_eq!(full, ["1-bn-0", "1-lr-higher-0", "1-bn+lr-higher-0", "1-bn+selu-0"]);
    assert!((out.models - (0.2 * looks.len() as f64 + 4.0)).abs() < 1e-9);
}

#[test]
fn remedies_that_add_to_the_one_that_solved_it_stay_upon_it() {
    let script = |name: &str, _: &Plan| match name {
        "1-bn-0-look" | "1-bn-0" => (None, 0.85),
        "1-lr-higher-0-look" => (None, 0.8),
        "1-bn+lr-higher-0" => (None, 0.9),
        "1-bn+lr-higher+selu-0" => (Some(Problem::Oscillation), 0.95),
        _ => (None, 0.55),
    };
    let mut fake = fake(script);
    let out = solve(&MonitorSettings::default(), &mut fake, &mut Memory::default(), Some(0.6)).unwrap();
    assert_eq!((out.ending, out.trial.name.as_str()), (Ending::Solved, "1-bn+lr-higher-0"));
    let last = out.attempts.last().unwrap();
    assert_eq!((last.remedy.as_str(), last.verdict), ("bn+lr-higher+selu", Verdict::Changed), "tried, and not kept");
    let kept = out.attempts.iter().find(|a| a.trial == out.trial).unwrap();
    assert_eq!(kept.plan, out.plan);
    let (before, bn) =
        (Demo::named("vanish").unwrap().plan, out.attempts.iter().find(|a| a.trial.name == "1-bn-0").unwrap());
    assert!(out.plan != bn.plan && out.plan.optimizer.lr > before.optimizer.lr && out.plan.net == bn.plan.net);
}

#[test]
fn an_interrupted_search_goes_on_where_it_was_and_ends_the_same() {
    let script =
        |name: &str, _: &Plan| if name == "1-bn-0" { (None, 0.9) } else { (Some(Problem::VanishingGradient), 0.5) };
    let whole = solve(&one_by_one(), &mut fake(script), &mut Memory::default(), None).unwrap();
    for left in 0..3 {
        let mut journal = Memory::default();
        let mut interrupted = Fake { left, ..fake(script) };
        let ended = solve(&one_by_one(), &mut interrupted, &mut journal, None);
        assert!(matches!(ended, Err(DoctorError::Interrupted)));
        assert_eq!(journal.attempts.len(), left);
        let mut again = fake(script);
        let resumed = solve(&one_by_one(), &mut again, &mut journal, None).unwrap();
        assert_eq!(again.asked.len(), whole.attempts.len() - left, "nothing is trained twice");
        assert_eq!((resumed.ending, &resumed.trial, &resumed.attempts), (whole.ending, &whole.trial, &whole.attempts));
        assert_eq!(journal.attempts, whole.attempts);
    }
    // another plan under a known name is no known training
    let mut journal = Memory { attempts: whole.attempts.clone() };
    journal.attempts[0].plan.batch_size += 1;
    assert!(journal.find("1-selu-0", &whole.attempts[0].plan).is_none());
}

#[test]
fn networks_that_cannot_be_edited_get_what_needs_no_edit() {
    let plan = Plan { net: None, ..Demo::named("vanish").unwrap().plan };
    let first = trial("before", Some(Problem::ExplodingGradient), 0.5, 90);
    let mut fake = fake(|_, _| (Some(Problem::ExplodingGradient), 0.5));
    let settings = one_by_one();
    let out =
        Solver::new(&settings, Streams::new(1), &mut fake, &mut Memory::default()).solve(&plan, &first, None).unwrap();
    let tried = out.attempts.iter().map(|a| a.remedy.as_str()).collect::<Vec<_>>();
    assert_eq!(tried, ["lr-lower", "lr-lower", "clip-norm", "warmup"]);
}

#[test]
fn a_training_that_gave_nothing_is_the_worst() {
    let script = |name: &str, _: &Plan| if name == "1-relu-0" { (None, 0.6) } else { (None, f64::NAN) };
    let out = solve(&one_by_one(), &mut fake(script), &mut Memory::default(), None).unwrap();
    assert_eq!(out.trial.best_acc, 0.6);
}

#[test]
fn the_control_spends_its_budget_on_drawn_remedies() {
    let demo = Demo::named("vanish").unwrap();
    let first = trial("before", Some(Problem::VanishingGradient), 0.5, 90);
    let run = |journal: &mut Memory| {
        let mut fake = fake(|name, _| (None, if name.ends_with('3') { 0.8 } else { 0.4 }));
        let control = random_control(&demo.plan, &first, 6.0, Streams::new(2), &mut fake, journal).unwrap();
        (control, fake.asked.len())
    };
    let mut journal = Memory::default();
    let (control, asked) = run(&mut journal);
    assert_eq!((control.attempts.len(), asked), (6, 6));
    let remedies = control.attempts.iter().map(|a| a.remedy.as_str()).collect::<std::collections::BTreeSet<_>>();
    assert!(remedies.len() >= 3, "{remedies:?}");
    let (again, asked) = run(&mut journal);
    assert_eq!((again.attempts, asked), (control.attempts, 0));
}
