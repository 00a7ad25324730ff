use crate::{
    RunsError, Summary, layout,
    report::{Align, Html, Page, RunFolder, Table, count, html::escaped, p_value, percent},
};
use hybridrepair_core::metrics::{ClassChange, mcnemar};
use std::fmt::Write;

/// Repaired and broken samples of each class.
pub(super) struct Classes;

/// Classes in the picture.
const DRAWN: usize = 24;
/// Rows of the table that are shown without asking.
const SHOWN: usize = 24;

impl Page for Classes {
    fn name(&self) -> &'static str {
        "classes"
    }

    fn title(&self) -> &'static str {
        "Classes"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[layout::SUMMARY]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        let mut classes = Summary::read(&run.layout().summary())?.holdout.per_class;
        classes.sort_by_key(|c| (std::cmp::Reverse(c.repaired + c.broken), c.class));
        if classes.iter().all(|c| c.repaired + c.broken == 0) {
            return Ok(());
        }
        bars(run, html, &classes[..classes.len().min(DRAWN)]);
        if classes.len() > DRAWN {
            html.hint(&format!("The {DRAWN} classes of {} that changed most; the table has all.", classes.len()));
        }
        let right = Align::Right;
        let mut table = Table::new(&[
            ("class", Align::Left),
            ("images", right),
            ("before", right),
            ("after", right),
            ("repaired", right),
            ("broken", right),
            ("net", right),
            ("McNemar", right),
        ])
        .shown(SHOWN);
        for c in &classes {
            table.row([
                run.class(c.class.column()),
                count(c.n as u64),
                percent(c.before),
                percent(c.after),
                count(c.repaired as u64),
                count(c.broken as u64),
                format!("{:+}", c.repaired as i64 - c.broken as i64).replace('-', "−"),
                if c.repaired + c.broken > 0 { p_value(mcnemar(c.repaired, c.broken)) } else { String::new() },
            ]);
        }
        html.table(&table);
        if classes.len() > 1 {
            html.hint(
                "Of many classes some look changed by chance alone: a p-value of one class is a hint where to look, not a \
                 finding.",
            );
        }
        Ok(())
    }
}

/// A bar per class: repaired to the right, broken to the left.
fn bars(run: &RunFolder, html: &mut Html, classes: &[ClassChange]) {
    let most = |f: fn(&ClassChange) -> usize| classes.iter().map(f).max().unwrap_or(0) as f64;
    let (left, right) = (most(|c| c.broken), most(|c| c.repaired));
    let unit = 100.0 / (left + right).max(1.0);
    let middle = left * unit;
    let mut out = String::from("<dl class=\"bar\">");
    for c in classes {
        let name = escaped(&run.class(c.class.column()));
        let (lost, won) = (c.broken as f64 * unit, c.repaired as f64 * unit);
        let _ = write!(
            out,
            "<dt title=\"{name}\">{name}</dt><dd><svg viewBox=\"0 0 100 16\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"lost\" style=\"fill-opacity:.9\" x=\"{:.2}\" y=\"2\" width=\"{lost:.2}\" height=\"12\"/>\
             <rect class=\"gained\" style=\"fill-opacity:.9\" x=\"{middle:.2}\" y=\"2\" width=\"{won:.2}\" height=\"12\"/>\
             <path class=\"axis\" d=\"M{middle:.2} 0v16\" vector-effect=\"non-scaling-stroke\"/></svg><span>+{} −{}</span></dd>",
            middle - lost,
            c.repaired,
            c.broken
        );
    }
    out.push_str("</dl>");
    html.markup(&out);
    html.hint("Green, to the right: images repaired. Orange, to the left: images broken.");
}
