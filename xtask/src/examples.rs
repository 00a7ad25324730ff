//! Examples are documentation that must run.

use crate::workspace::{self, Workspace};
use std::process::Command;

/// Builds the examples of the library crates in one go and runs each; those of the crates that need libtorch only when
/// asked for. `cargo test` builds them, from the selection of packages that `scripts/test` takes: any other selection unites
/// other features, and builds nearly everything again.
pub fn run(torch: bool) -> bool {
    let workspace = match Workspace::load() {
        Ok(workspace) => workspace,
        Err(why) => {
            println!("error: {why}");
            return false;
        }
    };
    let mut build = workspace::cargo();
    build.args(["test", "--release", "--quiet", "--no-run"]).current_dir(&workspace.root);
    if torch {
        build.args(workspace::WITH_TORCH);
    }
    if !build.status().is_ok_and(|s| s.success()) {
        println!("error: the examples do not build");
        return false;
    }
    let folder = workspace.target.join("release").join("examples");
    let (mut passed, mut count) = (true, 0);
    for member in &workspace.members {
        if !torch && !member.default {
            continue;
        }
        for example in member.examples.iter().filter(|e| torch || e.features.is_empty()) {
            count += 1;
            println!("--> {} of {}", example.name, member.name);
            let program = folder.join(&example.name).with_extension(std::env::consts::EXE_EXTENSION);
            if !Command::new(program).current_dir(&workspace.root).status().is_ok_and(|s| s.success()) {
                println!("error: example {} of {} failed", example.name, member.name);
                passed = false;
            }
        }
    }
    println!("--> examples: {count} run, {}", if passed { "ok" } else { "FAILED" });
    passed
}
