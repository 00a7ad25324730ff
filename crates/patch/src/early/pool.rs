use crate::PatchError;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Memory of one device, in megabytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What nobody has taken now.
    pub free: u64,
    /// All there is.
    pub total: u64,
}

/// Says what memory devices have, so that a test can do without any.
pub trait DeviceMemory: Sync {
    /// Memory of a device now.
    ///
    /// # Errors
    /// When the device cannot be asked.
    fn memory(&self, device: usize) -> Result<Memory, PatchError>;
}

/// A piece of work with the memory that it will take.
pub struct Job<'a, T> {
    /// Its name, for messages.
    pub name: String,
    /// Megabytes on its device.
    pub memory_mb: u64,
    /// The work, given the device's number.
    pub work: Box<dyn FnOnce(usize) -> Result<T, PatchError> + Send + 'a>,
}

/// Devices that jobs are spread over. A job is let in where the memory that running jobs have declared, and that what is
/// measured as free, leave room for it; nobody waits by the clock alone, and numbering may begin anywhere.
pub struct DevicePool<'a> {
    /// How many devices.
    pub devices: usize,
    /// Number of the first one.
    pub first: usize,
    /// Megabytes that must stay free on a device.
    pub spare_mb: u64,
    /// Most jobs at a time on one device.
    pub per_device: usize,
    /// The devices' memory.
    pub memory: &'a dyn DeviceMemory,
    /// How often memory is measured while nothing fits: others may give some back.
    pub poll: Duration,
    /// How long a job may wait with no other one running before it is given up.
    pub patience: Duration,
}

/// What is going on.
struct State<'a, T> {
    waiting: Vec<Option<Job<'a, T>>>,
    /// Running jobs and their memory, per device.
    running: Vec<(usize, u64)>,
    results: Vec<Option<Result<T, PatchError>>>,
    stop: bool,
}

