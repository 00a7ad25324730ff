use crate::Exit;
use hybridrepair_arena::ArenaError;
use hybridrepair_core::CoreError;
use hybridrepair_data::DataError;
use hybridrepair_doctor::DoctorError;
use hybridrepair_label::LabelError;
use hybridrepair_runs::RunsError;
use hybridrepair_select::SelectError;
use hybridrepair_serve::ServeError;
use std::fmt;

/// Why a command failed, and what to do next.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong, with the offending value.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl Failure {
    /// A failure without advice yet.
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string(), help: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Prints to standard error.
    #[expect(clippy::print_stderr, reason = "the one place that reports errors")]
    pub fn print(&self) {
        eprintln!("hybridrepair: error: {}", self.message);
        if let Some(help) = &self.help {
            eprintln!("  help: {help}");
        }
    }
}

impl From<CoreError> for Failure {
    fn from(error: CoreError) -> Self {
        match error {
            CoreError::Budget { .. } => Self::new(Exit::Usage, &error)
                .help("pass a share such as 0.01 or 1%, or a whole number of labels of at most the pool"),
            CoreError::Rows { .. } => Self::new(Exit::Input, &error)
                .help("all arrays must have one row per sample of the same pool, in the same order"),
            CoreError::NotFinite { .. } => Self::new(Exit::Input, &error)
                .help("find out where the number comes from; it would decide the selection"),
            _ => Self::new(Exit::Input, &error),
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        let (exit, help) = match &error {
            DataError::NoDataDir { .. } => (Exit::Usage, Some("pass --data-dir DIR")),
            DataError::Unknown { .. } | DataError::Value { .. } => (Exit::Usage, None),
            DataError::Io { .. } => (Exit::Input, Some("check the path and its rights")),
            DataError::Format { .. } => (Exit::Input, Some("fetch or write the file again; it was not changed")),
            _ => (Exit::Input, None),
        };
        let failure = Self::new(exit, &error);
        match help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}

impl From<LabelError> for Failure {
    fn from(error: LabelError) -> Self {
        let (exit, help) = match &error {
            LabelError::Core(error) => return error.clone().into(),
            LabelError::Classes { .. } => (Exit::Input, "correct them; until then nothing of this file is taken"),
            LabelError::Column { .. } => (Exit::Input, "a table has the columns id (or file) and label"),
            LabelError::Line { .. } => (Exit::Input, "correct the line; until then nothing of this file is taken"),
            LabelError::Tool { .. } => (
                Exit::Input,
                "export from Label Studio as JSON, JSON-MIN or CSV, from CVAT as \"CVAT for images 1.1\", one class per picture",
            ),
            LabelError::ErrorRate { .. } => (Exit::Usage, "pass a probability"),
            _ => (Exit::Input, "check the path and its rights"),
        };
        Self::new(exit, &error).help(help)
    }
}

impl From<DoctorError> for Failure {
    fn from(error: DoctorError) -> Self {
        match error {
            DoctorError::Setting { .. } | DoctorError::Net(_) => {
                Self::new(Exit::Usage, &error).help("docs/formats.md has the settings of plans and monitors")
            }
            _ => Self::new(Exit::Unexpected, &error),
        }
    }
}

impl From<SelectError> for Failure {
    fn from(error: SelectError) -> Self {
        match error {
            SelectError::Core(error) => error.into(),
            SelectError::Needs { .. } => Self::new(Exit::Usage, &error).help("pass the array that it names"),
            SelectError::SourcePart { part, .. } => {
                Self::new(Exit::Usage, &error).help(format!("pass them as --source-{part}"))
            }
            _ => Self::new(Exit::Usage, &error),
        }
    }
}

impl From<ArenaError> for Failure {
    fn from(error: ArenaError) -> Self {
        let (exit, help) = match error {
            ArenaError::Data(error) => return error.into(),
            ArenaError::Runs(error) => return error.into(),
            ArenaError::Unknown { .. } => (Exit::Usage, "`hybridrepair arena list` shows suites, tasks and entries"),
            ArenaError::Setting { what: "folder", .. } => {
                (Exit::Usage, "choose another --output-dir; --overwrite replaces a contest and nothing else")
            }
            ArenaError::Setting { .. } => (Exit::Usage, "look at `hybridrepair arena --help`"),
            ArenaError::Unreliable { .. } => {
                (Exit::Refused, "a target must be in reach of the baseline: give the task more data or a smaller net")
            }
            ArenaError::Model(_) => {
                (Exit::Input, "the task's network or data cannot be made; look at --device and the checkpoint")
            }
            ArenaError::Start { .. } => (Exit::Usage, "check that the program is there; --python names another Python"),
            ArenaError::Format { .. } => (Exit::Input, "pass another file, or write it again; it was not changed"),
            _ => (Exit::Input, "check the path and its rights"),
        };
        Self::new(exit, &error).help(help)
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Runs(error) => error.into(),
            ServeError::Listen { .. } => {
                Self::new(Exit::Usage, &error).help("give another --port, or none: then a free one is taken")
            }
            _ => {
                Self::new(Exit::Unexpected, &error).help("check the run's folder, its rights and the room on its disk")
            }
        }
    }
}

impl From<RunsError> for Failure {
    fn from(error: RunsError) -> Self {
        let exit = match &error {
            RunsError::NotEmpty { .. }
            | RunsError::NotOverwritten { .. }
            | RunsError::NotARun { .. }
            | RunsError::Locked { .. }
            | RunsError::NotComparable(_)
            | RunsError::Config { .. } => Exit::Usage,
            RunsError::DiskFull { .. } | RunsError::Io { .. } => Exit::Unexpected,
            _ => Exit::Input,
        };
        let help = error.help().unwrap_or_else(|| match exit {
            Exit::Unexpected => "check the path, its rights and the room on its disk".to_owned(),
            Exit::Usage => "look at `hybridrepair help` and docs/formats.md".to_owned(),
            _ => "the file is damaged; `--overwrite` writes the run anew".to_owned(),
        });
        Self::new(exit, &error).help(help)
    }
}
