use super::attempt::{Trouble, agent, attempt};
use super::part::{Part, beside};
use super::{DownloadError, Event, Options, Source};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// The longest wait between two tries, whatever the server asks for.
const LONGEST: Duration = Duration::from_secs(60);

/// A file that is there with the right checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The file.
    pub path: PathBuf,
    /// Bytes that were received for it now: 0 when it was there, less than its size when it was resumed.
    pub received: u64,
}

/// Brings the file into the folder `dir`, which is made when it is not there.
///
/// It is written to `NAME.part` and renamed when its checksum is right, so a file called `NAME` is whole. What an
/// earlier call left in `NAME.part` is gone on from, if the server still has the same version (`If-Range`). A file that
/// is there is checked and never replaced; a received one with a wrong checksum is kept under `NAME.wrong`, for a
/// person to look at. Processes that want the same file at once take turns.
///
/// # Errors
/// [`DownloadError`], after the tries that `options` allow. What was received is kept in `NAME.part`.
pub fn fetch(source: &Source<'_>, dir: &Path, options: &Options<'_>) -> Result<Fetched, DownloadError> {
    let path = dir.join(source.file);
    if path.exists() {
        return present(source, path);
    }
    if options.offline {
        return Err(DownloadError::Offline { path, url: source.url.to_owned() });
    }
    std::fs::create_dir_all(dir).map_err(DownloadError::io(dir))?;
    let Some(mut part) = Part::open(source, &path, options)? else {
        return present(source, path);
    };
    match receive(source, &mut part, options) {
        Ok(()) if part.digits() == source.checksum.digits() => {
            let received = part.received;
            part.rename(&path)?;
            Ok(Fetched { path, received })
        }
        Ok(()) => {
            let (aside, got) = (beside(&path, ".wrong"), part.digits());
            part.rename(&aside)?;
            Err(wrong(source, aside, got))
        }
        Err(error) => {
            part.leave();
            Err(error)
        }
    }
}

/// A file that was there before.
fn present(source: &Source<'_>, path: PathBuf) -> Result<Fetched, DownloadError> {
    let got = source.checksum.of(&path)?;
    if got == source.checksum.digits() { Ok(Fetched { path, received: 0 }) } else { Err(wrong(source, path, got)) }
}

fn wrong(source: &Source<'_>, path: PathBuf, got: String) -> DownloadError {
    let (kind, expected) = (source.checksum.kind(), source.checksum.digits().to_owned());
    DownloadError::Checksum { path, kind, expected, got }
}

/// Fills `part`, right or wrong.
fn receive(source: &Source<'_>, part: &mut Part, options: &Options<'_>) -> Result<(), DownloadError> {
    if source.bytes.is_some_and(|most| part.len > most) {
        (options.report)(Event::Anew { why: "what was there is longer than the file" });
        part.restart(source)?;
    }
    complete(source, part, options)?;
    if part.patched && part.digits() != source.checksum.digits() {
        // pieces of two versions of the file, or damage in what was there
        (options.report)(Event::Anew { why: "what was there does not fit to the rest" });
        part.restart(source)?;
        complete(source, part, options)?;
    }
    Ok(())
}

/// Asks until all of the file is there.
fn complete(source: &Source<'_>, part: &mut Part, options: &Options<'_>) -> Result<(), DownloadError> {
    if part.len > 0 && source.bytes == Some(part.len) {
        return Ok(());
    }
    let agent = agent(options);
    let (mut failures, mut furthest) = (0, part.len);
    loop {
        let (why, after) = match attempt(&agent, source, part, options) {
            Ok(()) => return Ok(()),
            Err(Trouble::Final(error)) => return Err(error),
            Err(Trouble::Passing { why, after }) => (why, after),
        };
        if part.len > furthest {
            (furthest, failures) = (part.len, 0);
        }
        failures += 1;
        if failures >= options.tries.max(1) {
            let url = source.url.to_owned();
            return Err(DownloadError::Network { url, why, tries: failures, kept: part.len });
        }
        let growing = options.wait.saturating_mul(1 << (failures - 1).min(16));
        let wait = after.unwrap_or(growing).min(LONGEST);
        (options.report)(Event::Retry { why: &why, wait });
        sleep(wait);
    }
}
