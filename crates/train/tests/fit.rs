//! The loop: repeat, resume, roll-back and divergence; and the optimisers against `PyTorch`'s.
#![allow(missing_docs, clippy::unwrap_used)]

use hybridrepair_core::{ClassId, Streams};
use hybridrepair_data::{Images, Normalization, Normalizer, TrainTransform};
use hybridrepair_torch::{Arch, Device, Kind, Model, ModelSpec, Params, Tensor};
use hybridrepair_train::{
    At, EpochReading, Example, Fit, FitOutcome, Limited, Limits, NoObserver, Objective, Observer, OptimSpec, Reading,
    STOPPED, Schedule, StepLoss, Supervised, SupervisedData, TrainError, Transform, Verdict,
};
use std::path::Path;

fn model() -> Model {
    let spec = ModelSpec { arch: Arch::MobileNet, width: 0.1, classes: 3 };
    Model::new(spec, Device::Cpu, Streams::new(7)).unwrap()
}

/// 96 pictures of three brightnesses, varied by crops.
fn objective() -> Supervised {
    let pixels = (0..96usize).flat_map(|i| (0..3072).map(move |p| (40 + 70 * (i % 3) + (i * p) % 31) as u8)).collect();
    let images = Images::new(pixels, 32, 32).unwrap();
    let normalizer = Normalizer::new(Normalization { mean: [0.5; 3], std: [0.25; 3] }).unwrap();
    let data = SupervisedData { sets: vec![(images, Transform::Train(TrainTransform::PUBLISHED))], normalizer };
    let examples = (0..96).map(|row| Example { set: 0, row, class: ClassId::from(row % 3) }).collect();
    Supervised::new(data, examples, 32, Streams::new(7), "train").unwrap()
}

fn fit(
    model: &Model,
    epochs: usize,
    spec: &OptimSpec,
    state: Option<&Path>,
    observer: &mut dyn Observer,
) -> Result<FitOutcome, TrainError> {
    let mut optimizer = spec.build();
    let schedule = Schedule::Cosine { lr: 0.05, warmup: 0.5 };
    let streams = Streams::new(7);
    let key = "test".to_owned();
    Fit { model, optimizer: &mut *optimizer, schedule, epochs, streams, state_file: state, key }
        .run(&mut objective(), observer)
}

fn weights(model: &Model) -> Vec<Vec<f32>> {
    model.params().snapshot().into_iter().map(|(_, t)| Vec::<f32>::try_from(t.view([-1])).unwrap()).collect()
}

/// Stops after so many epochs, as a kill would.
struct StopAfter(usize);

impl Observer for StopAfter {
    fn after_step(&mut self, _: &Reading, _: &Model) -> Verdict {
        Verdict::Continue
    }
    fn after_epoch(&mut self, reading: &EpochReading, _: &Model) -> Verdict {
        if reading.epoch + 1 == self.0 { Verdict::Stop } else { Verdict::Continue }
    }
}

fn optimizers() -> [OptimSpec; 2] {
    [
        OptimSpec::Sgd { momentum: 0.9, weight_decay: 5e-4, nesterov: true },
        OptimSpec::Adamw { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.01 },
    ]
}

/// Every optimiser with its usual settings, and those that keep more state than usual.
fn all_optimizers() -> Vec<OptimSpec> {
    let mut all = OptimSpec::NAMES.map(|n| OptimSpec::named(n).unwrap()).to_vec();
    all.push(OptimSpec::Rmsprop { alpha: 0.99, eps: 1e-8, weight_decay: 0.01, momentum: 0.5, centered: true });
    all.extend(optimizers());
    all
}

