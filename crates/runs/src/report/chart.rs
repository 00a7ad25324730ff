use super::svg;

/// Numbers over numbers: lines and points with their legend. Built step by step:
///
/// ```
/// use hybridrepair_runs::report::{Chart, Line, Style};
/// let chart = Chart::new("training loss", "epoch", "loss")
///     .line(Line::new("train", vec![(1.0, 2.3), (2.0, 1.1)]))
///     .line(Line::new("best", vec![(2.0, 1.1)]).style(Style::Points))
///     .mark(2.0, "kept");
/// assert!(chart.html().contains("<svg"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    pub(super) title: String,
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) shares: bool,
    pub(super) log_x: bool,
    pub(super) log_y: bool,
    pub(super) lines: Vec<Line>,
    pub(super) bands: Vec<Band>,
    pub(super) marks: Vec<Mark>,
}

/// One series of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Points; a line goes through them in this order, and is broken where a value is not finite.
    pub points: Vec<(f64, f64)>,
    /// An interval per point (low, high); empty for none.
    pub intervals: Vec<(f64, f64)>,
    /// How it is drawn.
    pub style: Style,
    /// Number of its colour; the place among the lines unless said otherwise.
    pub color: Option<usize>,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A line.
    Solid,
    /// A line in dashes.
    Dashed,
    /// A line with its points.
    Dotted,
    /// Points alone.
    Points,
}

impl Line {
    /// A solid line.
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points, intervals: Vec::new(), style: Style::Solid, color: None }
    }

    /// Drawn in this way.
    #[must_use]
    pub fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// In the colour of this number.
    #[must_use]
    pub fn color(mut self, color: usize) -> Self {
        self.color = Some(color);
        self
    }

    /// With an interval per point (low, high).
    #[must_use]
    pub fn intervals(mut self, intervals: Vec<(f64, f64)>) -> Self {
        self.intervals = intervals;
        self
    }
}

/// The area between two lines with the same x: one colour where the second is above the first, another where it is below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The line that is compared with.
    pub base: usize,
    /// The line that is compared.
    pub other: usize,
}

/// An upright line at a value of x, with a word beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Where.
    pub x: f64,
    /// The word.
    pub label: String,
}

impl Chart {
    /// A chart without lines; the axes say what they count and in which unit.
    pub fn new(title: impl Into<String>, x_label: impl Into<String>, y_label: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            x_label: x_label.into(),
            y_label: y_label.into(),
            shares: false,
            log_x: false,
            log_y: false,
            lines: Vec::new(),
            bands: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// The values are shares of 1, and are shown in per cent.
    #[must_use]
    pub fn shares(mut self) -> Self {
        self.shares = true;
        self
    }

    /// x counts in powers of ten; values that are not above 0 have no place.
    #[must_use]
    pub fn log_x(mut self) -> Self {
        self.log_x = true;
        self
    }

    /// y counts in powers of ten; values that are not above 0 have no place.
    #[must_use]
    pub fn log_y(mut self) -> Self {
        self.log_y = true;
        self
    }

    /// Adds a series.
    #[must_use]
    pub fn line(mut self, line: Line) -> Self {
        self.lines.push(line);
        self
    }

    /// Adds an area.
    #[must_use]
    pub fn band(mut self, base: usize, other: usize) -> Self {
        self.bands.push(Band { base, other });
        self
    }

    /// Adds a mark.
    #[must_use]
    pub fn mark(mut self, x: f64, label: impl Into<String>) -> Self {
        self.marks.push(Mark { x, label: label.into() });
        self
    }

    /// The chart as an element of HTML.
    pub fn html(&self) -> String {
        svg::figure(self)
    }
}
