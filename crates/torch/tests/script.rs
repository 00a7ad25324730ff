//! TorchScript modules under the contract, and those that break it. The files are made by `fixtures/make.py`.
#![allow(missing_docs, clippy::unwrap_used)]

use hybridrepair_data::Normalization;
use hybridrepair_torch::{
    DataFacts, Device, ExportFormat, Model, Tensor, TorchError, export, load_checkpoint, open_script, read_state_dict,
    save_checkpoint,
};
use std::path::{Path, PathBuf};

const SIDE: [usize; 2] = [8, 8];

/// First numbers of logits and features in eval mode: what `make.py` printed, and of `method` what its file says to plain
/// `PyTorch`.
const WANT: [Want; 3] = [
    (
        "both",
        [-0.363_464_95, 0.198_119_94, 0.302_854_18, 0.371_770_68],
        Some([0.047_021_49, 0.338_177_62, 0.0, 0.172_061_44]),
    ),
    ("logits", [0.169_935_79, -0.143_576_49, 0.356_660_25, -0.261_421_20], None),
    (
        "method",
        [-0.135_792_78, 0.243_227_41, 0.141_985_74, -0.218_870_27],
        Some([0.388_626_72, 0.339_858_35, 0.004_639_41, 0.024_730_59]),
    ),
];

/// A module, its logits, and its features where it tells any.
type Want = (&'static str, [f64; 4], Option<[f64; 4]>);

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("{name}.pt"))
}

fn model(name: &str) -> Result<Model, TorchError> {
    Model::from_script(&file(name), SIDE, Device::Cpu)
}

fn facts(classes: usize) -> DataFacts {
    DataFacts {
        class_names: (0..classes).map(|c| format!("class {c}")).collect(),
        normalization: Normalization { mean: [0.5; 3], std: [0.25; 3] },
        input: SIDE,
        dataset: "test".to_owned(),
    }
}

fn pictures() -> Tensor {
    let values = (0..2 * 3 * 64).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<_>>();
    Tensor::from_slice(&values).view([2, 3, 8, 8])
}

fn close(got: &Tensor, want: [f64; 4]) {
    let got = Vec::<f32>::try_from(got.contiguous().view([-1])).unwrap();
    for (g, w) in got.iter().zip(want) {
        assert!((f64::from(*g) - w).abs() < 1e-5, "{got:?}");
    }
}

fn all_equal(a: &Model, b: &Model) -> bool {
    a.params().all().zip(b.params().all()).all(|((_, x), (_, y))| x == y)
}

#[test]
fn logits_and_features_are_those_of_pytorch() {
    let x = pictures();
    tch::no_grad(|| {
        for (name, logits, features) in WANT {
            let out = model(name).unwrap().forward(&x, false);
            close(&out.logits, logits);
            close(&out.features, features.unwrap_or(logits));
        }
    });
    assert_eq!(model("both").unwrap().feature_dim(), 6);
    assert_eq!(model("logits").unwrap().feature_dim(), 4, "logits stand for features");
}

#[test]
fn training_moves_parameters_and_running_statistics_and_a_twin_keeps_its_own() {
    let net = model("method").unwrap();
    net.check_trainable().unwrap();
    assert_eq!(net.params().trained().count(), 6);
    let twin = net.duplicate().unwrap();
    let x = pictures();
    let eval = |m: &Model| tch::no_grad(|| m.forward(&x, false).logits);
    let before = eval(&net);
    let loss = net.forward(&x, true).logits.square().mean(tch::Kind::Float);
    loss.backward();
    assert!(net.params().trained().all(|(_, t)| t.grad().defined()));
    assert_ne!(eval(&net), before, "batch norm has followed the pictures");
    assert_eq!(eval(&twin), before);
    twin.params().restore(&net.params().snapshot()).unwrap();
    assert_eq!(eval(&twin), eval(&net));
}

#[test]
fn a_checkpoint_belongs_to_its_module_and_the_module_is_written_with_new_weights() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("m.pt");
    std::fs::copy(file("both"), &script).unwrap();
    let (net, meta) = open_script(&script, Device::Cpu, &facts(4)).unwrap();
    let _ = net.forward(&pictures(), true);
    let checkpoint = dir.path().join("c.safetensors");
    save_checkpoint(&checkpoint, &net, &meta, false).unwrap();
    let (read, again) = load_checkpoint(&checkpoint, Device::Cpu).unwrap();
    assert_eq!(again, meta);
    assert!(all_equal(&net, &read));
    let out = dir.path().join("repaired.pt");
    export(&net, SIDE, ExportFormat::TorchScript, &out, false).unwrap();
    let repaired = Model::from_script(&out, SIDE, Device::Cpu).unwrap();
    assert!(all_equal(&net, &repaired));
    repaired.check_trainable().unwrap();
    // its counters are no floats and stand once
    let state = dir.path().join("state.pth");
    export(&net, SIDE, ExportFormat::StateDict { half: true }, &state, false).unwrap();
    let names = read_state_dict(&state).unwrap().into_iter().map(|(n, _)| n).collect::<Vec<_>>();
    assert_eq!(names.iter().filter(|n| n.ends_with("num_batches_tracked")).count(), 1, "{names:?}");
    // another module at the same path is not mistaken for the first
    std::fs::copy(file("logits"), &script).unwrap();
    let error = load_checkpoint(&checkpoint, Device::Cpu).unwrap_err().to_string();
    assert!(error.contains("has changed since"), "{error}");
    // the repaired module beside the checkpoint serves as well
    std::fs::copy(&out, checkpoint.with_extension("pt")).unwrap();
    assert!(all_equal(&net, &load_checkpoint(&checkpoint, Device::Cpu).unwrap().0));
}

#[test]
fn modules_outside_the_contract_are_refused_with_the_reason() {
    let error = model("wrong").unwrap_err().to_string();
    assert!(error.contains("tuple that is not (logits, features)"), "{error}");
    for name in ["traced", "frozen"] {
        let net = model(name).unwrap();
        assert!(matches!(net.check_trainable(), Err(TorchError::Frozen { .. })), "{name}");
    }
    let error = open_script(&file("both"), Device::Cpu, &facts(5)).unwrap_err().to_string();
    assert!(error.contains("4 classes, the data has 5"), "{error}");
    let error = Model::from_script(&file("../script.rs").with_extension("rs"), SIDE, Device::Cpu).unwrap_err();
    assert!(matches!(error, TorchError::Script { .. } | TorchError::Io { .. }), "{error}");
    // a picture too small for the convolution
    assert!(matches!(Model::from_script(&file("both"), [1, 1], Device::Cpu), Err(TorchError::Script { .. })));
}
