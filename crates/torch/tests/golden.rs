//! The network against plain `PyTorch`, and prediction against the number of threads.
#![allow(missing_docs, clippy::unwrap_used)]

use hybridrepair_core::Streams;
use hybridrepair_data::{Images, Normalization, Normalizer, ViewConfig, ViewMaker};
use hybridrepair_torch::{Arch, Device, Model, ModelSpec, Tensor, predict, predict_views};
use std::sync::Mutex;

/// libtorch's number of threads belongs to the process.
static THREADS: Mutex<()> = Mutex::new(());

/// Names of the numbers that scale a map: they start near 1.
const SCALES: [&str; 10] = [
    "running_var",
    "bn1.weight",
    "bn2.weight",
    "bn3.weight",
    "downsample.1.weight",
    "norm.weight",
    "norm0.weight",
    "norm1.weight",
    "norm2.weight",
    "norm5.weight",
];

fn sines(size: &[i64], phase: f64, scale: f64, offset: f64) -> Tensor {
    let n = size.iter().product::<i64>();
    let values = (0..n).map(|i| (offset + scale * (0.7 * i as f64 + phase).sin()) as f32).collect::<Vec<_>>();
    Tensor::from_slice(&values).view(size)
}

fn model(arch: Arch, width: f64, classes: usize) -> Model {
    let spec = ModelSpec { arch, width, classes };
    let model = Model::new(spec, Device::Cpu, Streams::new(0)).unwrap();
    let fill = |(phase, (name, t)): (usize, (&str, &Tensor))| {
        let size = t.size();
        let value = if size.len() > 1 {
            let fan_in = size[1..].iter().product::<i64>() as f64;
            sines(&size, phase as f64, 1.5 / fan_in.sqrt(), 0.0)
        } else if SCALES.iter().any(|end| name.ends_with(end)) {
            sines(&size, phase as f64, 0.2, 1.0)
        } else {
            sines(&size, phase as f64, 0.1, 0.05)
        };
        (name.to_owned(), value)
    };
    let values = model.params().all().enumerate().map(fill).collect::<Vec<_>>();
    model.params().restore(&values).unwrap();
    model
}

fn close(got: &Tensor, want: &[f64]) {
    let got = Vec::<f32>::try_from(got.contiguous().view([-1])).unwrap();
    let scale = want.iter().fold(1f64, |m, w| m.max(w.abs()));
    for (g, w) in got.iter().zip(want) {
        assert!((f64::from(*g) - w).abs() < 1e-4 * scale, "{got:?}");
    }
}

/// The first picture's logits in eval mode, in train mode, and in eval mode after that pass has moved the running
/// statistics.
fn check(model: &Model, side: i64, [eval, train, moved]: [[f64; 7]; 3]) {
    let x = sines(&[2, 3, side, side], 0.3, 1.0, 0.0);
    tch::no_grad(|| {
        close(&model.forward(&x, false).logits, &eval);
        close(&model.forward(&x, true).logits, &train);
        close(&model.forward(&x, false).logits, &moved);
    });
}

