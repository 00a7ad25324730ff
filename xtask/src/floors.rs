//! Who may import whom: the table of ARCHITECTURE.md, checked against the manifests.

use crate::{
    Findings,
    workspace::{Kind, Member, Workspace},
};
use std::fs;

/// A crate, its floor, and the crates of this project that it may import; `..` stands for every crate on a lower floor.
const FLOORS: &[(&str, u8, &[&str])] = &[
    ("core", 0, &[]),
    ("kernels", 1, &["core"]),
    ("data", 1, &["core"]),
    ("pytorch-file", 1, &[]),
    ("select", 2, &["core", "kernels"]),
    ("regions", 2, &["core", "kernels"]),
    ("propagate", 2, &["core", "kernels"]),
    ("label", 2, &["core"]),
    ("runs", 2, &["core"]),
    // the light program handles patches: a feature would link it with libtorch
    ("patch", 2, &["core", "kernels"]),
    // searches and singular values; the probes that train lie in the facade
    ("tune", 2, &["core"]),
    // `examine` of the light program replays its rules
    ("doctor", 2, &["core"]),
    ("torch", 2, &["core", "data", "pytorch-file"]),
    ("train", 2, &["core", "data", "torch"]),
    ("embed", 3, &["core", "data", "pytorch-file", "torch", "train"]),
    // the second pass draws from the uint8 pool and makes its views, hence `data`
    ("finetune", 3, &["core", "data", "torch", "train"]),
    // tasks, entries and referee in plain Rust
    ("arena", 3, &["core", "data", "runs"]),
    // a page reads pictures, and writes answers into a run
    ("serve", 3, &["core", "data", "label", "runs"]),
    ("patch-torch", 3, &["core", "patch", "torch"]),
    ("doctor-torch", 3, &["core", "data", "doctor", "torch", "train"]),
    // tasks whose networks are on libtorch, for the referee of `arena`
    ("arena-torch", 3, &["core", "data", "arena", "torch"]),
    ("facade", 4, &[".."]),
    ("cli", 5, &[".."]),
];

/// Crates beside the floors, and what they may import.
const BESIDE: &[(&str, &[&str])] = &[
    ("testkit", &["core", "kernels", "data", "select", "regions", "propagate", "label", "runs"]),
    ("xtask", &[]),
    ("tests", &[]),
];

/// Heavy or opinionated libraries, and the only crates that may import them.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("tch", &["torch", "train", "embed", "finetune", "doctor-torch", "patch-torch", "arena-torch"]),
    ("torch-sys", &["torch"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("image", &["data", "label", "runs"]),
];

/// Crates without input and output.
const NO_FILES: &[&str] = &["core", "select", "regions", "propagate"];

pub fn check(workspace: &Workspace) -> Findings {
    let mut findings = Findings::new();
    for member in &workspace.members {
        let name = short(&member.name);
        let Some(allowed) = allowed(name) else {
            findings.push(format!(
                "`{}` has no floor: give it one in xtask/src/floors.rs and ARCHITECTURE.md",
                member.name
            ));
            continue;
        };
        for dependency in &member.dependencies {
            let other = short(&dependency.name);
            let ours = workspace.member(&dependency.name).is_some();
            if ours && other == "testkit" && dependency.kind == Kind::Dev {
                continue;
            }
            if ours && !allowed.contains(&other) {
                findings.push(format!("`{name}` must not import `{other}`"));
            }
            if let Some((_, users)) = OUTSIDE.iter().find(|(library, _)| *library == dependency.name)
                && !users.contains(&name)
            {
                findings.push(format!("`{name}` must not import `{}`: only {} may", dependency.name, users.join(", ")));
            }
        }
        if NO_FILES.contains(&name) {
            findings.extend(files_touched(workspace, member));
        }
    }
    findings
}

/// The name without the project's prefix; `facade` for the crate that is called just `hybridrepair`.
fn short(package: &str) -> &str {
    if package == "hybridrepair" { "facade" } else { package.strip_prefix("hybridrepair-").unwrap_or(package) }
}

fn allowed(name: &str) -> Option<Vec<&'static str>> {
    if let Some((_, list)) = BESIDE.iter().find(|(beside, _)| *beside == name) {
        return Some(list.to_vec());
    }
    let (_, floor, list) = FLOORS.iter().find(|(crate_, ..)| *crate_ == name)?;
    Some(match list {
        [".."] => FLOORS.iter().filter(|(_, below, _)| below < floor).map(|(crate_, ..)| *crate_).collect(),
        list => list.to_vec(),
    })
}

fn files_touched(workspace: &Workspace, member: &Member) -> Findings {
    let mut findings = Findings::new();
    for path in member.rust_files().iter().filter(|p| p.starts_with(member.folder.join("src"))) {
        let text = fs::read_to_string(path).unwrap_or_default();
        for (at, line) in crate::lines::without_tests(&text).enumerate() {
            if line.contains("std::fs") || line.contains("fs::File") {
                findings.push(format!(
                    "{}:{}: `{}` does no input or output",
                    workspace.relative(path),
                    at + 1,
                    short(&member.name)
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn findings(name: &str, dependencies: &[(&str, Kind)]) -> Findings {
        let member = |name: &str, dependencies: Vec<Dependency>| Member {
            name: name.into(),
            folder: "/nonexistent".into(),
            default: true,
            dependencies,
            examples: vec![],
        };
        let mut members: Vec<_> = ["core", "kernels", "select", "torch", "runs", "testkit"]
            .iter()
            .filter(|n| **n != name)
            .map(|n| member(&format!("hybridrepair-{n}"), vec![]))
            .collect();
        let dependencies = dependencies.iter().map(|(n, kind)| Dependency { name: (*n).into(), kind: *kind }).collect();
        members.push(member(&format!("hybridrepair-{name}"), dependencies));
        check(&Workspace { root: "/".into(), target: "/target".into(), members })
    }

    #[test]
    fn a_new_edge_is_found_and_a_listed_one_is_not() {
        assert!(findings("select", &[("hybridrepair-kernels", Kind::Normal), ("rand", Kind::Normal)]).is_empty());
        assert_eq!(findings("select", &[("hybridrepair-torch", Kind::Normal)]), ["`select` must not import `torch`"]);
        assert_eq!(findings("select", &[("hybridrepair-runs", Kind::Dev)]).len(), 1, "tests keep to the floors too");
        assert!(findings("select", &[("hybridrepair-testkit", Kind::Dev)]).is_empty());
        assert_eq!(findings("select", &[("hybridrepair-testkit", Kind::Normal)]).len(), 1);
        assert_eq!(findings("runs", &[("tch", Kind::Normal)]).len(), 1);
        assert_eq!(findings("cellar", &[]).len(), 1);
        assert!(findings("cli", &[("hybridrepair-torch", Kind::Build), ("clap", Kind::Normal)]).is_empty());
    }

    #[test]
    fn every_edge_of_the_table_leads_to_a_lower_floor_or_along_it_in_order() {
        for (at, (name, floor, list)) in FLOORS.iter().enumerate() {
            for other in list.iter().filter(|o| **o != "..") {
                let below = FLOORS.iter().position(|(n, ..)| n == other).expect("known");
                assert!(below < at && FLOORS[below].1 <= *floor, "{name} -> {other}");
            }
        }
    }
}
