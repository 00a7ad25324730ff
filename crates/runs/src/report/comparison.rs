//! Several runs in one document: the table with its intervals, differences, and what labels buy.

use super::{
    Align, Chart, Html, Line, Style, Table, Tone, count,
    document::{Section, assemble},
    duration,
    html::escaped,
    percent, points,
};
use crate::{Comparison, Row};
use hybridrepair_core::metrics::MeanInterval;
use std::fmt::Write;

/// The report of a comparison.
pub fn comparison_report(title: &str, table: &Comparison) -> String {
    let section = |id: &str, title: &str, html: Html| Section { id: id.into(), title: title.into(), html };
    let mut sections = vec![
        section("table", "Methods", methods(table)),
        section("differences", "Against the baseline", forest(table)),
    ];
    let curve = curve(table);
    if curve != Html::new() {
        sections.push(section("labels", "What labels buy", curve));
    }
    sections.push(section("runs", "Every run", runs(table)));
    let seeds = table.rows.iter().map(|r| r.seeds.len()).max().unwrap_or(0);
    let subtitle = format!(
        "{} rows, up to {seeds} seeds, {} holdout images, measured against {}",
        table.rows.len(),
        count(table.holdout as u64),
        table.baseline
    );
    assemble(title, &subtitle, &sections)
}

fn mean(row: &Row, of: fn(&crate::Cell) -> f64) -> f64 {
    row.seeds.iter().map(of).sum::<f64>() / row.seeds.len().max(1) as f64
}

fn with_interval(i: &MeanInterval) -> String {
    if i.half_width.is_finite() {
        let (low, high) = i.ends();
        format!("{} [{}, {}]", points(i.mean), points(low), points(high))
    } else {
        points(i.mean)
    }
}

fn methods(table: &Comparison) -> Html {
    let mut html = Html::new();
    let r = Align::Right;
    let against = format!("minus {} [95 %]", table.baseline);
    let mut out = Table::new(&[
        ("method", Align::Left),
        ("labels", r),
        ("seeds", r),
        ("accuracy", r),
        ("± sd", r),
        ("gain", r),
        (against.as_str(), r),
        ("repaired", r),
        ("broken", r),
        ("images trained", r),
        ("time", r),
    ]);
    let best = table.rows.iter().map(|r| r.after.mean).fold(f64::NEG_INFINITY, f64::max);
    for row in &table.rows {
        let difference = match &row.difference {
            Some(d) => with_interval(d),
            None if row.method == table.baseline => "baseline".to_owned(),
            None => String::new(),
        };
        let cells = [
            row.label.clone(),
            count(mean(row, |c| c.labels as f64) as u64),
            row.seeds.len().to_string(),
            percent(row.after.mean),
            if row.seeds.len() > 1 { format!("{:.2}", 100.0 * row.after.sd) } else { String::new() },
            points(row.gain.mean),
            difference,
            format!("{:.0}", mean(row, |c| c.repaired as f64)),
            format!("{:.0}", mean(row, |c| c.broken as f64)),
            count(mean(row, |c| c.images_trained as f64) as u64),
            duration(mean(row, |c| c.seconds)),
        ];
        if row.after.mean >= best { out.strong_row(cells) } else { out.row(cells) }
    }
    html.table(&out);
    html.hint(&format!(
        "Top-1 accuracy on {} holdout images; gain and differences in percentage points, paired by seed, with the 95 % interval \
         of Student's t over the seeds. The row with the highest mean is bold: where intervals overlap that says little.",
        count(table.holdout as u64)
    ));
    if table.rows.iter().any(|r| r.seeds.len() < 3) {
        html.note(
            Tone::Warning,
            "Some rows have fewer than three seeds: their intervals are very wide, or there is none.",
        );
    }
    html
}

