//! A chart as SVG. Colours are classes, so that the document decides for light and dark.

use super::{
    Band, Chart, Line, Style,
    html::escaped,
    scale::{Scale, label},
};
use std::fmt::Write;

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 14.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 44.0;
/// Colours that the document defines.
const COLORS: usize = 8;
/// Points of a line that are drawn; of more, every so manieth.
const MOST: usize = 2000;

struct Frame {
    x: Scale,
    y: Scale,
}

impl Frame {
    fn of(chart: &Chart) -> Self {
        let points = || chart.lines.iter().flat_map(|l| &l.points);
        let marks = chart.marks.iter().map(|m| m.x);
        let ends = chart.lines.iter().flat_map(|l| l.intervals.iter().flat_map(|i| [i.0, i.1]));
        let alone = chart.lines.iter().all(|l| l.points.len() < 2);
        let x = Scale::over(points().map(|p| p.0).chain(marks), chart.log_x, if alone { 0.05 } else { 0.01 });
        let y = Scale::over(points().map(|p| p.1).chain(ends), chart.log_y, 0.06);
        Self { x, y: if chart.shares { y.within(0.0, 1.0) } else { y } }
    }

    fn x(&self, x: f64) -> Option<f64> {
        self.x.at(x).map(|t| LEFT + t * (WIDTH - LEFT - RIGHT))
    }

    /// Held within the picture: an interval may reach out of it.
    fn y(&self, y: f64) -> Option<f64> {
        self.y.at(y).map(|t| HEIGHT - BOTTOM - t.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM))
    }

    fn at(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        self.x(x).zip(self.y(y))
    }
}

/// The chart with its title and legend.
pub(super) fn figure(chart: &Chart) -> String {
    let frame = Frame::of(chart);
    let title = escaped(&chart.title);
    let mut svg = format!(
        "<figure class=\"chart\"><figcaption>{title}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{title}: {} over {}\">",
        escaped(&chart.y_label),
        escaped(&chart.x_label)
    );
    axes(&mut svg, chart, &frame);
    for band in &chart.bands {
        areas(&mut svg, chart, *band, &frame);
    }
    for mark in &chart.marks {
        if let Some(x) = frame.x(mark.x) {
            // the word stands on the side that has room
            let (at, anchor) = if x > WIDTH / 2.0 { (x - 4.0, "end") } else { (x + 4.0, "start") };
            let _ = write!(
                svg,
                "<path class=\"mark\" d=\"M{x:.1} {TOP}V{:.1}\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                HEIGHT - BOTTOM,
                TOP + 10.0,
                escaped(&mark.label)
            );
        }
    }
    for (i, line) in chart.lines.iter().enumerate() {
        series(&mut svg, line, color(i, line), &frame, chart.shares);
    }
    svg.push_str("</svg>");
    if chart.lines.len() > 1 || chart.lines.iter().any(|l| l.name != chart.y_label) {
        svg.push_str("<ul class=\"legend\">");
        for (i, line) in chart.lines.iter().enumerate() {
            let kind = match line.style {
                Style::Dashed => " dashed",
                Style::Points => " points",
                Style::Solid | Style::Dotted => "",
            };
            let _ = write!(svg, "<li class=\"c{}{kind}\">{}</li>", color(i, line), escaped(&line.name));
        }
        svg.push_str("</ul>");
    }
    svg.push_str("</figure>");
    svg
}

fn color(place: usize, line: &Line) -> usize {
    line.color.unwrap_or(place) % COLORS
}

fn axes(svg: &mut String, chart: &Chart, frame: &Frame) {
    let shown = |v: f64, log: bool| if chart.shares && !log { label(100.0 * v, false) } else { label(v, log) };
    for v in frame.y.ticks(4) {
        let Some(y) = frame.y(v) else { continue };
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
            shown(v, chart.log_y)
        );
    }
    for v in frame.x.ticks(6) {
        let Some(x) = frame.x(v) else { continue };
        let _ = write!(
            svg,
            "<path class=\"axis\" d=\"M{x:.1} {:.1}v4\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 16.0,
            label(v, chart.log_x)
        );
    }
    let unit = if chart.shares { ", %" } else { "" };
    let middle = f64::midpoint(TOP, HEIGHT - BOTTOM);
    let _ = write!(
        svg,
        "<path class=\"axis\" d=\"M{LEFT} {:.1}H{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
         <text transform=\"translate(13 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">{}{unit}</text>",
        HEIGHT - BOTTOM,
        WIDTH - RIGHT,
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 8.0,
        escaped(&chart.x_label),
        escaped(&chart.y_label)
    );
}

