use super::asked;
use crate::{Exit, Failure, args::LabelServeArgs, say};
use hybridrepair_runs::{Layout, RunDir};
use hybridrepair_serve::{LabelServer, ServeOptions};
use std::process::ExitCode;

/// `label serve`: until it is stopped.
pub(super) fn run(args: &LabelServeArgs) -> Result<ExitCode, Failure> {
    let asked = asked(&args.run)?;
    if Layout::new(&args.run).summary().is_file() {
        return Err(
            Failure::new(Exit::Usage, format!("this run is complete: {}", args.run.display())).help("begin a new run")
        );
    }
    let dir = RunDir::open(&args.run)?;
    let pictures = asked.images.len();
    let options = ServeOptions {
        port: args.port,
        new_address: args.new_address,
        show_prediction: args.show_prediction,
        ..ServeOptions::default()
    };
    let server = LabelServer::bind(dir, asked, &options)?;
    let run = args.run.display();
    say!("{}", server.address());
    say!(
        "{pictures} pictures to label. Open this address in a browser on this machine; it is a secret of those who label."
    );
    say!("On another machine: ssh -L {0}:127.0.0.1:{0} THIS-MACHINE, and the same address there.", server.port());
    say!("Every answer is saved at once. Stop with Ctrl-C, then: hybridrepair label status {run}");
    server.run()
}