/// A line per row with the difference and its interval.
fn forest(table: &Comparison) -> Html {
    let mut html = Html::new();
    let rows: Vec<(&Row, &MeanInterval)> =
        table.rows.iter().filter_map(|r| Some((r, r.difference.as_ref()?))).collect();
    if rows.is_empty() {
        html.paragraph("No run shares a seed with the baseline.");
        return html;
    }
    let reach = |i: &MeanInterval| if i.half_width.is_finite() { i.half_width } else { 0.0 };
    let low = rows.iter().map(|(_, d)| d.mean - reach(d)).fold(0.0, f64::min);
    let high = rows.iter().map(|(_, d)| d.mean + reach(d)).fold(0.0, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    let at = |v: f64| 2.0 + 96.0 * (v - low) / span;
    let mut out = String::from("<dl class=\"bar\">");
    for (row, d) in rows {
        let (label, half) = (escaped(&row.label), reach(d));
        let class = match (d.mean - half > 0.0, d.mean + half < 0.0) {
            (true, _) => "c2",
            (_, true) => "c3",
            _ => "c7",
        };
        let _ = write!(
            out,
            "<dt title=\"{label}\">{label}</dt><dd><svg viewBox=\"0 0 100 16\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <path class=\"axis\" d=\"M{0:.2} 0v16\" vector-effect=\"non-scaling-stroke\"/>\
             <path class=\"whisker {class}\" d=\"M{1:.2} 8H{2:.2}\" vector-effect=\"non-scaling-stroke\"/>\
             <path class=\"whisker {class}\" style=\"stroke-width:7\" d=\"M{3:.2} 8h.01\" stroke-linecap=\"round\" vector-effect=\"non-scaling-stroke\"/>\
             </svg><span>{4}</span></dd>",
            at(0.0),
            at(d.mean - half),
            at(d.mean + half),
            at(d.mean),
            with_interval(d)
        );
    }
    out.push_str("</dl>");
    html.markup(&out);
    html.hint(&format!(
        "Accuracy minus that of {}, in percentage points, paired by seed. Green: better, red: worse, grey: the interval holds 0.",
        table.baseline
    ));
    html
}

/// Accuracy over the labels that were bought.
fn curve(table: &Comparison) -> Html {
    let mut html = Html::new();
    let mut lines: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in table.rows.iter().filter(|r| mean(r, |c| c.labels as f64) > 0.0) {
        let name = [&row.method, &row.strategy, &row.trainer, &row.preset, &row.features];
        let name = name.map(String::as_str).join("\u{1f}");
        match lines.iter_mut().find(|(n, _)| *n == name) {
            Some((_, rows)) => rows.push(row),
            None => lines.push((name, vec![row])),
        }
    }
    if lines.is_empty() {
        return html;
    }
    let several = lines.iter().any(|(_, rows)| rows.len() > 1);
    let mut chart = Chart::new("accuracy by labels bought", "labels", "accuracy").shares();
    for (i, (_, rows)) in lines.iter_mut().enumerate() {
        rows.sort_by(|a, b| mean(a, |c| c.labels as f64).total_cmp(&mean(b, |c| c.labels as f64)));
        let points = rows.iter().map(|r| (mean(r, |c| c.labels as f64), r.after.mean)).collect();
        let ends =
            |r: &&Row| if r.after.half_width.is_finite() { r.after.ends() } else { (r.after.mean, r.after.mean) };
        // beyond the colours of the document lines are told apart by dashes
        let style = if several { [Style::Dotted, Style::Dashed][i / 8 % 2] } else { Style::Points };
        let name = if rows.len() > 1 { rows[0].method.clone() } else { rows[0].label.clone() };
        chart = chart.line(Line::new(name, points).intervals(rows.iter().map(ends).collect()).style(style));
    }
    if several {
        let most =
            lines.iter().flat_map(|(_, rows)| rows.iter()).map(|r| mean(r, |c| c.labels as f64)).fold(0.0, f64::max);
        if let Some(idle) = table.rows.iter().find(|r| r.method == "no-repair") {
            let flat = vec![(0.0, idle.after.mean), (most, idle.after.mean)];
            chart = chart.line(Line::new("no-repair", flat).style(Style::Dashed).color(7));
        }
    }
    html.chart(&chart);
    html.hint("Mean over the seeds with its 95 % interval. One budget makes points, several make curves.");
    html
}

fn runs(table: &Comparison) -> Html {
    let mut html = Html::new();
    let r = Align::Right;
    let mut out = Table::new(&[
        ("method", Align::Left),
        ("seed", r),
        ("labels", r),
        ("as deployed", r),
        ("before", r),
        ("after", r),
        ("difference", r),
        ("repaired", r),
        ("broken", r),
    ])
    .shown(30);
    for row in &table.rows {
        for c in &row.seeds {
            out.row([
                row.label.clone(),
                c.seed.to_string(),
                count(c.labels as u64),
                percent(c.raw),
                percent(c.before),
                percent(c.after),
                c.difference.map_or_else(String::new, points),
                c.repaired.to_string(),
                c.broken.to_string(),
            ]);
        }
    }
    html.table(&out);
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::example;

    #[test]
    fn a_comparison_has_its_table_its_differences_and_its_curve() {
        let mut all = Vec::new();
        for seed in [10, 20, 30] {
            let mut idle = example("no-repair", seed, 0.72);
            idle.labels_bought = 0;
            all.extend([idle, example("<i>hybrid</i>", seed, 0.78 + seed as f64 / 1000.0)]);
            let mut larger = example("<i>hybrid</i>", seed, 0.85);
            (larger.budget.count, larger.labels_bought) = (300, 300);
            all.push(larger);
        }
        let html = comparison_report("runs/compare", &Comparison::of(&all, "no-repair").unwrap());
        for id in ["table", "differences", "labels", "runs"] {
            assert!(html.contains(&format!("<section id=\"{id}\">")), "{id}");
        }
        assert!(!html.contains("<i>hybrid") && !html.contains("NaN") && !html.contains("inf "));
        assert!(html.contains("+8.0 [+5.5, +10.5]"), "the mean difference and its interval");
        let one = comparison_report("one", &Comparison::of(&all[1..2], "<i>hybrid</i>").unwrap());
        assert!(one.contains("No run shares a seed"));
    }
}
