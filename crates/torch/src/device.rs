use crate::TorchError;
use std::str::FromStr;
use tch::{Cuda, Device};

/// The device that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A GPU when there is one, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU of this number.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = TorchError;

    fn from_str(text: &str) -> Result<Self, TorchError> {
        let wrong =
            || TorchError::Device { given: text.to_owned(), why: "is none of auto, cpu, cuda, cuda:N".to_owned() };
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text.strip_prefix("cuda:").and_then(|n| n.parse().ok()).map(Self::Cuda).ok_or_else(wrong),
        }
    }
}

impl DeviceChoice {
    /// The device, after loading libtorch's CUDA half if it may be needed.
    ///
    /// # Errors
    /// When a GPU was asked for and is not there.
    pub fn resolve(self) -> Result<Device, TorchError> {
        let missing = |number: usize, why: String| TorchError::Device { given: format!("cuda:{number}"), why };
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Auto => {
                let found = load_cuda().is_ok() && Cuda::is_available();
                Ok(if found { Device::Cuda(0) } else { Device::Cpu })
            }
            Self::Cuda(number) => {
                load_cuda().map_err(|why| missing(number, why))?;
                let count = if Cuda::is_available() { Cuda::device_count().max(0) as usize } else { 0 };
                if number < count {
                    return Ok(Device::Cuda(number));
                }
                Err(missing(number, format!("is not there: libtorch sees {count} CUDA devices")))
            }
        }
    }
}

/// Name of a device as recorded in a run: `cpu` or `cuda:0`.
pub(crate) fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(n) => format!("cuda:{n}"),
        _ => "cpu".to_owned(),
    }
}

/// Loads `libtorch_cuda.so` into the process.
///
/// The linker drops it because none of its symbols is named, so that one binary serves machines with and without a GPU.
fn load_cuda() -> Result<(), String> {
    use std::sync::OnceLock;
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    LOADED
        .get_or_init(|| {
            #[expect(
                unsafe_code,
                reason = "loading a shared library runs its initialisers; this one is libtorch's own"
            )]
            // SAFETY: the library is the CUDA half of the libtorch that this process already runs
            let library = unsafe { libloading::Library::new("libtorch_cuda.so") };
            match library {
                // never unloaded: it registers kernels for the rest of the process
                Ok(library) => {
                    std::mem::forget(library);
                    Ok(())
                }
                Err(error) => Err(format!("cannot be used: this libtorch has no CUDA half ({error})")),
            }
        })
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_words() {
        assert_eq!("cuda:3".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(3));
        assert!("gpu".parse::<DeviceChoice>().is_err());
        assert_eq!(DeviceChoice::Cpu.resolve().unwrap(), Device::Cpu);
        let error = DeviceChoice::Cuda(4096).resolve().unwrap_err().to_string();
        assert!(error.contains("cuda:4096"), "{error}");
    }
}
