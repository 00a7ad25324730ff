use crate::{DeviceChoice, TorchError, device::device_name};
use std::sync::Once;
use tch::Device;

/// How libtorch shall run in this process.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeConfig {
    /// The device.
    pub device: DeviceChoice,
    /// CPU threads; `None` takes all cores.
    pub threads: Option<usize>,
}

/// libtorch set up: the device and the number of threads, both recorded with every result.
#[derive(Clone, Copy, Debug)]
pub struct Runtime {
    /// Where tensors live.
    pub device: Device,
    /// CPU threads for libtorch and rayon.
    pub threads: usize,
}

impl Runtime {
    /// Sets up threads, the memory allocator and the device. Call it before the first tensor is made.
    ///
    /// # Errors
    /// When the device is not there, or 0 threads are asked for.
    pub fn start(config: RuntimeConfig) -> Result<Self, TorchError> {
        static ONCE: Once = Once::new();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = config.threads.unwrap_or(cores);
        if threads == 0 {
            return Err(TorchError::Spec("0 threads".to_owned()));
        }
        ONCE.call_once(|| {
            keep_freed_memory();
            // a second global pool is refused by rayon: the first one stays, which is what a library user wants
            let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        });
        tch::set_num_threads(threads as i32);
        Ok(Self { device: config.device.resolve()?, threads })
    }

    /// For a thread that works beside others: its operators stay on it from now on.
    pub fn stay_on_this_thread(&self) {
        tch::set_num_threads(1);
    }

    /// Gives the calling thread all of them again, once those beside it have ended.
    pub fn take_all_threads(&self) {
        tch::set_num_threads(self.threads as i32);
    }

    /// Name of the device as recorded in a run: `cpu` or `cuda:0`.
    pub fn device_name(&self) -> String {
        device_name(self.device)
    }
}

/// Keeps glibc from giving freed memory back to the kernel.
///
/// A training step allocates and frees the same large activations each time; without this every step pays page faults
/// for all of them again (measured at batch 640: 218 images a second against 320).
fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "mallopt is a C function without Rust counterpart")]
    // SAFETY: both calls only set tuning parameters of malloc and are valid at any time
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// Ends the process at once, from any thread, while libtorch may be at work in others: no destructors are run, since
/// libtorch's own would pull the ground from under those threads.
pub fn leave_at_once(code: i32) -> ! {
    #[expect(unsafe_code, reason = "the standard library has no exit without destructors and core dump")]
    // SAFETY: `_exit` may be called at any time; files are written whole or not at all
    unsafe {
        libc::_exit(code)
    }
}

/// Version of the libtorch that this program was built for; another one would not have loaded.
pub fn libtorch_version() -> String {
    // tch 0.24 builds against exactly this release
    "2.11.0".to_owned()
}

/// CUDA devices that libtorch sees, once its CUDA half is loaded.
pub fn cuda_devices() -> usize {
    tch::Cuda::device_count().max(0) as usize
}
