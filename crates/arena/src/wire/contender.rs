use crate::{ArenaError, Entries};
use std::{
    ffi::OsString,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

/// What speaks the protocol for a `train.py`.
const SHIM: &str = include_str!("../../python/shim.py");
/// Most bytes of a submission.
const SUBMISSION: u64 = 256 << 20;

/// An entry as it is named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contender {
    /// One of this program's.
    BuiltIn(String),
    /// A Python file that defines `train(task)`.
    Python {
        /// Name.
        name: String,
        /// The file.
        file: PathBuf,
    },
    /// A submission: a ZIP with `train.py` in it.
    Zip {
        /// Name.
        name: String,
        /// The file.
        file: PathBuf,
    },
}

/// The programs that entries run in.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Program and first arguments; the name of a built-in entry is added.
    pub built_in: Vec<OsString>,
    /// Python.
    pub python: PathBuf,
}

impl Contender {
    /// Reads a name: a built-in entry, a `.py` file or a `.zip`.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn named(text: &str, entries: &Entries) -> Result<Self, ArenaError> {
        let file = PathBuf::from(text);
        let stem = |path: &Path| path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let there = || {
            fs::metadata(&file).map_err(|e| ArenaError::io("read", &file, e))?;
            Ok::<_, ArenaError>(file.clone())
        };
        match file.extension().and_then(|e| e.to_str()) {
            Some("py") => {
                // every submission's file is called train.py: its folder tells them apart
                let parent = file.parent().map(stem).filter(|p| !p.is_empty());
                let name = parent.filter(|_| stem(&file) == "train").unwrap_or_else(|| stem(&file));
                Ok(Self::Python { name, file: there()? })
            }
            Some("zip") => Ok(Self::Zip { name: stem(&file), file: there()? }),
            _ => entries.make(text).map(|_| Self::BuiltIn(text.to_owned())),
        }
    }

    /// Its name in tables.
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn(name) | Self::Python { name, .. } | Self::Zip { name, .. } => name,
        }
    }

    /// Puts its files below `folder`, which is guarded. Returns what a submission should have and lacks.
    ///
    /// # Errors
    /// When a file cannot be read or holds no `train.py`.
    pub(crate) fn lay_out(&self, folder: &Path) -> Result<Vec<String>, ArenaError> {
        let own = folder.join(self.name());
        let write = |name: &str, content: &[u8]| {
            let path = own.join(name);
            let parent = path.parent().unwrap_or(&own);
            fs::create_dir_all(parent).map_err(|e| ArenaError::io("create", parent, e))?;
            fs::write(&path, content).map_err(|e| ArenaError::io("write", &path, e))
        };
        match self {
            Self::BuiltIn(_) => Ok(Vec::new()),
            Self::Python { file, .. } => {
                write("train.py", &fs::read(file).map_err(|e| ArenaError::io("read", file, e))?)?;
                write(SHIM_FILE, SHIM.as_bytes())?;
                Ok(Vec::new())
            }
            Self::Zip { file, .. } => {
                let files = unzip(file)?;
                for (name, content) in &files {
                    write(name, content)?;
                }
                write(SHIM_FILE, SHIM.as_bytes())?;
                let lacks = |name: &&str| !files.iter().any(|(f, _)| f == name);
                let lacking = ["README.md", "report.pdf"].into_iter().filter(lacks);
                Ok(lacking.map(|name| format!("{} has no {name}", file.display())).collect())
            }
        }
    }

    /// The command that runs it.
    pub(crate) fn command(&self, programs: &Programs, folder: &Path) -> Command {
        if let Self::BuiltIn(name) = self {
            let mut command = Command::new(programs.built_in.first().map_or("".as_ref(), OsString::as_os_str));
            command.args(programs.built_in.iter().skip(1)).arg(name);
            return command;
        }
        let mut command = Command::new(&programs.python);
        // without compiled files, which would be new files in a guarded folder
        command.arg("-B").arg(folder.join(self.name()).join(SHIM_FILE));
        command
    }
}

/// Name of the shim beside a `train.py`.
const SHIM_FILE: &str = "_arena_shim.py";

/// The files of a submission, by name from the folder that `train.py` lies in.
fn unzip(path: &Path) -> Result<Vec<(String, Vec<u8>)>, ArenaError> {
    let format = |why: String| ArenaError::Format { path: path.to_owned(), why };
    let file = fs::File::open(path).map_err(|e| ArenaError::io("read", path, e))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|e| format(e.to_string()))?;
    let (mut files, mut room) = (Vec::new(), SUBMISSION);
    for i in 0..archive.len() {
        let mut member = archive.by_index(i).map_err(|e| format(e.to_string()))?;
        if member.is_dir() {
            continue;
        }
        // a name that leads out of the folder is refused
        let name = member.enclosed_name().ok_or_else(|| format(format!("bad name {:?}", member.name())))?;
        let mut content = Vec::new();
        let read = (&mut member).take(room + 1).read_to_end(&mut content).map_err(|e| format(e.to_string()))? as u64;
        room = room.checked_sub(read).ok_or_else(|| format(format!("is above {SUBMISSION} bytes unpacked")))?;
        files.push((name, content));
    }
    let root = files.iter().filter(|(name, _)| name.file_name().is_some_and(|f| f == "train.py"));
    let root = root.map(|(name, _)| name.parent().map(Path::to_owned).unwrap_or_default());
    let root = root.min_by_key(|p| p.components().count()).ok_or_else(|| format("has no train.py".to_owned()))?;
    let below = |(name, content): (PathBuf, Vec<u8>)| {
        Some((name.strip_prefix(&root).ok()?.to_string_lossy().into_owned(), content))
    };
    Ok(files.into_iter().filter_map(below).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn zipped(dir: &Path, files: &[(&str, &str)]) -> PathBuf {
        let path = dir.join("team.zip");
        let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        for (name, content) in files {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        path
    }

    #[test]
    fn submissions_are_unpacked_and_judged_complete() {
        let dir = tempfile::tempdir().unwrap();
        let zip =
            zipped(dir.path(), &[("x/train.py", "def train(task): pass"), ("x/lib/a.py", ""), ("x/README.md", "")]);
        let entries = Entries::built_in();
        let contender = Contender::named(zip.to_str().unwrap(), &entries).unwrap();
        assert_eq!(contender.name(), "team");
        let lacking = contender.lay_out(dir.path()).unwrap();
        assert!(lacking.len() == 1 && lacking[0].ends_with("has no report.pdf"), "{lacking:?}");
        assert!(dir.path().join("team/lib/a.py").exists() && dir.path().join("team/train.py").exists());
        let zip = zipped(dir.path(), &[("README.md", "")]);
        let empty = Contender::named(zip.to_str().unwrap(), &entries).unwrap();
        assert!(empty.lay_out(dir.path()).unwrap_err().to_string().contains("train.py"));
        let zip = zipped(dir.path(), &[("train.py", ""), ("../../evil.py", "")]);
        let evil = Contender::named(zip.to_str().unwrap(), &entries).unwrap();
        assert!(evil.lay_out(dir.path()).unwrap_err().to_string().contains("evil"));
    }

    #[test]
    fn names_are_entries_or_files() {
        let entries = Entries::built_in();
        assert_eq!(Contender::named("adam", &entries).unwrap(), Contender::BuiltIn("adam".into()));
        assert!(matches!(Contender::named("madam", &entries), Err(ArenaError::Unknown { .. })));
        assert!(matches!(Contender::named("no/such/train.py", &entries), Err(ArenaError::Io { .. })));
    }
}
