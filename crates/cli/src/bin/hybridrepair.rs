//! The light program: parses the arguments, runs what needs no libtorch, and hands the rest to the worker.

use clap::Parser;
use hybridrepair_cli::{args::Cli, hand_over, light};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = if cli.command.needs_torch() { hand_over() } else { light::run(&cli.command) };
    ended.unwrap_or_else(|failure| {
        failure.print();
        failure.exit.into()
    })
}
