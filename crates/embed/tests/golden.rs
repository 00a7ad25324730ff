//! Against plain `PyTorch` 2.11.0: the numbers are those that `make_golden.py` prints.
#![allow(missing_docs, clippy::unwrap_used, clippy::explicit_counter_loop, clippy::print_stdout)]

use hybridrepair_core::Streams;
use hybridrepair_data::{Images, Normalization};
use hybridrepair_embed::{
    EmbedError, Given, open,
    pretrain::{MocoV3, PairData, Pictures, ViewSettings},
};
use hybridrepair_torch::{Arch, Device, Kind, Mlp, Model, ModelSpec, Params, Tensor};
use hybridrepair_train::OptimSpec;
use std::path::Path;

/// As printed by the script.
const FEATURES: [f64; 16] = [
    -0.135_105_4,
    0.221_262_1,
    0.465_932,
    0.475_389_9,
    0.244_861_3,
    -0.109_278_2,
    -0.408_251_9,
    -0.501_131_7,
    -0.134_507_4,
    0.221_783_7,
    0.466_113_9,
    0.475_140_3,
    0.244_306_2,
    -0.109_858_6,
    -0.408_564_6,
    -0.501_018_8,
];
/// In `f64`. `PyTorch`'s own `f32` says `6.054_73`: batch norms over eight pictures of one pixel carry rounding this far.
const LOSS: f64 = 6.074_063;
const LARS_W: [f64; 6] = [0.922_089_6, 0.792_107_5, 0.554_917_2, 0.260_261_7, -0.106_069_5, -0.458_044_8];
const LARS_B: [f64; 3] = [0.742_928_2, 0.681_579_4, 0.527_981_5];
const LARS_ZERO: [f64; 4] = [2.672_1, 2.672_1, 2.672_1, 2.672_1];

const NORMALIZATION: Normalization = Normalization { mean: [0.5; 3], std: [0.25; 3] };

/// `cos(0.37 i + phase)`
fn pattern(count: usize, phase: f64) -> Vec<f32> {
    (0..count).map(|i| (0.37 * i as f64 + phase).cos() as f32).collect()
}

/// What the script fills tensor number `k` of a state dict with.
fn filling(name: &str, shape: &[i64], k: usize) -> Tensor {
    let count = shape.iter().product::<i64>() as usize;
    let values = Tensor::from_slice(&pattern(count, 0.11 * k as f64)).view(shape);
    match shape.len() {
        1 if name.ends_with("running_var") || name.ends_with("weight") => values * 0.1 + 1.0,
        1 => values * 0.1,
        _ => values / (shape[1..].iter().product::<i64>() as f64).sqrt(),
    }
}

/// A narrow `ResNet`-50 with the heads of `MoCo` v3, filled as the script's `Moco` is.
fn moco() -> (Model, Mlp, Mlp) {
    let spec = ModelSpec { arch: Arch::ResNet50, width: 1.0 / 16.0, classes: 1 };
    let mut model = Model::new(spec, Device::Cpu, Streams::new(0)).unwrap();
    let projector = Mlp::attach(&mut model, "projector", &[128, 32, 8], true, Streams::new(0)).unwrap();
    let predictor = Mlp::attach(&mut model, "predictor", &[8, 32, 8], false, Streams::new(0)).unwrap();
    let mut values = model.params().snapshot();
    let classifier = |name: &str| name == "fc.weight" || name == "fc.bias";
    let base = values.iter().filter(|(n, _)| !classifier(n) && !n.starts_with("predictor")).count();
    let mut k = 0;
    for (name, tensor) in values.iter_mut().filter(|(n, _)| !classifier(n)) {
        // the momentum encoder comes between the two in the script's state dict
        let at = if name.starts_with("predictor") { k + base } else { k };
        *tensor = filling(name, &tensor.size(), at);
        k += 1;
    }
    model.params().restore(&values).unwrap();
    (model, projector, predictor)
}

fn pictures(n: usize, phase: f64) -> Tensor {
    Tensor::from_slice(&pattern(n * 3 * 32 * 32, phase)).view([n as i64, 3, 32, 32])
}

fn close(what: &str, got: &Tensor, want: &[f64], tolerance: f64) {
    let got = Vec::<f32>::try_from(got.flatten(0, -1)).unwrap();
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((f64::from(*got) - want).abs() < tolerance, "{what}[{i}]: {got} for {want}");
    }
}

