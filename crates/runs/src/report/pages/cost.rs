use crate::{
    Environment, LedgerLine, RunsError, Summary, layout,
    report::{Align, Figure, Html, Page, RunFolder, Table, count, duration, percent},
};
use hybridrepair_core::Purpose;

/// What the run has cost, and what a repetition needs.
pub(super) struct Cost;

impl Page for Cost {
    fn name(&self) -> &'static str {
        "cost"
    }

    fn title(&self) -> &'static str {
        "Cost and how to repeat it"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[layout::ENVIRONMENT]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        if run.has(layout::SUMMARY) {
            spent(run, html, &Summary::read(&run.layout().summary())?)?;
        }
        let env: Environment = run.json(layout::ENVIRONMENT)?;
        html.heading("Command");
        html.code(&env.command.iter().map(|a| quoted(a)).collect::<Vec<_>>().join(" "));
        let mut table = Table::new(&[("what", Align::Left), ("value", Align::Left)]);
        table.row(["hybridrepair", &env.hybridrepair]);
        table.row(["begun", &env.started]);
        table.row(["system", &format!("{} on {}", env.os, env.arch)]);
        table.row(["device", &format!("{}, {} threads", env.device, env.threads)]);
        for (name, version) in &env.libraries {
            table.row([name, version]);
        }
        html.table(&table);
        let config = std::fs::read_to_string(run.layout().config()).unwrap_or_default();
        if !config.is_empty() {
            html.details("config.toml: every setting, defaults written out", |inner| inner.code(&config));
        }
        Ok(())
    }
}

fn spent(run: &RunFolder, html: &mut Html, s: &Summary) -> Result<(), RunsError> {
    let total: f64 = s.seconds.values().sum();
    let lines: Vec<LedgerLine> = run.lines(layout::LEDGER)?;
    let answers = lines.iter().filter(|l| l.idx.is_some() && matches!(l.purpose, Purpose::Annotate | Purpose::Judge));
    let timed: Vec<f64> = answers.filter_map(|l| l.seconds).collect();
    let labels = if timed.is_empty() {
        format!("of a budget of {}", count(s.budget.count as u64))
    } else {
        format!("{:.1} s of a person per answer", timed.iter().sum::<f64>() / timed.len() as f64)
    };
    html.figures(&[
        Figure::new("labels", count(s.labels_bought as u64), labels),
        Figure::new("time", duration(total), format!("on {} with {} threads", s.device, s.threads)),
        Figure::new("images trained", count(s.images_trained), "images times backward passes"),
        Figure::new("images predicted", count(s.images_forward), "forward passes alone"),
    ]);
    let mut table = Table::new(&[("stage", Align::Left), ("time", Align::Right), ("share", Align::Right)]);
    let mut stages: Vec<_> = s.seconds.iter().collect();
    stages.sort_by(|a, b| b.1.total_cmp(a.1));
    for (stage, seconds) in stages {
        table.row([stage.clone(), duration(*seconds), percent(seconds / total.max(1e-9))]);
    }
    html.table(&table);
    Ok(())
}

/// An argument as a shell takes it.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,%+@".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_shell_takes_arguments_as_they_were() {
        assert_eq!(super::quoted("--budget=1%"), "--budget=1%");
        assert_eq!(super::quoted("my dogs' photos"), "'my dogs'\\'' photos'");
        assert_eq!(super::quoted(""), "''");
    }
}
