//! Times the making of augmented views and of training input: `cargo run --release -p hybridrepair-data --example
//! time_views [threads]`.
#![expect(clippy::print_stdout, reason = "a program for people")]

use hybridrepair_core::{Stream, Streams};
use hybridrepair_data::{
    AugMix, Images, Normalization, Normalizer, Op, TrainBatches, TrainTransform, ViewConfig, ViewMaker,
};
use std::{error::Error, time::Instant};

const NORM: Normalization = Normalization { mean: [0.49, 0.48, 0.45], std: [0.25, 0.24, 0.26] };
const SIZE: (usize, usize) = (32, 32);

/// Best of five, in pictures per second.
fn rate(count: usize, mut work: impl FnMut()) -> f64 {
    (0..5).fold(0.0f64, |best, _| {
        let start = Instant::now();
        work();
        best.max(count as f64 / start.elapsed().as_secs_f64())
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let threads = std::env::args().nth(1).map_or(Ok(1), |t| t.parse())?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let n = 2000;
    // smooth pictures with some noise, as photographs are
    let pixel = |i: u32| (i / 96 * 3 + i % 96 * 2).wrapping_add(i.wrapping_mul(2_654_435_761) >> 28) as u8;
    let images = Images::new((0..n as u32 * 3072).map(pixel).collect(), 32, 32)?;
    let rows: Vec<usize> = (0..n).collect();

    let ops = [
        Op::Autocontrast,
        Op::Equalize,
        Op::Posterize(4),
        Op::Rotate(5),
        Op::Solarize(200),
        Op::ShearX(0.05),
        Op::ShearY(-0.05),
        Op::TranslateX(2),
        Op::TranslateY(-2),
    ];
    let mut out = vec![0u8; 3072];
    for op in ops {
        let r = rate(n, || (0..n).for_each(|i| op.apply(SIZE, images.get(i), &mut out)));
        println!("{:<22}{:>8.2} us", format!("{op:?}"), 1e6 / r);
    }
    let normalizer = Normalizer::new(NORM)?;
    let mut one = vec![0.0; 3072];
    let r = rate(n, || (0..n).for_each(|i| normalizer.apply(images.get(i), &mut one)));
    println!("{:<22}{:>8.2} us", "normalise", 1e6 / r);
    let r = rate(n - 1, || (1..n).for_each(|i| normalizer.blend(images.get(i), images.get(i - 1), 0.3, &mut one)));
    println!("{:<22}{:>8.2} us", "blend", 1e6 / r);
    let mix = AugMix { size: SIZE, severity: 3.0, max_depth: 3 };
    let mut scratch = Vec::new();
    let mut stream: Stream = Streams::new(0).named("time");
    let r = rate(n, || (0..n).for_each(|i| mix.augment(images.get(i), &mut stream, &mut scratch, &mut out)));
    println!("{:<22}{:>8.2} us", "chain", 1e6 / r);
    let r = rate(n, || {
        let sum = (0..n as u64).fold(0, |s, i| s ^ rand::RngCore::next_u64(&mut Streams::new(0).at("v", 0, i)));
        std::hint::black_box(sum);
    });
    println!("{:<22}{:>8.2} us", "stream", 1e6 / r);

    let maker = ViewMaker::new(images.clone(), NORM, ViewConfig::default(), Streams::new(10), "time")?;
    let mut out = vec![0.0; 8 * n * maker.stride()];
    println!("views   {:>9.0} /s on {threads} threads", rate(8 * n, || maker.fill(&rows, 1..9, 0, &mut out)));
    let batches = TrainBatches::new(images, NORM, TrainTransform::PUBLISHED, Streams::new(10), "time")?;
    let out = &mut out[..n * maker.stride()];
    println!("train   {:>9.0} /s on {threads} threads", rate(n, || batches.fill(&rows, 0, 0, out)));
    Ok(())
}
