//! A comparison of repairs as one HTML file.

use super::compare::cells;
use hybridrepair_patch::Comparison;
use hybridrepair_runs::report::{Align, Chart, Html, Line, Style, Table, count, document};

/// What a comparison says, with its trade-off drawn.
pub(super) fn page(done: &Comparison, class: &str, data: &str, labels: usize) -> String {
    let mut html = Html::new();
    let seeds = done.methods.first().map_or(0, |m| m.runs.len());
    html.paragraph(&format!(
        "{} wrong test samples of the class and {} right ones of all classes; {seeds} seeds, each with a cut of the {} labels \
         of its own.",
        count(done.negatives as u64),
        count(done.positives as u64),
        count(labels as u64)
    ));
    html.chart(&tradeoff(done));
    html.hint(
        "Each point is a method with one weight of the wrong samples, the mean over the seeds. The line is what raising the \
         bias of the class does to the same test samples: a repair is worth its search where it lies above.",
    );
    let r = Align::Right;
    let mut table = Table::new(&[
        ("method", Align::Left),
        ("lambda", r),
        ("weights", r),
        ("repair rate", r),
        ("break rate", r),
        ("above threshold", r),
        ("class", r),
        ("all", r),
        ("refused", r),
    ]);
    for method in &done.methods {
        table.row(cells(method));
    }
    html.table(&table);
    html.hint("Per cent and points: mean and half the 95 % interval over the seeds.");
    document(&format!("Repairs of class {class}"), data, html)
}

fn tradeoff(done: &Comparison) -> Chart {
    let curve = done.curve.iter().map(|p| (100.0 * p.br, p.rr)).collect();
    let mut chart = Chart::new("repaired against broken on the test", "break rate, %", "repair rate")
        .shares()
        .line(Line::new("moved threshold", curve).color(7));
    let mut names = done.methods.iter().map(|m| m.method.as_str()).collect::<Vec<_>>();
    names.dedup();
    for (color, name) in names.into_iter().enumerate() {
        let own = done.methods.iter().filter(|m| m.method == name);
        let points = own.clone().map(|m| (100.0 * m.br.mean, m.rr.mean)).collect();
        let wide =
            own.map(|m| if m.rr.half_width.is_finite() { m.rr.ends() } else { (m.rr.mean, m.rr.mean) }).collect();
        chart = chart.line(Line::new(name, points).style(Style::Points).color(color).intervals(wide));
    }
    chart
}
