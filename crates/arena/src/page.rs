//! The report as a page: ranking, performance profile, and what the probes saw.

use crate::{Plan, Scores, Seen, Standings, Trial, profile};
use hybridrepair_runs::report::{Align, Chart, Figure, Html, Line, Style, Table, document};

/// Entries with a curve of their own.
const ENTRIES: usize = 6;
/// Tasks with a chart of their own.
const TASKS: usize = 20;
/// Largest time over the best entry's that the profile shows.
const FARTHEST: f64 = 32.0;

/// The whole file `report.html`; `seen` gives what the probes of a run saw.
pub(crate) fn page(plan: &Plan, trials: &[Trial], seen: &dyn Fn(&Trial) -> Vec<Seen>, standings: &Standings) -> String {
    let scores = standings.ranking();
    let mut html = Html::new();
    if let [best, ..] = &scores.entries[..] {
        html.figures(&[
            Figure::new("first", best.entry.clone(), format!("{:.2} times as fast as {}", best.score, scores.baseline)),
            Figure::new(
                "tasks solved",
                format!("{} of {}", best.solved, scores.tasks),
                format!("{} failed runs", best.failed_runs),
            ),
            Figure::new(
                "95 % interval",
                format!("{:.2} to {:.2}", best.interval.0, best.interval.1),
                "bootstrap over the repeats",
            ),
        ]);
    }
    for scores in [&standings.work, &standings.wall] {
        let ranks = if scores.clock == standings.ranked_by { ", which ranks" } else { "" };
        html.heading(&format!("By {}{ranks}", scores.clock.name()));
        html.hint("Score: harmonic mean over the tasks of the speed-up over the baseline. A failed run is charged twice the limit.");
        html.table(&ranking(scores));
        html.chart(&profiles(scores));
        html.hint("Of all tasks, how many does an entry solve within so many times the time of the best one?");
    }
    html.heading("What the probes saw");
    html.hint("Loss on the target split over work, first repeat; the dashed line is the target.");
    let shown: Vec<&str> = scores.entries.iter().take(ENTRIES).map(|s| s.entry.as_str()).collect();
    let charts: Vec<Chart> = plan
        .tasks
        .iter()
        .take(TASKS)
        .map(|task| {
            let chart = Chart::new(task.name.clone(), "work", "loss").log_x();
            let (mut from, mut to) = (f64::INFINITY, 0.0f64);
            let mut chart = shown.iter().enumerate().fold(chart, |chart, (color, entry)| {
                let of = trials.iter().find(|t| t.task == task.name && t.entry == **entry && t.seed == plan.seed);
                let points: Vec<(f64, f64)> = of.map_or(Vec::new(), seen).iter().map(|s| (s.work, s.loss)).collect();
                for (work, _) in &points {
                    (from, to) = (from.min(*work), to.max(*work));
                }
                if points.is_empty() {
                    chart
                } else {
                    chart.line(Line::new(*entry, points).style(Style::Solid).color(color))
                }
            });
            if from < to {
                let line = Line::new("target", vec![(from, task.target), (to, task.target)]);
                chart = chart.line(line.style(Style::Dashed).color(ENTRIES));
            }
            chart
        })
        .collect();
    html.charts(&charts);
    let subtitle = format!(
        "{} tasks, {} repeats, hybridrepair {} on {}",
        plan.tasks.len(),
        plan.repeats,
        plan.hybridrepair,
        plan.machine.processor
    );
    document(&format!("Arena: {}", plan.suite), &subtitle, html)
}

fn ranking(scores: &Scores) -> Table {
    let mut table = Table::new(&[
        ("entry", Align::Left),
        ("solved", Align::Right),
        ("score", Align::Right),
        ("95 %", Align::Right),
        ("failed runs", Align::Right),
    ]);
    for s in &scores.entries {
        let (low, high) = s.interval;
        table.row([
            s.entry.clone(),
            format!("{} of {}", s.solved, scores.tasks),
            format!("{:.2}", s.score),
            format!("{low:.2} to {high:.2}"),
            s.failed_runs.to_string(),
        ]);
    }
    table
}

/// Steps at every time at which an entry solves one task more.
fn profiles(scores: &Scores) -> Chart {
    let chart =
        Chart::new(format!("Performance profile by {}", scores.clock.name()), "times the best", "share of tasks")
            .shares()
            .log_x();
    scores.entries.iter().take(ENTRIES).enumerate().fold(chart, |chart, (color, s)| {
        let ratios: Vec<f64> = s.ratios.values().map(|r| r.unwrap_or(f64::INFINITY)).collect();
        let mut taus: Vec<f64> = ratios.iter().copied().filter(|r| *r <= FARTHEST).chain([1.0, FARTHEST]).collect();
        taus.sort_by(f64::total_cmp);
        let mut points = Vec::new();
        let mut before = profile(&ratios, 1.0);
        for tau in taus {
            points.push((tau, before));
            before = profile(&ratios, tau);
            points.push((tau, before));
        }
        chart.line(Line::new(s.entry.clone(), points).style(Style::Solid).color(color))
    })
}
