//! The bench of the doctor, not yet run as a whole: models that a seeded generator makes faulty or benign, judged and repaired by the
//! rules icse21 and house, and by remedies drawn at random at the cost of house.
//!
//!     doctor_study run FILE FIRST LAST     adds the seeds that FILE has not yet, a line of JSON for each model
//!     doctor_study table FILE...           the tables
//!     doctor_study show SEED faulty|benign the learning curves of one model, and all that was tried on it
//!     doctor_study curves FIRST LAST       learning curves of these seeds, with every fault: a line of JSON for each
//!     doctor_study overhead                seconds with and without monitor, in one run
//!
//! `HYBRIDREPAIR_DATA` names the folder of Fashion-MNIST. Without arguments a quick look at one seed.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod tables;

use hybridrepair::{
    core::{ClassId, Stream, Streams},
    data::{Images, Labelled, SignsSpec, read_mnist_part, signs},
    doctor::{
        Activation, Attempt, Ending, Init, Job, Layer, Loss, Memory, Mode, MonitorSettings, NetSpec, OptimizerPlan,
        Plan, Pooling, Reading, Scaling, Solver, Trial, random_control,
    },
    doctor_torch::{ArrayTask, Arrays, InMemory, TorchTrainer, Watched, blob, circle},
    torch::{Device, DeviceChoice, Runtime, RuntimeConfig},
};
use rand::{Rng, seq::SliceRandom};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, env, fs, io::Write, path::Path, time::Instant};

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

fn labelled(images: &Images, labels: &[ClassId], rows: std::ops::Range<usize>) -> Labelled {
    let rows = rows.collect::<Vec<_>>();
    Labelled { images: images.select(&rows), labels: rows.iter().map(|&r| labels[r]).collect(), ids: Vec::new() }
}

/// The data of a set for networks of this kind; points are drawn anew for every seed, pictures are always the same.
fn data(set: &str, conv: bool, streams: Streams) -> Arrays {
    match set {
        "circle" => circle(streams),
        "blob" => blob(streams),
        "signs" => {
            let spec = SignsSpec { train: 700, val: 300, field: 20, holdout: 20, ..SignsSpec::standard() };
            let splits = signs(&spec).unwrap();
            let classes = splits.classes();
            let side = splits.train.images.height();
            let shape = if conv { vec![3, side, side] } else { vec![side * side] };
            Arrays::of_pictures(&splits.train, &splits.val, classes, &shape).unwrap()
        }
        _ => {
            let root = env::var("HYBRIDREPAIR_DATA").expect("HYBRIDREPAIR_DATA names the folder with fashion-mnist/");
            let dir = Path::new(&root).join("fashion-mnist");
            let file = |name: &str| {
                let plain = dir.join(name);
                if plain.exists() { plain } else { dir.join(format!("{name}.gz")) }
            };
            let (images, labels) =
                read_mnist_part(&file("t10k-images-idx3-ubyte"), &file("t10k-labels-idx1-ubyte")).unwrap();
            let side = images.height();
            let shape = if conv { vec![1, side, side] } else { vec![side * side] };
            let part = |rows| labelled(&images, &labels, rows);
            Arrays::of_pictures(&part(0..1000), &part(1000..1500), 10, &shape).unwrap()
        }
    }
}

