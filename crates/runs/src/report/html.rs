use super::{Chart, Stacks, Table};
use serde::Serialize;
use std::fmt::Write;

/// A piece of HTML that is being written. Every text goes through [`escaped`]; markup comes from here and from charts only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Html {
    text: String,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Plain,
    /// Something went well.
    Good,
    /// Something that a reader must not miss.
    Warning,
}

/// One number in large letters.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is.
    pub label: String,
    /// The number with its unit.
    pub value: String,
    /// What it means, in small letters; may be empty.
    pub detail: String,
}

impl Figure {
    /// A number with what it is and what it means.
    pub fn new(label: impl Into<String>, value: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), detail: detail.into() }
    }
}

impl Html {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The markup so far.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A heading within a page.
    pub fn heading(&mut self, text: &str) {
        let _ = write!(self.text, "<h3>{}</h3>", escaped(text));
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &str) {
        let _ = write!(self.text, "<p>{}</p>", escaped(text));
    }

    /// A paragraph in small letters: how to read what is above it.
    pub fn hint(&mut self, text: &str) {
        let _ = write!(self.text, "<p class=\"hint\">{}</p>", escaped(text));
    }

    /// A paragraph that stands out.
    pub fn note(&mut self, tone: Tone, text: &str) {
        let class = match tone {
            Tone::Plain => "plain",
            Tone::Good => "good",
            Tone::Warning => "warning",
        };
        let _ = write!(self.text, "<p class=\"note {class}\">{}</p>", escaped(text));
    }

    /// Lines of a program's text, as they are.
    pub fn code(&mut self, text: &str) {
        let _ = write!(self.text, "<pre><code>{}</code></pre>", escaped(text));
    }

    /// Numbers in large letters, side by side.
    pub fn figures(&mut self, figures: &[Figure]) {
        self.text.push_str("<dl class=\"figures\">");
        for f in figures {
            let _ = write!(self.text, "<div><dt>{}</dt><dd>{}", escaped(&f.label), escaped(&f.value));
            if !f.detail.is_empty() {
                let _ = write!(self.text, "<small>{}</small>", escaped(&f.detail));
            }
            self.text.push_str("</dd></div>");
        }
        self.text.push_str("</dl>");
    }

    /// A table.
    pub fn table(&mut self, table: &Table) {
        table.write(&mut self.text);
    }

    /// A chart.
    pub fn chart(&mut self, chart: &Chart) {
        self.text.push_str(&chart.html());
    }

    /// Charts side by side, as many as the screen has room for.
    pub fn charts(&mut self, charts: &[Chart]) {
        self.text.push_str("<div class=\"charts\">");
        for chart in charts {
            self.chart(chart);
        }
        self.text.push_str("</div>");
    }

    /// Stacked bars side by side, as many as the screen has room for.
    pub fn stacks(&mut self, stacks: &[Stacks]) {
        self.text.push_str("<div class=\"charts\">");
        for one in stacks {
            self.text.push_str(&one.html());
        }
        self.text.push_str("</div>");
    }

    /// Something that is shown on demand.
    pub fn details(&mut self, summary: &str, inside: impl FnOnce(&mut Self)) {
        let _ = write!(self.text, "<details><summary>{}</summary>", escaped(summary));
        inside(self);
        self.text.push_str("</details>");
    }

    /// Data for a script of the document, as JSON in an element that no browser runs or shows.
    pub(crate) fn data<T: Serialize + ?Sized>(&mut self, id: &str, value: &T) {
        let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
        // the only ways out of such an element begin with this sign
        let json = json.replace('<', "\\u003c");
        let _ = write!(self.text, "<script type=\"application/json\" id=\"{id}\">{json}</script>");
    }

    /// Markup of this crate. Never a text from outside.
    pub(crate) fn markup(&mut self, trusted: &str) {
        self.text.push_str(trusted);
    }
}

/// A text that a browser shows as it stands, in elements and in quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // these turn the direction of all that follows, or are no characters of HTML
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_full_of_markup_stay_text() {
        let evil = "</script><img src=x onerror=\"alert('1')\">&\u{202e}\0";
        let mut html = Html::new();
        html.paragraph(evil);
        html.note(Tone::Warning, evil);
        html.figures(&[Figure::new(evil, evil, evil)]);
        html.details(evil, |inner| inner.code(evil));
        html.data("d", &[evil]);
        let text = html.as_str();
        let shown = text.split("<script").next().unwrap();
        assert!(!text.contains("<img") && !shown.contains("onerror=\"") && !shown.contains('\u{202e}'), "{text}");
        // the one that closes our own element
        assert_eq!(text.matches("</script>").count(), 1);
        let json = text.split("id=\"d\">").nth(1).and_then(|t| t.strip_suffix("</script>")).unwrap();
        assert_eq!(serde_json::from_str::<Vec<String>>(json).unwrap(), [evil], "a script gets the name as it is");
    }
}
