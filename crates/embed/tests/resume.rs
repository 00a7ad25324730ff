//! Training that is cut goes on bit-equal, and learning tells pictures apart.
#![allow(missing_docs, clippy::unwrap_used, clippy::needless_pass_by_value)]

use hybridrepair_core::{ClassId, Streams};
use hybridrepair_data::{Images, Normalization};
use hybridrepair_embed::{
    EmbedError, ExtractorMeta, Given, open,
    pretrain::{Beginning, Learning, PairData, Pictures, SelfSupervision, ViewSettings, learner},
    save_extractor,
};
use hybridrepair_torch::{Arch, Device, Model, ModelSpec, Tensor, predict, save_tensors};
use hybridrepair_train::{EpochReading, Fit, Observer, OptimSpec, Reading, Schedule, Verdict};
use std::path::Path;

const NORMALIZATION: Normalization = Normalization { mean: [0.5; 3], std: [0.25; 3] };
const SPEC: ModelSpec = ModelSpec { arch: Arch::MobileNet, width: 0.1, classes: 1 };

/// Noisy stripes: class `i % 4` has stripes of its own period.
fn pictures(n: usize) -> Images {
    let pixel = |i: usize, y: usize, x: usize, c: usize| {
        let stripe = if (y / (1 + i % 4)).is_multiple_of(2) { 150 } else { 60 };
        let noise = (i * 7919 + y * 104_729 + x * 1_299_709 + c * 15_485_863) % 50;
        (stripe + noise) as u8
    };
    let all = (0..n).flat_map(|i| (0..16 * 16 * 3).map(move |p| pixel(i, p / 48, p % 48 / 3, p % 3)));
    Images::new(all.collect(), 16, 16).unwrap()
}

fn learning(method: &SelfSupervision, init: &[(String, Tensor)]) -> Result<Learning, EmbedError> {
    let (streams, images) = (Streams::new(5), pictures(96));
    let data = Pictures::new(&[&images], Device::Cpu)?;
    let data = PairData::new(data, ViewSettings::default(), NORMALIZATION, 32, streams)?;
    let known = (0..96).map(|i| (i < 40).then(|| ClassId::from(i % 4))).collect();
    Ok(learner(method, &Beginning { spec: SPEC, init, device: Device::Cpu, streams }, data, known, 4)?)
}

/// Stops after so many epochs.
struct StopAfter(usize);

impl Observer for StopAfter {
    fn after_step(&mut self, _: &Reading, _: &Model) -> Verdict {
        Verdict::Continue
    }

    fn after_epoch(&mut self, reading: &EpochReading, _: &Model) -> Verdict {
        if reading.epoch + 1 == self.0 { Verdict::Stop } else { Verdict::Continue }
    }
}

fn run(method: &SelfSupervision, state: Option<&Path>, stops: &[usize]) -> (Vec<EpochReading>, Model) {
    let mut last = None;
    for &stop in stops {
        let mut learning = learning(method, &[]).unwrap();
        let mut optimizer = match method {
            SelfSupervision::Simclr { .. } => OptimSpec::Adamw { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 1e-4 },
            SelfSupervision::Mocov3 { .. } => OptimSpec::Lars { momentum: 0.9, weight_decay: 1e-6, trust: 0.01 },
        }
        .build();
        let mut fit = Fit {
            model: &learning.model,
            optimizer: &mut *optimizer,
            schedule: Schedule::Cosine { lr: 3e-3, warmup: 0.5 },
            epochs: 4,
            streams: Streams::new(5),
            state_file: state,
            key: "k".to_owned(),
        };
        let outcome = fit.run(&mut *learning.objective, &mut StopAfter(stop)).unwrap();
        last = Some((outcome.epochs, learning.model));
    }
    last.unwrap()
}