#[test]
fn training_repeats_to_the_bit_and_learns() {
    tch::set_num_threads(1);
    for spec in optimizers() {
        let (a, b) = (model(), model());
        let outcome = fit(&a, 4, &spec, None, &mut NoObserver).unwrap();
        fit(&b, 4, &spec, None, &mut NoObserver).unwrap();
        assert_eq!(weights(&a), weights(&b), "{spec:?}");
        assert!(outcome.epochs[3].loss < outcome.epochs[0].loss, "{spec:?}: {:?}", outcome.epochs);
        assert_eq!(outcome.epochs[0].images_trained, 96);
    }
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one_to_the_bit() {
    tch::set_num_threads(1);
    let dir = std::env::temp_dir().join(format!("hybridrepair-fit-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for (i, spec) in all_optimizers().into_iter().enumerate() {
        let whole = model();
        let expected = fit(&whole, 4, &spec, None, &mut NoObserver).unwrap();
        let file = dir.join(format!("state{i}.safetensors"));
        fit(&model(), 4, &spec, Some(&file), &mut StopAfter(2)).unwrap();
        let resumed = model();
        let outcome = fit(&resumed, 4, &spec, Some(&file), &mut NoObserver).unwrap();
        assert_eq!(weights(&whole), weights(&resumed), "{spec:?}");
        assert_eq!(outcome, expected);
        // a state of other settings is refused, and a torn one is no state
        let mut optimizer = spec.build();
        let (schedule, streams) = (Schedule::Constant { lr: 0.1 }, Streams::new(7));
        let key = "other".to_owned();
        let mut other = Fit {
            model: &resumed,
            optimizer: &mut *optimizer,
            schedule,
            epochs: 4,
            streams,
            state_file: Some(&file),
            key,
        };
        assert!(matches!(other.run(&mut objective(), &mut NoObserver), Err(TrainError::Resume(_))));
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() - 9]).unwrap();
        assert!(fit(&model(), 4, &spec, Some(&file), &mut NoObserver).is_err());
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

/// Asks for a roll-back in the second epoch.
struct RollBack;

impl Observer for RollBack {
    fn after_step(&mut self, reading: &Reading, model: &Model) -> Verdict {
        assert!(model.params().trained().all(|(_, t)| t.grad().defined()), "gradients are there");
        if reading.at == (At { epoch: 1, step: 1 }) { Verdict::RollBack } else { Verdict::Continue }
    }
    fn after_epoch(&mut self, _: &EpochReading, _: &Model) -> Verdict {
        Verdict::Continue
    }
}

#[test]
fn a_roll_back_returns_to_the_beginning_of_the_epoch() {
    tch::set_num_threads(1);
    let [spec, _] = optimizers();
    let (rolled, stopped) = (model(), model());
    let outcome = fit(&rolled, 4, &spec, None, &mut RollBack).unwrap();
    fit(&stopped, 4, &spec, None, &mut StopAfter(1)).unwrap();
    assert_eq!((outcome.verdict, outcome.epochs.len()), (Verdict::RollBack, 1));
    assert_eq!(weights(&rolled), weights(&stopped));
}

/// A loss that turns NaN.
struct Poison(Supervised);

impl Objective for Poison {
    fn name(&self) -> &'static str {
        "poison"
    }
    fn begin_epoch(&mut self, model: &Model, epoch: usize) -> Result<(), TrainError> {
        self.0.begin_epoch(model, epoch)
    }
    fn step(&mut self, model: &Model, at: At) -> Result<Option<StepLoss>, TrainError> {
        let step = self.0.step(model, at)?;
        Ok(step.map(|s| StepLoss { loss: if at.epoch == 1 { s.loss * f64::NAN } else { s.loss }, ..s }))
    }
    fn planned_steps(&self) -> usize {
        self.0.planned_steps()
    }
    fn end_epoch(&mut self, _: &Model, _: usize) -> Result<Vec<(String, f64)>, TrainError> {
        Ok(vec![])
    }
}

#[test]
fn a_loss_that_is_not_finite_ends_the_run_and_leaves_finite_weights() {
    let m = model();
    let mut optimizer = optimizers()[0].build();
    let (schedule, streams) = (Schedule::Constant { lr: 0.01 }, Streams::new(7));
    let mut fit = Fit {
        model: &m,
        optimizer: &mut *optimizer,
        schedule,
        epochs: 3,
        streams,
        state_file: None,
        key: String::new(),
    };
    let ended = fit.run(&mut Poison(objective()), &mut NoObserver);
    assert!(matches!(ended, Err(TrainError::Diverged { epoch: 1, step: 0, .. })), "{ended:?}");
    assert!(m.params().all_finite());
}

/// 100 steps on `sum cos(1.3 w) + 0.05 w^4`; numbers of `crates/torch/tests/make_golden.py` with torch 2.11.0.
#[test]
fn optimisers_move_as_pytorchs_do() {
    let (betas, eps, decay) = ((0.9, 0.999), 1e-8, 0.01);
    let cases = [
        (
            OptimSpec::Sgd { momentum: 0.9, weight_decay: 0.01, nesterov: false },
            0.05,
            [1.712_662_458, -1.716_921_568, 1.712_205_410],
        ),
        (
            OptimSpec::Sgd { momentum: 0.9, weight_decay: 0.01, nesterov: true },
            0.05,
            [1.715_721_250, -1.715_723_754, 1.715_720_177],
        ),
        (OptimSpec::Adamw { betas, eps, weight_decay: 0.1 }, 0.05, [1.704_576_135, -1.712_437_034, 1.691_102_147]),
        (OptimSpec::Adam { betas, eps, weight_decay: decay }, 0.05, [1.716_979_623, -1.716_979_623, 1.711_300_731]),
        (
            OptimSpec::Nadam { betas, eps, weight_decay: decay, momentum_decay: 4e-3 },
            0.05,
            [1.715_722_799, -1.715_722_919, 1.715_747_952],
        ),
        (OptimSpec::Adamax { betas, eps, weight_decay: decay }, 0.05, [1.716_051_817, -1.716_588_378, 1.720_706_463]),
        (
            OptimSpec::Rmsprop { alpha: 0.99, eps, weight_decay: decay, momentum: 0.0, centered: false },
            0.002,
            [1.382_050_395, -1.743_170_619, 0.927_745_640],
        ),
        (
            OptimSpec::Rmsprop { alpha: 0.99, eps, weight_decay: decay, momentum: 0.5, centered: true },
            0.002,
            [1.674_133_658, -1.715_827_227, 1.462_081_671],
        ),
        (
            OptimSpec::Adagrad { lr_decay: 0.01, eps: 1e-10, weight_decay: decay },
            0.05,
            [1.594_067_812, -1.716_732_621, 1.245_746_136],
        ),
        (
            OptimSpec::Adadelta { rho: 0.9, eps: 1e-6, weight_decay: decay },
            1.0,
            [1.369_896_054, -1.767_451_167, 0.977_157_891],
        ),
        // PyTorch has none: the formulas in numpy, in double precision
        (
            OptimSpec::Adabound { betas, eps, weight_decay: decay, final_lr: 0.1, gamma: 1e-3 },
            0.05,
            [1.716_979_537, -1.716_979_676, 1.711_300_641],
        ),
    ];
    for (spec, lr, want) in cases {
        let mut params = Params::new();
        let w = params.add("w", &Tensor::from_slice(&[1.0f32, -2.0, 0.5]));
        let mut optimizer = spec.build();
        for _ in 0..100 {
            let loss = (&w * 1.3).cos().sum(Kind::Float) + w.pow_tensor_scalar(4).sum(Kind::Float) * 0.05;
            params.zero_grad();
            loss.backward();
            optimizer.step(&params, lr);
        }
        for (i, want) in want.into_iter().enumerate() {
            let got = w.double_value(&[i as i64]);
            assert!((got - want).abs() < 1e-6, "{spec:?}: {got} for {want}");
        }
    }
}

#[test]
fn limits_end_training_exactly_and_a_resumed_run_ends_there_too() {
    tch::set_num_threads(1);
    let limited = |steps, images| Limited::new(Box::new(objective()), Limits { steps, images, until: None });
    let run = |mut objective: Limited, epochs: usize, state: Option<&Path>| {
        let m = model();
        let mut optimizer = optimizers()[0].build();
        let schedule = Schedule::Cosine { lr: 0.05, warmup: 0.0 };
        let (streams, key) = (Streams::new(7), "limits".to_owned());
        let mut fit = Fit { model: &m, optimizer: &mut *optimizer, schedule, epochs, streams, state_file: state, key };
        let done = fit.run(&mut objective, &mut NoObserver).unwrap().epochs;
        (done, weights(&m))
    };
    // 3 steps of 32 pictures an epoch
    let (done, whole) = run(limited(Some(5), None), 2, None);
    assert_eq!(done.iter().map(|e| e.steps).collect::<Vec<_>>(), [3, 2]);
    assert!(done[1].readings.contains_key(STOPPED) && !done[0].readings.contains_key(STOPPED));
    assert!(done[1].lr < 0.1 * 0.05, "the schedule ends with the limit: {}", done[1].lr);
    let (done, _) = run(limited(None, Some(130)), 4, None);
    assert_eq!(done.iter().map(|e| e.images_trained).sum::<u64>(), 128);
    // a moment that has passed: one step, for what it costs is not known before
    let past = Limits { until: Some(std::time::Instant::now()), ..Limits::default() };
    let (done, _) = run(Limited::new(Box::new(objective()), past), 1, None);
    assert_eq!(done[0].steps, 1);

    let dir = std::env::temp_dir().join(format!("hybridrepair-limits-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("state.safetensors");
    let m = model();
    let mut optimizer = optimizers()[0].build();
    let schedule = Schedule::Cosine { lr: 0.05, warmup: 0.0 };
    let (streams, key) = (Streams::new(7), "limits".to_owned());
    let state_file = Some(file.as_path());
    Fit { model: &m, optimizer: &mut *optimizer, schedule, epochs: 2, streams, state_file, key }
        .run(&mut limited(Some(5), None), &mut StopAfter(1))
        .unwrap();
    let (done, again) = run(limited(Some(5), None), 2, Some(&file));
    assert_eq!((done.len(), again), (2, whole));
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn gradients_are_bounded_by_value_and_by_norm() {
    use hybridrepair_train::optim::Clip;
    let gradient = |clip: Clip| {
        let mut params = Params::new();
        let w = params.add("w", &Tensor::from_slice(&[1.0f32, 1.0]));
        (&w * Tensor::from_slice(&[3.0f32, -4.0])).sum(Kind::Float).backward();
        clip.apply(&params);
        Vec::<f32>::try_from(w.grad()).unwrap()
    };
    assert_eq!(gradient(Clip::Value(3.5)), [3.0, -3.5]);
    assert_eq!(gradient(Clip::Norm(2.5)), [1.5, -2.0]);
    assert_eq!(gradient(Clip::Norm(5.5)), [3.0, -4.0]);
}
