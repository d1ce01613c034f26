//! Lines and points over two axes, as SVG.

use std::collections::BTreeSet;
use std::fmt::Write;

/// How points are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    /// Joined.
    Line,
    /// Joined by a thin line, each marked.
    Marked,
    /// Each holds until the next: what was best so far.
    Steps,
    /// Each by itself, in pale: a crowd of which none matters much.
    Pale,
}

/// Points of one kind, in the order in which they are joined.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) style: Style,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A picture of some of them.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// What the axes count, with its unit.
    pub(crate) across: String,
    pub(crate) up: String,
    pub(crate) series: Vec<Series>,
}

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 560.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 24.0;
/// Above the frame: room for the title, and for a row for each name.
const ROW: f64 = 18.0;
/// Characters of a title beside the names.
const TITLE: usize = 64;
const BOTTOM: f64 = 64.0;
/// From Okabe and Ito's palette: they can be told apart by most eyes.
const COLOURS: [&str; 4] = ["#555555", "#0072b2", "#d55e00", "#009e73"];

/// An axis from its least to its largest number.
struct Axis {
    low: f64,
    high: f64,
    step: f64,
    decimals: usize,
}

impl Axis {
    /// Around all values, with some four to eight round ticks.
    fn around(values: impl Iterator<Item = f64> + Clone) -> Axis {
        let (low, high) = (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        // What differs by rounding is one value.
        let size = low.abs().max(high.abs());
        let span = if high - low > size * 1e-9 { high - low } else { size.max(1e-9) };
        let rough = span / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= rough).unwrap_or(rough);
        let decimals = (-step.log10().floor()).clamp(0.0, 15.0) as usize;
        Axis { low: low - span * 0.03, high: high + span * 0.03, step, decimals }
    }

    fn part(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> + '_ {
        let first = (self.low / self.step).ceil();
        (0..20).map(move |n| (first + f64::from(n)) * self.step).take_while(|tick| *tick <= self.high)
    }

    fn label(&self, value: f64) -> String {
        // Rounding may leave a negative nothing.
        let value = if value.abs() < self.step / 1e6 { 0.0 } else { value };
        format!("{value:.*}", self.decimals)
    }
}

impl Chart {
    pub(crate) fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| series.points.iter());
        let across = Axis::around(points().map(|point| point.0));
        let up = Axis::around(points().map(|point| point.1));
        let top = 16.0 + ROW * self.series.len().max(2) as f64;
        let x = |value: f64| LEFT + across.part(value) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - up.part(value) * (HEIGHT - top - BOTTOM);
        let mut svg = String::new();
        let mut put = |text: std::fmt::Arguments<'_>| {
            // Into a string nothing fails.
            let _ = svg.write_fmt(text);
            svg.push('\n');
        };
        put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">"
        ));
        put(format_args!("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"));
        put(format_args!("<text x=\"{LEFT}\" y=\"28\" font-size=\"16\">{}</text>", escaped(&shortened(&self.title))));
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in across.ticks() {
            let at = x(tick);
            put(format_args!("<path d=\"M{at:.1} {top}V{bottom}\" stroke=\"#e5e5e5\"/>"));
            let below = bottom + 18.0;
            put(format_args!("<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{}</text>", across.label(tick)));
        }
        for tick in up.ticks() {
            let at = y(tick);
            put(format_args!("<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#e5e5e5\"/>"));
            let (beside, lower) = (LEFT - 8.0, at + 4.0);
            put(format_args!("<text x=\"{beside}\" y=\"{lower:.1}\" text-anchor=\"end\">{}</text>", up.label(tick)));
        }
        put(format_args!(
            "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#999\"/>",
            right - LEFT,
            bottom - top
        ));
        let middle = (LEFT + right) / 2.0;
        let foot = HEIGHT - 20.0;
        put(format_args!("<text x=\"{middle}\" y=\"{foot}\" text-anchor=\"middle\">{}</text>", escaped(&self.across)));
        let middle = (top + bottom) / 2.0;
        put(format_args!(
            "<text x=\"22\" y=\"{middle}\" text-anchor=\"middle\" transform=\"rotate(-90 22 {middle})\">{}</text>",
            escaped(&self.up)
        ));
        for (n, series) in self.series.iter().enumerate() {
            let colour = COLOURS[n % COLOURS.len()];
            put(format_args!("{}", series.drawn(colour, x, y)));
            // Names stand above the frame, where nothing is drawn.
            let (line, text) = (right - 240.0, right - 204.0);
            let row = 22.0 + ROW * n as f64;
            let above = row - 4.0;
            if series.style == Style::Pale {
                put(format_args!("{}", pale(line + 14.0, above, colour)));
            } else {
                put(format_args!("<path d=\"M{line} {above}h28\" stroke=\"{colour}\" stroke-width=\"2\"/>"));
            }
            put(format_args!("<text x=\"{text}\" y=\"{row}\">{}</text>", escaped(&series.name)));
        }
        put(format_args!("</svg>"));
        svg
    }
}

