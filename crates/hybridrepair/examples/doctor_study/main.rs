//! The bench of the doctor (`docs/numbers/doctor.md`): models that a seeded generator makes faulty or benign, judged and repaired by the
//! rules icse21 and house, and by remedies drawn at random at the cost of house.
//!
//!     doctor_study run FILE FIRST LAST     adds the seeds that FILE has not yet, a line of JSON for each model
//!     doctor_study table FILE...           the tables
//!     doctor_study show SEED faulty|benign the learning curves of one model, and all that was tried on it
//!     doctor_study curves FIRST LAST [benign]  learning curves, benign and with every fault: a line of JSON for each
//!     doctor_study overhead                seconds with and without monitor, in one run
//!
//! `HYBRIDREPAIR_DATA` names the folder of Fashion-MNIST. Without arguments a quick look at one seed.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod look;
mod models;
mod tables;

use hybridrepair::{
    core::Streams,
    doctor::{
        Activation, Attempt, Ending, Job, Memory, Mode, MonitorSettings, NetSpec, OptimizerPlan, Plan, Solver, Trial,
        random_control,
    },
    doctor_torch::{ArrayTask, InMemory, TorchTrainer, Watched},
    torch::{Device, DeviceChoice, Runtime, RuntimeConfig},
};
use models::{Case, case, data, fault_of, sound};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, env, fs, io::Write, time::Instant};

/// Accuracy that a fault must cost, and that a benign model may lack, against the model without the fault or the best known.
const HARM: f64 = 0.08;
const NEAR: f64 = 0.05;

const SETS: [&str; 4] = ["circle", "blob", "signs", "fashion"];
const FAULTS: [&str; 6] = ["vanish", "explode", "dying", "oscillate", "slow", "activation"];

