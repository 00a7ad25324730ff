use crate::now;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `env.json`: what a run depends on besides its configuration. The host's name is not in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Version of this file's format: 1.
    pub format_version: u32,
    /// Release of hybridrepair.
    pub hybridrepair: String,
    /// When the run began, in UTC.
    pub started: String,
    /// The command line.
    pub command: Vec<String>,
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// `cpu`, or the name of the GPU.
    pub device: String,
    /// Threads of the run; training is bit-equal only at an equal number.
    pub threads: usize,
    /// Libraries by name, such as `libtorch`.
    pub libraries: BTreeMap<String, String>,
}

impl Environment {
    /// Under this name `libraries` holds the sha256 of the model under repair.
    pub const MODEL: &str = "checkpoint-sha256";

    /// Under this name `libraries` holds the hash of all pictures.
    pub const DATA: &str = "data-sha256";

    /// The environment of this process.
    pub fn of_this_process(device: &str, threads: usize) -> Self {
        Self {
            format_version: 1,
            hybridrepair: env!("CARGO_PKG_VERSION").to_owned(),
            started: now(),
            command: std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            device: device.to_owned(),
            threads,
            libraries: BTreeMap::new(),
        }
    }
}
