//! Repair and break rates of every search on the last layer, beside the curve of a moved decision threshold, and faults
//! planted in it: the tables of docs/numbers/patch.md.
//!
//!     patch_study study|planted DATASET DIR CHECKPOINT LABELS SEEDS
//!
//! `-` for DIR where the data set has none. Without arguments a quick look at the built-in data.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use hybridrepair::{
    DataConfig, RepairPart,
    core::{
        ClassId, Ledger, Streams,
        metrics::{MeanInterval, accuracy},
    },
    data::{Labelled, Normalizer, Splits},
    holdout,
    patch::{
        Arachne1, Change, FineTune, Fitness, Guard, Head, Method, Objective, Outcome, Positives, Precision, Pso,
        RepairRequest, Samples, TensorFile, localizer, plant, repair_head, roles, search,
    },
    torch::{DataFacts, DeviceChoice, Runtime, RuntimeConfig, open_checkpoint, predict},
};
use std::{env, path::Path, time::Instant};

struct World {
    head: Head,
    precision: Precision,
    /// To search on, and to choose by.
    repair: Samples,
    test: Samples,
    names: Vec<String>,
}

fn world(splits: &Splits, checkpoint: &Path, labels: usize) -> World {
    let runtime = Runtime::start(RuntimeConfig { device: DeviceChoice::Cpu, threads: None }).unwrap();
    let (model, _) = open_checkpoint(checkpoint, runtime.device, &DataFacts::from(splits)).unwrap();
    let normalizer = Normalizer::new(splits.normalization).unwrap();
    let mut ledger = Ledger::new(labels);
    let samples = |l: Labelled| {
        let features = predict(&model, &l.images, &normalizer).unwrap().features;
        Samples::new(features, l.labels, splits.classes()).unwrap()
    };
    let all = samples(RepairPart::Field.draw(splits, labels, &mut ledger));
    let (rows, _) = roles(&all.labels, 0.25, Streams::new(10));
    let file = TensorFile::read(checkpoint).unwrap();
    let head = Head::read(&file, None).unwrap();
    let precision = file.precision(&head.weight_name).unwrap();
    let test = samples(holdout(splits, &mut ledger));
    World { head, precision, repair: all.select(&rows), test, names: splits.class_names.clone() }
}

fn method(name: &str, lambda: f64) -> (Method, Fitness) {
    let with = |l: &str, s: &str| Method::Search {
        localizer: localizer(l, None).unwrap(),
        search: search(s, 100, 50).unwrap(),
    };
    let balanced = Fitness::Balanced { lambda };
    match name {
        "bias" => (with("bias", "sweep"), balanced),
        "finetune" => (Method::FineTune(FineTune { lambda, ..FineTune::default() }), balanced),
        "pso-published" => (with("arachne1-published", "pso-published"), Fitness::Ratio),
        "de-published" => (with("arachne2", "de-published"), Fitness::Soft { alpha: 10.0 }),
        other => {
            let (l, s) = other.split_once('+').unwrap();
            (with(l, s), balanced)
        }
    }
}

impl World {
    fn run(
        &self,
        head: &Head,
        class: Option<ClassId>,
        method: &Method,
        fitness: Fitness,
        watched: Positives,
        seed: u64,
    ) -> Vec<Change> {
        let request = RepairRequest {
            head,
            precision: self.precision,
            samples: &self.repair,
            class,
            as_class: None,
            method,
            positives: watched,
            objective: Objective { fitness, guard: Guard::default() },
            protected: &[],
            seed,
        };
        repair_head(&request).unwrap().changes
    }

    fn on_test(&self, changes: &[Change], class: ClassId) -> Outcome {
        let said = |h: &Head| h.predict(self.test.features.view()).unwrap();
        let after = said(&self.head.patched(changes).unwrap());
        Outcome::new(&said(&self.head), &after, &self.test.labels, Some(class))
    }

    fn worst(&self) -> ClassId {
        let said = self.head.predict(self.repair.features.view()).unwrap();
        let right = |c: usize| {
            let of = (0..said.len()).filter(|&i| self.repair.labels[i].column() == c).collect::<Vec<_>>();
            of.iter().filter(|&&i| said[i] == self.repair.labels[i]).count() as f64 / of.len().max(1) as f64
        };
        ClassId::from((0..self.names.len()).min_by(|&a, &b| right(a).total_cmp(&right(b))).unwrap())
    }

    /// Break rate and repair rate on the test for every useful change of the class's bias, by rising break rate.
    fn curve(&self, class: ClassId) -> Vec<(f64, f64)> {
        let mut points = vec![(0.0, 0.0)];
        for step in 1..=400 {
            let bias = self.head.bias[class.column()];
            let change = Change {
                weight: self.head.weight_ref(class.column(), None),
                old: bias,
                new: bias + 0.02 * step as f32,
            };
            let o = self.on_test(&[change], class);
            points.push((o.break_rate(), o.repair_rate()));
        }
        points
    }
}

/// Repair rate of the best threshold that breaks no more.
fn at(curve: &[(f64, f64)], broken: f64) -> f64 {
    curve.iter().filter(|p| p.0 <= broken).fold(0.0, |best, p| p.1.max(best))
}

