use super::part::beside;
use super::{DownloadError, Event, Options};
use flate2::read::GzDecoder;
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};

/// The kinds of archives that data sets come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    /// `.tar.gz`
    TarGz,
    /// `.zip`
    Zip,
}

/// What to take out of an archive, and where to put it.
#[derive(Clone, Copy, Debug)]
pub struct Take<'a> {
    /// The path in the archive of a file or folder.
    pub inside: &'a str,
    /// Folders in it that are left out.
    pub without: &'a [&'a str],
    /// The path that it gets.
    pub to: &'a Path,
}

/// Unpacks a file or folder of an archive, all of it or nothing.
///
/// It is unpacked beside the archive into `NAME.unpacking` and renamed at the end. Nothing that is there is replaced,
/// and what else the archive holds is left out. Processes that unpack the same archive at once take turns.
///
/// # Errors
/// When the archive is damaged, does not hold what is wanted, or holds a path that leads out of the folder or a link;
/// when there is something at `take.to`, or it cannot be written.
pub fn unpack(archive: &Path, kind: Archive, take: &Take<'_>, options: &Options<'_>) -> Result<(), DownloadError> {
    let file = File::open(archive).map_err(DownloadError::io(archive))?;
    file.lock().map_err(DownloadError::io(archive))?;
    if take.to.exists() {
        return Err(DownloadError::InTheWay { path: take.to.to_owned(), why: "it is not replaced".to_owned() });
    }
    let scratch = beside(archive, ".unpacking");
    if scratch.exists() {
        // whoever wrote it is gone: the archive was not locked
        fs::remove_dir_all(&scratch).map_err(DownloadError::io(&scratch))?;
    }
    fs::create_dir(&scratch).map_err(DownloadError::io(&scratch))?;
    let done = take_out(archive, file, kind, take, &scratch, options);
    let _ = fs::remove_dir_all(&scratch);
    done
}

fn take_out(
    archive: &Path,
    file: File,
    kind: Archive,
    take: &Take<'_>,
    scratch: &Path,
    options: &Options<'_>,
) -> Result<(), DownloadError> {
    let damaged = |why: String| DownloadError::Archive { path: archive.to_owned(), why };
    let total = file.metadata().map_err(DownloadError::io(archive))?.len();
    let out = Out { take, scratch, damaged: &damaged };
    let tell = |done| (options.report)(Event::Unpacking { path: archive, done, total });
    match kind {
        Archive::TarGz => tar_gz(file, &out, tell)?,
        Archive::Zip => zip(file, &out, tell)?,
    }
    let from = scratch.join(take.inside);
    if !from.exists() {
        return Err(damaged(format!("it holds no {}", take.inside)));
    }
    if let Some(parent) = take.to.parent() {
        fs::create_dir_all(parent).map_err(DownloadError::io(parent))?;
    }
    fs::rename(&from, take.to).map_err(DownloadError::io(take.to))
}

fn tar_gz(file: File, out: &Out<'_>, tell: impl Fn(u64)) -> Result<(), DownloadError> {
    let read = Cell::new(0);
    let counted = Counted { file: BufReader::with_capacity(1 << 18, file), read: &read };
    let mut tar = tar::Archive::new(GzDecoder::new(counted));
    let broken = |e: std::io::Error| (out.damaged)(e.to_string());
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = entry.path().map_err(broken)?.into_owned();
        let held = entry.header().entry_type();
        out.entry(&name, held.is_dir(), held.is_file(), &mut entry)?;
        tell(read.get());
    }
    Ok(())
}

fn zip(file: File, out: &Out<'_>, tell: impl Fn(u64)) -> Result<(), DownloadError> {
    let broken = |e: zip::result::ZipError| (out.damaged)(e.to_string());
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    let mut read = 0;
    for i in 0..zip.len() {
        let mut entry = zip.by_index(i).map_err(broken)?;
        read += entry.compressed_size();
        let (name, folder, link) = (PathBuf::from(entry.name()), entry.is_dir(), entry.is_symlink());
        out.entry(&name, folder, !folder && !link, &mut entry)?;
        tell(read);
    }
    Ok(())
}

/// Where entries go.
struct Out<'a> {
    take: &'a Take<'a>,
    scratch: &'a Path,
    damaged: &'a dyn Fn(String) -> DownloadError,
}

impl Out<'_> {
    /// Checks an entry, whatever it is, and writes it when it is wanted.
    fn entry(&self, name: &Path, folder: bool, file: bool, content: &mut impl Read) -> Result<(), DownloadError> {
        let Some(place) = place(name) else {
            return Err((self.damaged)(format!("{} leads out of the archive; nothing of it was kept", name.display())));
        };
        if !folder && !file {
            return Err((self.damaged)(format!("{} is neither a file nor a folder", name.display())));
        }
        let Ok(below) = place.strip_prefix(self.take.inside) else { return Ok(()) };
        if self.take.without.iter().any(|left_out| below.starts_with(left_out)) {
            return Ok(());
        }
        write(&self.scratch.join(&place), folder, content).map_err(|fault| match fault {
            Fault::Archive(e) => (self.damaged)(format!("{}: {e}", name.display())),
            Fault::Disk(e) => e,
        })
    }
}

/// The path of an entry below the folder that it is unpacked into; `None` when it would lead out of it.
fn place(name: &Path) -> Option<PathBuf> {
    // a backslash separates folders on some systems
    if name.to_str()?.contains('\\') {
        return None;
    }
    let mut place = PathBuf::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => place.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(place)
}

/// Whose fault it was that an entry could not be written.
enum Fault {
    Archive(std::io::Error),
    Disk(DownloadError),
}

fn write(to: &Path, folder: bool, from: &mut impl Read) -> Result<(), Fault> {
    let disk = |path: &Path, e| Fault::Disk(DownloadError::io(path)(e));
    if folder {
        return fs::create_dir_all(to).map_err(|e| disk(to, e));
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|e| disk(parent, e))?;
    }
    let mut file = File::create_new(to).map_err(|e| disk(to, e))?;
    let mut buffer = vec![0; 1 << 17];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => std::io::Write::write_all(&mut file, &buffer[..n]).map_err(|e| disk(to, e))?,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Fault::Archive(e)),
        }
    }
}

struct Counted<'c> {
    file: BufReader<File>,
    read: &'c Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}
