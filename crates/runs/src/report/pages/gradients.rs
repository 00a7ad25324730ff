use crate::{
    Event, EventLine, RunsError, layout,
    report::{Align, Chart, Html, Line, Page, RunFolder, Style, Table, Tone},
};
use serde::Deserialize;

/// Gradient norms per layer over time, and the stretch in which a problem was seen.
pub(super) struct Gradients;

/// Layers of one chart: with more, some are passed over evenly, the first and the last never.
const LAYERS: usize = 8;

/// What this page reads of a line of `readings.jsonl`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ReadingLine {
    Facts(serde::de::IgnoredAny),
    Reading(Reading),
}

#[derive(Deserialize)]
struct Reading {
    epoch: usize,
    #[serde(default)]
    probe: Option<Probe>,
}

#[derive(Deserialize)]
struct Probe {
    layers: Vec<Layer>,
    zeros: Option<f64>,
}

#[derive(Deserialize)]
struct Layer {
    name: String,
    gradient: Option<f64>,
    #[serde(default)]
    dead: Option<f64>,
}

/// A problem as the events tell it.
struct Flag {
    training: String,
    name: String,
    epoch: usize,
    since: usize,
    evidence: String,
}

impl Page for Gradients {
    fn name(&self) -> &'static str {
        "gradients"
    }

    fn title(&self) -> &'static str {
        "Gradients"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[layout::READINGS]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        let lines: Vec<ReadingLine> = run.lines(layout::READINGS)?;
        let readings = lines.into_iter().filter_map(|line| match line {
            ReadingLine::Reading(reading) => Some(reading),
            ReadingLine::Facts(_) => None,
        });
        let probes = readings.filter_map(|r| r.probe.map(|p| (r.epoch + 1, p))).collect::<Vec<_>>();
        let events: Vec<EventLine> = if run.has(layout::EVENTS) { run.lines(layout::EVENTS)? } else { Vec::new() };
        let flags = flags(&events);
        for flag in flags.iter().filter(|f| is_first(&f.training)) {
            html.note(Tone::Warning, &format!("{} after epoch {}: {}", flag.name, flag.epoch, flag.evidence));
        }
        if probes.len() > 1 {
            html.charts(&charts(&probes, flags.iter().find(|f| is_first(&f.training))));
            html.hint(
                "Norms of each layer's gradient on the same samples, after the updates of an epoch. Lines that fall apart by \
                 powers of ten, the input side lowest, are a vanishing gradient; marks show where the rules saw a problem.",
            );
        }
        attempts(&events, html);
        Ok(())
    }
}

/// Whether a training is the run's own and not an attempt at its repair.
fn is_first(training: &str) -> bool {
    matches!(training, "before" | "train")
}

fn flags(events: &[EventLine]) -> Vec<Flag> {
    let problems = events.iter().filter_map(|line| match &line.event {
        Event::Problem { training, name, epoch, since, evidence } => Some(Flag {
            training: training.clone(),
            name: name.clone(),
            epoch: *epoch,
            since: *since,
            evidence: evidence.clone(),
        }),
        _ => None,
    });
    problems.collect()
}

fn charts(probes: &[(usize, Probe)], flag: Option<&Flag>) -> Vec<Chart> {
    let names = probes.first().map(|(_, p)| p.layers.iter().map(|l| l.name.clone()).collect()).unwrap_or_default();
    let shown = some_of(names);
    let of = |value: &dyn Fn(&Layer) -> Option<f64>, layer: &str| {
        let at = |p: &Probe| p.layers.iter().find(|l| l.name == layer).and_then(value).unwrap_or(f64::NAN);
        probes.iter().map(|(epoch, p)| (*epoch as f64, at(p))).collect::<Vec<_>>()
    };
    let marked = |mut chart: Chart| {
        if let Some(flag) = flag {
            chart = chart.mark(flag.since as f64, "seen since").mark(flag.epoch as f64, &flag.name);
        }
        chart
    };
    // a norm of 0 has no place on a logarithmic axis
    let norm = |l: &Layer| l.gradient.filter(|g| *g > 0.0);
    let mut norms = Chart::new("Gradient norm per layer", "epoch", "norm").log_y();
    for (i, layer) in shown.iter().enumerate() {
        norms = norms.line(Line::new(layer, of(&norm, layer)).style(Style::Solid).color(i));
    }
    let mut charts = vec![marked(norms)];
    if probes.iter().any(|(_, p)| p.layers.iter().any(|l| l.dead.is_some())) {
        let mut dead = Chart::new("Units that give 0 to every sample", "epoch", "share").shares();
        for (i, layer) in shown.iter().enumerate() {
            dead = dead.line(Line::new(layer, of(&|l: &Layer| l.dead, layer)).style(Style::Solid).color(i));
        }
        let zeros = probes.iter().map(|(epoch, p)| (*epoch as f64, p.zeros.unwrap_or(f64::NAN))).collect();
        dead = dead.line(Line::new("zero gradient entries", zeros).style(Style::Dotted));
        charts.push(marked(dead));
    }
    charts
}

/// At most [`LAYERS`] of the names, evenly spread, with both ends.
fn some_of(names: Vec<String>) -> Vec<String> {
    let n = names.len();
    if n <= LAYERS {
        return names;
    }
    (0..LAYERS).map(|i| names[i * (n - 1) / (LAYERS - 1)].clone()).collect()
}

/// The trainings of changed plans.
fn attempts(events: &[EventLine], html: &mut Html) {
    let mut table = Table::new(&[
        ("round", Align::Right),
        ("problem", Align::Left),
        ("remedy", Align::Left),
        ("change", Align::Left),
        ("accuracy", Align::Right),
        ("verdict", Align::Left),
        ("seconds", Align::Right),
    ]);
    for line in events {
        let Event::Attempt { round, problem, remedy, change, val_acc, verdict, seconds, .. } = &line.event else {
            continue;
        };
        let acc = val_acc.map_or("-".to_owned(), |a| format!("{:.2} %", 100.0 * a));
        table.row(vec![
            round.to_string(),
            problem.clone(),
            remedy.clone(),
            change.clone(),
            acc,
            verdict.clone(),
            format!("{seconds:.1}"),
        ]);
    }
    if !table.is_empty() {
        html.heading("Changed plans that were trained");
        html.table(&table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_shown_of_many_layers() {
        let names = (0..35).map(|i| i.to_string()).collect::<Vec<_>>();
        let shown = some_of(names.clone());
        assert_eq!((shown.len(), shown[0].as_str(), shown[LAYERS - 1].as_str()), (LAYERS, "0", "34"));
        assert_eq!(some_of(names[..3].to_vec()).len(), 3);
    }
}