fn series(svg: &mut String, line: &Line, color: usize, frame: &Frame, shares: bool) {
    let every = line.points.len().div_ceil(MOST).max(1);
    let last = line.points.len().saturating_sub(1);
    let kept = || line.points.iter().enumerate().filter(|(i, _)| i.is_multiple_of(every) || *i == last);
    for ((_, point), interval) in kept().zip(&line.intervals) {
        if let (Some(x), Some(low), Some(high)) = (frame.x(point.0), frame.y(interval.0), frame.y(interval.1)) {
            let _ = write!(
                svg,
                "<path class=\"whisker c{color}\" d=\"M{x:.1} {low:.1}V{high:.1}M{:.1} {low:.1}h8M{:.1} {high:.1}h8\"/>",
                x - 4.0,
                x - 4.0
            );
        }
    }
    if line.style != Style::Points {
        let (mut path, mut pen_down) = (String::new(), false);
        for (_, point) in kept() {
            match frame.at(*point) {
                Some((x, y)) => {
                    let _ = write!(path, "{}{x:.1} {y:.1}", if pen_down { 'L' } else { 'M' });
                    pen_down = true;
                }
                None => pen_down = false,
            }
        }
        let dashed = if line.style == Style::Dashed { " dashed" } else { "" };
        let _ = write!(svg, "<path class=\"line c{color}{dashed}\" d=\"{path}\"/>");
    }
    if matches!(line.style, Style::Points | Style::Dotted) || line.points.len() == 1 {
        for (i, point) in kept() {
            let Some((x, y)) = frame.at(*point) else { continue };
            let value = |v: f64| if shares { format!("{} %", label(100.0 * v, false)) } else { label(v, false) };
            let mut tip = format!("{}: {} at {}", line.name, value(point.1), label(point.0, false));
            if let Some(interval) = line.intervals.get(i) {
                let _ = write!(tip, " [{}, {}]", value(interval.0), value(interval.1));
            }
            let _ = write!(
                svg,
                "<circle class=\"dot c{color}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"><title>{}</title></circle>",
                escaped(&tip)
            );
        }
    }
}

/// Quadrangles between two lines with the same x, cut where the lines cross.
fn areas(svg: &mut String, chart: &Chart, band: Band, frame: &Frame) {
    let (Some(base), Some(other)) = (chart.lines.get(band.base), chart.lines.get(band.other)) else { return };
    for (a, b) in base.points.windows(2).zip(other.points.windows(2)) {
        let (d0, d1) = (b[0].1 - a[0].1, b[1].1 - a[1].1);
        let mut cuts = vec![0.0, 1.0];
        if d0 * d1 < 0.0 {
            cuts.insert(1, d0 / (d0 - d1));
        }
        for part in cuts.windows(2) {
            let gained = d0 + (d1 - d0) * f64::midpoint(part[0], part[1]) >= 0.0;
            let between = |p: &[(f64, f64)], t: f64| (p[0].0 + t * (p[1].0 - p[0].0), p[0].1 + t * (p[1].1 - p[0].1));
            let corners = [between(a, part[0]), between(a, part[1]), between(b, part[1]), between(b, part[0])];
            let corners: Option<Vec<_>> = corners.into_iter().map(|p| frame.at(p)).collect();
            let Some(corners) = corners else { continue };
            let points: Vec<_> = corners.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let class = if gained { "gained" } else { "lost" };
            let _ = write!(svg, "<polygon class=\"{class}\" points=\"{}\"/>", points.join(" "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_and_losses_are_told_apart_where_lines_cross() {
        let chart = Chart::new("a < b", "epoch", "accuracy")
            .shares()
            .line(Line::new("base", vec![(1.0, 0.5), (5.0, 0.5)]))
            .line(Line::new("repaired \"x\"", vec![(1.0, 0.7), (5.0, 0.3)]).style(Style::Dashed))
            .band(0, 1);
        let svg = figure(&chart);
        assert!(svg.contains("a &lt; b") && svg.contains("repaired &quot;x&quot;") && svg.contains("accuracy, %"));
        assert_eq!((svg.matches("\"gained\"").count(), svg.matches("\"lost\"").count()), (1, 1));
        let empty = figure(&Chart::new("", "", ""));
        assert!(!svg.contains("NaN") && !empty.contains("NaN") && !empty.contains("inf"));
    }

    #[test]
    fn a_line_is_broken_where_a_value_is_missing() {
        let points = vec![(1.0, 1.0), (2.0, f64::NAN), (3.0, 2.0), (4.0, 3.0)];
        let svg = figure(&Chart::new("t", "x", "y").line(Line::new("l", points)));
        let path = svg.split("class=\"line c0\" d=\"").nth(1).and_then(|s| s.split('"').next()).unwrap();
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 1), "{path}");
    }

    #[test]
    fn long_lines_are_thinned_and_intervals_drawn() {
        let points: Vec<_> = (0..50_000).map(|i| (f64::from(i), f64::from(i % 7))).collect();
        let svg = figure(&Chart::new("t", "x", "y").log_x().line(Line::new("l", points)).mark(10.0, "best"));
        assert!(svg.len() < 60_000 && svg.contains(">best<"), "{}", svg.len());
        let line = Line::new("l", vec![(1.0, 0.5)]).intervals(vec![(0.4, 0.6)]).style(Style::Points);
        let svg = figure(&Chart::new("t", "x", "y").shares().line(line));
        assert!(svg.contains("whisker") && svg.contains("l: 50 % at 1 [40 %, 60 %]"), "{svg}");
    }
}
