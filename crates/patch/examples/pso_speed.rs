//! Seconds of a particle swarm over the last layer: 100 particles x 50 iterations, 500 samples, 4,096 features, 43 classes,
//! 15 weights, on one thread. `scripts/bench-patch` puts plain `PyTorch` beside it.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use hybridrepair_core::{ClassId, Streams};
use hybridrepair_patch::{
    Cases, Evaluator, Fitness, Guard, Head, HeadEvaluator, Objective, Precision, Pso, Samples, Search, Space,
};
use ndarray::{Array1, Array2};
use rand::Rng;
use std::time::Instant;

const N: usize = 500;
const D: usize = 4096;
const C: usize = 43;
const K: usize = 15;

fn main() {
    let mut rng = Streams::new(1).named("speed");
    let weight = Array2::from_shape_simple_fn((C, D), || rng.gen_range(-0.05f32..0.05));
    let head = Head::new(weight, Array1::zeros(C), "fc").unwrap();
    let features = Array2::from_shape_simple_fn((N, D), || rng.gen_range(0.0f32..1.0));
    let labels = (0..N).map(|_| ClassId(rng.gen_range(0..C as u32))).collect();
    let samples = Samples::new(features, labels, C).unwrap();
    let cases = Cases { negatives: (0..100).collect(), positives: (100..N).collect() };
    let weights = (0..K).map(|k| head.weight_ref(k * 2, Some(k * 271))).collect::<Vec<_>>();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        let began = Instant::now();
        let evaluator = HeadEvaluator::new(&head, &samples, &cases, &weights, Precision::F32, &[]).unwrap();
        let ready = began.elapsed().as_secs_f64();
        let space = Space::of_head(&head, &weights, 1.0).unwrap();
        let objective = Objective { fitness: Fitness::Balanced { lambda: 0.5 }, guard: Guard::default() };
        // no early stop: all 50 iterations
        let pso = Pso { particles: 100, iterations: 50, window: 1000, ..Pso::default() };
        let began = Instant::now();
        let trace = pso.run(&evaluator, &space, &objective, &mut Streams::new(2).named("pso")).unwrap();
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{{\"prepare_seconds\": {ready:.4}, \"search_seconds\": {seconds:.4}, \"evaluations\": {}, \"weights\": {}}}",
            trace.evaluations,
            evaluator.dims()
        );
    });
}
