//! `arena` on the suites whose networks are on libtorch: the referee is this process, entries are those of the light program.

use crate::{failure::failure, recipe::home};
use hybridrepair::{
    Error,
    arena::repair_suite,
    arena_torch::{Cifar, cifar},
    data::{DatasetSpec, LoadOptions},
    torch::{Runtime, RuntimeConfig},
};
use hybridrepair_arena::Assignment;
use hybridrepair_cli::{
    Exit, Failure,
    args::{ArenaCommand, ArenaTorchArgs, SuiteArg},
    light::arena::{calibrate, contest},
};
use std::{path::PathBuf, process::ExitCode};

/// The model under repair of suite `repair`, below [`home`].
const MODEL: &str = "checkpoints/signs-mobilenet-w025.safetensors";

/// `arena run` and `arena calibrate`
pub(crate) fn run(command: &ArenaCommand) -> Result<ExitCode, Failure> {
    match command {
        ArenaCommand::Run(args) => {
            if args.suite == SuiteArg::Cifar {
                // before a folder is made for the results
                folder(&args.torch)?;
            }
            contest(args, |_| tasks(args.suite, &args.torch))
        }
        ArenaCommand::Calibrate(args) => {
            calibrate(args, || tasks(args.torch_suite().unwrap_or(SuiteArg::Repair), &args.torch))
        }
        other => unreachable!("{other:?} needs no libtorch"),
    }
}

fn tasks(suite: SuiteArg, args: &ArenaTorchArgs) -> Result<Vec<Assignment>, Failure> {
    let device = args.device.parse().map_err(|e| failure(Error::Torch(e)))?;
    let runtime = Runtime::start(RuntimeConfig { device, threads: None }).map_err(|e| failure(e.into()))?;
    if suite == SuiteArg::Cifar {
        return Ok(cifar(&folder(args)?, Cifar { width: 1.0, runtime })?);
    }
    let model = home().join(MODEL);
    if !model.is_file() {
        return Err(Failure::new(Exit::Input, format!("{} is missing: suite repair begins with it", model.display()))
            .help("set HYBRIDREPAIR_HOME to a clone, which has checkpoints/"));
    }
    // one thread trains, so that results do not depend on the number of cores
    runtime.stay_on_this_thread();
    repair_suite(&model, runtime).map_err(failure)
}

/// The folder of CIFAR-10.
fn folder(args: &ArenaTorchArgs) -> Result<PathBuf, Failure> {
    DatasetSpec::parse("cifar10", args.data_dir.as_deref(), &LoadOptions::default())?;
    Ok(args.data_dir.clone().unwrap_or_default())
}
