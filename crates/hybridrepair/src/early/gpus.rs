//! Memory of NVIDIA GPUs, as `nvidia-smi` tells it.

use hybridrepair_patch::{
    PatchError,
    early::{DeviceMemory, Memory},
};
use std::process::Command;

pub(super) struct Nvidia;

impl DeviceMemory for Nvidia {
    fn memory(&self, device: usize) -> Result<Memory, PatchError> {
        let failed = |why: String| PatchError::Setting { what: "GPU", value: device.to_string(), why };
        let asked = Command::new("nvidia-smi")
            .args(["--query-gpu=memory.free,memory.total", "--format=csv,noheader,nounits", "-i", &device.to_string()])
            .output()
            .map_err(|e| failed(format!("cannot be asked: nvidia-smi: {e}")))?;
        let text = String::from_utf8_lossy(&asked.stdout);
        read(&text).ok_or_else(|| failed(format!("cannot be asked: nvidia-smi says {:?}", text.trim())))
    }
}

fn read(text: &str) -> Option<Memory> {
    let mut numbers = text.trim().split(',').map(|n| n.trim().parse::<u64>());
    match (numbers.next()?, numbers.next()?) {
        (Ok(free), Ok(total)) => Some(Memory { free, total }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nvidia_smi_prints() {
        assert_eq!(read("143000, 143771\n"), Some(Memory { free: 143_000, total: 143_771 }));
        assert_eq!(read("No devices were found"), None);
        assert_eq!(read(""), None);
    }
}
