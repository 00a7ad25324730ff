//! Examples are documentation that must run.

use crate::workspace::{self, Member, Workspace};
use std::process::Command;

/// Runs every example of the library crates; those that need libtorch only when asked for, and then only those.
pub fn run(torch: bool) -> bool {
    let workspace = match Workspace::load() {
        Ok(workspace) => workspace,
        Err(why) => {
            println!("error: {why}");
            return false;
        }
    };
    let mut passed = true;
    let mut count = 0;
    for member in &workspace.members {
        for example in &member.examples {
            if needs_torch(member, &example.features) != torch {
                continue;
            }
            count += 1;
            println!("--> {} of {}", example.name, member.name);
            let mut command = Command::new(workspace::cargo());
            command.args(["run", "--release", "--quiet", "-p", &member.name, "--example", &example.name]);
            if !example.features.is_empty() {
                command.args(["--features", &example.features.join(",")]);
            }
            let ok = command.current_dir(&workspace.root).status().is_ok_and(|s| s.success());
            if !ok {
                println!("error: example {} of {} failed", example.name, member.name);
            }
            passed &= ok;
        }
    }
    println!("--> examples: {count} run, {}", if passed { "ok" } else { "FAILED" });
    passed
}

fn needs_torch(member: &Member, features: &[String]) -> bool {
    member.dependencies.iter().any(|d| d.name == "tch") || features.iter().any(|f| f == "torch")
}
