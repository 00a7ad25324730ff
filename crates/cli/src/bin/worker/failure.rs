use hybridrepair::{
    Error,
    embed::EmbedError,
    finetune::FinetuneError,
    torch::{PytorchFileError, TorchError},
    training::TrainError,
    tuning::TuneError,
};
use hybridrepair_cli::{Exit, Failure};

/// Exit code and advice for an error of the pipeline.
pub(crate) fn failure(error: Error) -> Failure {
    match error {
        Error::Data(error)
        | Error::Finetune(FinetuneError::Data(error))
        | Error::Embed(EmbedError::Data(error)) => error.into(),
        Error::Core(error) | Error::Finetune(FinetuneError::Core(error)) => error.into(),
        Error::Patch(error) => error.into(),
        Error::Tune(error) => tune(&error),
        Error::Select(error) => error.into(),
        Error::Doctor(error) => error.into(),
        Error::Arrays(_) => Failure::new(Exit::Input, &error)
            .help("x has a row of numbers per sample, y a class counted from 0, plan.net.input the shape of a row"),
        Error::Runs(error) => error.into(),
        Error::Torch(error) | Error::Embed(EmbedError::Torch(error)) => torch(&error),
        Error::Train(error)
        | Error::Finetune(FinetuneError::Train(error))
        | Error::Embed(EmbedError::Train(error)) => train(&error),
        Error::Refused(_) => Failure::new(Exit::Refused, &error)
            .help("the deployed model is unchanged; look at events.jsonl in the run for the reason"),
        Error::Collapsed { .. } => Failure::new(Exit::Refused, &error)
            .help("the file of the epoch before is kept; try a smaller --lr, a larger --batch-size or a higher --temperature"),
        Error::Waiting(_) => Failure::new(Exit::Waiting, &error)
            .help("`compare` buys labels of benchmarks only; for people run `repair`, `label export`, `label import`, `resume`"),
        Error::Config(_) | Error::Embed(EmbedError::Unknown(_)) => Failure::new(Exit::Usage, &error),
        Error::Embed(EmbedError::Unsaid { what, .. }) => {
            let flags = if what == "input size" { "--extractor-size" } else { "--extractor-mean and --extractor-std" };
            Failure::new(Exit::Input, &error).help(format!("say it by {flags}: a wrong one spoils the features quietly"))
        }
        Error::Embed(EmbedError::File { .. }) => Failure::new(Exit::Input, &error).help(
            "pass a file that `pretrain` made, TorchScript, a checkpoint of MoCo v3 (ResNet-50), or a state dict of a known \
             architecture; features of anything else as .npy",
        ),
        Error::Embed(_) | Error::Regions(_) | Error::Label(_) | Error::Propagate(_) | Error::Kernel(_) => {
            Failure::new(Exit::Input, &error)
        }
        Error::Array { .. } => {
            Failure::new(Exit::Unexpected, &error).help("check the rights and the room on the disk, then `resume DIR`")
        }
        _ => Failure::new(Exit::Unexpected, &error),
    }
}

fn torch(error: &TorchError) -> Failure {
    match error {
        TorchError::Device { .. } => {
            Failure::new(Exit::Device, error).help("pass --device cpu; `hybridrepair env` shows what libtorch sees")
        }
        TorchError::Spec(_) => Failure::new(Exit::Usage, error),
        TorchError::Mismatch(_) => Failure::new(Exit::Input, error)
            .help("pass the checkpoint of this data set and architecture; `train` makes one"),
        TorchError::Checkpoint { .. } => Failure::new(Exit::Input, error)
            .help("pass a .safetensors file that `train` or `repair` has written, or fetch it again"),
        TorchError::PytorchFile(PytorchFileError::Io { source, .. })
            if source.kind() != std::io::ErrorKind::NotFound =>
        {
            Failure::new(Exit::Unexpected, error).help("check the rights and the room on the disk")
        }
        TorchError::Script { .. } => Failure::new(Exit::Input, error).help(
            "save torch.jit.script(model): its forward takes n x 3 x h x w and gives logits or (logits, features)",
        ),
        TorchError::Frozen { .. } => Failure::new(Exit::Input, error)
            .help("save torch.jit.script(model) instead of a trace or a frozen module; `evaluate` takes this one"),
        TorchError::PytorchFile(_) => Failure::new(Exit::Input, error)
            .help("pass a .safetensors file, or a state dict: torch.save(model.state_dict(), \"model.pt\")"),
        TorchError::Io { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists => {
            Failure::new(Exit::Input, error).help("choose another --output, or pass --overwrite")
        }
        TorchError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            Failure::new(Exit::Input, error).help("check the path; `train` makes a checkpoint")
        }
        TorchError::Io { source, .. } if source.kind() == std::io::ErrorKind::IsADirectory => {
            Failure::new(Exit::Input, error).help("pass the file itself, such as DIR/checkpoints/best.safetensors")
        }
        TorchError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            Failure::new(Exit::Unexpected, error).help("the disk is full: make room, then go on with `resume DIR`")
        }
        TorchError::Io { .. } => {
            Failure::new(Exit::Unexpected, error).help("check the rights and the room on the disk")
        }
        TorchError::Core(_) => Failure::new(Exit::Input, error).help("the model gives NaN: look at how it was trained"),
        _ => Failure::new(Exit::Unexpected, error),
    }
}

fn tune(error: &TuneError) -> Failure {
    match error {
        TuneError::Refused(_) => Failure::new(Exit::Refused, error)
            .help("look at probes.jsonl; try a wider --lr-range, more --probe-epochs, or see whether the recipe trains at all"),
        TuneError::Setting { .. } | TuneError::Method { .. } => Failure::new(Exit::Usage, error),
        TuneError::NoLayers { .. } => Failure::new(Exit::Usage, error).help("pass --method range, which goes by the loss"),
        _ => Failure::new(Exit::Unexpected, error),
    }
}

fn train(error: &TrainError) -> Failure {
    match error {
        TrainError::Torch(error) => torch(error),
        TrainError::Setting { .. } => Failure::new(Exit::Usage, error),
        TrainError::Empty(_) => Failure::new(Exit::Input, error)
            .help("the checkpoint may belong to other data: `hybridrepair evaluate` shows its accuracy"),
        TrainError::Resume(_) => Failure::new(Exit::Input, error)
            .help("resume with the same --threads and device; --overwrite begins anew and drops what was bought"),
        TrainError::Diverged { .. } => {
            Failure::new(Exit::Refused, error).help("the weights of the epoch before are kept; try a smaller --lr")
        }
        _ => Failure::new(Exit::Unexpected, error),
    }
}