/// A sound model for a set.
fn sound(set: &str, conv: bool, data: &Arrays, rng: &mut Stream) -> Plan {
    let pick = |rng: &mut Stream, of: &[f64]| *of.choose(rng).unwrap();
    let points = matches!(set, "circle" | "blob");
    let (function, init) = *[
        (Activation::Relu, Init::HeUniform),
        (Activation::Relu, Init::GlorotUniform),
        (Activation::Selu, Init::LecunUniform),
        (Activation::Elu, Init::HeUniform),
        (Activation::Tanh, Init::GlorotUniform),
    ]
    .choose(rng)
    .unwrap();
    let classes = data.classes;
    let (width, output, loss) = if classes == 2 {
        (1, Activation::Sigmoid, Loss::BinaryCrossEntropy)
    } else {
        (classes, Activation::Softmax, Loss::CrossEntropy)
    };
    let mut layers = Vec::new();
    if conv {
        for channels in [6, 12] {
            let kernel = 3;
            layers.push(Layer::Conv { channels, kernel, stride: 2, init: None, bias: None, residual: false });
            layers.push(Layer::activation(function));
        }
        layers.push(Layer::Pool { pooling: Pooling::Max, size: 2 });
        layers.extend([Layer::Flatten, Layer::dense(32), Layer::activation(function)]);
    } else {
        let depth = rng.gen_range(1..=3);
        let units = [20usize, 32, 50, 64][rng.gen_range(0..4)];
        for _ in 0..depth {
            layers.extend([Layer::dense(units), Layer::activation(function)]);
        }
    }
    layers.push(Layer::dense(width));
    let net = NetSpec { input: data.shape.clone(), output, init, bias: Init::Zeros, layers };
    let optimizer = match rng.gen_range(0..4) {
        0 => OptimizerPlan { momentum: 0.9, ..OptimizerPlan::new("sgd", pick(rng, &[0.01, 0.02, 0.03])) },
        1 => OptimizerPlan::new("rmsprop", pick(rng, &[1e-3, 2e-3])),
        2 => OptimizerPlan::new("nadam", pick(rng, &[1e-3, 2e-3])),
        _ => OptimizerPlan::new("adam", pick(rng, &[1e-3, 2e-3, 3e-3])),
    };
    let batch_size = [16, 32, 64][rng.gen_range(0..3)];
    let epochs = if points { [60, 80, 100][rng.gen_range(0..3)] } else { [20, 25, 30][rng.gen_range(0..3)] };
    let scaling = if points { Scaling::None } else { Scaling::Standard };
    Plan {
        epochs,
        batch_size,
        loss,
        scaling,
        early_stop: None,
        draw: 0,
        clip: None,
        plateau: None,
        optimizer,
        net: Some(net),
    }
}

