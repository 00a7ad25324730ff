//! Holds a process to its limits of time and memory.

use crate::Limits;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    fs,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Between two looks.
const PERIOD: Duration = Duration::from_millis(10);
/// Time from the start of a process to its first word: an interpreter may load libraries.
const READY: Duration = Duration::from_secs(60);
/// Time from the end of a run to the end of its process.
const GRACE: Duration = Duration::from_secs(2);

/// Why a process was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It did not come to its first word.
    NotReady,
    /// It took longer than allowed.
    Time,
    /// It held more memory than allowed; bytes seen.
    Memory(u64),
    /// The run was over, and it went on.
    Lingered,
}

/// What the thread that talks and the one that watches tell each other.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// The run has begun.
    pub(crate) begun: AtomicBool,
    /// The run is over.
    pub(crate) over: AtomicBool,
    /// The process is gone, or about to be.
    pub(crate) done: AtomicBool,
    /// Why it was ended.
    pub(crate) ended: Mutex<Option<Ended>>,
}

impl Shared {
    pub(crate) fn ended(&self) -> Option<Ended> {
        *self.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Looks until the process is done; ends its whole group when it breaks a limit.
pub(crate) fn watch(id: u32, limits: &Limits, shared: &Shared) {
    let started = Instant::now();
    let (mut begun, mut over) = (None, None);
    while !shared.done.load(Ordering::Relaxed) {
        let now = Instant::now();
        if shared.begun.load(Ordering::Relaxed) {
            begun.get_or_insert(now);
        }
        if shared.over.load(Ordering::Relaxed) {
            over.get_or_insert(now);
        }
        let since = |at: Option<Instant>| at.map_or(0.0, |at| now.duration_since(at).as_secs_f64());
        let memory = resident(id);
        let broken = if memory > limits.memory {
            Some(Ended::Memory(memory))
        } else if begun.is_none() && now.duration_since(started) > READY {
            Some(Ended::NotReady)
        } else if over.is_some() {
            (since(over) > GRACE.as_secs_f64()).then_some(Ended::Lingered)
        } else {
            // a moment for the referee to say stop himself
            (since(begun) > limits.seconds + 0.5).then_some(Ended::Time)
        };
        if let Some(why) = broken {
            *shared.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(why);
            end_group(id);
            return;
        }
        thread::sleep(PERIOD);
    }
}

/// Ends a process and all that it started in its group.
pub(crate) fn end_group(id: u32) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // it may have ended by itself
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// Resident memory of a process and its descendants, bytes; 0 when it is gone.
fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    (kib << 10) + children.split_whitespace().filter_map(|c| c.parse().ok()).map(resident).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_of_this_process_is_seen() {
        assert!(resident(std::process::id()) > 1 << 20);
        assert_eq!(resident(u32::MAX), 0);
    }
}
