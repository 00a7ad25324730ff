use super::html::escaped;
use std::fmt::Write;

/// Counts of kinds as bars: in each row all kinds one after the other, as long together as in the longest row.
///
/// ```
/// use hybridrepair_runs::report::Stacks;
/// let stacks = Stacks::new("outcome", &[("before", 2), ("after", 0)]).group("as published").row("alpha 0.2", &[3, 6]);
/// assert!(stacks.html().contains("<svg"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Stacks {
    title: String,
    kinds: Vec<(String, usize)>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq)]
enum Row {
    Group(String),
    Counts(String, Vec<usize>),
}

const WIDTH: f64 = 520.0;
/// Where bars begin.
const LEFT: f64 = 92.0;
const RIGHT: f64 = 4.0;
const STEP: f64 = 20.0;
/// A group's name has some air above it.
const GROUP: f64 = 25.0;
const BAR: f64 = 15.0;
/// A segment that is narrower has no room for its number.
const NUMBER: f64 = 9.0;

impl Stacks {
    /// No row yet; the kinds with the numbers of their colours.
    pub fn new(title: impl Into<String>, kinds: &[(&str, usize)]) -> Self {
        let kinds = kinds.iter().map(|(name, color)| ((*name).to_owned(), *color)).collect();
        Self { title: title.into(), kinds, rows: Vec::new() }
    }

    /// A name above the rows that follow.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.rows.push(Row::Group(name.into()));
        self
    }

    /// A row with a count per kind; missing ones are 0.
    #[must_use]
    pub fn row(mut self, name: impl Into<String>, counts: &[usize]) -> Self {
        self.rows.push(Row::Counts(name.into(), counts.to_vec()));
        self
    }

    /// The chart as an element of HTML.
    pub fn html(&self) -> String {
        let title = escaped(&self.title);
        let height = self.rows.iter().map(|r| if matches!(r, Row::Group(_)) { GROUP } else { STEP }).sum::<f64>();
        let mut svg = format!(
            "<figure class=\"chart stacks\"><figcaption>{title}</figcaption><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             aria-label=\"{title}: counts\">"
        );
        let most = self.rows.iter().map(|r| if let Row::Counts(_, c) = r { c.iter().sum() } else { 0 }).max();
        let unit = (WIDTH - LEFT - RIGHT) / most.unwrap_or(0).max(1) as f64;
        let mut top = 0.0;
        for row in &self.rows {
            match row {
                Row::Group(name) => {
                    top += GROUP;
                    let _ =
                        write!(svg, "<text class=\"group\" x=\"0\" y=\"{:.1}\">{}</text>", top - 6.0, escaped(name));
                }
                Row::Counts(name, counts) => {
                    self.bar(&mut svg, name, counts, top, unit);
                    top += STEP;
                }
            }
        }
        svg.push_str("</svg><ul class=\"legend\">");
        for (name, color) in &self.kinds {
            let _ = write!(svg, "<li class=\"c{color} block\">{}</li>", escaped(name));
        }
        svg.push_str("</ul></figure>");
        svg
    }

    fn bar(&self, svg: &mut String, name: &str, counts: &[usize], top: f64, unit: f64) {
        let base = top + BAR - 3.0;
        let _ = write!(svg, "<text x=\"{}\" y=\"{base:.1}\" text-anchor=\"end\">{}</text>", LEFT - 8.0, escaped(name));
        let mut x = LEFT;
        for ((kind, color), &n) in self.kinds.iter().zip(counts).filter(|(_, n)| **n > 0) {
            let wide = n as f64 * unit;
            let tip = escaped(&format!("{name}: {n} {kind}"));
            let _ = write!(
                svg,
                "<rect class=\"c{color}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{BAR}\"><title>{tip}</title></rect>",
                (wide - 1.0).max(0.5)
            );
            if wide >= NUMBER * n.to_string().len() as f64 {
                let middle = x + wide / 2.0;
                let _ = write!(
                    svg,
                    "<text class=\"in\" x=\"{middle:.1}\" y=\"{base:.1}\" text-anchor=\"middle\">{n}</text>"
                );
            }
            x += wide;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_counts_say() {
        let stacks = Stacks::new("<t>", &[("before", 2), ("at", 0), ("none", 7)])
            .group("as \"published\"")
            .row("alpha 0.2", &[3, 5, 0])
            .row("alpha 0.8", &[8])
            .row("none", &[]);
        let svg = stacks.html();
        assert!(svg.contains("&lt;t&gt;") && svg.contains("as &quot;published&quot;") && !svg.contains("NaN"), "{svg}");
        let widths = svg.split("width=\"").skip(1).filter_map(|s| s.split('"').next()).collect::<Vec<_>>();
        // 424 units for 8: 159 and 265 in the first row, all in the second, each less a gap of 1
        assert_eq!(widths, ["158.0", "264.0", "423.0"]);
        assert!(svg.contains("<title>alpha 0.2: 3 before</title>"));
        // too many for the picture: no number in a segment without room
        assert!(!Stacks::new("t", &[("a", 0), ("b", 1)]).row("r", &[1, 999]).html().contains(">1</text>"));
        assert!(!Stacks::new("t", &[]).html().contains("NaN"));
    }
}
