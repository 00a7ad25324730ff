use crate::{evaluate::load_data, failure::failure};
use hybridrepair::{
    Error,
    torch::{DataFacts, DeviceChoice, ExportFormat, Runtime, RuntimeConfig, export, load_checkpoint, open_checkpoint},
};
use hybridrepair_cli::{
    Exit, Failure,
    args::{ExportArgs, ExportKind, ModelArgs},
    say,
};
use std::process::ExitCode;

/// `export`
pub(crate) fn run(args: &ExportArgs) -> Result<ExitCode, Failure> {
    let Some((checkpoint, to, output)) = args.model() else {
        return Err(Failure::new(Exit::Usage, "nothing to export").help("pass --checkpoint, --to and --output"));
    };
    let format = match to {
        ExportKind::Safetensors => ExportFormat::Safetensors { half: args.half },
        ExportKind::StateDict => ExportFormat::StateDict { half: args.half },
        ExportKind::Torchscript if args.half => {
            return Err(Failure::new(Exit::Usage, "--half goes with --to safetensors and --to state-dict only"));
        }
        ExportKind::Torchscript => ExportFormat::TorchScript,
    };
    // what is written is meant for any machine
    let runtime = Runtime::start(RuntimeConfig { device: DeviceChoice::Cpu, threads: None })
        .map_err(|e| failure(Error::Torch(e)))?;
    let (model, meta) = if args.data.dataset.is_some() {
        let (_, splits) =
            load_data(&args.data, &ModelArgs { checkpoint: Some(checkpoint.clone()), torchscript: None })?;
        open_checkpoint(checkpoint, runtime.device, &DataFacts::from(&splits))
    } else {
        load_checkpoint(checkpoint, runtime.device)
    }
    .map_err(|e| {
        let told = failure(Error::Torch(e));
        if args.data.dataset.is_none() && checkpoint.exists() {
            told.help("if another program wrote it, pass --dataset (and --data-dir): it does not say its classes")
        } else {
            told
        }
    })?;
    export(&model, meta.input, format, output, args.overwrite).map_err(|e| failure(Error::Torch(e)))?;
    let spec = &meta.spec;
    say!("{}: {} of width {}, {} classes", output.display(), spec.arch.name(), spec.width, spec.classes);
    say!("  pictures: {} x {}, RGB in [0, 1], then (x - mean) / std", meta.input[0], meta.input[1]);
    say!("  mean: {:?}", meta.normalization.mean);
    say!("  std:  {:?}", meta.normalization.std);
    Ok(ExitCode::SUCCESS)
}