impl DevicePool<'_> {
    /// Runs all jobs and returns their results in order. After a failure no new job begins; the first failure in the order
    /// of the jobs is returned when those that run have ended.
    ///
    /// # Errors
    /// Those of the jobs, and when a job fits on no device.
    pub fn run<'a, T: Send + 'a>(&self, jobs: Vec<Job<'a, T>>) -> Result<Vec<T>, PatchError> {
        if self.devices == 0 || self.per_device == 0 {
            return Err(PatchError::setting("devices", self.devices, "run nothing"));
        }
        let n = jobs.len();
        let state = Mutex::new(State {
            waiting: jobs.into_iter().map(Some).collect(),
            running: vec![(0, 0); self.devices],
            results: (0..n).map(|_| None).collect(),
            stop: false,
        });
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            for _ in 0..(self.devices * self.per_device).min(n) {
                scope.spawn(|| self.work(&state, &changed));
            }
        });
        let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut results = Vec::with_capacity(n);
        for result in state.results.into_iter().flatten() {
            results.push(result?);
        }
        Ok(results)
    }

    fn work<T: Send>(&self, state: &Mutex<State<'_, T>>, changed: &Condvar) {
        let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waited = Duration::ZERO;
        let mut now = lock();
        while !now.stop && now.waiting.iter().any(Option::is_some) {
            let Some((at, job, device)) = self.admit(&mut now) else {
                let alone = now.running.iter().all(|(jobs, _)| *jobs == 0);
                if alone && waited >= self.patience {
                    self.give_up(&mut now);
                    changed.notify_all();
                    return;
                }
                now = changed.wait_timeout(now, self.poll).unwrap_or_else(PoisonError::into_inner).0;
                waited = if alone { waited + self.poll } else { Duration::ZERO };
                continue;
            };
            drop(now);
            let memory = job.memory_mb;
            let result = (job.work)(self.first + device);
            now = lock();
            now.running[device].0 -= 1;
            now.running[device].1 -= memory;
            now.stop |= result.is_err();
            now.results[at] = Some(result);
            waited = Duration::ZERO;
            changed.notify_all();
        }
    }

    /// Takes the first waiting job that fits somewhere, on the device with the fewest jobs, the first of equal ones.
    fn admit<'a, T>(&self, state: &mut MutexGuard<'_, State<'a, T>>) -> Option<(usize, Job<'a, T>, usize)> {
        let mut devices = (0..self.devices).filter(|&d| state.running[d].0 < self.per_device).collect::<Vec<_>>();
        devices.sort_by_key(|&d| state.running[d].0);
        for at in 0..state.waiting.len() {
            let Some(memory) = state.waiting[at].as_ref().map(|j| j.memory_mb) else { continue };
            // what running jobs have declared may not be taken yet: the less of both readings counts
            let room = |d: usize| self.room(d, state.running[d].1) >= memory + self.spare_mb;
            if let Some(&device) = devices.iter().find(|&&d| room(d)) {
                let job = state.waiting[at].take()?;
                state.running[device].0 += 1;
                state.running[device].1 += memory;
                return Some((at, job, device));
            }
        }
        None
    }

    /// Megabytes of a device that are neither taken nor promised; 0 where it cannot be asked.
    fn room(&self, device: usize, promised: u64) -> u64 {
        let Memory { free, total } = self.memory.memory(self.first + device).unwrap_or_default();
        free.min(total.saturating_sub(promised))
    }

    fn give_up<T>(&self, state: &mut MutexGuard<'_, State<'_, T>>) {
        state.stop = true;
        if let Some(at) = state.waiting.iter().position(Option::is_some) {
            let Some(job) = state.waiting[at].take() else { return };
            let free = (0..self.devices).map(|d| self.room(d, 0)).max().unwrap_or(0);
            let why =
                format!("needs {} MB and {} to spare, no device has more than {free}", job.memory_mb, self.spare_mb);
            state.results[at] = Some(Err(PatchError::setting("job", job.name, why)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    /// Devices whose memory is a number that jobs take from and give back to.
    struct Fake(Vec<(AtomicU64, u64)>);

    impl DeviceMemory for Fake {
        fn memory(&self, device: usize) -> Result<Memory, PatchError> {
            let (free, total) = &self.0[device];
            Ok(Memory { free: free.load(Ordering::SeqCst), total: *total })
        }
    }

    fn pool(memory: &Fake, devices: usize, first: usize) -> DevicePool<'_> {
        DevicePool {
            devices,
            first,
            spare_mb: 100,
            per_device: 3,
            memory,
            poll: Duration::from_millis(1),
            patience: Duration::from_millis(20),
        }
    }

    #[test]
    fn no_device_is_ever_overcommitted_and_results_keep_their_order() {
        // devices 2 and 3 of four: 1000 and 600 MB
        let fake = Fake([9, 9, 1000, 600].map(|mb| (AtomicU64::new(mb), mb)).into());
        let used = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let jobs = (0..12usize).map(|i| Job {
            name: i.to_string(),
            memory_mb: 400,
            work: Box::new(|device: usize| {
                used[device - 2].fetch_add(1, Ordering::SeqCst);
                let before = fake.0[device].0.fetch_sub(400, Ordering::SeqCst);
                assert!(before >= 500, "device {device} had {before}");
                std::thread::sleep(Duration::from_millis(3));
                fake.0[device].0.fetch_add(400, Ordering::SeqCst);
                Ok(device)
            }),
        });
        let jobs = jobs.collect::<Vec<_>>();
        let devices = pool(&fake, 2, 2).run(jobs).unwrap();
        assert_eq!(devices.len(), 12);
        assert!(used.iter().all(|u| u.load(Ordering::SeqCst) > 0), "both are used");
        assert!(devices.iter().all(|d| [2, 3].contains(d)));
    }

    #[test]
    fn a_failure_stops_what_has_not_begun_and_a_giant_is_told() {
        let fake = Fake(vec![(AtomicU64::new(1000), 1000)]);
        let began = AtomicUsize::new(0);
        let job = |i: usize, memory_mb: u64| {
            let began = &began;
            Job {
                name: format!("run {i}"),
                memory_mb,
                work: Box::new(move |_: usize| {
                    began.fetch_add(1, Ordering::SeqCst);
                    if i == 1 { Err(PatchError::NoCase("broken".to_owned())) } else { Ok(i) }
                }),
            }
        };
        let one = DevicePool { per_device: 1, ..pool(&fake, 1, 0) };
        let failed = one.run((0..9).map(|i| job(i, 10)).collect()).unwrap_err();
        assert!(failed.to_string().contains("broken"));
        assert_eq!(began.load(Ordering::SeqCst), 2);
        let giant = one.run(vec![job(0, 10), job(5, 5000)]).unwrap_err().to_string();
        assert!(giant.contains("run 5") && giant.contains("5000 MB") && giant.contains("1000"), "{giant}");
        assert!(DevicePool { devices: 0, ..one }.run(vec![job(0, 1)]).is_err());
    }
}
