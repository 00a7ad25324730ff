//! The report as one HTML page with its charts inside.

use super::{ClassReport, EarlyConfig, EarlyReport, EpochRow, Rule, analysis::by_seed};
use hybridrepair_core::metrics::MeanInterval;
use hybridrepair_patch::METHODS;
use hybridrepair_runs::report::{
    Align, Chart, Figure, Html, Line, Part, Stacks, Style, Table, count, document_of, percent,
};
use std::{collections::BTreeMap, fmt::Write as _};

/// Kinds of outcome with their colours.
const KINDS: [(&str, usize); 3] = [("before convergence", 1), ("at convergence", 0), ("none may be chosen", 7)];

pub(super) fn page(report: &EarlyReport, config: &EarlyConfig) -> String {
    let mut parts = vec![overview(report, config)];
    let mut cases: BTreeMap<(u64, u32), Vec<&ClassReport>> = BTreeMap::new();
    for c in &report.classes {
        cases.entry((c.run, c.class.0)).or_default().push(c);
    }
    for ((run, class), methods) in cases {
        let mut body = Html::new();
        case(&mut body, report, &methods);
        let name = methods.first().map_or("", |c| c.class_name.as_str());
        let title = if config.runs > 1 { format!("Run {run}: {name}") } else { name.to_owned() };
        parts.push(Part { id: format!("run-{run}-class-{class}"), title, body });
    }
    let subtitle = format!("repaired checkpoints of {} on {}, compared", config.train.model, config.train.data.name);
    document_of("When to stop training and repair", &subtitle, parts)
}

fn overview(report: &EarlyReport, config: &EarlyConfig) -> Part {
    let mut html = Html::new();
    let [search, choice, test] = report.samples.map(|n| count(n as u64));
    let pairs = report.classes.len() / config.methods.len().max(1);
    let epochs = config.epochs.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    html.figures(&[
        Figure::new("labels to search on", search, format!("and {choice} that choose")),
        Figure::new("test samples", test, "judge once, and choose nothing"),
        Figure::new("pairs of training and class", pairs.to_string(), format!("{} trainings", config.runs)),
        Figure::new("checkpoints", config.epochs.len().to_string(), format!("after epochs {epochs}")),
    ]);
    html.heading("Which repaired checkpoint is the best");
    html.stacks(&report.counts.iter().map(|(method, rules)| stacks(report, method, rules)).collect::<Vec<_>>());
    html.hint(
        "Each bar counts the pairs of training and class. Best is the largest quality: alpha times the accuracy on the class \
         plus 1 - alpha times that on all. Each rule takes over what the ones above it ask for.",
    );
    Part { id: "counts".to_owned(), title: "Before or after convergence".to_owned(), body: html }
}

