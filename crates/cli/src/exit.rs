/// Exit codes, the same for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Unexpected: a bug, a full disk, a lost file.
    Unexpected = 1,
    /// The arguments or the configuration cannot be used.
    Usage = 2,
    /// Waiting for labels; not a failure.
    Waiting = 3,
    /// Data, arrays, label files or checkpoints are invalid.
    Input = 4,
    /// A guard refused: nothing safe was found, and nothing was replaced.
    Refused = 5,
    /// The device is not there or cannot be used.
    Device = 6,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
