//! The program with libtorch. `hybridrepair` starts it with its own arguments for every command that needs a model.

mod arena;
mod compare;
mod doctor;
mod early;
mod embed;
mod env;
mod evaluate;
mod export;
mod failure;
mod patch;
mod plan;
mod pretrain;
mod progress;
mod recipe;
mod repair;
mod show;
mod train;
mod tune;

use clap::Parser;
use hybridrepair_cli::{
    Failure,
    args::{Cli, Command, TuneCommand},
    end_with_parent, light,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    end_with_parent(hybridrepair::torch::leave_at_once);
    run(&cli.command).unwrap_or_else(|failure| {
        failure.print();
        failure.exit.into()
    })
}

fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Repair(args) => repair::run(args),
        Command::Resume(args) => repair::resume(args),
        Command::Compare(args) => compare::run(args),
        Command::Train(args) => train::run(args),
        Command::Tune { command: TuneCommand::Lr(args) } | Command::TuneLr(args) => tune::run(args),
        Command::Pretrain(args) => pretrain::run(args),
        Command::Embed(args) => embed::run(args),
        Command::Early(args) => early::run(args),
        Command::Arena { command } if command.needs_torch() => arena::run(command),
        Command::Patch { command } => patch::run(command),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Export(args) if args.numbers.is_none() => export::run(args),
        Command::Env { json } => env::run(*json),
        light => light::run(light),
    }
}
