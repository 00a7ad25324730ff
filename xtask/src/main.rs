//! Checks that a machine can make: the same list, in the same order, here and in CI.
//!
//! ```text
//! cargo xtask check              all checks; clippy over libtorch's crates too when LIBTORCH is set
//! cargo xtask floors|lines|docs  one of the checks that need no compiler
//! cargo xtask examples [--torch] builds and runs every example, those that need libtorch only with --torch
//! ```

mod docs;
mod examples;
mod floors;
mod lines;
mod workspace;

use std::{process::ExitCode, time::Instant};
use workspace::Workspace;

/// What is wrong, one line each; empty when all is well.
type Findings = Vec<String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let passed = match words[..] {
        ["check"] => check(),
        ["floors"] => own("floors", floors::check),
        ["lines"] => own("lines", lines::check),
        ["docs"] => own("docs", docs::check),
        ["examples"] => examples::run(false),
        ["examples", "--torch"] => examples::run(true),
        _ => {
            eprintln!("usage: cargo xtask check | floors | lines | docs | examples [--torch]");
            return ExitCode::from(2);
        }
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All checks, each run although one before it failed.
fn check() -> bool {
    let clippy = ["clippy", "--release", "--all-targets"];
    let deny = ["--", "-D", "warnings"];
    let mut passed = cargo("fmt", &["fmt", "--all", "--check"]);
    passed &= cargo("clippy", &[&clippy[..], &deny].concat());
    if std::env::var_os("LIBTORCH").is_some() {
        let all = ["--workspace", "--features", "hybridrepair-cli/torch"];
        passed &= cargo("clippy with libtorch", &[&clippy[..], &all, &deny].concat());
    } else {
        println!("--> clippy with libtorch: left out, LIBTORCH is not set");
    }
    passed &= own("floors", floors::check);
    passed &= own("lines", lines::check);
    passed &= own("docs", docs::check);
    println!("--> {}", if passed { "all checks passed" } else { "some checks FAILED" });
    passed
}

/// One check of ours.
fn own(name: &str, check: fn(&Workspace) -> Findings) -> bool {
    let findings = match Workspace::load() {
        Ok(workspace) => check(&workspace),
        Err(why) => vec![why],
    };
    for finding in &findings {
        println!("error: {name}: {finding}");
    }
    println!("--> {name}: {}", if findings.is_empty() { "ok" } else { "FAILED" });
    findings.is_empty()
}

/// One command of cargo.
fn cargo(name: &str, arguments: &[&str]) -> bool {
    println!("--> {name}: cargo {}", arguments.join(" "));
    let began = Instant::now();
    let passed = match workspace::cargo().args(arguments).status() {
        Ok(status) => status.success(),
        Err(why) => {
            println!("error: cargo did not start: {why}");
            false
        }
    };
    println!("--> {name}: {} ({:.0} s)", if passed { "ok" } else { "FAILED" }, began.elapsed().as_secs_f64());
    passed
}