/// Numbers of `make_golden.py` with torch 2.11.0.
#[test]
fn networks_give_the_logits_of_plain_pytorch() {
    check(
        &model(Arch::MobileNet, 0.25, 7),
        32,
        [
            [-1.354_668_26, 1.067_255_97, -0.913_891_43, 0.685_200_51, -0.291_485_49, 0.281_626_94, 0.267_613_62],
            [-1.175_029_87, 1.030_031_20, -1.019_701_00, 0.932_279_88, -0.675_714_91, 0.796_599_86, -0.369_515_75],
            [-1.339_039_92, 1.059_144_85, -0.913_432_72, 0.692_401_83, -0.306_226_61, 0.303_662_27, 0.238_651_62],
        ],
    );
    check(
        &model(Arch::ResNet18, 0.25, 7),
        96,
        [
            [
                -866_132.312_500,
                1_473_728.125_000,
                675_831.750_000,
                -1_560_997.375_000,
                -474_261.718_750,
                1_622_238.250_000,
                264_783.875_000,
            ],
            [-0.035_004_85, 0.171_228_93, 0.272_023_44, 0.058_660_02, -0.083_269_97, 0.037_465_85, 0.062_766_19],
            [
                -12_148.931_641,
                21_935.662_109,
                9_316.665_039,
                -23_138.447_266,
                -6_328.626_953,
                23_955.740_234,
                3_235.232_910,
            ],
        ],
    );
    check(
        &model(Arch::ShuffleNetG2, 1.0, 7),
        32,
        [
            [-0.893_136_68, 0.628_703_42, 1.815_483_81, 1.949_461_70, 0.941_878_62, -0.609_810_29, -1.777_264_00],
            [-1.298_511_39, -0.204_199_34, 1.056_115_15, 1.720_451_95, 1.380_995_51, 0.233_268_13, -1.037_407_40],
            [-0.885_434_93, 0.527_803_24, 1.666_682_96, 1.842_275_98, 0.940_789_04, -0.504_147_53, -1.628_415_47],
        ],
    );
}

/// As above.
#[test]
fn the_networks_of_early_repair_give_the_logits_of_plain_pytorch() {
    check(
        &model(Arch::Vgg16, 0.25, 7),
        32,
        [
            [
                5_223.088_378_91,
                1_076.940_551_76,
                -3_350.540_527_34,
                -6_902.618_652_34,
                -8_651.267_578_12,
                -8_139.625_000_00,
                -5_501.397_949_22,
            ],
            [
                5_223.088_378_91,
                1_076.940_551_76,
                -3_350.540_527_34,
                -6_902.618_652_34,
                -8_651.267_578_12,
                -8_139.625_000_00,
                -5_501.397_949_22,
            ],
            [
                5_223.088_378_91,
                1_076.940_551_76,
                -3_350.540_527_34,
                -6_902.618_652_34,
                -8_651.267_578_12,
                -8_139.625_000_00,
                -5_501.397_949_22,
            ],
        ],
    );
    check(
        &model(Arch::DenseNet121, 0.25, 7),
        96,
        [
            [
                -138.972_747_80,
                120.599_685_67,
                -99.810_279_85,
                77.530_326_84,
                -54.003_650_67,
                29.426_050_19,
                -4.448_214_05,
            ],
            [-0.915_404_08, 1.100_936_41, -0.862_721_86, 0.783_799_89, -0.737_854_72, 0.529_163_42, -0.402_061_91],
            [
                -46.062_763_21,
                40.920_600_89,
                -34.690_723_42,
                28.056_079_86,
                -20.999_671_94,
                13.442_665_10,
                -5.751_929_76,
            ],
        ],
    );
}

#[test]
fn logits_and_views_are_bit_equal_on_one_and_two_threads() {
    let _guard = THREADS.lock().unwrap();
    let pixels = (0..300u32 * 3072).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let images = Images::new(pixels, 32, 32).unwrap();
    let norm = Normalization { mean: [0.5; 3], std: [0.25; 3] };
    let normalizer = Normalizer::new(norm).unwrap();
    let maker = ViewMaker::new(images.clone(), norm, ViewConfig::default(), Streams::new(4), "views").unwrap();
    let rows = (0..images.len()).collect::<Vec<_>>();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            // tensors cannot cross threads: the model is made where it is asked
            let model = model(Arch::MobileNet, 0.1, 5);
            tch::set_num_threads(threads as i32);
            let p = predict(&model, &images, &normalizer).unwrap();
            let v = predict_views(&model, &maker, (32, 32), &rows).unwrap();
            (p.logits, p.features, v.views.mean_probs.view().to_owned(), v.views.variance)
        })
    };
    assert_eq!(run(1), run(2));
}
