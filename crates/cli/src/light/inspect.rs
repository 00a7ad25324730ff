//! `data inspect`: what lies in a folder of pictures, before anybody trains on it.

mod embeddings;

use crate::{Exit, Failure, args::InspectArgs, say};
use hybridrepair_data::folder::{Survey, survey};
use std::{collections::BTreeMap, path::Path, process::ExitCode};

/// Lines of a list that are shown.
const SHOWN: usize = 10;

/// `data inspect`
pub(super) fn run(args: &InspectArgs) -> Result<ExitCode, Failure> {
    if let Some(file) = &args.embeddings {
        return embeddings::run(args, file);
    }
    let dir = args.dir.as_deref().unwrap_or(Path::new("."));
    if !dir.is_dir() {
        return Err(Failure::new(Exit::Input, format!("{}: no such folder", dir.display())).help("check the path"));
    }
    let survey = survey(dir)?;
    if args.json {
        say!("{:#}", serde_json::json!({ "format_version": 1, "folder": dir, "survey": survey }));
    } else {
        tell(&survey);
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(s: &Survey) {
    say!("{} pictures that decode, {} files that do not", s.pictures, s.unusable.len());
    if s.pictures > 0 {
        say!(
            "  {} to {} pixels wide, {} to {} high; median {} x {}",
            s.width[0],
            s.width[2],
            s.height[0],
            s.height[2],
            s.width[1],
            s.height[1]
        );
        say!("  formats: {}", counts(&s.formats));
        say!("  colours: {}", counts(&s.colours));
    }
    if s.turned > 0 {
        say!("  {} are turned by their EXIF entry, as they will be read", s.turned);
    }
    match s.classes.len() {
        0 => say!("no class folders: all pictures lie side by side, which is what a field pool looks like"),
        n => {
            say!("{n} folders, which are the classes of a labelled split:");
            for (name, count) in s.classes.iter().take(SHOWN) {
                say!("  {count:>7}  {name}");
            }
            more(n);
            if let (Some(least), Some(most)) = (s.classes.values().min(), s.classes.values().max())
                && *most >= 10 * (*least).max(1)
            {
                say!("  the largest has {most} pictures, the smallest {least}");
            }
        }
    }
    if s.loose > 0 && !s.classes.is_empty() {
        say!("{} pictures lie beside the folders", s.loose);
    }
    list("files with the same content", &s.duplicates.iter().map(|group| group.join(", ")).collect::<Vec<_>>());
    list("do not decode", &s.unusable);
    for note in &s.notes {
        say!("{note}");
    }
}

fn counts(of: &BTreeMap<String, usize>) -> String {
    of.iter().map(|(what, n)| format!("{n} {what}")).collect::<Vec<_>>().join(", ")
}

fn list(title: &str, lines: &[String]) {
    if !lines.is_empty() {
        say!("{} {title}:", lines.len());
        lines.iter().take(SHOWN).for_each(|line| say!("  {line}"));
        more(lines.len());
    }
}

fn more(all: usize) {
    if let Some(more @ 1..) = all.checked_sub(SHOWN) {
        say!("  and {more} more (--json has all)");
    }
}
