//! Repair a deployed image classifier with very few labels.
//!
//! This crate joins the others. Without features it re-exports what needs no libtorch: pools, evidence, selection
//! strategies, regions, propagation, labels and run directories. With the feature `torch` it adds the pipeline:
//! [`Session`] loads data and model, [`repair()`] runs the stages from images to a repaired model, and `train` makes a
//! model to begin with.
//!
//! ```
//! use hybridrepair::prelude::*;
//!
//! // logits of five field images and three classes, made by any framework
//! let logits = ndarray::array![[4., 0., 0.], [0., 4., 0.], [1., 1., 0.9], [0., 0., 3.], [2., 1.9, 0.]];
//! let evidence = Evidence { probs: Some(Probs::from_logits(&logits)?), ..Evidence::default() };
//! let pool = Pool::counted(5);
//! let picked = strategy("gini")?.select(&pool, &evidence, 2, &mut Streams::new(0).named("select"))?;
//! assert_eq!(picked.picks[0].idx.row(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(feature = "torch")]
mod advice;
#[cfg(feature = "torch")]
pub mod arena;
#[cfg(feature = "torch")]
mod arrays;
#[cfg(feature = "torch")]
mod asked;
#[cfg(feature = "torch")]
mod augment;
#[cfg(feature = "torch")]
mod config;
#[cfg(feature = "torch")]
pub mod doctoring;
#[cfg(feature = "torch")]
mod early;
#[cfg(feature = "torch")]
mod embed_folder;
#[cfg(feature = "torch")]
mod encode;
#[cfg(feature = "torch")]
mod error;
#[cfg(feature = "torch")]
mod labelled;
#[cfg(feature = "torch")]
mod method;
#[cfg(feature = "torch")]
mod observe;
#[cfg(feature = "torch")]
mod own_model;
#[cfg(feature = "torch")]
mod plan;
#[cfg(feature = "torch")]
mod pretrain;
mod progress;
#[cfg(feature = "torch")]
mod repair;
#[cfg(feature = "torch")]
mod run;
#[cfg(feature = "torch")]
mod session;
#[cfg(feature = "torch")]
pub mod stages;
#[cfg(feature = "torch")]
mod surroundings;
#[cfg(feature = "torch")]
mod tier;
#[cfg(feature = "torch")]
mod train;
#[cfg(feature = "torch")]
mod trainer;
#[cfg(feature = "torch")]
mod tune;

pub use hybridrepair_core as core;
pub use hybridrepair_data as data;
pub use hybridrepair_doctor as doctor;
pub use hybridrepair_kernels as kernels;
pub use hybridrepair_label as label;
pub use hybridrepair_patch as patch;
pub use hybridrepair_propagate as propagate;
pub use hybridrepair_regions as regions;
pub use hybridrepair_runs as runs;
pub use hybridrepair_select as select;
pub use hybridrepair_tune as tuning;
pub use progress::{Progress, Silent};

#[cfg(feature = "torch")]
pub use {
    arrays::{NpyRows, read_array, write_array},
    augment::Augment,
    config::{
        AnnotateConfig, By, DataConfig, EpochRule, FolderConfig, Judge, Preset, RegionsConfig, RepairConfig,
        SignsSizes, ThresholdConfig, ZeroLabelConfig,
    },
    early::{Cell as EarlyCell, ClassReport, EarlyConfig, EarlyReport, EpochRow, Rule, early},
    embed_folder::{Embedded, embed_files},
    encode::{PassedOver, encode, encode_files, input_of},
    error::{Error, Waiting},
    hybridrepair_arena_torch as arena_torch, hybridrepair_doctor_torch as doctor_torch, hybridrepair_embed as embed,
    hybridrepair_finetune as finetune, hybridrepair_patch_torch as patch_torch, hybridrepair_torch as torch,
    hybridrepair_train as training,
    labelled::{RepairPart, holdout},
    method::{METHODS, Method, Unlabelled},
    plan::{Estimate, Plan, Speed},
    pretrain::{PretrainConfig, Pretrained, Probe, pretrain},
    repair::{Report, repair, repair_with},
    run::{Cost, Run},
    session::Session,
    tier::{CheapConfig, Layers, StopConfig, Tier},
    train::{TrainConfig, Trained, train},
    trainer::Trainer,
    tune::{RepairTuneConfig, TuneConfig, Tuned, tune, with_choice},
};

/// What most programs want.
pub mod prelude {
    pub use hybridrepair_core::{
        Budget, ClassId, Embeddings, Evidence, Label, LabelSet, Ledger, Need, Needs, Pick, Pool, PoolIdx, Probs,
        Regions, SampleId, SealedLabels, Selection, Streams, Views,
    };
    pub use hybridrepair_select::{Strategy, strategy};
}