impl Series {
    fn drawn(&self, colour: &str, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
        if self.style == Style::Pale {
            // Those at one place of the picture are drawn once: of thousands, most are.
            let places: BTreeSet<_> = self.points.iter().map(|point| (x(point.0) as i64, y(point.1) as i64)).collect();
            let circles = places.into_iter().map(|(x, y)| pale(x as f64, y as f64, colour));
            return circles.collect::<Vec<_>>().join("\n");
        }
        let mut path = String::new();
        for (n, (across, up)) in self.points.iter().enumerate() {
            let (x, y) = (x(*across), y(*up));
            let _ = match (n, self.style) {
                (0, _) => write!(path, "M{x:.1} {y:.1}"),
                (_, Style::Steps) => write!(path, "H{x:.1}V{y:.1}"),
                _ => write!(path, "L{x:.1} {y:.1}"),
            };
        }
        let width = if self.style == Style::Marked { 1.0 } else { 2.0 };
        let mut text = format!("<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"{width}\" fill=\"none\"/>");
        if self.style == Style::Marked {
            for (across, up) in &self.points {
                let (x, y) = (x(*across), y(*up));
                let _ = write!(text, "\n<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
            }
        }
        text
    }
}

fn pale(x: f64, y: f64, colour: &str) -> String {
    format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\" fill-opacity=\"0.3\"/>")
}

/// A title that does not run into the names beside it.
fn shortened(title: &str) -> String {
    let short: String = title.chars().take(TITLE).collect();
    if short.len() < title.len() { short + "…" } else { short }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        for (low, high, labels) in [
            (0.0, 6.0, vec!["0", "1", "2", "3", "4", "5", "6"]),
            (0.0021, 0.0104, vec!["0.002", "0.004", "0.006", "0.008", "0.010"]),
            (-1.0, 1.0, vec!["-1.0", "-0.5", "0.0", "0.5", "1.0"]),
            (3.0, 3.0, vec!["3.0"]),
        ] {
            let axis = Axis::around([low, high].into_iter());
            assert_eq!(axis.ticks().map(|tick| axis.label(tick)).collect::<Vec<_>>(), labels);
        }
        assert!(Axis::around(std::iter::empty()).ticks().count() > 3, "nothing to draw has axes, too");
    }

    #[test]
    fn all_points_are_in_the_frame_and_names_are_escaped() {
        let series = Series { name: "a < b".into(), style: Style::Marked, points: vec![(0.0, 5.0), (1.0, -5.0)] };
        let steps = Series { name: "best".into(), style: Style::Steps, ..series.clone() };
        let chart = Chart { title: "T".into(), across: "x".into(), up: "y".into(), series: vec![series, steps] };
        let svg = chart.svg();
        assert!(svg.contains("a &lt; b") && svg.matches("<circle").count() == 2 && svg.contains('H'));
        for x in numbers(&svg, "cx") {
            assert!((LEFT..=WIDTH - RIGHT).contains(&x));
        }
    }

    fn numbers<'a>(svg: &'a str, key: &str) -> impl Iterator<Item = f64> + use<'a> {
        let key = format!("{key}=\"");
        let parts: Vec<&str> = svg.split(key.as_str()).skip(1).collect();
        parts.into_iter().map(|part| part.split('"').next().unwrap().parse().unwrap())
    }

    #[test]
    fn a_crowd_is_pale_and_drawn_once_at_each_place_below_the_names_of_all() {
        let crowd = vec![(0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 3.0)];
        let of = |name: &str, style, points| Series { name: name.into(), style, points };
        let series = vec![
            of("replicas", Style::Pale, crowd.clone()),
            of("best", Style::Steps, crowd.clone()),
            of("target", Style::Line, crowd),
        ];
        let title = "a title ".repeat(20);
        let svg = Chart { title, across: "x".into(), up: "y".into(), series }.svg();
        assert_eq!(svg.matches("fill-opacity=\"0.3\"").count(), 1 + 3, "in the list of names, and in the frame");
        assert_eq!(svg.matches('…').count(), 1);
        let lowest_name = 22.0 + 2.0 * ROW;
        assert_eq!(numbers(&svg, "cy").filter(|y| *y > lowest_name).count(), 3);
        let frame: f64 = numbers(&svg, "<rect x=\"96\" y").next().unwrap();
        assert!(frame > lowest_name, "{frame}");
    }
}
