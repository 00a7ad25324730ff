//! Inner layers: closed form against autograd, forward impact against numbers of another program, and the kept prefix.
#![allow(missing_docs, clippy::unwrap_used)]

use hybridrepair_core::{ClassId, Streams};
use hybridrepair_patch::{
    Arachne2, Cases, Evaluator, Head, HeadCase, HeadEvaluator, Localizer, Precision, Samples, WeightRef,
    evaluate_whole, head_gradient,
};
use hybridrepair_patch_torch::{Pictures, TailEvaluator, costs, patched};
use hybridrepair_torch::{Arch, Device, Kind, Model, ModelSpec, Tensor, predict_with};
use ndarray::{Array1, Array2};

fn model(arch: Arch) -> Model {
    Model::new(ModelSpec { arch, width: 0.1, classes: 4 }, Device::Cpu, Streams::new(3)).unwrap()
}

fn paint(row: usize, out: &mut [f32]) {
    for (i, v) in out.iter_mut().enumerate() {
        *v = (0.37 * i as f32 + 1.7 * row as f32).sin() + 0.3 * (row % 5) as f32;
    }
}

const N: usize = 40;

fn labels() -> Vec<ClassId> {
    (0..N as u32).map(|i| ClassId(i * 7 % 4)).collect()
}

fn values(t: &Tensor) -> Vec<f32> {
    Vec::try_from(&t.detach().contiguous().view([-1])).unwrap()
}

fn param(model: &Model, name: &str) -> Tensor {
    model.params().all().find(|(n, _)| *n == name).unwrap().1.shallow_clone()
}

/// The model's last layer and what stands in front of it.
fn in_front(model: &Model, labels: &[ClassId]) -> (Head, Samples) {
    let p = predict_with(model, N, (32, 32), paint).unwrap();
    let w = param(model, "linear.weight");
    let shape = (w.size()[0] as usize, w.size()[1] as usize);
    let weight = Array2::from_shape_vec(shape, values(&w)).unwrap();
    let head = Head::new(weight, Array1::from_vec(values(&param(model, "linear.bias"))), "linear").unwrap();
    (head, Samples::new(p.features, labels.to_vec(), 4).unwrap())
}

#[test]
fn the_closed_form_is_what_autograd_says() {
    let (model, labels) = (model(Arch::MobileNet), labels());
    let pictures = Pictures { size: (32, 32), fill: &paint, labels: &labels };
    let (head, samples) = in_front(&model, &labels);
    let rows = (0..N).collect::<Vec<_>>();
    let layer = ["linear.weight".to_owned()];
    let auto = &costs(&model, &pictures, &rows, &layer).unwrap()["linear.weight"];
    let closed = head_gradient(&head, &samples, &rows).unwrap();
    let scale = closed.iter().fold(0f64, |m, g| m.max(g.abs()));
    for (a, c) in auto.grad_loss.iter().zip(&closed) {
        assert!((a / N as f64 - c.abs()).abs() <= 1e-5 * scale.max(1.0), "{a} and {c}");
    }
    // forward impact of the last layer is that of the pure localizer
    let cases = Cases { negatives: rows.clone(), positives: rows.clone() };
    let case = HeadCase { head: &head, samples: &samples, cases: &cases, class: None };
    let front = Arachne2.locate(&case, &mut Streams::new(0).named("x")).unwrap();
    for l in &front {
        let impact = auto.forward_impact[l.weight.offset(&[4, head.dim()]).unwrap()];
        assert!((impact / (1.0 + impact) - l.forward_impact).abs() < 1e-6, "{l:?}");
        let gradient = auto.grad_loss[l.weight.offset(&[4, head.dim()]).unwrap()];
        assert!((gradient / (1.0 + gradient) - l.grad_loss).abs() < 1e-4, "{l:?}");
    }
}

#[test]
fn forward_impact_of_a_convolution_by_its_definition() {
    let (model, labels) = (model(Arch::MobileNet), labels());
    let pictures = Pictures { size: (32, 32), fill: &paint, labels: &labels };
    // one depthwise with stride, one pointwise
    for name in ["layers.11.conv1.weight", "layers.12.conv2.weight"] {
        let rows = [0usize, 3, 8];
        let got = &costs(&model, &pictures, &rows, &[name.to_owned()]).unwrap()[name].forward_impact;
        let want = by_definition(&model, name, &rows);
        let scale = want.iter().fold(0f64, |m, v| m.max(*v));
        for (i, (g, w)) in got.iter().zip(&want).enumerate() {
            assert!((g - w).abs() <= 1e-4 * scale, "{name} {i}: {g} instead of {w}");
        }
    }
}

