//! The report as one HTML page with its charts inside.

use super::{ClassReport, EarlyReport, Rule, analysis::by_seed};
use hybridrepair_patch::early::{Band, Chart, Line, render};
use std::fmt::Write;

const STYLE: &str = "body{font:14px sans-serif;margin:2em;max-width:1100px}table{border-collapse:collapse;margin:.5em 0}\
td,th{border:1px solid #ccc;padding:2px 8px;text-align:right}th:first-child,td:first-child{text-align:left}\
svg{margin:4px}";

/// Of the checkpoints, from early to late.
const COLORS: [&str; 7] = ["#1d3557", "#457b9d", "#2a9d8f", "#8ab17d", "#e9c46a", "#f4a261", "#e76f51"];

pub(super) fn page(report: &EarlyReport) -> String {
    let [search, choice, test] = report.samples;
    let mut html = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Early repair</title><style>{STYLE}</style><h1>Early repair</h1>\
         <p>{search} samples to search on, {choice} to choose by, {test} to judge by. Green: gained by the repair, red: \
         lost.</p><h2>Best repaired checkpoint: before convergence / at it / none may be chosen</h2>"
    );
    counts(&mut html, report);
    for class in &report.classes {
        section(&mut html, report, class);
    }
    html
}

fn counts(html: &mut String, report: &EarlyReport) {
    html.push_str("<table><tr><th>method</th><th>rule</th>");
    for alpha in &report.alphas {
        let _ = write!(html, "<th>alpha {alpha}</th>");
    }
    html.push_str("</tr>");
    for (method, rules) in &report.counts {
        for (rule, slots) in rules {
            let _ = write!(html, "<tr><td>{method}</td><td>{}</td>", words(*rule));
            for [before, at, none] in slots {
                let _ = write!(html, "<td>{before} / {at} / {none}</td>");
            }
            html.push_str("</tr>");
        }
    }
    html.push_str("</table>");
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

fn section(html: &mut String, report: &EarlyReport, c: &ClassReport) {
    let _ = write!(html, "<h2>Run {}, class {}: {}</h2>", c.run, escaped(&c.class_name), escaped(&c.method));
    let line = |name: &str, color, dashed, f: &dyn Fn(&super::EpochRow) -> f64| Line {
        name: name.to_owned(),
        points: c.rows.iter().map(|r| (r.epoch as f64, f(r))).collect(),
        color,
        dashed,
    };
    let accuracy = Chart {
        title: "accuracy on the test, %".to_owned(),
        x_label: "epoch of the checkpoint".to_owned(),
        lines: vec![
            line("class", "#888", true, &|r| r.base.class),
            line("class repaired", "#1d3557", false, &|r| r.class.mean),
            line("all", "#e0a030", true, &|r| r.base.total),
            line("all repaired", "#e76f51", false, &|r| r.total.mean),
        ],
        bands: vec![Band { base: 0, other: 1 }, Band { base: 2, other: 3 }],
    };
    let quality = Chart {
        title: "quality on the test, %".to_owned(),
        x_label: "alpha: weight of the class".to_owned(),
        lines: c
            .rows
            .iter()
            .enumerate()
            .map(|(i, r)| Line {
                name: format!("epoch {}", r.epoch),
                points: vec![(0.0, r.total.mean), (1.0, r.class.mean)],
                color: COLORS[i % COLORS.len()],
                dashed: r.admissible.0 == 0,
            })
            .collect(),
        bands: Vec::new(),
    };
    let _ = write!(html, "{}{}", render(&accuracy), render(&quality));
    html.push_str(
        "<table><tr><th>epoch</th><th>group</th><th>class, all</th><th>repaired: class</th><th>all</th><th>repair rate</th>\
         <th>break rate</th><th>above threshold</th><th>may be chosen</th><th>probe, head</th><th>objections</th></tr>",
    );
    for (r, ready) in c.rows.iter().zip(&c.readiness) {
        let pc = |v: f64| format!("{:.1}", 100.0 * v);
        let spread = |m: &hybridrepair_core::metrics::MeanInterval| {
            let wide = if m.half_width.is_finite() && by_seed(&c.method) {
                format!(" ± {}", pc(m.half_width))
            } else {
                String::new()
            };
            format!("{}{wide}", pc(m.mean))
        };
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}, {}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{} of {}</td>\
             <td>{:.3}, {:.3}</td><td>{}</td></tr>",
            r.epoch,
            r.group,
            pc(r.base.class),
            pc(r.base.total),
            spread(&r.class),
            spread(&r.total),
            spread(&r.rr),
            spread(&r.br),
            spread(&r.above),
            r.admissible.0,
            r.admissible.1,
            ready.probe,
            ready.head,
            escaped(&r.objections.join("; "))
        );
    }
    html.push_str("</table><p>");
    for v in &c.intervals {
        let _ = write!(html, "alpha {:.3} to {:.3}: epoch {}. ", v.from, v.to, c.rows[v.index].epoch);
    }
    let _ = write!(html, "The features say to switch at epoch {}; regret ", c.switch_epoch);
    for (alpha, regret) in report.alphas.iter().zip(&c.regret) {
        let _ = write!(html, "{:.1} points at alpha {alpha}, ", 100.0 * regret);
    }
    html.push_str("against the best in hindsight.</p>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
