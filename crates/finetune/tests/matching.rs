//! Weak-to-strong training on a few pictures: its steps and cost under every rule, what it learns, and that a resumed run
//! ends where an uninterrupted one does.
#![allow(missing_docs, clippy::unwrap_used)]

use hybridrepair_core::{ClassId, LabelSet, PoolIdx, SampleId, Streams, metrics::accuracy};
use hybridrepair_data::{Images, Labelled, Normalization, Normalizer, TrainTransform};
use hybridrepair_finetune::{MatchData, MatchRule, MatchSettings, Matching, Replay, ReplayTransform};
use hybridrepair_torch::{Arch, Device, Model, ModelSpec, predict};
use hybridrepair_train::{EpochReading, Fit, NoObserver, Objective, OptimSpec, Schedule, Supervised};
use std::path::Path;

const NORM: Normalization = Normalization { mean: [0.5; 3], std: [0.25; 3] };
const RULES: [MatchRule; 3] = [MatchRule::FixMatch, MatchRule::SoftMatch, MatchRule::FreeMatch];

/// Stripes of one of three directions; `light` scales them.
fn pictures(n: usize, light: f64) -> (Images, Vec<ClassId>) {
    let pixel = |i: usize, at: usize| {
        let (y, x) = (at / 3 / 32, at / 3 % 32);
        let phase = (i * 7 % 8) as f64;
        let along = [x, y, x + y][i % 3] as f64 + phase;
        let noise = (i * 31 + at * 17) % 29;
        ((120.0 + 100.0 * (along * 0.8).sin()) * light) as u8 + noise as u8
    };
    let data = (0..n).flat_map(|i| (0..3072).map(move |at| pixel(i, at))).collect();
    (Images::new(data, 32, 32).unwrap(), (0..n).map(|i| ClassId::from(i % 3)).collect())
}

fn data() -> (MatchData, Vec<ClassId>) {
    let (source, labels) = pictures(120, 1.0);
    let (field, truth) = pictures(96, 0.5);
    let replay = Replay {
        source: Labelled { images: source, labels, ids: (0..120).map(SampleId).collect() },
        normalizer: Normalizer::new(NORM).unwrap(),
        transform: TrainTransform { flip: false, padding: 2 },
        shown: ReplayTransform::Test,
        streams: Streams::new(3),
    };
    let mut bought = LabelSet::new();
    for (row, class) in truth.iter().enumerate().take(6) {
        bought.insert_bought(PoolIdx::from(row), *class);
    }
    (MatchData { replay, field, labels: bought, prior: Some(vec![1.0 / 3.0; 3]) }, truth)
}

fn settings() -> MatchSettings {
    MatchSettings { source: 8, labelled: 4, unlabelled: 16, ema: 0.9, restate: 0, ..MatchSettings::default() }
}

fn fit(model: &Model, objective: &mut dyn Objective, epochs: usize, state_file: Option<&Path>) -> Vec<EpochReading> {
    tch::set_num_threads(1);
    let mut optimizer = OptimSpec::Sgd { momentum: 0.9, weight_decay: 5e-4, nesterov: true }.build();
    let (schedule, streams) = (Schedule::Constant { lr: 0.02 }, Streams::new(3));
    let key = String::new();
    Fit { model, optimizer: &mut *optimizer, schedule, epochs, streams, state_file, key }
        .run(objective, &mut NoObserver)
        .unwrap()
        .epochs
}

/// A model that knows the source.
fn trained(data: &MatchData) -> Model {
    let spec = ModelSpec { arch: Arch::MobileNet, width: 0.1, classes: 3 };
    let model = Model::new(spec, Device::Cpu, Streams::new(1)).unwrap();
    let labels = &data.replay.source.labels;
    let all = (0..labels.len()).map(|row| hybridrepair_train::Example { set: 0, row, class: labels[row] });
    let mut supervised = Supervised::new(data.replay.data(None), all.collect(), 16, Streams::new(1), "s").unwrap();
    fit(&model, &mut supervised, 20, None);
    model
}

#[test]
fn an_epoch_goes_once_around_the_pool_under_every_rule() {
    let (data, _) = data();
    let model = trained(&data);
    for rule in RULES {
        let mut objective = Matching::new(data.clone(), rule, settings()).unwrap();
        let epoch = &fit(&model.duplicate().unwrap(), &mut objective, 1, None)[0];
        assert_eq!((epoch.steps, epoch.images_trained, epoch.images_forward), (6, 6 * 28, 6 * 16), "{rule:?}");
        assert!((0.0..=1.0).contains(&epoch.readings["guess_weight"]), "{rule:?}");
        assert!((1.0 / 3.0..=1.0).contains(&epoch.readings["guess_confidence"]), "{rule:?}");
    }
}

#[test]
fn the_field_is_learned_with_two_labels_a_class_and_the_average_is_kept() {
    let (data, truth) = data();
    let model = trained(&data);
    let right = |m: &Model| accuracy(&predict(m, &data.field, &data.replay.normalizer).unwrap().classes(), &truth);
    let before = right(&model);
    let mut objective = Matching::new(data.clone(), MatchRule::SoftMatch, settings()).unwrap();
    fit(&model, &mut objective, 12, None);
    let after = right(objective.averaged().unwrap());
    assert!(before < 0.9 && after > before + 0.1, "{before} to {after}");
}

#[test]
fn a_resumed_run_ends_where_an_uninterrupted_one_does() {
    let (data, _) = data();
    let start = trained(&data);
    let folder = tempfile::tempdir().unwrap();
    let kept = |file: &Path, epochs: usize| {
        let model = start.duplicate().unwrap();
        let mut objective = Matching::new(data.clone(), MatchRule::SoftMatch, settings()).unwrap();
        fit(&model, &mut objective, epochs, Some(file));
        objective.averaged().unwrap().params().snapshot()
    };
    let (whole, halves) = (folder.path().join("whole"), folder.path().join("halves"));
    let uninterrupted = kept(&whole, 3);
    kept(&halves, 2);
    assert_eq!(kept(&halves, 3), uninterrupted);
}

#[test]
fn no_labels_and_no_replay_are_no_error_and_nonsense_is_named() {
    let (mut data, _) = data();
    let model = trained(&data);
    data.labels = LabelSet::new();
    let bare = MatchSettings { source: 0, ..settings() };
    let mut objective = Matching::new(data.clone(), MatchRule::FixMatch, bare).unwrap();
    assert_eq!(fit(&model, &mut objective, 1, None)[0].images_trained, 6 * 16);
    let wrong = |s: MatchSettings| Matching::new(data.clone(), MatchRule::FixMatch, s).unwrap_err().to_string();
    assert!(wrong(MatchSettings { ema: 1.0, ..settings() }).contains("ema 1"));
    assert!(wrong(MatchSettings { cutout: f64::NAN, ..settings() }).contains("cutout"));
    data.labels.insert_bought(PoolIdx(96), ClassId(0));
    assert!(Matching::new(data, MatchRule::FixMatch, settings()).is_err());
}
