use super::{asked, status::Status};
use crate::{Exit, Failure, args::LabelImportArgs, say};
use hybridrepair_label::{Taken, read_answers, take};
use hybridrepair_runs::{Fingerprint, Layout, LedgerFile, RunDir};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Serialize)]
struct Imported {
    file: PathBuf,
    taken: usize,
    corrections: usize,
    cannot_tell: usize,
    known: usize,
    unanswered: usize,
    cancelled: usize,
    not_asked: usize,
}

/// `label import`: every file is understood as a whole before its first answer is noted, and noted before the next one is
/// read. A file that is taken twice changes nothing, so an interrupted import is simply repeated.
pub(super) fn run(args: &LabelImportArgs) -> Result<ExitCode, Failure> {
    let asked = asked(&args.run)?;
    let layout = Layout::new(&args.run);
    if layout.summary().is_file() {
        return Err(Failure::new(Exit::Usage, format!("this run is complete: {}", args.run.display()))
            .help("begin a new run; its labels may be imported there"));
    }
    let dir = RunDir::open(&args.run)?;
    let (mut file, mut ledger) = LedgerFile::open(&dir.layout().ledger(), asked.images.len() * asked.answers)?;
    let mut imported = Vec::new();
    for path in &args.files {
        let answers = read_answers(path)?;
        let what = name(path)?;
        let taken = take(path, &what, &answers, args.annotator.as_deref(), &asked, ledger.entries())?;
        for reply in &taken.replies {
            ledger.record(reply.clone());
        }
        if !args.dry_run {
            file.sync(&ledger)?;
        }
        if !args.json {
            tell(path, &taken, args.dry_run);
        }
        imported.push(Imported {
            file: path.clone(),
            taken: taken.replies.len(),
            corrections: taken.corrections,
            cannot_tell: taken.cannot_tell,
            known: taken.repeated,
            unanswered: taken.unanswered,
            cancelled: taken.cancelled,
            not_asked: taken.not_asked.0,
        });
    }
    let status = Status::of(&asked, ledger.entries());
    if args.json {
        say!("{:#}", serde_json::json!({ "format_version": 1, "files": imported, "status": status }));
    } else {
        status.tell(&args.run, &asked);
    }
    Ok(ExitCode::SUCCESS)
}

/// The name of a file in the ledger: with a hash of its content, so that the same file is known again.
fn name(path: &Path) -> Result<String, Failure> {
    let hash = Fingerprint::of_file(path)?.to_string();
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(format!("{name}#{}", &hash[..12]))
}

fn tell(path: &Path, taken: &Taken, dry_run: bool) {
    let verb = if dry_run { "would take" } else { "took" };
    let mut parts = vec![format!("{verb} {} answers", taken.replies.len())];
    let mut more = |n: usize, what: &str| {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    };
    more(taken.corrections, "of them corrections");
    more(taken.cannot_tell, "of them \"cannot tell\"");
    more(taken.repeated, "known already");
    more(taken.unanswered, "rows without an answer");
    more(taken.cancelled, "cancelled");
    say!("{}: {}", path.display(), parts.join(", "));
    if let (n @ 1.., Some(first)) = &taken.not_asked {
        say!("  left alone: {n} answers on pictures that this run did not ask about, first {first}");
    }
}
