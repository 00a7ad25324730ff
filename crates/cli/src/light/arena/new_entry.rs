use crate::{Exit, Failure, args::NewEntryArgs, say};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

const RUST: &str = include_str!("new_entry.rs.txt");
const PYTHON: &str = include_str!("new_entry.py.txt");
const HOME: &str = "crates/arena/src/entries";

/// `arena new-entry`
pub(super) fn run(args: &NewEntryArgs) -> Result<ExitCode, Failure> {
    let name = args.name.as_str();
    let letters = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !letters || !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.ends_with('-') {
        return Err(Failure::new(Exit::Usage, format!("{name:?} is no name for an entry"))
            .help("small letters, digits and hyphens, a letter first"));
    }
    let here = PathBuf::from(if !args.python && Path::new(HOME).is_dir() { HOME } else { "." });
    let folder = args.output_dir.clone().unwrap_or(here);
    let (module, kind) = (name.replace('-', "_"), camel(name));
    let (path, text) = if args.python {
        (folder.join(name).join("train.py"), PYTHON)
    } else {
        (folder.join(format!("{module}.rs")), RUST)
    };
    if path.exists() {
        return Err(Failure::new(Exit::Usage, format!("{} exists", path.display())).help("choose another name"));
    }
    let text = text.replace("{name}", name).replace("{kind}", &kind);
    let fail = |e| Failure::new(Exit::Unexpected, format!("cannot write {}: {e}", path.display()));
    fs::create_dir_all(path.parent().unwrap_or(&folder)).map_err(fail)?;
    fs::write(&path, text).map_err(fail)?;
    say!("{}", path.display());
    if args.python {
        say!("  try it: hybridrepair arena run --entries {}", path.display());
    } else {
        say!("  in {HOME}/mod.rs add `mod {module};` and to ALL the line");
        say!("    (\"{name}\", \"what it is\", || Box::new({module}::{kind}::default())),");
        say!("  try it: scripts/hybridrepair arena run --entries {name}");
    }
    Ok(ExitCode::SUCCESS)
}

/// `my-entry` as `MyEntry`.
fn camel(name: &str) -> String {
    name.split('-').map(|w| w[..1.min(w.len())].to_ascii_uppercase() + w.get(1..).unwrap_or("")).collect()
}
