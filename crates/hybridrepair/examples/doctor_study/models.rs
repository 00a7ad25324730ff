//! The models of the bench: a seeded generator makes sound ones and breaks them.

use super::{FAULTS, HARM, NEAR, SETS, plain};
use hybridrepair::{
    core::{ClassId, Stream, Streams},
    data::{Images, Labelled, SignsSpec, read_mnist_part, signs},
    doctor::{Activation, Init, Layer, Loss, NetSpec, OptimizerPlan, Plan, Pooling, Scaling},
    doctor_torch::{ArrayTask, Arrays, blob, circle},
    torch::Device,
};
use rand::{Rng, seq::SliceRandom};
use std::{env, path::Path};

fn labelled(images: &Images, labels: &[ClassId], rows: std::ops::Range<usize>) -> Labelled {
    let rows = rows.collect::<Vec<_>>();
    Labelled { images: images.select(&rows), labels: rows.iter().map(|&r| labels[r]).collect(), ids: Vec::new() }
}

/// The data of a set for networks of this kind; points are drawn anew for every seed, pictures are always the same.
pub(crate) fn data(set: &str, conv: bool, streams: Streams) -> Arrays {
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
pub(crate) fn sound(set: &str, conv: bool, data: &Arrays, rng: &mut Stream) -> Plan {
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

/// A model of the bench before it is judged.
pub(crate) struct Case {
    pub(crate) set: &'static str,
    pub(crate) conv: bool,
    pub(crate) fault: &'static str,
    pub(crate) draws: usize,
    pub(crate) task: ArrayTask,
    pub(crate) plan: Plan,
    pub(crate) acc: f64,
    pub(crate) without_fault: f64,
}

/// The fault that a seed begins with, none of a benign model.
pub(crate) fn fault_of(seed: u64, faulty: bool) -> Option<usize> {
    faulty.then_some(seed as usize / SETS.len())
}

/// The model of a seed with this fault: drawn again until a faulty one is harmed and a benign one is not.
pub(crate) fn case(seed: u64, fault: Option<usize>) -> Case {
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