/// The same model with a fault.
fn broken(plan: &Plan, fault: &str, conv: bool, rng: &mut Stream) -> Plan {
    let mut plan = plan.clone();
    let net = plan.net.as_mut().unwrap();
    let last = net.layers.pop().unwrap();
    // many narrow layers before the last one
    let deepen = |net: &mut NetSpec, depth: usize, units: usize, function: Activation| {
        if !conv {
            net.layers.clear();
        }
        for _ in 0..depth {
            net.layers.extend([Layer::dense(units), Layer::activation(function)]);
        }
    };
    match fault {
        "vanish" => {
            for layer in &mut net.layers {
                if let Layer::Activation { function } = layer {
                    *function = Activation::Sigmoid;
                }
            }
            deepen(net, rng.gen_range(6..=10), rng.gen_range(5..=12), Activation::Sigmoid);
        }
        "explode" => {
            if rng.gen_bool(0.5) {
                deepen(net, rng.gen_range(5..=8), 50, Activation::Relu);
                net.init = Init::Normal([0.7, 1.0, 1.5][rng.gen_range(0..3)]);
                plan.optimizer = OptimizerPlan::new("sgd", 0.01);
            } else {
                plan.optimizer =
                    OptimizerPlan { momentum: 0.9, ..OptimizerPlan::new("sgd", [3.0, 10.0][rng.gen_range(0..2)]) };
            }
        }
        "dying" => {
            if rng.gen_bool(0.5) {
                deepen(net, rng.gen_range(16..=24), rng.gen_range(6..=10), Activation::Relu);
                net.init = Init::GlorotUniform;
            } else {
                for layer in &mut net.layers {
                    match layer {
                        Layer::Activation { function } => *function = Activation::Relu,
                        Layer::Dense { bias, .. } | Layer::Conv { bias, .. } => *bias = Some(Init::Constant(-3.0)),
                        _ => {}
                    }
                }
                deepen(net, 2, 32, Activation::Relu);
                for layer in &mut net.layers {
                    if let Layer::Dense { bias, .. } = layer {
                        *bias = Some(Init::Constant(-3.0));
                    }
                }
            }
        }
        "oscillate" => {
            plan.batch_size = 4;
            plan.optimizer = if rng.gen_bool(0.5) {
                OptimizerPlan { momentum: 0.9, ..OptimizerPlan::new("sgd", [0.02, 0.05][rng.gen_range(0..2)]) }
            } else {
                OptimizerPlan::new("adam", [0.02, 0.05][rng.gen_range(0..2)])
            };
        }
        "slow" => {
            let factor = [1e-3, 1e-4, 1e-5][rng.gen_range(0..3)];
            plan.optimizer.lr = format!("{:.2e}", plan.optimizer.lr * factor).parse().unwrap();
        }
        _ => net.output = if plan.loss == Loss::CrossEntropy { Activation::Relu } else { Activation::Tanh },
    }
    net.layers.push(last);
    plan
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

/// A model of the bench before it is judged.
struct Case {
    set: &'static str,
    conv: bool,
    fault: &'static str,
    draws: usize,
    task: ArrayTask,
    plan: Plan,
    acc: f64,
    without_fault: f64,
}

/// The fault that a seed begins with, none of a benign model.
fn fault_of(seed: u64, faulty: bool) -> Option<usize> {
    faulty.then_some(seed as usize / SETS.len())
}

/// The model of a seed with this fault: drawn again until a faulty one is harmed and a benign one is not.
fn case(seed: u64, fault: Option<usize>) -> Case {
    let faulty = fault.is_some();
    let streams = Streams::new(seed);
    for draws in 1.. {
        let mut rng = streams.at(if faulty { "study.faulty" } else { "study.benign" }, draws, 0);
        let set = SETS[(seed as usize + usize::from(faulty)) % SETS.len()];
        let conv = matches!(set, "signs" | "fashion") && rng.gen_bool(0.5);
        // every fault for every set, and another one where a fault does no harm there
        let fault = FAULTS[(fault.unwrap_or(0) + draws as usize - 1) % FAULTS.len()];
        let task = ArrayTask::new(data(set, conv, streams), streams, Device::Cpu);
        let plan = sound(set, conv, task.data(), &mut rng);
        let without_fault = plain(&task, &plan);
        let target = reference(set, conv);
        if without_fault < target - NEAR {
            continue;
        }
        let (plan, acc) = if faulty {
            let plan = broken(&plan, fault, conv, &mut rng);
            let acc = plain(&task, &plan);
            if acc > without_fault - HARM {
                continue;
            }
            (plan, acc)
        } else {
            (plan, without_fault)
        };
        let fault = if faulty { fault } else { "none" };
        return Case { set, conv, fault, draws: draws as usize, task, plan, acc, without_fault };
    }
    unreachable!("some draw is what it should be")
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

/// Learning curves without repair, to fix thresholds by.
fn curves(first: u64, last: u64) {
    for seed in first..=last {
        for kind in (0..FAULTS.len()).map(Some).chain([None]) {
            let Case { set, conv, fault, task, plan, acc, without_fault, .. } = case(seed, kind);
            let faulty = kind.is_some();
            let job = Job { plan: &plan, name: "before", epochs: plan.epochs, from: None };
            let (settings, mut sink) = (settings(false), InMemory::default());
            let mut trainer = TorchTrainer { task: &task, settings: &settings, sink: &mut sink };
            let watched = trainer.watch(job, Mode::Watch).unwrap();
            let curve = |of: fn(&Reading) -> f64| watched.readings.iter().map(of).collect::<Vec<_>>();
            let line = serde_json::json!({
                "seed": seed, "faulty": faulty, "set": set, "conv": conv, "fault": fault, "acc": acc,
                "without_fault": without_fault, "problems": watched.findings.iter().map(|f| f.problem.name()).collect::<Vec<_>>(),
                "train_loss": curve(|r| r.train.loss), "train_acc": curve(|r| r.train.acc),
                "val_loss": curve(|r| r.val.loss), "val_acc": curve(|r| r.val.acc),
            });
            println!("{line}");
        }
    }
}

/// What the rules see of one model, epoch by epoch, and all that the search tried.
fn show(seed: u64, faulty: bool) {
    let Case { set, conv, fault, task, plan, acc, without_fault, .. } = case(seed, fault_of(seed, faulty));
    println!("{fault} on {set}, conv {conv}: {acc:.3}, without the fault {without_fault:.3}\n{plan:?}\n");
    let job = Job { plan: &plan, name: "before", epochs: plan.epochs, from: None };
    let (settings, mut sink) = (settings(false), InMemory::default());
    let watched = TorchTrainer { task: &task, settings: &settings, sink: &mut sink }.watch(job, Mode::Watch).unwrap();
    println!("epoch  train loss, accuracy  validation loss, accuracy");
    for r in &watched.readings {
        let (t, v) = (&r.train, &r.val);
        println!("{:>5}  {:>10.4} {:.3}         {:>10.4} {:.3}", r.epoch + 1, t.loss, t.acc, v.loss, v.acc);
    }
    for f in &watched.findings {
        println!("{} after epoch {}: {}", f.problem.name(), f.epoch + 1, f.evidence);
    }
    let (judged, _, attempts) = judge(&task, &plan, false);
    println!("\nhouse: {:?} {:?}", judged.problem, judged.evidence);
    for a in attempts {
        let t = &a.trial;
        let (round, of) = (a.round, t.wished);
        println!(
            "{round} {:<22} {:>3} of {of:>3} epochs, settled {:.3}, loss {:.4}, {:?}: {}",
            format!("{}-{}", a.remedy, a.attempt),
            t.epochs,
            t.settled,
            t.best_loss,
            a.verdict,
            t.finding.as_ref().map_or("quiet", |f| f.problem.name())
        );
    }
}

/// What sound models of a set settle at, medians of the generator seeds 0 to 19; a draw that is more than `NEAR` below is
/// not taken for sound.
fn reference(set: &str, conv: bool) -> f64 {
    match (set, conv) {
        ("circle", _) => 0.83,
        ("blob", _) => 0.82,
        ("signs", true) => 0.93,
        ("signs", false) => 0.88,
        _ => 0.78,
    }
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
    println!("| network | seconds without | with | overhead, median of paired rounds |\n| --- | ---: | ---: | ---: |");
    for (name, set, conv, epochs, rounds) in [
        ("dense 2-50-50-1", "circle", false, 60, 9),
        ("dense 2-50-3", "blob", false, 60, 9),
        ("conv, Fashion-MNIST", "fashion", true, 6, 7),
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
        let pairs = (0..rounds).map(|_| (time(Mode::Off), time(Mode::Watch))).collect::<Vec<_>>();
        let median = |mut x: Vec<f64>| {
            x.sort_by(f64::total_cmp);
            x[x.len() / 2]
        };
        let ratio = median(pairs.iter().map(|(a, b)| b / a - 1.0).collect());
        let (off, on) = (median(pairs.iter().map(|p| p.0).collect()), median(pairs.iter().map(|p| p.1).collect()));
        println!("| {name} | {off:.3} | {on:.3} | {:.1} % |", 100.0 * ratio);
    }
}

fn main() {
    Runtime::start(RuntimeConfig { device: DeviceChoice::Cpu, threads: Some(1) }).unwrap();
    let args = env::args().skip(1).collect::<Vec<_>>();
    match args.first().map(String::as_str) {
        Some("run") => run(&args[1], args[2].parse().unwrap(), args[3].parse().unwrap()),
        Some("curves") => curves(args[1].parse().unwrap(), args[2].parse().unwrap()),
        Some("show") => show(args[1].parse().unwrap(), args[2] == "faulty"),
        Some("table") => tables::table(&args[1..]),
        Some("overhead") => overhead(),
        _ => {
            let row = row(0, true);
            println!("{} on {}: {:.3} instead of {:.3}", row.fault, row.set, row.acc, row.without_fault);
            println!("house: {}", row.house.problem.unwrap_or_default());
        }
    }
}
