use crate::{
    RunsError, read_config,
    report::{Align, Chart, Figure, Html, Line, Page, RunFolder, Style, Table, Tone, duration, percent},
};
use serde::{Deserialize, Serialize};

/// The search for a learning rate: how structure and loss answer to the rate, and which one was taken.
pub(super) struct LearningRate;

const PROBES: &str = "tune/probes.jsonl";
const CHOICE: &str = "tune/choice.toml";

/// What the page needs of a line of `probes.jsonl`.
#[derive(Debug, Deserialize)]
struct ProbeLine {
    lr: f64,
    wd: Option<f64>,
    seed: u64,
    epoch: usize,
    epochs: usize,
    z: Option<f64>,
    loss: Option<f64>,
    val_acc: Option<f64>,
    start_loss: f64,
}

/// What the page needs of `choice.toml`.
#[derive(Debug, Deserialize, Serialize)]
struct Choice {
    lr: f64,
    weight_decay: Option<f64>,
    method: String,
    reason: String,
    ended: String,
    runner_up: Option<f64>,
    objection: Option<String>,
    seed: u64,
    cost: Cost,
}

#[derive(Debug, Deserialize, Serialize)]
struct Cost {
    probes: usize,
    trained: usize,
    epochs: usize,
    seconds: f64,
}

/// A probe with the recipe's seed and weight decay.
#[derive(Debug, PartialEq)]
struct Probe {
    lr: f64,
    z: Option<f64>,
    /// NaN when training diverged.
    loss: f64,
    val: Option<f64>,
}

/// The probes of the curve, by rate; one that was trained twice counts as its last lines.
fn curve(lines: &[ProbeLine]) -> Vec<Probe> {
    let mut rates: Vec<f64> = lines.iter().filter(|l| l.seed == 0 && l.wd.is_none()).map(|l| l.lr).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let of = |lr: f64| {
        let mine = lines.iter().filter(|l| l.lr == lr && l.seed == 0 && l.wd.is_none()).collect::<Vec<_>>();
        let begin = mine.iter().rposition(|l| l.epoch == 1).unwrap_or(0);
        let mine = &mine[begin..];
        // as the search counts: an epoch that was not reached repeats the one before
        let (mut last, mut sum) = (1.0, 0.0);
        let planned = mine.first().map_or(1, |l| l.epochs.max(1));
        for epoch in 0..planned {
            last = mine.get(epoch).and_then(|l| l.z).unwrap_or(last);
            sum += last;
        }
        let read = mine.iter().any(|l| l.z.is_some());
        let end = mine.last().filter(|_| mine.len() == planned);
        Probe {
            lr,
            z: read.then_some(sum / planned as f64),
            loss: end.and_then(|l| l.loss).unwrap_or(f64::NAN),
            val: end.and_then(|l| l.val_acc),
        }
    };
    rates.into_iter().map(of).collect()
}

impl Page for LearningRate {
    fn name(&self) -> &'static str {
        "learning-rate"
    }

    fn title(&self) -> &'static str {
        "Learning rate"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[PROBES, CHOICE]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        let lines: Vec<ProbeLine> = run.lines(PROBES)?;
        let choice: Choice = read_config(&run.path(CHOICE))?;
        let probes = curve(&lines);
        let cost = format!("{} epochs, {} of one core", choice.cost.epochs, duration(choice.cost.seconds));
        let runner_up =
            choice.runner_up.map_or_else(|| "no runner-up".to_owned(), |lr| format!("next would be {lr:.2e}"));
        let mut figures = vec![
            Figure::new("learning rate", format!("{:.3e}", choice.lr), runner_up),
            Figure::new("trainings", choice.cost.trained.to_string(), cost),
        ];
        if let Some(wd) = choice.weight_decay {
            figures.insert(1, Figure::new("weight decay", format!("{wd:.2e}"), "by the validation split"));
        }
        html.figures(&figures);
        html.paragraph(&format!("Taken by {:?}: {}. It ended because {}.", choice.method, choice.reason, choice.ended));
        if let Some(why) = &choice.objection {
            html.note(Tone::Warning, &format!("The guard would refuse this rate: {why}."));
        }
        let mut charts = Vec::new();
        if probes.iter().any(|p| p.z.is_some()) {
            let z = probes.iter().map(|p| (p.lr, p.z.unwrap_or(f64::NAN))).collect();
            charts.push(
                Chart::new("Z: sides of layers without structure", "learning rate", "share")
                    .log_x()
                    .line(Line::new("Z", z).style(Style::Dotted))
                    .mark(choice.lr, "taken"),
            );
        }
        let loss = probes.iter().map(|p| (p.lr, p.loss)).collect();
        let start = lines.iter().filter(|l| l.seed == 0).map(|l| l.start_loss).next_back().unwrap_or(f64::NAN);
        let before = probes.iter().map(|p| (p.lr, start)).collect();
        charts.push(
            Chart::new("Training loss after the probe", "learning rate", "loss")
                .log_x()
                .line(Line::new("after", loss).style(Style::Dotted))
                .line(Line::new("before", before).style(Style::Dashed))
                .mark(choice.lr, "taken"),
        );
        html.charts(&charts);
        html.hint(
            "On the left the rate is too small to write anything into the weights: Z is 1. Where Z has just become flat lies the \
             rate to take, as long as the loss is low there: Z cannot see whether the network learns. A gap is a training that \
             diverged.",
        );
        let columns = [
            ("learning rate", Align::Right),
            ("Z", Align::Right),
            ("loss", Align::Right),
            ("validation", Align::Right),
        ];
        let mut table = Table::new(&columns).shown(30);
        for p in &probes {
            let z = p.z.map_or_else(String::new, |z| format!("{z:.3}"));
            let loss = if p.loss.is_finite() { format!("{:.4}", p.loss) } else { "diverged".to_owned() };
            let cells = [format!("{:.3e}", p.lr), z, loss, p.val.map(percent).unwrap_or_default()];
            if p.lr == choice.lr { table.strong_row(cells) } else { table.row(cells) }
        }
        html.table(&table);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diverged_probe_is_a_gap_and_a_repeated_one_counts_once() {
        let line = |lr, epoch, z: f64, loss| ProbeLine {
            lr,
            wd: None,
            seed: 0,
            epoch,
            epochs: 2,
            z: Some(z),
            loss,
            val_acc: Some(0.5),
            start_loss: 2.0,
        };
        let lines = [
            line(0.1, 1, 0.2, Some(1.0)),
            line(0.1, 2, 0.2, None),
            line(0.01, 1, 0.9, Some(9.0)),
            line(0.01, 1, 1.0, Some(1.5)),
            line(0.01, 2, 0.5, Some(1.25)),
        ];
        let curve = curve(&lines);
        assert_eq!(curve[0], Probe { lr: 0.01, z: Some(0.75), loss: 1.25, val: Some(0.5) });
        assert_eq!((curve[1].z, curve[1].loss.is_nan()), (Some(0.2), true));
    }
}
