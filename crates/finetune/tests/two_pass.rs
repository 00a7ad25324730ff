//! The published repair epoch on a few pictures: its steps, its cost, and what it does without its second pass.
#![allow(missing_docs, clippy::unwrap_used)]

use hybridrepair_core::{ClassId, Label, PoolIdx, Provenance, RepairSet, SampleId, Streams, Target};
use hybridrepair_data::{Images, Labelled, Normalization, Normalizer, TrainTransform, ViewConfig, ViewMaker};
use hybridrepair_finetune::{
    ConsistencySettings, Draw, RepairData, RepairSettings, Replay, ReplayOnly, ReplayTransform, TwoPass,
    UnlabelledStream,
};
use hybridrepair_torch::{Arch, Device, Model, ModelSpec};
use hybridrepair_train::{At, EpochReading, Fit, NoObserver, Objective, OptimSpec, Schedule, TrainError};

const NORM: Normalization = Normalization { mean: [0.5; 3], std: [0.25; 3] };

fn pictures(n: usize) -> Images {
    Images::new((0..n).flat_map(|i| (0..3072).map(move |p| (i * 37 + p * (i % 5 + 1)) as u8)).collect(), 32, 32)
        .unwrap()
}

/// 40 source pictures, all of the class that the untrained model says, so that all of them are replayed; 30 field
/// pictures, of which 6 have labels and 9 more are trusted.
fn data(model: &Model) -> RepairData {
    let (source, field, streams) = (pictures(40), pictures(30), Streams::new(3));
    let normalizer = Normalizer::new(NORM).unwrap();
    let labels = hybridrepair_torch::predict(model, &source, &normalizer).unwrap().classes();
    let ids = (0..40).map(SampleId).collect();
    let replay = Replay {
        source: Labelled { images: source, labels, ids },
        normalizer,
        transform: TrainTransform::NONE,
        shown: ReplayTransform::Test,
        streams,
    };
    let label = |row: usize| Label {
        idx: PoolIdx::from(row),
        class: ClassId::from(row % 3),
        provenance: Provenance::Propagated,
        weight: 1.0,
    };
    let trusted = |row: usize| Target { idx: PoolIdx::from(row), weight: 0.5 };
    let set = RepairSet { labels: (0..6).map(label).collect(), unlabelled: (3..15).map(trusted).collect() };
    let probe = ViewMaker::new(field.clone(), NORM, ViewConfig::default(), streams, "views").unwrap();
    RepairData { replay, field, normalization: NORM, set, stream: UnlabelledStream::PUBLISHED, probe }
}

fn model() -> Model {
    Model::new(ModelSpec { arch: Arch::MobileNet, width: 0.1, classes: 3 }, Device::Cpu, Streams::new(1)).unwrap()
}

fn settings(consistency: Option<ConsistencySettings>) -> RepairSettings {
    RepairSettings { batch_size: 4, lr: 1e-4, consistency, ..RepairSettings::default() }
}

fn fit(model: &Model, objective: &mut dyn Objective, epochs: usize) -> Result<Vec<EpochReading>, TrainError> {
    tch::set_num_threads(1);
    let mut optimizer = OptimSpec::Sgd { momentum: 0.9, weight_decay: 5e-4, nesterov: false }.build();
    let (schedule, streams) = (Schedule::Constant { lr: 1e-4 }, Streams::new(3));
    let mut fit =
        Fit { model, optimizer: &mut *optimizer, schedule, epochs, streams, state_file: None, key: String::new() };
    Ok(fit.run(objective, &mut NoObserver)?.epochs)
}

#[test]
fn an_epoch_has_the_published_steps_and_costs() {
    let model = model();
    let mut objective = TwoPass::new(data(&model), settings(Some(ConsistencySettings::default()))).unwrap();
    let epoch = &fit(&model, &mut objective, 1).unwrap()[0];
    let replayed = epoch.readings["replay"] as u64;
    // pass 1: floor((|R| + |L|) / b) steps of b; pass 2: max(|R| / b, N / b) steps of b + 9 b
    let first = (replayed + 6) / 4;
    let second = epoch.steps as u64 - first;
    assert_eq!(replayed, 40);
    assert_eq!(second, 10);
    assert_eq!(epoch.images_trained, first * 4 + second * 40);
    assert_eq!(epoch.images_forward, second * 36, "the teacher sees every view once");
    assert!(epoch.loss.is_finite());
    assert!((0.0..=1.0).contains(&epoch.readings["relative_entropy"]));
    assert!(epoch.readings["unsmoothness_sum"] <= 30.0);
}

