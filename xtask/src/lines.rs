//! Files stay short: 500 lines at most, tests and tables apart.

use crate::{Findings, workspace::Workspace};
use std::fs;

const LIMIT: usize = 500;

/// Files that are tables of numbers rather than thoughts.
const TABLES: &[&str] = &[];

pub fn check(workspace: &Workspace) -> Findings {
    let mut lengths = Vec::new();
    for member in &workspace.members {
        for path in member.rust_files() {
            let name = workspace.relative(&path);
            let is_test =
                path.strip_prefix(&member.folder).is_ok_and(|p| p.starts_with("tests") || p.starts_with("benches"));
            if is_test || TABLES.contains(&name.as_str()) {
                continue;
            }
            match fs::read_to_string(&path) {
                Ok(text) => lengths.push((without_tests(&text).count(), name)),
                Err(why) => return vec![format!("{name}: {why}")],
            }
        }
    }
    lengths.sort();
    if let (Some((median, _)), Some((longest, name))) = (lengths.get(lengths.len() / 2), lengths.last()) {
        println!("    {} files, median {median} lines, longest {longest} ({name})", lengths.len());
    }
    let too_long = lengths.iter().filter(|(length, _)| *length > LIMIT);
    too_long
        .map(|(length, name)| format!("{name} has {length} lines without its tests; {LIMIT} is the limit"))
        .collect()
}

/// The lines before the tests at the end of a file.
pub fn without_tests(text: &str) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0] == "#[cfg(test)]"
            && (pair[1].starts_with("mod ") || pair[1].starts_with("pub(crate) mod "))
            && pair[1].ends_with('{')
    });
    let end = tests.unwrap_or(lines.len());
    lines.into_iter().take(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count() {
        assert_eq!(without_tests("a\nb\n#[cfg(test)]\nmod tests {\nc\n}\n").count(), 2);
        assert_eq!(without_tests("a\n#[cfg(test)]\nmod elsewhere;\nb\n").count(), 4);
    }
}
