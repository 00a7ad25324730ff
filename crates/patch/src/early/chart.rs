use std::fmt::Write;

/// A line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Points from left to right.
    pub points: Vec<(f64, f64)>,
    /// Colour as SVG has it.
    pub color: &'static str,
    /// Whether it is drawn in dashes.
    pub dashed: bool,
}

/// The area between two lines of a chart: one colour where the second is above the first, another where it is below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The line that is compared with.
    pub base: usize,
    /// The line that is compared.
    pub other: usize,
}

/// Lines over numbers, with gains and losses between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Above it.
    pub title: String,
    /// Below it.
    pub x_label: String,
    /// Lines.
    pub lines: Vec<Line>,
    /// Areas.
    pub bands: Vec<Band>,
}

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 28.0;
const RIGHT: f64 = 140.0;
const BOTTOM: f64 = 40.0;

/// The chart as an SVG element. Values are shares and shown in per cent.
pub fn render(chart: &Chart) -> String {
    let all = || chart.lines.iter().flat_map(|l| &l.points).filter(|p| p.0.is_finite() && p.1.is_finite());
    let ends = |f: fn(&(f64, f64)) -> f64| {
        let (lo, hi) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), p| (lo.min(f(p)), hi.max(f(p))));
        if lo < hi { (lo, hi) } else { (lo.min(0.0), hi.max(1.0)) }
    };
    let ((x0, x1), (y0, y1)) = (ends(|p| p.0), ends(|p| p.1));
    let pad = 0.05 * (y1 - y0);
    let (y0, y1) = ((y0 - pad).max(0.0), (y1 + pad).min(1.0).max(y0 + pad));
    let at = |(x, y): (f64, f64)| {
        let px = LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT);
        (px, HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM))
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"11\"><text x=\"{LEFT}\" y=\"16\" font-size=\"13\">{}</text>",
        escaped(&chart.title)
    );
    for band in &chart.bands {
        areas(&mut svg, chart, *band, &at);
    }
    for tick in 0..=4 {
        let v = y0 + (y1 - y0) * f64::from(tick) / 4.0;
        let (_, y) = at((x0, v));
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{:.1}</text>",
            WIDTH - RIGHT,
            LEFT - 5.0,
            y + 4.0,
            100.0 * v
        );
    }
    for v in [x0, f64::midpoint(x0, x1), x1] {
        let (x, _) = at((v, y0));
        let label = if v.fract() == 0.0 { format!("{v:.0}") } else { format!("{v:.2}") };
        let _ =
            write!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>", HEIGHT - BOTTOM + 15.0);
    }
    let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
    let label = escaped(&chart.x_label);
    let _ = write!(svg, "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>", HEIGHT - 8.0);
    for (i, line) in chart.lines.iter().enumerate() {
        let points = line.points.iter().map(|p| at(*p)).fold(String::new(), |mut text, (x, y)| {
            let _ = write!(text, "{x:.1},{y:.1} ");
            text
        });
        let dash = if line.dashed { " stroke-dasharray=\"4 3\"" } else { "" };
        let (y, color) = (TOP + 14.0 * i as f64, line.color);
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\"{dash}/><line x1=\"{:.1}\" \
             y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"{color}\" stroke-width=\"2\"{dash}/><text x=\"{:.1}\" \
             y=\"{:.1}\">{}</text>",
            points.trim_end(),
            WIDTH - RIGHT + 8.0,
            WIDTH - RIGHT + 24.0,
            WIDTH - RIGHT + 28.0,
            y + 4.0,
            escaped(&line.name)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Quadrangles between two lines with the same x, cut where the lines cross.
fn areas(svg: &mut String, chart: &Chart, band: Band, at: &impl Fn((f64, f64)) -> (f64, f64)) {
    let (Some(base), Some(other)) = (chart.lines.get(band.base), chart.lines.get(band.other)) else { return };
    for (a, b) in base.points.windows(2).zip(other.points.windows(2)) {
        let (d0, d1) = (b[0].1 - a[0].1, b[1].1 - a[1].1);
        let mut cuts = vec![0.0, 1.0];
        if d0 * d1 < 0.0 {
            cuts.insert(1, d0 / (d0 - d1));
        }
        for part in cuts.windows(2) {
            let mid = d0 + (d1 - d0) * f64::midpoint(part[0], part[1]);
            let color = if mid >= 0.0 { "#2a9d3f" } else { "#d1495b" };
            let between = |p: &[(f64, f64)], t: f64| (p[0].0 + t * (p[1].0 - p[0].0), p[0].1 + t * (p[1].1 - p[0].1));
            let corners = [between(a, part[0]), between(a, part[1]), between(b, part[1]), between(b, part[0])];
            let points = corners.map(at).map(|(x, y)| format!("{x:.1},{y:.1}")).join(" ");
            let _ = write!(svg, "<polygon points=\"{points}\" fill=\"{color}\" fill-opacity=\"0.25\"/>");
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_and_losses_are_told_apart_where_lines_cross() {
        let line = |name: &str, points: &[(f64, f64)]| Line {
            name: name.to_owned(),
            points: points.to_vec(),
            color: "#333",
            dashed: false,
        };
        let chart = Chart {
            title: "a < b".to_owned(),
            x_label: "epoch".to_owned(),
            lines: vec![line("base", &[(1.0, 0.5), (5.0, 0.5)]), line("repaired", &[(1.0, 0.7), (5.0, 0.3)])],
            bands: vec![Band { base: 0, other: 1 }],
        };
        let svg = render(&chart);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>") && svg.contains("a &lt; b"));
        assert_eq!((svg.matches("#2a9d3f").count(), svg.matches("#d1495b").count()), (1, 1));
        assert!(!svg.contains("NaN") && !render(&Chart { lines: vec![], ..chart }).contains("NaN"));
    }
}
