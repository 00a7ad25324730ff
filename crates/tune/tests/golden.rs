//! EVBMF and knowledge gain against numpy: singular values by LAPACK, the free energy minimised by ever finer grids.
//! Section 5 (a): planted ranks and noise are found, random weights are silent.
#![allow(missing_docs, clippy::unwrap_used, clippy::unreadable_literal, clippy::cloned_ref_to_slice_refs)]

use hybridrepair_core::Streams;
use hybridrepair_tune::{Layer, LayerGain, Side, Variant, knowledge, silent_share};
use rand::Rng;
use rand_distr::StandardNormal;
use std::f64::consts::PI;

/// Noise of variance `sd^2` and some waves of this strength, the same numbers as in numpy.
fn matrix(l: usize, m: usize, rank: usize, strength: f64, sd: f64) -> Vec<f32> {
    let mut values = Vec::new();
    for i in 1..=l {
        for j in 1..=m {
            let h = (12.9898 * i as f64 + 78.233 * j as f64).sin() * 43_758.545_3;
            let mut y = sd * (h - h.floor() - 0.5) * 12f64.sqrt();
            for k in 0..rank {
                let row = (PI * (k + 1) as f64 * (i as f64 - 0.5) / l as f64).cos();
                y += strength * row * (PI * (2 * k + 1) as f64 * (j as f64 - 0.5) / m as f64).cos();
            }
            values.push(y as f32);
        }
    }
    values
}

fn read(shape: &[usize], groups: usize, values: &[f32], variant: Variant) -> LayerGain {
    let layer = Layer { name: "w", shape, groups, values };
    knowledge(&[layer], variant, None).unwrap().remove(0)
}

fn close(got: Side, gain: f64, rank: f64, condition: f64) {
    // the numbers went through 32 bits
    let ok =
        (got.gain - gain).abs() < 2e-6 && (got.rank - rank).abs() < 1e-12 && (got.condition - condition).abs() < 2e-5;
    assert!(ok, "{got:?} is not {gain} {rank} {condition}");
}

#[test]
fn knowledge_gains_are_those_of_numpy() {
    let out = |l: usize, m: usize, rank, strength, sd| {
        read(&[l, m], 1, &matrix(l, m, rank, strength, sd), Variant::Fixed).output.unwrap()
    };
    close(out(64, 576, 5, 0.2, 0.02), 0.077_922_912_956_275_72, 5.0 / 64.0, 1.004_513_290_518_176_4);
    close(out(16, 72, 3, 0.3, 0.05), 0.185_050_727_708_380_94, 3.0 / 16.0, 1.035_001_218_214_348_4);
    close(out(64, 27, 2, 0.3, 0.05), 0.030_987_624_538_225_345, 2.0 / 64.0, 1.017_078_817_562_833_1);
    close(out(24, 24, 2, 0.4, 0.05), 0.082_894_052_751_783_5, 2.0 / 24.0, 1.010_655_067_499_135_3);
    close(out(32, 288, 0, 0.0, 0.02), 0.0, 0.0, 0.0);
}

#[test]
fn groups_stand_below_each_other() {
    // 12 outputs, 2 groups of 6 inputs, 3 x 3
    let gain = read(&[12, 6, 3, 3], 2, &matrix(12, 54, 2, 0.3, 0.02), Variant::Fixed);
    close(gain.input.unwrap(), 0.204_683_922_057_735_78, 4.0 / 12.0, 7.825_233_073_524_331);
    close(gain.output.unwrap(), 0.165_606_862_144_230_68, 2.0 / 12.0, 1.012_881_476_432_983_9);
    // a depthwise convolution is one matrix
    let depthwise = read(&[16, 1, 3, 3], 16, &matrix(16, 9, 1, 0.5, 0.02), Variant::Fixed);
    assert_eq!(depthwise.input, depthwise.output);
    assert_eq!(depthwise.output.unwrap().rank, 1.0 / 16.0);
}

#[test]
fn planted_ranks_and_noise_are_found() {
    use hybridrepair_tune::evbmf;
    // orthogonal waves have the singular values strength * sqrt(l m) / 2, noise those of its own
    let s = |l: usize, m: usize, rank: usize, strength: f64| {
        let spike = strength * ((l * m) as f64).sqrt() / 2.0;
        (0..l)
            .map(|i| if i < rank { spike } else { 0.02 * (m as f64).sqrt() * (1.1 - 0.2 * i as f64 / l as f64) })
            .collect::<Vec<_>>()
    };
    let found = evbmf(&s(64, 576, 5, 0.2), 64, 576, Variant::Fixed).unwrap();
    assert_eq!(found.kept.len(), 5);
    assert!((found.noise.sqrt() - 0.02).abs() < 5e-4, "{}", found.noise.sqrt());
    assert_eq!(evbmf(&s(16, 72, 3, 0.3), 16, 72, Variant::Fixed).unwrap().kept.len(), 3);
    // the variance that numpy comes to
    let found = evbmf(&WIDE, 16, 72, Variant::Fixed).unwrap();
    assert_eq!(found.kept.len(), 3);
    assert!((found.noise / 0.002_499_764_911_241_038 - 1.0).abs() < 1e-6, "{}", found.noise);
    assert!((found.kept.iter().sum::<f64>() - 15.177_546_821_023_569).abs() < 1e-6);
    // a tall one, as the output side of a first convolution: the planted noise is 0.05
    let found = evbmf(&TALL, 64, 27, Variant::Fixed).unwrap();
    assert_eq!(found.kept.len(), 2);
    assert!((found.noise / 0.002_541_894_534_400_602 - 1.0).abs() < 1e-6, "{}", found.noise);
    // without transposition upstream sees far more
    let upstream = evbmf(&TALL, 64, 27, Variant::Upstream).unwrap();
    assert!((upstream.noise.sqrt() - 0.084_798_6).abs() < 2e-4, "{}", upstream.noise.sqrt());
}