/// A model of the bench and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    seed: u64,
    faulty: bool,
    set: String,
    conv: bool,
    fault: String,
    /// Draws until the model was what it should be.
    draws: usize,
    /// Accuracy that it settles at without monitor, and that of the same model without the fault.
    acc: f64,
    without_fault: f64,
    seconds: f64,
    icse21: Judged,
    house: Judged,
    control: Option<Fixed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Judged {
    /// The problem that was reported, and after which epoch of how many.
    problem: Option<String>,
    evidence: Option<String>,
    epoch: Option<usize>,
    epochs: usize,
    fixed: Option<Fixed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fixed {
    /// Whether the search says that it has solved it.
    claims: bool,
    /// Accuracy of what is kept.
    acc: f64,
    remedy: String,
    models: f64,
    trainings: usize,
    seconds: f64,
}
fn settings(published: bool) -> MonitorSettings {
    if published {
        let mut settings = MonitorSettings::published();
        settings.thresholds.good = Some(0.6);
        settings
    } else {
        MonitorSettings { budget_models: Some(12.0), ..MonitorSettings::default() }
    }
}

fn train(task: &ArrayTask, plan: &Plan, settings: &MonitorSettings, mode: Mode, sink: &mut InMemory) -> Watched {
    let job = Job { plan, name: "before", epochs: plan.epochs, from: None };
    TorchTrainer { task, settings, sink }.watch(job, mode).unwrap()
}

fn plain(task: &ArrayTask, plan: &Plan) -> f64 {
    let acc = train(task, plan, &settings(false), Mode::Off, &mut InMemory::default()).trial.settled;
    if acc.is_nan() { 0.0 } else { acc }
}

/// Judges a model by one set of rules and repairs it where they say so.
fn judge(task: &ArrayTask, plan: &Plan, published: bool) -> (Judged, Trial, Vec<Attempt>) {
    let settings = settings(published);
    let mut sink = InMemory::default();
    let before = train(task, plan, &settings, Mode::Stop, &mut sink).trial;
    let began = Instant::now();
    let mut attempts = Vec::new();
    let fixed = before.finding.is_some().then(|| {
        let facts = hybridrepair::doctor_torch::Task::facts(task, plan, plan.epochs, settings.interval);
        let good = facts.chance + settings.thresholds.good_share * (1.0 - facts.chance);
        let mut trainer = TorchTrainer { task, settings: &settings, sink: &mut sink };
        let mut journal = Memory::default();
        let streams = hybridrepair::doctor_torch::Task::streams(task);
        let out = Solver::new(&settings, streams, &mut trainer, &mut journal).solve(plan, &before, Some(good)).unwrap();
        attempts = out.attempts;
        let kept = attempts.iter().find(|a| a.trial == out.trial);
        Fixed {
            claims: out.ending == Ending::Solved,
            acc: finite(out.trial.settled),
            remedy: kept.map_or("none".to_owned(), |a| a.remedy.clone()),
            models: out.models,
            trainings: attempts.len(),
            seconds: began.elapsed().as_secs_f64(),
        }
    });
    let judged = Judged {
        problem: before.finding.as_ref().map(|f| f.problem.name().to_owned()),
        evidence: before.finding.as_ref().map(|f| f.evidence.clone()),
        epoch: before.finding.as_ref().map(|f| f.epoch + 1),
        epochs: plan.epochs,
        fixed,
    };
    (judged, before, attempts)
}

fn finite(x: f64) -> f64 {
    if x.is_finite() { x } else { 0.0 }
}

/// Remedies at random, for as much as `models`.
fn control(task: &ArrayTask, plan: &Plan, before: &Trial, models: f64) -> Fixed {
    let (settings, mut sink, mut journal) = (settings(false), InMemory::default(), Memory::default());
    let settings = MonitorSettings { mode: Mode::Off, ..settings };
    let began = Instant::now();
    let streams = hybridrepair::doctor_torch::Task::streams(task);
    let mut trainer = Unwatched { task, settings: &settings, sink: &mut sink };
    let out = random_control(plan, before, models, streams, &mut trainer, &mut journal).unwrap();
    let kept = out.attempts.iter().find(|a| a.trial == out.trial);
    Fixed {
        claims: kept.is_some(),
        acc: finite(out.trial.settled),
        remedy: kept.map_or("none".to_owned(), |a| a.remedy.clone()),
        models,
        trainings: out.attempts.len(),
        seconds: began.elapsed().as_secs_f64(),
    }
}

/// Trains without rules: nothing ends a training of the control early but a loss that is not finite.
struct Unwatched<'a> {
    task: &'a ArrayTask,
    settings: &'a MonitorSettings,
    sink: &'a mut InMemory,
}

impl hybridrepair::doctor::Trainer for Unwatched<'_> {
    fn train(&mut self, job: Job<'_>) -> Result<Trial, hybridrepair::doctor::DoctorError> {
        let (task, settings) = (self.task, self.settings);
        Ok(TorchTrainer { task, settings, sink: &mut *self.sink }.watch(job, Mode::Off)?.trial)
    }
}
/// Judges the model of a seed, and repairs it.
fn row(seed: u64, faulty: bool) -> Row {
    let Case { set, conv, fault, draws, task, plan, acc, without_fault } = case(seed, fault_of(seed, faulty));
    let began = Instant::now();
    let (icse21, _, _) = judge(&task, &plan, true);
    let (house, before, _) = judge(&task, &plan, false);
    let control = house.fixed.as_ref().filter(|_| faulty).map(|f| control(&task, &plan, &before, f.models));
    let (set, fault, seconds) = (set.to_owned(), fault.to_owned(), began.elapsed().as_secs_f64());
    Row { seed, faulty, set, conv, fault, draws, acc, without_fault, seconds, icse21, house, control }
}
fn rows(file: &str) -> Vec<Row> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
}