/// Writes the checkpoint that the training script of `MoCo` v3 would write of this model, as `PyTorch` would.
fn write_checkpoint(path: &Path, model: &Model) {
    use hybridrepair_pytorch_file::{Dtype, IfExists, NamedTensor, write_state_dict};
    let mut tensors = Vec::new();
    for (name, tensor) in model.params().snapshot() {
        if name == "fc.weight" || name == "fc.bias" {
            continue;
        }
        let data = Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap().iter().flat_map(|x| x.to_le_bytes()).collect();
        let shape = tensor.size().iter().map(|&s| s as usize).collect::<Vec<_>>();
        let names = match name.strip_prefix("projector.") {
            _ if name.starts_with("predictor.") => vec![format!("module.{name}")],
            Some(rest) => vec![format!("module.base_encoder.fc.{rest}"), format!("module.momentum_encoder.fc.{rest}")],
            None => vec![format!("module.base_encoder.{name}"), format!("module.momentum_encoder.{name}")],
        };
        for name in names {
            tensors.push(NamedTensor { name, dtype: Dtype::F32, shape: shape.clone(), data: Clone::clone(&data) });
        }
    }
    write_state_dict(path, &tensors, IfExists::Replace).unwrap();
}

#[test]
fn a_moco_checkpoint_says_what_it_says_to_pytorch() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint.pth.tar");
    write_checkpoint(&path, &moco().0);
    // nothing in such a file says what it wants to be shown
    let said = |normalization, input| open(&path, &Given { normalization, input }, Device::Cpu);
    assert!(matches!(said(None, None), Err(EmbedError::Unsaid { what: "normalisation", .. })));
    assert!(matches!(said(Some(NORMALIZATION), None), Err(EmbedError::Unsaid { what: "input size", .. })));
    let opened = said(Some(NORMALIZATION), Some([32, 32])).unwrap();
    assert_eq!((opened.encoder.dim(), opened.about.as_str()), (8, "checkpoint of MoCo v3"));
    let z = tch::no_grad(|| opened.encoder.forward(&pictures(2, 0.5)));
    let unit = &z / z.norm_scalaropt_dim(2.0, [-1i64].as_slice(), true);
    close("features", &unit, &FEATURES, 1e-4);
}

#[test]
fn the_loss_of_moco_v3_is_pytorchs() {
    let (model, projector, predictor) = moco();
    let images = Images::new(vec![7; 4 * 32 * 32 * 3], 32, 32).unwrap();
    let pool = Pictures::new(&[&images], Device::Cpu).unwrap();
    let data = PairData::new(pool, ViewSettings::default(), NORMALIZATION, 4, Streams::new(0)).unwrap();
    let mut objective = MocoV3::new(data, (projector, predictor), 0.5, 0.99, 2);
    let scale = |from: f64, to: f64| Tensor::linspace(from, to, 8, (Kind::Float, Device::Cpu)).view([8, 1, 1, 1]);
    let one = pictures(8, 0.1) * scale(1.5, 0.4);
    let two = (pictures(8, 0.9) * 1.3).sin() * scale(0.2, 1.6);
    let loss = objective.loss(&model, (&one, &two), 0.99).unwrap().double_value(&[]);
    assert!((loss - LOSS).abs() < 0.02, "{loss} for {LOSS}");
}

#[test]
fn lars_moves_as_pytorch_computes() {
    let mut params = Params::new();
    let w = params.add("w", &Tensor::from_slice(&pattern(6, 0.2)).view([2, 3]));
    let b = params.add("b", &Tensor::from_slice(&pattern(3, 0.4)));
    let zero = params.add("zero", &Tensor::zeros([2, 2], (Kind::Float, Device::Cpu)));
    let mut lars = OptimSpec::Lars { momentum: 0.9, weight_decay: 0.1, trust: 0.02 }.build();
    for _ in 0..3 {
        params.zero_grad();
        let loss = w.matmul(&b.unsqueeze(1)).square().sum(Kind::Float) + (&zero - 1.0).square().sum(Kind::Float);
        loss.backward();
        lars.step(&params, 0.5);
    }
    close("w", &w, &LARS_W, 1e-5);
    close("b", &b, &LARS_B, 1e-5);
    close("zero", &zero, &LARS_ZERO, 1e-5);
}
