//! Every method that can be chosen by name has an executed example and a row in `docs/fidelity.md`.

use crate::{Findings, workspace::Workspace};
use std::{fs, path::PathBuf};

/// A crate with a registry, and the trait of which every implementation needs a doctest.
const METHODS: &[(&str, Option<&str>)] =
    &[("hybridrepair-select", Some("Strategy")), ("hybridrepair-regions", None), ("hybridrepair-propagate", None)];

pub fn check(workspace: &Workspace) -> Findings {
    let mut findings = Findings::new();
    let fidelity = fs::read_to_string(workspace.root.join("docs/fidelity.md")).unwrap_or_default();
    for (package, interface) in METHODS {
        let Some(member) = workspace.member(package) else {
            findings.push(format!("there is no crate `{package}`"));
            continue;
        };
        let files: Vec<(PathBuf, String)> = member
            .rust_files()
            .into_iter()
            .filter(|p| p.starts_with(member.folder.join("src")))
            .filter_map(|p| fs::read_to_string(&p).ok().map(|text| (p, text)))
            .collect();
        let mut count = 0;
        for (path, text) in &files {
            let name = workspace.relative(path);
            let body: Vec<&str> = crate::lines::without_tests(text).collect();
            for method in interface.map(|i| implementations(&body, i)).unwrap_or_default() {
                count += 1;
                if !has_doctest(&body) {
                    findings.push(format!("{name}: `{method}` has no doctest"));
                }
            }
            for registered in names(&body) {
                if !fidelity.contains(&format!("`{registered}`")) {
                    findings.push(format!("{name}: `{registered}` has no row in docs/fidelity.md"));
                }
            }
        }
        if let Some(interface) = interface {
            println!("    {package}: {count} implementations of {interface}");
        }
    }
    findings
}

/// The types for which a file implements a trait; wrappers with type parameters are no methods by themselves.
fn implementations(lines: &[&str], interface: &str) -> Vec<String> {
    let start = format!("impl {interface} for ");
    let types = lines.iter().filter_map(|line| line.strip_prefix(&start));
    types.map(|rest| rest.split([' ', '<', '{']).next().unwrap_or_default().to_owned()).collect()
}

/// Whether a documentation comment holds a block that `cargo test` runs.
fn has_doctest(lines: &[&str]) -> bool {
    lines.iter().any(|line| {
        let text = line.trim_start();
        matches!(text, "/// ```" | "//! ```" | "/// ```no_run" | "/// ```rust" | "//! ```rust")
    })
}

/// The names in a table that is called `REGISTRY`: the first text of each of its lines.
fn names(lines: &[&str]) -> Vec<String> {
    let table = lines.iter().skip_while(|l| !l.contains("const REGISTRY")).take_while(|l| !l.starts_with("];"));
    table.filter_map(|line| line.trim_start().strip_prefix("(\"")?.split('"').next().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_doctests_and_registries_are_seen() {
        let lines = ["/// ```", "impl Strategy for Gini {", "impl Strategy for Wrap<S> {", "impl Other for Gini {"];
        assert_eq!(implementations(&lines, "Strategy"), ["Gini", "Wrap"]);
        assert!(has_doctest(&lines) && !has_doctest(&lines[1..]));
        let lines = [
            "const REGISTRY: &[(&str, X)] = &[",
            "    (\"gini\", || x),",
            "    (\"mcp\", y),",
            "];",
            "    (\"no\", z)",
        ];
        assert_eq!(names(&lines), ["gini", "mcp"]);
    }
}