fn run(file: &str, first: u64, last: u64) {
    let done = rows(file).iter().map(|r| (r.seed, r.faulty)).collect::<BTreeSet<_>>();
    let mut out = fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    for seed in first..=last {
        for faulty in [true, false] {
            if done.contains(&(seed, faulty)) {
                continue;
            }
            let row = row(seed, faulty);
            let said = |j: &Judged| j.problem.clone().unwrap_or("-".to_owned());
            eprintln!(
                "{seed:>4} {} {:<8} {:.3} ({:.3}) icse21 {} house {} {:.1} s",
                if faulty { format!("{:<10}", row.fault) } else { "benign    ".to_owned() },
                row.set,
                row.acc,
                row.without_fault,
                said(&row.icse21),
                said(&row.house),
                row.seconds
            );
            writeln!(out, "{}", serde_json::to_string(&row).unwrap()).unwrap();
        }
    }
}

/// Seconds of the same training with and without monitor, in turn.
fn overhead() {
    let streams = Streams::new(0);
    println!("| network | rounds | seconds without | with | overhead, median of pairs | half of the pairs lie in |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (name, set, conv, epochs, rounds) in [
        ("dense 2-50-50-1", "circle", false, 60, 41),
        ("dense 2-50-3", "blob", false, 60, 41),
        ("conv, Fashion-MNIST", "fashion", true, 30, 25),
    ] {
        let task = ArrayTask::new(data(set, conv, streams), streams, Device::Cpu);
        let mut plan = sound(set, conv, task.data(), &mut streams.named("overhead"));
        (plan.epochs, plan.batch_size, plan.optimizer) = (epochs, 32, OptimizerPlan::new("adam", 1e-3));
        if !conv {
            let (width, output) = plan.net.as_ref().map(|n| (n.width(), n.output)).unwrap();
            let hidden: &[usize] = if set == "circle" { &[50, 50] } else { &[50] };
            plan.net = Some(NetSpec::mlp(2, hidden, Activation::Relu, width, output));
        }
        let time = |mode| {
            let began = Instant::now();
            train(&task, &plan, &settings(false), mode, &mut InMemory::default());
            began.elapsed().as_secs_f64()
        };
        time(Mode::Off);
        // the one that comes second changes from pair to pair, so that a drift of the machine falls on both
        let pair = |round| {
            if round % 2 == 0 {
                (time(Mode::Off), time(Mode::Watch))
            } else {
                let on = time(Mode::Watch);
                (time(Mode::Off), on)
            }
        };
        let pairs = (0..rounds).map(pair).collect::<Vec<_>>();
        let quartile = |quarters: usize, of: fn(&(f64, f64)) -> f64| {
            let mut x = pairs.iter().map(of).collect::<Vec<_>>();
            x.sort_by(f64::total_cmp);
            x[(x.len() - 1) * quarters / 4]
        };
        let more: fn(&(f64, f64)) -> f64 = |(off, on)| 100.0 * (on / off - 1.0);
        println!(
            "| {name} | {rounds} | {:.3} | {:.3} | {:.1} % | {:.1} to {:.1} % |",
            quartile(2, |p| p.0),
            quartile(2, |p| p.1),
            quartile(2, more),
            quartile(1, more),
            quartile(3, more)
        );
    }
}

fn main() {
    Runtime::start(RuntimeConfig { device: DeviceChoice::Cpu, threads: Some(1) }).unwrap();
    let args = env::args().skip(1).collect::<Vec<_>>();
    match args.first().map(String::as_str) {
        Some("run") => run(&args[1], args[2].parse().unwrap(), args[3].parse().unwrap()),
        Some("curves") => look::curves(args[1].parse().unwrap(), args[2].parse().unwrap(), args.len() > 3),
        Some("show") => look::show(args[1].parse().unwrap(), args[2] == "faulty"),
        Some("table") => tables::table(&args[1..]),
        Some("overhead") => overhead(),
        _ => {
            let row = row(0, true);
            println!("{} on {}: {:.3} instead of {:.3}", row.fault, row.set, row.acc, row.without_fault);
            println!("house: {}", row.house.problem.unwrap_or_default());
        }
    }
}