#[test]
fn an_epoch_of_the_ssl_baselines_goes_once_around_what_takes_part() {
    let model = model();
    // 12 unlabelled rows, 3 of them labelled as well; with the labels in the stream rows 0 to 14 take part
    for (labels, around) in [(false, 12), (true, 15)] {
        for draw in [Draw::InOrder, Draw::Shuffled] {
            let mut few = data(&model);
            few.stream = UnlabelledStream { draw, labels };
            // a short replay set, so that the unlabelled stream decides
            let source = &mut few.replay.source;
            let rows = [0, 1, 2, 3];
            *source = source.select(&rows);
            let mut objective = TwoPass::new(few, settings(Some(ConsistencySettings::default()))).unwrap();
            let epoch = &fit(&model, &mut objective, 1).unwrap()[0];
            let first = (4 + 6) / 4;
            assert_eq!(epoch.steps - first, around / 4, "{draw:?}");
            assert!(!epoch.readings.contains_key("relative_entropy"), "no weights, no probe");
        }
    }
}

#[test]
fn without_consistency_only_the_supervised_pass_is_left() {
    let model = model();
    let mut objective = TwoPass::new(data(&model), settings(None)).unwrap();
    assert_eq!(objective.name(), "supervised-finetune");
    let epoch = &fit(&model, &mut objective, 1).unwrap()[0];
    assert_eq!((epoch.steps, epoch.images_trained, epoch.images_forward), (11, 44, 0));
    assert!(!epoch.readings.contains_key("relative_entropy"));
}

#[test]
fn weights_after_a_resume_are_those_that_were_waiting() {
    // one objective goes on, the other is new at epoch 1, as after a kill; both must take the same step from the same model
    let model = model();
    let consistency = Some(ConsistencySettings::default());
    let mut whole = TwoPass::new(data(&model), settings(consistency.clone())).unwrap();
    let set = data(&model);
    fit(&model, &mut whole, 1).unwrap();
    let mut resumed = TwoPass::new(set, settings(consistency)).unwrap();
    let twin = model.duplicate().unwrap();
    let mut losses = Vec::new();
    for (objective, model) in [(&mut whole, &model), (&mut resumed, &twin)] {
        objective.begin_epoch(model, 1).unwrap();
        let mut of_one = Vec::new();
        while let Some(step) = objective.step(model, At { epoch: 1, step: of_one.len() }).unwrap() {
            of_one.push(step.loss.double_value(&[]));
        }
        losses.push(of_one);
    }
    assert!(losses[0].len() > 11, "both passes have steps");
    assert_eq!(losses[0], losses[1]);
}

#[test]
fn replay_alone_trains_on_what_the_model_gets_right_and_says_when_there_is_nothing() {
    let model = model();
    let mut wrong = data(&model).replay;
    let epoch = &fit(&model, &mut ReplayOnly::new(wrong.clone(), 4).unwrap(), 1).unwrap()[0];
    assert_eq!((epoch.steps, epoch.readings["replay"]), (10, 40.0));
    let right = hybridrepair_torch::predict(&model, &wrong.source.images, &wrong.normalizer).unwrap().classes();
    wrong.source.labels = right.iter().map(|c| ClassId((c.0 + 1) % 3)).collect();
    let ended = fit(&model, &mut ReplayOnly::new(wrong, 4).unwrap(), 1);
    assert!(matches!(ended, Err(TrainError::Empty(_))), "{ended:?}");
}

#[test]
fn a_repair_set_that_does_not_fit_the_pool_is_refused() {
    let model = model();
    let mut bad = data(&model);
    bad.set.unlabelled.push(Target { idx: PoolIdx(30), weight: 1.0 });
    assert!(TwoPass::new(bad, settings(None)).is_err());
    let mut bad = data(&model);
    bad.set.unlabelled[0].weight = f32::NAN;
    assert!(TwoPass::new(bad, settings(None)).is_err());
}
