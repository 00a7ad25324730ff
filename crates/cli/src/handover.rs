//! From the light program to the one with libtorch.

use crate::{Exit, Failure};
use std::{
    io::Read,
    process::{Command, ExitCode, Stdio},
};

const WORKER: &str = "hybridrepair-worker";

/// Tells the worker that its input is the pipe of its parent.
const WATCHED: &str = "HYBRIDREPAIR_WATCHED";

/// How long libtorch's threads spin for each other before they sleep.
///
/// OpenMP's own default spins for milliseconds: one other busy program then makes training ten times slower, because a
/// step has hundreds of meeting points and each waits for a thread that has lost its core.
const SPIN_COUNT: &str = "1000";

/// Runs the same arguments in the worker and takes over its exit code.
///
/// The worker is a child and not a replacement of this process, so that an abort inside libtorch is told in words.
///
/// # Errors
/// When the worker is not there or died.
pub fn hand_over() -> Result<ExitCode, Failure> {
    let me = std::env::current_exe().map_err(|e| Failure::new(Exit::Unexpected, e))?;
    let worker = me.with_file_name(WORKER);
    if !worker.is_file() {
        return Err(Failure::new(Exit::Unexpected, format!("this build has no libtorch: {} is missing", worker.display()))
            .help("run scripts/hybridrepair in a clone, or build with `cargo build --release -p hybridrepair-cli --features torch`"));
    }
    // the pipe is how the worker notices that this process is gone
    let mut command = Command::new(&worker);
    command.args(std::env::args_os().skip(1)).stdin(Stdio::piped()).env(WATCHED, "1");
    if std::env::var_os("OMP_WAIT_POLICY").is_none() && std::env::var_os("GOMP_SPINCOUNT").is_none() {
        command.env("GOMP_SPINCOUNT", SPIN_COUNT);
    }
    let mut child = command
        .spawn()
        .map_err(|e| Failure::new(Exit::Unexpected, format!("cannot start {}: {e}", worker.display())))?;
    // `wait` would close the pipe; it stays open in `stdin` until the child has ended
    let stdin = child.stdin.take();
    let status = child.wait().map_err(|e| Failure::new(Exit::Unexpected, e))?;
    drop(stdin);
    match status.code() {
        Some(127) => Err(Failure::new(Exit::Unexpected, "the dynamic linker does not find libtorch")
            .help("run scripts/setup-libtorch, then scripts/hybridrepair")),
        Some(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        None => Err(died(status)),
    }
}

#[cfg(unix)]
fn died(status: std::process::ExitStatus) -> Failure {
    use std::os::unix::process::ExitStatusExt;
    let signal = status.signal().unwrap_or(0);
    let failure = Failure::new(Exit::Unexpected, format!("the libtorch worker was ended by signal {signal}"));
    match signal {
        9 => failure
            .help("the kernel kills for want of memory: try fewer --threads or a smaller --batch-size, then `resume`"),
        2 | 15 => {
            failure.help("go on with `resume DIR` (`train --resume`); finished stages and bought labels are kept")
        }
        _ => failure.help("go on with `resume DIR`; if it happens again, please report it with `hybridrepair env`"),
    }
}

#[cfg(not(unix))]
fn died(status: std::process::ExitStatus) -> Failure {
    Failure::new(Exit::Unexpected, format!("the libtorch worker died: {status}"))
}

/// For the worker: ends this process when the program that started it is gone.
///
/// A worker that was started by hand is left alone. `leave` ends the process without running destructors: finished
/// stages are on disk, and other threads may be inside libtorch.
pub fn end_with_parent(leave: fn(i32) -> !) {
    if std::env::var_os(WATCHED).is_none() {
        return;
    }
    std::thread::spawn(move || {
        let mut byte = [0];
        // no data ever comes: the read returns when the other end is closed
        if let Ok(0) = std::io::stdin().read(&mut byte) {
            leave(Exit::Unexpected as i32);
        }
    });
}