/// Singular values by LAPACK: 16 x 72 with rank 3, 64 x 27 with rank 2, noise 0.05.
const WIDE: [f64; 16] = [
    5.16875598801,
    5.14145138904,
    4.9968719145,
    0.552959799741,
    0.521148291131,
    0.501595625637,
    0.464910514597,
    0.441834018101,
    0.423477752411,
    0.398553333577,
    0.384647339008,
    0.363036821957,
    0.332065429936,
    0.30117173121,
    0.291278013809,
    0.273668519757,
];
const TALL: [f64; 27] = [
    6.34996390564,
    6.2445646586,
    0.648883864306,
    0.570532240692,
    0.55734636922,
    0.510830354178,
    0.500933528394,
    0.48476259227,
    0.452643788341,
    0.440575770779,
    0.424719354406,
    0.417644563275,
    0.406378738832,
    0.386680843028,
    0.374569451282,
    0.355771705855,
    0.347291595979,
    0.324237215973,
    0.308913351189,
    0.29280045974,
    0.27446598351,
    0.26335213761,
    0.245477014234,
    0.236881774129,
    0.225963214131,
    0.195689746703,
    0.180200796299,
];

#[test]
fn rotation_scale_and_transposition_change_nothing() {
    let (l, m) = (16, 72);
    let y = matrix(l, m, 3, 0.3, 0.05);
    let side = |shape: &[usize], values: &[f32]| read(shape, 1, values, Variant::Fixed);
    let reference = side(&[l, m], &y).output.unwrap();
    for scale in [1e-6, 37.0, 1e8] {
        let scaled = y.iter().map(|v| v * scale).collect::<Vec<_>>();
        close(side(&[l, m], &scaled).output.unwrap(), reference.gain, reference.rank, reference.condition);
    }
    let transposed = (0..m * l).map(|at| y[at % l * m + at / l]).collect::<Vec<_>>();
    // the other side of the transpose has the same rows
    close(side(&[m, l], &transposed).input.unwrap(), reference.gain, reference.rank, reference.condition);
    // a rotation in the plane of two rows
    let (sin, cos) = 0.7f32.sin_cos();
    let mut turned = y.clone();
    for j in 0..m {
        (turned[j], turned[m + j]) = (cos * y[j] - sin * y[m + j], sin * y[j] + cos * y[m + j]);
    }
    close(side(&[l, m], &turned).output.unwrap(), reference.gain, reference.rank, reference.condition);
}

#[test]
fn random_weights_are_silent() {
    let mut rng = Streams::new(3).named("weights");
    // the shapes of a MobileNet and a ResNet at width 0.25, uniform and normal as they begin
    let shapes: [(&[usize], usize); 9] = [
        (&[8, 3, 3, 3], 1),
        (&[16, 8, 1, 1], 1),
        (&[64, 1, 3, 3], 64),
        (&[256, 256, 1, 1], 1),
        (&[16, 3, 7, 7], 1),
        (&[128, 128, 3, 3], 1),
        (&[32, 16, 1, 1], 1),
        (&[24, 12, 1, 1], 2),
        (&[10, 256], 1),
    ];
    for (shape, groups) in shapes {
        for normal in [false, true] {
            let n = shape.iter().product::<usize>();
            let draw = |_| if normal { rng.sample::<f32, _>(StandardNormal) } else { rng.gen_range(-0.1f32..0.1) };
            let values = (0..n).map(draw).collect::<Vec<_>>();
            let gain = read(shape, groups, &values, Variant::Fixed);
            assert_eq!(silent_share(&[gain.clone()]).unwrap(), 1.0, "{shape:?} {normal} {gain:?}");
        }
    }
}

#[test]
fn upstream_goes_wrong_where_the_specification_says() {
    let tall = matrix(64, 27, 2, 0.3, 0.05);
    let fixed = read(&[64, 3, 3, 3], 1, &tall, Variant::Fixed);
    let upstream = read(&[64, 3, 3, 3], 1, &tall, Variant::Upstream);
    // three rows say nothing: ours leaves them out, upstream counts them as silent for ever
    assert!(fixed.input.is_none() && upstream.input.is_some());
    // very tall: the bounds contradict each other, the reading before stands in
    let very = matrix(512, 27, 0, 0.0, 0.05);
    assert_eq!(read(&[512, 3, 3, 3], 1, &very, Variant::Upstream).output, Some(Side::default()));
    let before =
        LayerGain { name: "w".into(), input: None, output: Some(Side { gain: 0.5, rank: 0.5, condition: 2.0 }) };
    let layer = Layer { name: "w", shape: &[512, 3, 3, 3], groups: 1, values: &very };
    let again = knowledge(&[layer], Variant::Upstream, Some(&[before.clone()])).unwrap();
    assert_eq!(again[0].output, before.output);
    // dense layers are read by ours alone
    let dense = Layer { name: "fc", shape: &[16, 72], groups: 1, values: &matrix(16, 72, 1, 0.3, 0.05) };
    assert!(knowledge(&[dense], Variant::Upstream, None).unwrap().is_empty());
    assert!(silent_share(&[]).unwrap_err().to_string().contains("at least 4 rows"));
    let wrong = Layer { name: "w", shape: &[3, 3], groups: 1, values: &[0.0; 8] };
    assert!(knowledge(&[wrong], Variant::Fixed, None).unwrap_err().to_string().contains("[3, 3]"));
}