/// Every window taken apart, one sample after the other.
fn by_definition(model: &Model, name: &str, rows: &[usize]) -> Vec<f64> {
    let mut sum = Vec::new();
    for &row in rows {
        let mut pixels = vec![0f32; 3 * 32 * 32];
        paint(row, &mut pixels);
        let x = hybridrepair_torch::nhwc_tensor(&pixels, 32, 32, Device::Cpu);
        let (out, taps) = model.forward_tapped(&x);
        let tap = taps.iter().find(|t| t.weight == name).unwrap();
        let g = Tensor::f_run_backward(&[out.logits.sum(Kind::Float)], &[&tap.output], false, false).unwrap();
        let (stride, pad, groups) = tap.conv.unwrap();
        let (w, x, g) = (values(&tap.value), values(&tap.input), values(&g[0]));
        let [o, i, k, _] = tap.value.size()[..] else { panic!("four dimensions") };
        let [_, c, h, wide] = tap.input.size()[..] else { panic!("four dimensions") };
        let [_, _, oh, ow] = tap.output.size()[..] else { panic!("four dimensions") };
        assert_eq!(c, i * groups);
        let total_g = g.iter().map(|v| f64::from(v.abs())).sum::<f64>();
        sum.resize(w.len(), 0.0);
        for out in 0..o {
            let base = out / (o / groups) * i;
            for (py, px) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                let mut parts = vec![0.0f64; (i * k * k) as usize];
                for (ci, (ky, kx)) in (0..i).flat_map(|c| (0..k * k).map(move |q| (c, (q / k, q % k)))) {
                    let (y, xx) = (py * stride + ky - pad, px * stride + kx - pad);
                    if (0..h).contains(&y) && (0..wide).contains(&xx) {
                        let v = x[(((base + ci) * h + y) * wide + xx) as usize];
                        let at = (ci * k * k + ky * k + kx) as usize;
                        parts[at] = f64::from((v * w[(out * i * k * k) as usize + at]).abs());
                    }
                }
                let all = parts.iter().sum::<f64>();
                let behind = f64::from(g[((out * oh + py) * ow + px) as usize].abs()) / total_g;
                if all > 0.0 {
                    for (at, part) in parts.iter().enumerate() {
                        sum[(out * i * k * k) as usize + at] += part / all * behind;
                    }
                }
            }
        }
    }
    sum.iter().map(|s| s / rows.len() as f64).collect()
}

#[test]
fn the_kept_prefix_gives_what_the_whole_network_gives() {
    for arch in [Arch::MobileNet, Arch::ResNet18, Arch::ShuffleNetG2] {
        let (model, labels) = (model(arch), labels());
        let pictures = Pictures { size: (32, 32), fill: &paint, labels: &labels };
        let cases = Cases { negatives: (0..15).collect(), positives: (15..N).collect() };
        let name = match arch {
            Arch::MobileNet => "layers.9.conv2.weight",
            Arch::ResNet18 => "layer3.1.conv1.weight",
            _ => "layer3.2.conv3.weight",
        };
        let head = if arch == Arch::ResNet18 { "fc.weight" } else { "linear.weight" };
        let weights =
            [(WeightRef::new(name, &[1, 1, 0, 0]), Precision::F32), (WeightRef::new(head, &[2, 1]), Precision::F16)];
        let evaluator = TailEvaluator::new(&model, &pictures, &cases, &weights, &[]).unwrap();
        let space = TailEvaluator::space(&model, &weights).unwrap();
        let candidates = [[0.9f32, -0.37], [space.current[0], space.current[1]]];
        let evals = evaluator.evaluate(&candidates.concat()).unwrap();
        for (candidate, got) in candidates.iter().zip(evals) {
            let changes = weights.iter().zip(candidate).map(|((w, p), &v)| hybridrepair_patch::Change {
                weight: w.clone(),
                old: 0.0,
                new: p.round(v),
            });
            let whole = patched(&model, &changes.collect::<Vec<_>>()).unwrap();
            let logits = predict_with(&whole, N, (32, 32), paint).unwrap().logits;
            let want = evaluate_whole(&logits, &labels, &cases, &[]);
            assert_eq!((got.right_neg, got.right_pos), (want.right_neg, want.right_pos), "{arch:?}");
            assert!((got.loss_pos - want.loss_pos).abs() < 1e-5, "{arch:?}");
        }
    }
}

#[test]
fn incremental_logits_are_those_of_the_whole_network() {
    let (model, labels) = (model(Arch::MobileNet), labels());
    let (head, samples) = in_front(&model, &labels);
    let cases = Cases { negatives: (0..15).collect(), positives: (15..N).collect() };
    let weights = [head.weight_ref(0, Some(3)), head.weight_ref(2, Some(0)), head.weight_ref(2, None)];
    let evaluator = HeadEvaluator::new(&head, &samples, &cases, &weights, Precision::F32, &[]).unwrap();
    let candidate = [1.5f32, -2.0, 0.25];
    let got = evaluator.evaluate(&candidate).unwrap()[0];
    let changes = weights.iter().zip(candidate).map(|(w, new)| hybridrepair_patch::Change {
        weight: w.clone(),
        old: head.value(w).unwrap(),
        new,
    });
    let whole = patched(&model, &changes.collect::<Vec<_>>()).unwrap();
    let want = evaluate_whole(&predict_with(&whole, N, (32, 32), paint).unwrap().logits, &labels, &cases, &[]);
    assert_eq!((got.right_neg, got.right_pos), (want.right_neg, want.right_pos));
    assert!((got.loss_neg - want.loss_neg).abs() < 1e-4 && (got.loss_pos - want.loss_pos).abs() < 1e-4);
    assert!((got.soft_neg - want.soft_neg).abs() < 1e-3);
}
