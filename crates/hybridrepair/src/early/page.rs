//! The report as one HTML page with its charts inside.

use super::{ClassReport, EarlyReport, Rule, analysis::by_seed};
use hybridrepair_core::metrics::MeanInterval;
use hybridrepair_runs::report::{Align, Chart, Html, Line, Style, Table, document};
use std::fmt::Write as _;

pub(super) fn page(report: &EarlyReport) -> String {
    let [search, choice, test] = report.samples;
    let mut html = Html::new();
    html.paragraph(&format!(
        "{search} samples to search on, {choice} to choose by, {test} to judge by. Green: gained by the repair, orange: lost."
    ));
    html.heading("Best repaired checkpoint: before convergence / at it / none may be chosen");
    counts(&mut html, report);
    for class in &report.classes {
        section(&mut html, report, class);
    }
    document("Early repair", "repairs of the checkpoints of a training, compared", html)
}

fn counts(html: &mut Html, report: &EarlyReport) {
    let alphas: Vec<String> = report.alphas.iter().map(|alpha| format!("alpha {alpha}")).collect();
    let mut columns = vec![("method", Align::Left), ("rule", Align::Left)];
    columns.extend(alphas.iter().map(|a| (a.as_str(), Align::Right)));
    let mut table = Table::new(&columns);
    for (method, rules) in &report.counts {
        for (rule, slots) in rules {
            let mut cells = vec![method.clone(), words(*rule).to_owned()];
            cells.extend(slots.iter().map(|[before, at, none]| format!("{before} / {at} / {none}")));
            table.row(cells);
        }
    }
    html.table(&table);
}

/// What a rule does.
fn words(rule: Rule) -> &'static str {
    match rule {
        Rule::Published => "as published",
        Rule::Merged => "equal checkpoints merged",
        Rule::Guarded => "and without collapsed models",
        Rule::Chosen => "and chosen on samples of their own",
        Rule::Beyond => "and better beyond chance on the test",
    }
}

fn section(html: &mut Html, report: &EarlyReport, c: &ClassReport) {
    html.heading(&format!("Run {}, class {}: {}", c.run, c.class_name, c.method));
    let line = |name: &str, color, style, f: &dyn Fn(&super::EpochRow) -> f64| {
        Line::new(name, c.rows.iter().map(|r| (r.epoch as f64, f(r))).collect()).color(color).style(style)
    };
    let accuracy = Chart::new("accuracy on the test", "epoch of the checkpoint", "accuracy")
        .shares()
        .line(line("class", 7, Style::Dashed, &|r| r.base.class))
        .line(line("class repaired", 0, Style::Dotted, &|r| r.class.mean))
        .line(line("all", 1, Style::Dashed, &|r| r.base.total))
        .line(line("all repaired", 3, Style::Dotted, &|r| r.total.mean))
        .band(0, 1)
        .band(2, 3);
    let mut quality = Chart::new("quality on the test", "alpha: weight of the class", "quality").shares();
    for (i, r) in c.rows.iter().enumerate() {
        let style = if r.admissible.0 == 0 { Style::Dashed } else { Style::Solid };
        let ends = vec![(0.0, r.total.mean), (1.0, r.class.mean)];
        quality = quality.line(Line::new(format!("epoch {}", r.epoch), ends).color(i).style(style));
    }
    html.charts(&[accuracy, quality]);
    html.table(&epochs(c));
    let mut text = String::new();
    for v in &c.intervals {
        let _ = write!(text, "alpha {:.3} to {:.3}: epoch {}. ", v.from, v.to, c.rows[v.index].epoch);
    }
    let _ = write!(text, "The features say to switch at epoch {}; regret ", c.switch_epoch);
    for (alpha, regret) in report.alphas.iter().zip(&c.regret) {
        let _ = write!(text, "{:.1} points at alpha {alpha}, ", 100.0 * regret);
    }
    text += "against the best in hindsight.";
    html.paragraph(&text);
}

fn epochs(c: &ClassReport) -> Table {
    let r = Align::Right;
    let mut table = Table::new(&[
        ("epoch", r),
        ("group", r),
        ("class, all", r),
        ("repaired: class", r),
        ("all", r),
        ("repair rate", r),
        ("break rate", r),
        ("above threshold", r),
        ("may be chosen", r),
        ("probe, head", r),
        ("objections", Align::Left),
    ]);
    let pc = |v: f64| format!("{:.1}", 100.0 * v);
    let spread = |m: &MeanInterval| {
        let wide = m.half_width.is_finite() && by_seed(&c.method);
        if wide { format!("{} ± {}", pc(m.mean), pc(m.half_width)) } else { pc(m.mean) }
    };
    for (r, ready) in c.rows.iter().zip(&c.readiness) {
        table.row([
            r.epoch.to_string(),
            r.group.to_string(),
            format!("{}, {}", pc(r.base.class), pc(r.base.total)),
            spread(&r.class),
            spread(&r.total),
            spread(&r.rr),
            spread(&r.br),
            spread(&r.above),
            format!("{} of {}", r.admissible.0, r.admissible.1),
            format!("{:.3}, {:.3}", ready.probe, ready.head),
            r.objections.join("; "),
        ]);
    }
    table
}
