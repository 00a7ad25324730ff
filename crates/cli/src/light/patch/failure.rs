use crate::{Exit, Failure};
use hybridrepair_patch::PatchError;

impl From<PatchError> for Failure {
    fn from(error: PatchError) -> Self {
        let (exit, help) = match &error {
            PatchError::Core(core) => return core.clone().into(),
            PatchError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                (Exit::Input, "check the path")
            }
            PatchError::Io { .. } => (Exit::Unexpected, "check the rights and the room on the disk"),
            PatchError::Format { .. } => (
                Exit::Input,
                "pass a .safetensors model (`export --to safetensors`) and a patch that `patch` has written",
            ),
            PatchError::OtherModel { .. } => {
                (Exit::Input, "pass the model that the patch was made for: `patch show` names it, `sha256sum` tells it")
            }
            PatchError::OtherValue { .. } => {
                (Exit::Input, "the model was changed since, or the patch is not applied to it")
            }
            PatchError::NoWeight(_) => (Exit::Input, "the weight is of another model"),
            PatchError::Conflict { .. } => (Exit::Usage, "pass --on-conflict first, last, mean or smallest"),
            PatchError::NoCase(_) => (Exit::Input, "choose another --class, or look at other samples"),
            PatchError::Setting { .. } => (Exit::Usage, "look at `hybridrepair patch search --help`"),
            PatchError::Network(_) => (Exit::Unexpected, "libtorch failed; `hybridrepair env` tells what it is"),
            PatchError::Refused(_) => (
                Exit::Refused,
                "nothing was written; look at more labels (--budget), allow more to break (--max-break), or raise --lambda",
            ),
            _ => return Self::new(Exit::Unexpected, &error),
        };
        Self::new(exit, &error).help(help)
    }
}
