use crate::{recipe::home, show};
use hybridrepair::torch::{DeviceChoice, libtorch_version};
use hybridrepair_cli::Failure;
use hybridrepair_cli::say;
use serde_json::json;
use std::process::ExitCode;

/// `env`
pub(crate) fn run(as_json: bool) -> Result<ExitCode, Failure> {
    let cuda = DeviceChoice::Cuda(0).resolve();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let gpus = if cuda.is_ok() { hybridrepair::torch::cuda_devices() } else { 0 };
    if as_json {
        let value = json!({
            "hybridrepair": env!("CARGO_PKG_VERSION"),
            "libtorch": libtorch_version(),
            "os": std::env::consts::OS,
            "arch": std::env::consts::ARCH,
            "cores": threads,
            "cuda_devices": gpus,
            "home": home(),
        });
        show::json(&value)?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("hybridrepair  {}", env!("CARGO_PKG_VERSION"));
    say!("libtorch      {}", libtorch_version());
    say!("machine       {} {}, {threads} cores", std::env::consts::OS, std::env::consts::ARCH);
    match cuda {
        Ok(_) => say!("CUDA          {gpus} devices"),
        Err(why) => say!("CUDA          none: {why}\n              for a GPU: scripts/setup-libtorch --cuda"),
    }
    say!("home          {}", home().display());
    Ok(ExitCode::SUCCESS)
}
