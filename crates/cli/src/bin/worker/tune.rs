//! `tune lr`: finds a learning rate.

use crate::{
    failure::failure,
    progress::Terminal,
    recipe::{train_settings, tune_config},
    repair::run_dir,
    show,
};
use hybridrepair::{TuneConfig, Tuned, tune, tuning::Guard};
use hybridrepair_cli::{Exit, Failure, args::TuneLrArgs, say};
use hybridrepair_runs::{Environment, Layout, RunDir, read_config, write_atomic, write_config, write_json};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use toml::Table;

/// `tune lr`
pub(crate) fn run(args: &TuneLrArgs) -> Result<ExitCode, Failure> {
    let whole = |path: &Option<PathBuf>| {
        path.as_deref().map(std::path::absolute).transpose().map_err(|e| Failure::new(Exit::Unexpected, e))
    };
    let train = train_settings(&args.setting, Table::new())?;
    let mut config = tune_config(&args.search, train);
    (config.checkpoint, config.torchscript) = (whole(&args.checkpoint)?, whole(&args.torchscript)?);
    let dir = if args.resume {
        let Some(path) = &args.output.output_dir else {
            return Err(Failure::new(Exit::Usage, "--resume needs --output-dir").help("name the folder of the search"));
        };
        let dir = RunDir::open(path)?;
        config = read_config::<TuneConfig>(&Layout::new(path).config())?;
        dir
    } else {
        config.check().map_err(failure)?;
        run_dir(&args.output, &format!("tune-{}-{}", config.train.data.name, config.train.model))?
    };
    write_config(&dir.layout().config(), &config)?;
    let mut terminal = Terminal::new(args.output.no_progress, args.output.quiet || args.output.json);
    let mut env = Environment::of_this_process(&config.train.device, config.train.threads.unwrap_or(0));
    env.libraries.insert("libtorch".to_owned(), hybridrepair::torch::libtorch_version());
    write_json(&dir.layout().environment(), &env)?;
    let tuned = tune(&config, &dir.layout().tune(), &mut terminal).map_err(failure)?;
    if let Some(file) = &args.write {
        write_recipe(file, &config, &tuned)?;
    }
    if args.output.json {
        show::json(&json!({ "choice": tuned.choice, "curve": curve(&tuned), "files": dir.layout().tune() }))?;
    } else {
        print(&tuned);
        say!("files: {}", dir.layout().tune().display());
        if let Some(file) = &args.write {
            say!("recipe: {}", file.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The recipe with the found rate.
fn write_recipe(file: &Path, config: &TuneConfig, tuned: &Tuned) -> Result<(), Failure> {
    let choice = &tuned.choice;
    let recipe = hybridrepair::with_choice(&config.train, choice);
    let text = toml::to_string_pretty(&recipe).map_err(|e| Failure::new(Exit::Unexpected, e))?;
    let head = format!("# Learning rate found by `tune lr --method {}`: {}.\n\n", choice.method, choice.reason);
    Ok(write_atomic(file, (head + &text).as_bytes())?)
}

/// A row per probe.
fn curve(tuned: &Tuned) -> Vec<serde_json::Value> {
    let best = tuned.probes.iter().map(hybridrepair::tuning::Probe::loss).fold(f64::INFINITY, f64::min);
    let row = |p: &hybridrepair::tuning::Probe| {
        let z = p.epochs.iter().any(|e| e.z.is_some()).then(|| p.z());
        json!({
            "lr": p.point.lr, "weight_decay": p.point.wd, "seed": p.point.seed, "z": z,
            "loss": Some(p.loss()).filter(|l| l.is_finite()), "val_acc": p.accuracy(), "seconds": p.seconds,
            "verdict": Guard::default().objection(p, best).unwrap_or_default(),
        })
    };
    tuned.probes.iter().map(row).collect()
}

/// The curve as a table and a line, the choice with its reason, and what it cost.
pub(crate) fn print(tuned: &Tuned) {
    let choice = &tuned.choice;
    let probes = &tuned.probes;
    let best = probes.iter().map(hybridrepair::tuning::Probe::loss).fold(f64::INFINITY, f64::min);
    let with_z = probes.iter().any(|p| p.epochs.iter().any(|e| e.z.is_some()));
    say!("{:>10}  {:>9}  {:>6}  {:>8}  {:>7}  verdict", "lr", "decay", "Z", "loss", "val");
    for p in probes {
        let z = if with_z { format!("{:.3}", p.z()) } else { "-".to_owned() };
        let decay = p.point.wd.map_or_else(|| "recipe".to_owned(), |wd| format!("{wd:.1e}"));
        let taken = p.point.lr == choice.lr && (p.point.wd == choice.weight_decay || choice.weight_decay.is_none());
        let verdict =
            Guard::default().objection(p, best).unwrap_or_else(|| if taken { "taken".into() } else { "good".into() });
        let again = if p.point.seed == 0 { "" } else { " (another seed)" };
        let val = 100.0 * p.accuracy();
        say!("{:>10.3e}  {decay:>9}  {z:>6}  {:>8.4}  {val:>5.1} %  {verdict}{again}", p.point.lr, p.loss());
    }
    let first = probes.iter().filter(|p| p.point.seed == 0).collect::<Vec<_>>();
    if with_z {
        say!("Z     {}", sparkline(&first.iter().map(|p| p.z()).collect::<Vec<_>>()));
    }
    say!("loss  {}", sparkline(&first.iter().map(|p| p.loss()).collect::<Vec<_>>()));
    say!("learning rate {:.3e}: {}", choice.lr, choice.reason);
    if let Some(wd) = choice.weight_decay {
        say!("weight decay {wd:.3e}");
    }
    say!("ended because {}", choice.ended);
    if let Some(why) = &choice.objection {
        say!("WARNING: the guard would refuse this rate: {why}");
    }
    let cost = choice.cost;
    say!("cost: {} probes, {} epochs of training, {:.0} s of one core", cost.trained, cost.epochs, cost.seconds);
}

/// Numbers as bars of eight heights; what is not finite as a cross.
fn sparkline(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let finite = values.iter().copied().filter(|v| v.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let bar = |v: f64| match v {
        v if !v.is_finite() => 'x',
        v if high > low => BARS[((v - low) / (high - low) * 7.0).round() as usize],
        _ => BARS[0],
    };
    values.iter().copied().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::sparkline;

    #[test]
    fn bars() {
        assert_eq!(sparkline(&[0.0, 0.5, 1.0, f64::INFINITY]), "▁▅█x");
        assert_eq!(sparkline(&[2.0, 2.0]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }
}
