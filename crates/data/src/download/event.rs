use std::path::Path;
use std::time::Duration;

/// What happens while something is fetched or unpacked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// Another process is at the same file; this one waits for it.
    Waiting {
        /// The file.
        path: &'e Path,
    },
    /// The server answers.
    Began {
        /// The address asked.
        url: &'e str,
        /// Bytes that are there from before.
        from: u64,
        /// Size of the file, where it is known.
        total: Option<u64>,
    },
    /// More of the file is there.
    Bytes {
        /// Bytes that are there, those from before included.
        done: u64,
    },
    /// A failure; it tries again after a while.
    Retry {
        /// What failed.
        why: &'e str,
        /// How long it waits.
        wait: Duration,
    },
    /// What was there is thrown away, and the file fetched from its beginning.
    Anew {
        /// Why.
        why: &'e str,
    },
    /// An archive is unpacked.
    Unpacking {
        /// The archive.
        path: &'e Path,
        /// Bytes of it that are read.
        done: u64,
        /// Its size.
        total: u64,
    },
}

/// How to fetch.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Make no request at all.
    pub offline: bool,
    /// Failures in a row, with no new byte between them, after which it gives up; 0 counts as 1.
    pub tries: u32,
    /// How long it waits after the first failure. The wait doubles with each further one, up to a minute.
    pub wait: Duration,
    /// A connection on which nothing comes for so long has failed.
    pub silence: Duration,
    /// Is told what happens.
    pub report: &'a dyn Fn(Event<'_>),
}

impl Default for Options<'_> {
    /// Five tries, a second of waiting after the first failure, a minute of silence; nobody is told.
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self { offline: false, tries: 5, wait: second, silence: 60 * second, report: &|_| {} }
    }
}