#[test]
fn cut_training_goes_on_bit_equal() {
    tch::set_num_threads(1);
    let dir = tempfile::tempdir().unwrap();
    let moco = SelfSupervision::Mocov3 { temperature: 1.0, momentum: 0.9, hidden: 32, dim: 16 };
    let known = SelfSupervision::Simclr { temperature: 0.2, decoupled: true, source_labels: true, projector: [32, 16] };
    for (i, method) in [moco, known].into_iter().enumerate() {
        let state = dir.path().join(format!("state-{i}.safetensors"));
        let (through, whole) = run(&method, None, &[4]);
        let (epochs, cut) = run(&method, Some(&state), &[1, 3, 4]);
        assert_eq!(epochs, through, "{}", method.name());
        for ((name, a), (_, b)) in whole.params().all().zip(cut.params().all()) {
            assert_eq!(a, b, "{name} of {}", method.name());
        }
    }
}

#[test]
fn learning_lowers_the_loss_and_the_file_says_what_the_model_says() {
    let dir = tempfile::tempdir().unwrap();
    let method =
        SelfSupervision::Simclr { temperature: 0.2, decoupled: false, source_labels: false, projector: [32, 16] };
    let (epochs, model) = run(&method, None, &[4]);
    assert!(epochs[3].loss < epochs[0].loss, "{epochs:?}");
    let meta = ExtractorMeta {
        format_version: 1,
        spec: SPEC,
        heads: vec![],
        normalization: NORMALIZATION,
        input: [16, 16],
        dataset: "stripes".to_owned(),
        method: "simclr".to_owned(),
        source_labels: false,
        images_trained: 768,
    };
    let normalizer = hybridrepair_data::Normalizer::new(NORMALIZATION).unwrap();
    let (images, path) = (pictures(10), dir.path().join("e.safetensors"));
    save_extractor(&path, &model, &meta, false).unwrap();
    let opened = open(&path, &Given::default(), Device::Cpu).unwrap();
    assert_eq!((opened.input, opened.images_trained, opened.encoder.dim()), ([16, 16], 768, 102));
    let here = predict(&model, &images, &normalizer).unwrap().features;
    assert_eq!(opened.encoder.encode(&images, &normalizer).unwrap(), here);
    // with its projector
    save_extractor(&path, &model, &ExtractorMeta { heads: vec!["projector".to_owned()], ..meta.clone() }, true)
        .unwrap();
    assert_eq!(open(&path, &Given::default(), Device::Cpu).unwrap().encoder.dim(), 16);
    // what the user says wins, a newer file and one of nobody are refused
    let given = Given { normalization: None, input: Some([32, 32]) };
    assert_eq!(open(&path, &given, Device::Cpu).unwrap().input, [32, 32]);
    save_extractor(&path, &model, &ExtractorMeta { format_version: 2, ..meta }, false).unwrap();
    assert!(open(&path, &given, Device::Cpu).unwrap_err().to_string().contains("version 2"));
    let strange = dir.path().join("s.safetensors");
    let one = Tensor::from_slice(&[1.0f32]);
    save_tensors(&strange, &[("x".to_owned(), one)], hybridrepair_torch::Kind::Float, None).unwrap();
    let given = Given { normalization: Some(NORMALIZATION), ..given };
    assert!(open(&strange, &given, Device::Cpu).unwrap_err().to_string().contains("belong to none"));
}

#[test]
fn a_model_to_begin_with_is_taken_over_or_refused() {
    let method = SelfSupervision::SIMCLR;
    let begun = Model::new(ModelSpec { classes: 7, ..SPEC }, Device::Cpu, Streams::new(9)).unwrap();
    let learning = learning(&method, &begun.params().snapshot()).unwrap();
    let find = |m: &Model, name: &str| m.params().snapshot().into_iter().find(|(n, _)| n == name).unwrap().1;
    assert_eq!(find(&learning.model, "layers.5.conv2.weight"), find(&begun, "layers.5.conv2.weight"));
    let other = Model::new(ModelSpec { width: 0.2, ..SPEC }, Device::Cpu, Streams::new(9)).unwrap();
    let refused = self::learning(&method, &other.params().snapshot()).err().unwrap().to_string();
    assert!(refused.contains("width"), "{refused}");
}
