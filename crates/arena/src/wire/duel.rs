//! One ranked run: an entry in a process of its own, on one task.

use super::{
    answer,
    contender::{Contender, Programs},
    guard::Guard,
    watch::{Ended, Shared, end_group, watch},
};
use crate::{ArenaError, Assignment, Outcome, Referee, Seen, Trial};
use std::{
    fs,
    io::{BufReader, BufWriter, Read},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

/// Most bytes of standard error that are kept.
const LAST_WORDS: usize = 4096;
/// Time that a process which has returned may take to end.
const LEAVE: Duration = Duration::from_secs(2);

/// Where ranked runs live: `folder` is guarded but for `folder/work`, in which every run gets a folder of its own.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub(crate) folder: PathBuf,
    pub(crate) programs: Programs,
}

impl Ground {
    /// Files of the entries.
    pub(crate) fn entries(&self) -> PathBuf {
        self.folder.join("entries")
    }

    /// Plays one run.
    pub(crate) fn play(
        &self,
        contender: &Contender,
        task: &Assignment,
        seed: u64,
    ) -> Result<(Trial, Vec<Seen>), ArenaError> {
        let work = self.folder.join("work");
        let scratch = work.join(format!("{}-{}-{seed}", task.name, contender.name()));
        fs::create_dir_all(&scratch).map_err(|e| ArenaError::io("create", &scratch, e))?;
        let guard = Guard::new(&self.folder, &work, &task.files)?;
        let mut problem = task.problem()?;
        let mut referee = Referee::new(&task.name, &mut *problem, task.target, task.limits, seed);
        let mut child = self.start(contender, &scratch)?;
        let shared = Shared::default();
        let (ended, said) = thread::scope(|scope| {
            let stderr = child.stderr.take();
            let words = scope.spawn(move || stderr.map(last_words).unwrap_or_default());
            let id = child.id();
            let (limits, seen) = (&task.limits, &shared);
            let watched = scope.spawn(move || watch(id, limits, seen));
            let ended = converse(&mut referee, &mut child, seed, &shared);
            shared.over.store(true, Ordering::Relaxed);
            let status = leave(&mut child, ended.0 == Outcome::Returned);
            shared.done.store(true, Ordering::Relaxed);
            // whatever it left behind holds standard error open
            end_group(id);
            let words = words.join().unwrap_or_default();
            // a watcher that has panicked has nothing to add
            let _ = watched.join();
            (judged(ended, status, &shared), words)
        });
        let over = referee.over().is_some();
        let late = referee.late_questions();
        let mut verdict = referee.verdict(ended.0);
        let mut notes: Vec<String> = ended.1.into_iter().filter(|_| !over || late > 0).collect();
        if late > 0 {
            notes.push(format!("asked {late} more times after the end"));
        }
        if verdict.outcome == Outcome::Died && !said.is_empty() {
            notes.push(said);
        }
        let changed = guard.changed()?;
        if !changed.is_empty() {
            verdict.outcome = Outcome::Tampered;
            let names: Vec<String> = changed.iter().map(|p| p.display().to_string()).collect();
            notes.push(format!("changed {}", names.join(", ")));
        }
        fs::remove_dir_all(&scratch).map_err(|e| ArenaError::io("remove", &scratch, e))?;
        let note = Some(notes.join("; ")).filter(|n| !n.is_empty());
        Ok((Trial::new(&task.name, contender.name(), seed, &verdict, note), verdict.curve))
    }

    fn start(&self, contender: &Contender, scratch: &Path) -> Result<Child, ArenaError> {
        let mut command = contender.command(&self.programs, &self.entries());
        command
            .current_dir(scratch)
            .env("TMPDIR", scratch)
            // one core for the entry, one for the referee
            .env("OMP_NUM_THREADS", "1")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        command.spawn().map_err(|source| ArenaError::Start { program, source })
    }
}

/// Talks until the entry returns, dies or is ended.
fn converse(referee: &mut Referee<'_>, child: &mut Child, seed: u64, shared: &Shared) -> (Outcome, Option<String>) {
    // dropped on return: a process that still asks finds its pipes closed
    let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
        return (Outcome::Died, None);
    };
    let mut from = Noting { from: BufReader::with_capacity(1 << 16, from), begun: shared };
    answer(referee, seed, &mut from, &mut BufWriter::with_capacity(1 << 16, to), &shared.over)
}

/// Notes the first byte that comes.
struct Noting<'a, R> {
    from: R,
    begun: &'a Shared,
}

impl<R: Read> Read for Noting<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let n = self.from.read(to)?;
        self.begun.begun.store(true, Ordering::Relaxed);
        Ok(n)
    }
}

/// Waits for the process; ends it when it takes too long.
fn leave(child: &mut Child, patient: bool) -> Option<ExitStatus> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if began.elapsed() < LEAVE && patient => thread::sleep(Duration::from_millis(2)),
            // its pipes are closed: a moment to fall over by itself, so that its own signal is told and not ours
            Ok(None) if began.elapsed() < Duration::from_millis(200) => thread::sleep(Duration::from_millis(2)),
            _ => {
                end_group(child.id());
                // a process that cannot be waited for is not there
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// How the entry ended, from what was said, how the process ended and why it was ended.
fn judged(
    (outcome, note): (Outcome, Option<String>),
    status: Option<ExitStatus>,
    shared: &Shared,
) -> (Outcome, Option<String>) {
    match shared.ended() {
        Some(Ended::Time) => (Outcome::Limit, Some("ended for its time".to_owned())),
        Some(Ended::NotReady) => (Outcome::Died, Some("never began".to_owned())),
        Some(Ended::Memory(bytes)) => (Outcome::Memory, Some(format!("ended at {} MiB", bytes >> 20))),
        Some(Ended::Lingered) => (outcome, Some("went on after the end, and was ended".to_owned())),
        None if outcome == Outcome::Died => {
            let how = status.map(|s| match (s.code(), s.signal()) {
                (Some(code), _) => format!("exit code {code}"),
                (None, signal) => format!("signal {}", signal.unwrap_or(0)),
            });
            (outcome, how)
        }
        None => (outcome, note),
    }
}

/// The end of what was written to standard error.
fn last_words(mut from: impl Read) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(n) = from.read(&mut buffer) {
        if n == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..n]);
        if kept.len() > 2 * LAST_WORDS {
            kept.drain(..kept.len() - LAST_WORDS);
        }
    }
    let text = String::from_utf8_lossy(&kept);
    // the last line of a traceback names the error
    text.trim().lines().next_back().unwrap_or("").to_owned()
}
