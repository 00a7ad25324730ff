use super::html::escaped;
use std::fmt::Write;

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table of texts. The first column names its row.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
    strong: Vec<bool>,
    shown: usize,
}

impl Table {
    /// A table with these columns and no row.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let columns = columns.iter().map(|(name, align)| ((*name).to_owned(), *align)).collect();
        Self { columns, rows: Vec::new(), strong: Vec::new(), shown: usize::MAX }
    }

    /// Shows so many rows, and the others on demand.
    #[must_use]
    pub fn shown(mut self, rows: usize) -> Self {
        self.shown = rows;
        self
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
        self.strong.push(false);
    }

    /// Adds a row that stands out.
    pub fn strong_row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.row(cells);
        if let Some(last) = self.strong.last_mut() {
            *last = true;
        }
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn write(&self, out: &mut String) {
        let first = self.shown.min(self.rows.len());
        self.part(out, 0..first);
        if first < self.rows.len() {
            let _ = write!(out, "<details><summary>{} more</summary>", self.rows.len() - first);
            self.part(out, first..self.rows.len());
            out.push_str("</details>");
        }
    }

    fn part(&self, out: &mut String, rows: std::ops::Range<usize>) {
        // a wide table scrolls by itself, not the page
        out.push_str("<div class=\"wide\" tabindex=\"0\"><table><thead><tr>");
        for (name, align) in &self.columns {
            let _ = write!(out, "<th scope=\"col\"{}>{}</th>", class(*align), escaped(name));
        }
        out.push_str("</tr></thead><tbody>");
        for at in rows {
            out.push_str(if self.strong[at] { "<tr class=\"strong\">" } else { "<tr>" });
            for (i, (_, align)) in self.columns.iter().enumerate() {
                let text = escaped(self.rows[at].get(i).map_or("", String::as_str));
                let class = class(*align);
                let _ = if i == 0 {
                    write!(out, "<th scope=\"row\"{class}>{text}</th>")
                } else {
                    write!(out, "<td{class}>{text}</td>")
                };
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></div>");
    }
}

fn class(align: Align) -> &'static str {
    match align {
        Align::Left => "",
        Align::Right => " class=\"n\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tables_fold_and_short_rows_fill_up() {
        let mut table = Table::new(&[("class <b>", Align::Left), ("n", Align::Right)]).shown(2);
        assert!(table.is_empty());
        table.row(["a", "1"]);
        table.strong_row(["<i>"]);
        table.row(["c", "3"]);
        let mut out = String::new();
        table.write(&mut out);
        assert_eq!((out.matches("<table>").count(), out.matches("<td class=\"n\">").count()), (2, 3));
        assert!(out.contains("1 more") && out.contains("&lt;i&gt;") && out.contains("<tr class=\"strong\">"));
        assert!(!out.contains("<i>") && !out.contains("<b>"));
    }
}
