use hybridrepair_core::SampleId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `tasks/context.json`: what is shown beside the pictures that people are asked about. It may be missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// Version of this file's format: 1.
    pub format_version: u32,
    /// Of each picture that is asked about, by its id.
    pub images: BTreeMap<SampleId, Surroundings>,
    /// The files of the pictures that are named here, absolute or relative to the run.
    pub files: BTreeMap<SampleId, String>,
}

/// What lies around one picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Pictures of its region, where there are regions.
    pub region_size: Option<usize>,
    /// The nearest others of its region, nearest first.
    pub region: Vec<SampleId>,
    /// The nearest others of the pool, nearest first.
    pub nearest: Vec<SampleId>,
}
