use crate::{Layout, RunsError};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
};

/// The right to write one run. It ends when dropped, and with the process, however that ends.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock of a run directory that exists.
    ///
    /// # Errors
    /// [`RunsError::Locked`] names the process that has it.
    pub fn acquire(layout: &Layout) -> Result<Self, RunsError> {
        let path = layout.lock();
        let fail = |source| RunsError::io("lock", &path, source);
        // not truncated: until the lock is ours, the number in it is another's
        let mut file =
            OpenOptions::new().create(true).read(true).write(true).truncate(false).open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let holder = file.read_to_string(&mut holder).ok().map(|_| holder.trim().to_owned());
                return Err(RunsError::Locked {
                    path: layout.root().to_owned(),
                    holder: holder.filter(|h| !h.is_empty()),
                });
            }
            Err(TryLockError::Error(source)) => return Err(fail(source)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(fail)?;
        writeln!(file, "{}", std::process::id()).map_err(fail)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_writer_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let first = RunLock::acquire(&layout).unwrap();
        let error = RunLock::acquire(&layout).unwrap_err();
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        drop(first);
        RunLock::acquire(&layout).unwrap();
    }
}
