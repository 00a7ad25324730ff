//! Times one step of the published consistency pass (64 labelled pictures and 9 views of 64 unlabelled ones: 576 forward,
//! 640 trained), with the making of its views and without: `scripts/bench-pytorch` runs it beside plain `PyTorch`.
//!
//! `time_ssl_step [width] [threads] [steps]`; prints one line of JSON. Without arguments it only shows that it runs.
#![expect(clippy::print_stdout, reason = "a program for people")]

use hybridrepair_core::{RepairSet, Streams, Target};
use hybridrepair_data::{Images, Labelled, Normalization, Normalizer, TrainTransform, ViewConfig, ViewMaker};
use hybridrepair_finetune::{
    ConsistencySettings, RepairData, RepairSettings, Replay, ReplayTransform, TwoPass, UnlabelledStream,
};
use hybridrepair_torch::{Arch, DeviceChoice, Model, ModelSpec, Runtime, RuntimeConfig, predict};
use hybridrepair_train::{At, Objective, OptimSpec};
use std::{error::Error, time::Instant};

const NORM: Normalization = Normalization { mean: [0.49, 0.48, 0.45], std: [0.25, 0.24, 0.26] };
/// Steps that are not counted: memory is fetched and kernels are chosen.
const WARM_UP: usize = 2;

fn pictures(n: usize) -> Result<Images, Box<dyn Error>> {
    let pixel = |i: usize| (i / 96 * 3 + i % 96 * 2).wrapping_add(i.wrapping_mul(2_654_435_761) >> 28) as u8;
    Ok(Images::new((0..n * 3072).map(pixel).collect(), 32, 32)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let width = args.next().map_or(Ok(0.05), |a| a.parse())?;
    let threads = args.next().map_or(Ok(1), |a| a.parse())?;
    let steps = args.next().map_or(Ok(1), |a| a.parse::<usize>())?;
    Runtime::start(RuntimeConfig { device: DeviceChoice::Cpu, threads: Some(threads) })?;
    let spec = ModelSpec { arch: Arch::MobileNet, width, classes: 10 };
    let model = Model::new(spec, hybridrepair_torch::Device::Cpu, Streams::new(1))?;
    let settings = RepairSettings { consistency: Some(ConsistencySettings::default()), ..RepairSettings::default() };
    let (batch, streams) = (settings.batch_size, Streams::new(2));
    let n = batch * (WARM_UP + steps);
    let (source, field) = (pictures(batch)?, pictures(n)?);
    let normalizer = Normalizer::new(NORM)?;
    // every source picture counts as right and is replayed
    let labels = predict(&model, &source, &normalizer)?.classes();
    let ids = (0..batch as u64).map(hybridrepair_core::SampleId).collect();
    let probe = ViewMaker::new(field.clone(), NORM, ViewConfig::default(), streams, "views")?;
    let unlabelled = (0..n).map(|row| Target { idx: row.into(), weight: 1.0 }).collect();
    let data = RepairData {
        replay: Replay {
            source: Labelled { images: source, labels, ids },
            normalizer,
            transform: TrainTransform::PUBLISHED,
            shown: ReplayTransform::Test,
            streams,
        },
        field: field.clone(),
        normalization: NORM,
        set: RepairSet { unlabelled, ..RepairSet::default() },
        stream: UnlabelledStream::PUBLISHED,
        probe,
    };
    let mut objective = TwoPass::new(data, settings)?;
    let mut optimizer = OptimSpec::Sgd { momentum: 0.9, weight_decay: 5e-4, nesterov: false }.build();
    objective.begin_epoch(&model, 0)?;
    let (mut seen, mut start, mut counted) = (0, Instant::now(), 0u64);
    while let Some(step) = objective.step(&model, At { epoch: 0, step: seen })? {
        model.params().zero_grad();
        step.loss.backward();
        optimizer.step(model.params(), 1e-4);
        seen += 1;
        // the supervised pass comes first
        if step.images_forward > 0 {
            counted += 1;
            if counted == WARM_UP as u64 {
                start = Instant::now();
            }
        }
    }
    let step = start.elapsed().as_secs_f64() / (counted as usize - WARM_UP) as f64;
    let rows = (0..batch).collect::<Vec<_>>();
    let maker = ViewMaker::new(field, NORM, ViewConfig::default(), streams, "time")?;
    let mut out = vec![0f32; 9 * batch * maker.stride()];
    maker.fill(&rows, 0..9, 0, &mut out);
    let start = Instant::now();
    (1..=steps as u64).for_each(|round| maker.fill(&rows, 0..9, round, &mut out));
    let views = start.elapsed().as_secs_f64() / steps as f64;
    println!(
        "{{\"width\": {width}, \"threads\": {threads}, \"steps\": {}, \"seconds\": {step:.5}, \"seconds_views\": {views:.5}}}",
        counted as usize - WARM_UP
    );
    Ok(())
}