fn stacks(report: &EarlyReport, method: &str, rules: &BTreeMap<Rule, Vec<[usize; 3]>>) -> Stacks {
    let about = METHODS.iter().find(|(name, _)| *name == method).map_or("", |(_, about)| about);
    let mut stacks = Stacks::new(format!("{method}: {about}"), &KINDS);
    for (rule, slots) in rules {
        stacks = stacks.group(words(*rule));
        for (alpha, slot) in report.alphas.iter().zip(slots) {
            stacks = stacks.row(format!("alpha {alpha}"), slot);
        }
    }
    stacks
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

/// A class of a training, by every method.
fn case(html: &mut Html, report: &EarlyReport, methods: &[&ClassReport]) {
    let Some(first) = methods.first() else { return };
    html.paragraph(
        "Green: gained by the repair, orange: lost. Whiskers: 95 % interval over the seeds of the repair. A dashed line of \
         quality belongs to a checkpoint of which no repair may be chosen.",
    );
    for c in methods {
        html.heading(&c.method);
        html.charts(&[accuracy(c), quality(c)]);
        html.paragraph(&best(report, c));
        html.details("Numbers", |inside| inside.table(&epochs(c)));
    }
    html.heading("Readiness, from features alone");
    html.chart(&readiness(first));
    html.hint(
        "How well the class can be told from the rest (area under the ROC curve on the choosing samples): by a linear probe \
         trained on the features, and by the model's own last layer. A repair is worth most where the probe rises no more \
         and the layer is far below it.",
    );
}

fn accuracy(c: &ClassReport) -> Chart {
    let line = |name: &str, color, f: &dyn Fn(&EpochRow) -> f64| {
        Line::new(name, c.rows.iter().map(|r| (r.epoch as f64, f(r))).collect()).color(color)
    };
    let repaired = |name: &str, color, f: &dyn Fn(&EpochRow) -> MeanInterval| {
        let spread = |r: &EpochRow| if spreads(c, &f(r)) { f(r).ends() } else { (f(r).mean, f(r).mean) };
        line(name, color, &|r| f(r).mean).style(Style::Dotted).intervals(c.rows.iter().map(spread).collect())
    };
    Chart::new("accuracy on the test", "epoch of the checkpoint", "accuracy")
        .shares()
        .line(line("class", 0, &|r| r.base.class).style(Style::Dashed))
        .line(repaired("class repaired", 0, &|r| r.class))
        .line(line("all", 4, &|r| r.base.total).style(Style::Dashed))
        .line(repaired("all repaired", 4, &|r| r.total))
        .band(0, 1)
        .band(2, 3)
}

/// Whether seeds of the repair give an interval.
fn spreads(c: &ClassReport, m: &MeanInterval) -> bool {
    m.half_width.is_finite() && by_seed(&c.method)
}

fn quality(c: &ClassReport) -> Chart {
    let mut chart = Chart::new("quality on the test", "alpha: weight of the class", "quality").shares();
    for (i, r) in c.rows.iter().enumerate() {
        let style = if r.admissible.0 == 0 { Style::Dashed } else { Style::Solid };
        let ends = vec![(0.0, r.total.mean), (1.0, r.class.mean)];
        // the last colour is that of the model as it is
        chart = chart.line(Line::new(format!("epoch {}", r.epoch), ends).color(i % 7).style(style));
    }
    if let Some(last) = c.rows.last() {
        let ends = vec![(0.0, last.base.total), (1.0, last.base.class)];
        chart = chart.line(Line::new(format!("epoch {} as it is", last.epoch), ends).color(7));
    }
    for v in c.intervals.iter().skip(1) {
        chart = chart.mark(v.from, format!("epoch {}", c.rows[v.index].epoch));
    }
    chart
}

fn readiness(c: &ClassReport) -> Chart {
    let line = |name: &str, color, f: &dyn Fn(usize) -> f64| {
        let points = c.rows.iter().enumerate().take(c.readiness.len()).map(|(i, r)| (r.epoch as f64, f(i)));
        Line::new(name, points.collect()).color(color).style(Style::Dotted)
    };
    Chart::new("the class against the rest", "epoch of the checkpoint", "area under the curve")
        .line(line("last layer as it is", 7, &|i| c.readiness[i].head))
        .line(line("linear probe", 2, &|i| c.readiness[i].probe))
        .mark(c.switch_epoch as f64, "switch")
}

/// Which checkpoint, for which weight of the class.
fn best(report: &EarlyReport, c: &ClassReport) -> String {
    let mut text = String::new();
    for v in &c.intervals {
        let _ = write!(text, "Best for alpha {:.3} to {:.3}: epoch {}. ", v.from, v.to, c.rows[v.index].epoch);
    }
    if c.intervals.is_empty() {
        text += "No repair of any checkpoint may be chosen. ";
    }
    let _ = write!(
        text,
        "The features say to switch at epoch {}; against the best in hindsight that loses ",
        c.switch_epoch
    );
    let lost = report.alphas.iter().zip(&c.regret);
    let lost = lost.map(|(alpha, regret)| format!("{:.1} points at alpha {alpha}", 100.0 * regret));
    text + &lost.collect::<Vec<_>>().join(", ") + "."
}

fn epochs(c: &ClassReport) -> Table {
    let r = Align::Right;
    let mut table = Table::new(&[
        ("epoch", r),
        ("group", r),
        ("class", r),
        ("all", r),
        ("class repaired", r),
        ("all repaired", r),
        ("repair rate", r),
        ("break rate", r),
        ("above threshold", r),
        ("may be chosen", r),
        ("objections", Align::Left),
    ]);
    let spread = |m: &MeanInterval| {
        if spreads(c, m) { format!("{:.1} ± {:.1} %", 100.0 * m.mean, 100.0 * m.half_width) } else { percent(m.mean) }
    };
    for r in &c.rows {
        table.row([
            r.epoch.to_string(),
            r.group.to_string(),
            percent(r.base.class),
            percent(r.base.total),
            spread(&r.class),
            spread(&r.total),
            spread(&r.rr),
            spread(&r.br),
            spread(&r.above),
            format!("{} of {}", r.admissible.0, r.admissible.1),
            r.objections.join("; "),
        ]);
    }
    table
}
