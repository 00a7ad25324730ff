use crate::{
    Judged, RunsError, layout, read_csv,
    report::{Align, Html, Page, RunFolder, Table, count, html::escaped},
};
use hybridrepair_core::{ClassId, metrics::confusion};
use ndarray::Array2;
use std::{collections::BTreeMap, fmt::Write};

/// Which classes are taken for which, before and after.
pub(super) struct Confusion;

/// Of more classes the matrix cannot be read; the list of mistakes is shown then.
const DRAWN: usize = 48;
/// Mistakes in the list.
const LISTED: usize = 20;

impl Page for Confusion {
    fn name(&self) -> &'static str {
        "confusion"
    }

    fn title(&self) -> &'static str {
        "Confusions"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[layout::PREDICTIONS]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        let rows: Vec<Judged> = read_csv(&run.layout().predictions())?;
        if rows.is_empty() {
            return Ok(());
        }
        let truth: Vec<ClassId> = rows.iter().map(|r| r.truth).collect();
        let before: Vec<ClassId> = rows.iter().map(|r| r.before).collect();
        let after: Vec<ClassId> = rows.iter().map(|r| r.after).collect();
        let most = |all: &[ClassId]| all.iter().map(|c| c.column() + 1).max().unwrap_or(0);
        let classes = run.classes().len().max(most(&truth)).max(most(&before)).max(most(&after));
        if classes <= DRAWN {
            html.markup("<div class=\"heat\">");
            matrix(run, html, "before", &confusion(&before, &truth, classes));
            matrix(run, html, "after", &confusion(&after, &truth, classes));
            html.markup("</div>");
            html.hint("Rows: the class that it is. Columns: the class that the model says. Darker: a larger share of the row; green is right.");
        }
        mistakes(run, html, &rows);
        Ok(())
    }
}

fn matrix(run: &RunFolder, html: &mut Html, title: &str, counts: &Array2<u32>) {
    let n = counts.nrows();
    let (cell, left, top, right) = (if n > 24 { 12.0 } else { 24.0 }, 118.0, 96.0, 62.0);
    let size = cell * n as f64;
    let (width, height) = (left + size + right, top + size + 2.0);
    let mut svg = format!(
        "<figure><figcaption>{title}</figcaption><svg style=\"max-width:{width:.0}px\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         role=\"img\" aria-label=\"confusion matrix {title}\">"
    );
    for truth in 0..n {
        let total: u32 = counts.row(truth).sum();
        let y = top + truth as f64 * cell;
        let name = run.class(truth);
        let _ = write!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><text transform=\"translate({:.1} {:.0}) rotate(-55)\">{}</text>",
            left - 5.0,
            y + cell * 0.72,
            escaped(&short(&name)),
            left + (truth as f64 + 0.7) * cell,
            top - 5.0,
            escaped(&short(&name))
        );
        for said in 0..n {
            let k = counts[[truth, said]];
            if k == 0 && truth != said {
                continue;
            }
            // the root shows what is rare
            let share = (f64::from(k) / f64::from(total.max(1))).sqrt();
            let class = if truth == said { "right" } else { "wrong" };
            let _ = write!(
                svg,
                "<rect class=\"{class}\" fill-opacity=\"{share:.2}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\">\
                 <title>{} taken for {}: {k} of {total}</title></rect>",
                left + said as f64 * cell,
                cell - 1.0,
                cell - 1.0,
                escaped(&name),
                escaped(&run.class(said))
            );
        }
    }
    svg.push_str("</svg></figure>");
    html.markup(&svg);
}

fn short(name: &str) -> String {
    if name.chars().count() <= 16 { name.to_owned() } else { name.chars().take(15).chain(['…']).collect() }
}

/// The mistakes that happen most often, before or after.
fn mistakes(run: &RunFolder, html: &mut Html, rows: &[Judged]) {
    let mut found: BTreeMap<(ClassId, ClassId), [u64; 2]> = BTreeMap::new();
    for r in rows {
        for (model, said) in [r.before, r.after].into_iter().enumerate() {
            if said != r.truth {
                found.entry((r.truth, said)).or_default()[model] += 1;
            }
        }
    }
    let mut list: Vec<_> = found.into_iter().collect();
    list.sort_by_key(|(pair, [before, after])| (std::cmp::Reverse(before.max(after).to_owned()), *pair));
    let mut table = Table::new(&[
        ("it is", Align::Left),
        ("taken for", Align::Left),
        ("before", Align::Right),
        ("after", Align::Right),
    ]);
    for ((truth, said), [before, after]) in list.iter().take(LISTED) {
        table.row([run.class(truth.column()), run.class(said.column()), count(*before), count(*after)]);
    }
    if !table.is_empty() {
        html.heading("The most frequent mistakes");
        html.table(&table);
    }
}