fn study(w: &World, seeds: u64) {
    let class = w.worst();
    let before = w.on_test(&[], class);
    let (name, n) = (&w.names[class.column()], w.repair.len());
    println!(
        "class {name}: {n} samples to search on; test: class {:.2} %, all {:.2} %, {} wrong of the class",
        100.0 * before.class_before,
        100.0 * before.before,
        before.negatives
    );
    println!(
        "\n| method | weight of the class | weights | RR % | BR % | class % | all % | RR above the threshold's at equal BR | seconds |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let curve = w.curve(class);
    let ours = [
        "bias",
        "finetune",
        "arachne1+pso",
        "arachne2+pso",
        "combined+pso",
        "arachne1+de",
        "gradient+pso",
        "random+pso",
    ];
    let mut runs = vec![("pso-published", 0.0), ("de-published", 0.0)];
    for lambda in [0.1, 0.2, 0.35, 0.5] {
        runs.extend(ours.iter().map(|name| (*name, lambda)));
    }
    for (name, lambda) in runs {
        let (method, fitness) = method(name, lambda);
        let published = name.ends_with("published");
        let fixed = matches!(name, "bias" | "finetune");
        let began = Instant::now();
        let mut rows: [Vec<f64>; 6] = Default::default();
        for seed in 0..if fixed { 1 } else { seeds } {
            let watched = if published { Positives::Published(200) } else { Positives::All };
            let changes = w.run(&w.head, Some(class), &method, fitness, watched, seed);
            let o = w.on_test(&changes, class);
            let above = o.repair_rate() - at(&curve, o.break_rate());
            let moved = changes.iter().filter(|c| c.new.to_bits() != c.old.to_bits()).count();
            let values = [moved as f64, o.repair_rate(), o.break_rate(), o.class_after, o.after, above];
            rows.iter_mut().zip(values).for_each(|(list, v)| list.push(v));
        }
        let seconds = began.elapsed().as_secs_f64() / rows[0].len() as f64;
        let m = rows.each_ref().map(|list| MeanInterval::of(list));
        let show = |i: usize| {
            let spread = if m[i].n > 1 { format!(" ± {:.2}", 100.0 * m[i].sd) } else { String::new() };
            format!("{:.2}{spread}", 100.0 * m[i].mean)
        };
        let interval = if m[5].n > 1 { format!(" ± {:.2}", 100.0 * m[5].half_width) } else { String::new() };
        let weight = if published { "(published)".to_owned() } else { lambda.to_string() };
        println!(
            "| {name} | {weight} | {:.0} | {} | {} | {} | {} | {:+.2}{interval} | {seconds:.2} |",
            m[0].mean,
            show(1),
            show(2),
            show(3),
            show(4),
            100.0 * m[5].mean
        );
    }
}

fn planted(w: &World, count: u64) {
    let right = |h: &Head, s: &Samples| accuracy(&h.predict(s.features.view()).unwrap(), &s.labels);
    let faults = plant(&w.head, &w.repair, 0.05, count as usize, &mut Streams::new(1).named("plant")).unwrap();
    println!(
        "| fault | was | is | weights on the front | found | repair: before, broken, mended % | restored | test: before, broken, mended % | restored |"
    );
    println!("| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |");
    let (mut on_front, mut enough) = (0, [0; 2]);
    for (seed, fault) in faults.iter().enumerate() {
        let change = Change { weight: fault.weight.clone(), old: fault.was, new: fault.is };
        let broken = w.head.patched(&[change]).unwrap();
        let method = Method::Search {
            localizer: Box::new(Arachne1::default()),
            search: Box::new(Pso { iterations: 100, ..Pso::default() }),
        };
        let changes = w.run(&broken, None, &method, Fitness::Soft { alpha: 1.0 }, Positives::All, seed as u64);
        let found = changes.iter().any(|c| c.weight == fault.weight);
        let mended = broken.patched(&changes).unwrap();
        on_front += usize::from(found);
        let mut cells = String::new();
        for (slot, s) in [&w.repair, &w.test].into_iter().enumerate() {
            let (a, b, c) = (right(&w.head, s), right(&broken, s), right(&mended, s));
            let restored = (c - b) / (a - b);
            enough[slot] += usize::from(restored >= 0.95);
            let shown = [a, b, c, restored].map(|v| 100.0 * v);
            cells += [
                " ",
                &shown[..3].iter().map(|v| format!("{v:.2}")).collect::<Vec<_>>().join(", "),
                &format!(" | {:.1} % |", shown[3]),
            ]
            .concat()
            .as_str();
        }
        let yes = if found { "yes" } else { "no" };
        println!("| `{}` | {:.3} | {:.3} | {} | {yes} |{cells}", fault.weight, fault.was, fault.is, changes.len());
    }
    println!(
        "\non the front {on_front} of {count}; at least 95 % restored: repair split {}, test {}",
        enough[0], enough[1]
    );
}

fn main() {
    let args = env::args().skip(1).collect::<Vec<_>>();
    let arg = |i: usize, default: &str| args.get(i).cloned().unwrap_or_else(|| default.to_owned());
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../checkpoints/signs-mobilenet-w025.safetensors");
    let dir = Some(arg(2, "-")).filter(|d| d != "-").map(Into::into);
    let config = DataConfig { name: arg(1, "signs"), dir, split: arg(6, "A"), ..DataConfig::default() };
    let labels = arg(4, "400").parse().unwrap();
    let w = world(&config.load().unwrap(), Path::new(&arg(3, shipped)), labels);
    let seeds = arg(5, "1").parse().unwrap();
    match arg(0, "planted").as_str() {
        "study" => study(&w, seeds),
        _ => planted(&w, seeds),
    }
}
