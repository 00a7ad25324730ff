use super::*;
use crate::Norm;
use hybridrepair_core::Streams;
use rand::Rng;

/// The derivative along a random direction within each tensor, against the difference of two losses.
fn check(net: &Net, x: &[f32], labels: &[u32]) {
    let mut stream = Streams::new(3).named("check");
    let mut params = net.init(&mut stream);
    // away from the beginning, where biases are alike and normalisation is trivial
    for p in &mut params {
        *p += stream.gen_range(-0.05..0.05);
    }
    let mut statistics = net.statistics();
    let (loss, grads) = net.grad(&params, &mut statistics, x.to_vec(), labels);
    assert_eq!(loss, net.loss(&params, &statistics, x.to_vec(), labels, Norm::Batch), "the loss of both oracles");
    for slot in net.layout().slots() {
        let mut best = f64::INFINITY;
        let v: Vec<f32> = (0..slot.len).map(|_| stream.gen_range(-1.0..1.0)).collect();
        let along: f64 = v.iter().zip(&grads[slot.start..]).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        for h in [1e-2, 3e-3, 1e-3] {
            let at = |sign: f32| {
                let mut p = params.clone();
                for (p, v) in p[slot.start..].iter_mut().zip(&v) {
                    *p += sign * h * v;
                }
                net.loss(&p, &statistics, x.to_vec(), labels, Norm::Batch)
            };
            let difference = (at(1.0) - at(-1.0)) / (2.0 * f64::from(h));
            best = best.min((difference - along).abs() / (along.abs() + 1e-3));
        }
        assert!(best < 0.02, "{}: {along} differs by {best}", slot.name);
    }
}

fn inputs(n: usize, features: usize) -> Vec<f32> {
    let mut stream = Streams::new(1).named("inputs");
    (0..n * features).map(|_| stream.gen_range(-1.0..1.0)).collect()
}

#[test]
fn gradients_of_dense_nets() {
    let layers: Vec<Box<dyn Layer>> = vec![
        Box::new(Scale(3.0)),
        Box::new(Dense { input: 5, output: 7 }),
        Box::new(Relu),
        Box::new(Dense { input: 7, output: 6 }),
        Box::new(Tanh),
        Box::new(Dense { input: 6, output: 3 }),
    ];
    check(&Net::new(layers, 3, 1), &inputs(9, 5), &[0, 1, 2, 0, 1, 2, 2, 2, 1]);
}

#[test]
fn gradients_of_convolutions_with_batch_norm() {
    let conv = Conv { side: 5, input: 3, output: 4, stride: 2 };
    let cells = conv.out_side().pow(2);
    let layers: Vec<Box<dyn Layer>> = vec![
        Box::new(Conv { side: 5, input: 2, output: 3, stride: 1 }),
        Box::new(BatchNorm { channels: 3 }),
        Box::new(Tanh),
        Box::new(conv),
        Box::new(BatchNorm { channels: 4 }),
        Box::new(MeanPool { cells, channels: 4 }),
        Box::new(Dense { input: 4, output: 3 }),
    ];
    check(&Net::new(layers, 3, 1), &inputs(4, 50), &[0, 2, 1, 1]);
}

#[test]
fn gradients_through_time() {
    let layers: Vec<Box<dyn Layer>> = vec![
        Box::new(Embed { symbols: 4, width: 3, steps: 5 }),
        Box::new(Lstm { input: 3, width: 4, steps: 5 }),
        Box::new(Lstm { input: 4, width: 2, steps: 5 }),
        Box::new(Dense { input: 2, output: 4 }),
    ];
    let symbols: Vec<f32> = (0..15).map(|i| ((i * 7 + i / 4) % 4) as f32).collect();
    let next: Vec<u32> = (0..15).map(|i| (i * 5 + i / 3) % 4).collect();
    check(&Net::new(layers, 4, 5), &symbols, &next);
}

#[test]
fn running_statistics_move_in_training_only() {
    let layers: Vec<Box<dyn Layer>> = vec![Box::new(BatchNorm { channels: 2 })];
    let net = Net::new(layers, 2, 1);
    let mut statistics = net.statistics();
    let (params, x) = (vec![1.0, 1.0, 0.0, 0.0], vec![1.0, 10.0, 3.0, 30.0]);
    net.loss(&params, &statistics, x.clone(), &[0, 1], Norm::Batch);
    assert_eq!(statistics, [0.0, 0.0, 1.0, 1.0]);
    net.grad(&params, &mut statistics, x, &[0, 1]);
    // means 2 and 20, unbiased variances 2 and 200, a tenth of the way
    assert!(statistics.iter().zip([0.2, 2.0, 1.1, 20.9]).all(|(a, b)| (a - b).abs() < 1e-5), "{statistics:?}");
}

#[test]
fn a_nan_reaches_the_loss() {
    let layers: Vec<Box<dyn Layer>> = vec![Box::new(Dense { input: 1, output: 2 })];
    let net = Net::new(layers, 2, 1);
    assert!(net.loss(&[f32::NAN, 0.0, 0.0, 0.0], &[], vec![1.0], &[1], Norm::Batch).is_nan());
}
