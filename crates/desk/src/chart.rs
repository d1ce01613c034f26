//! Lines and points over two axes, as SVG.

use std::fmt::Write;

/// How points are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// Joined.
    Line,
    /// Joined by a thin line, each marked.
    Marked,
    /// Each holds until the next: what was best so far.
    Steps,
}

/// Points of one kind, in the order in which they are joined.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) style: Style,
    pub(super) points: Vec<(f64, f64)>,
}

/// A picture of some of them.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    /// What the axes count, with its unit.
    pub(super) across: String,
    pub(super) up: String,
    pub(super) series: Vec<Series>,
}

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 560.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 52.0;
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
    pub(super) fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| series.points.iter());
        let across = Axis::around(points().map(|point| point.0));
        let up = Axis::around(points().map(|point| point.1));
        let x = |value: f64| LEFT + across.part(value) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - up.part(value) * (HEIGHT - TOP - BOTTOM);
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
        put(format_args!("<text x=\"{LEFT}\" y=\"28\" font-size=\"16\">{}</text>", escaped(&self.title)));
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in across.ticks() {
            let at = x(tick);
            put(format_args!("<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#e5e5e5\"/>"));
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
            "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#999\"/>",
            right - LEFT,
            bottom - TOP
        ));
        let middle = (LEFT + right) / 2.0;
        let foot = HEIGHT - 20.0;
        put(format_args!("<text x=\"{middle}\" y=\"{foot}\" text-anchor=\"middle\">{}</text>", escaped(&self.across)));
        let middle = (TOP + bottom) / 2.0;
        put(format_args!(
            "<text x=\"22\" y=\"{middle}\" text-anchor=\"middle\" transform=\"rotate(-90 22 {middle})\">{}</text>",
            escaped(&self.up)
        ));
        for (n, series) in self.series.iter().enumerate() {
            let colour = COLOURS[n % COLOURS.len()];
            put(format_args!("{}", series.drawn(colour, x, y)));
            // Names stand above the frame, where nothing is drawn.
            let (line, text) = (right - 240.0, right - 204.0);
            let row = 22.0 + 18.0 * n as f64;
            let above = row - 4.0;
            put(format_args!("<path d=\"M{line} {above}h28\" stroke=\"{colour}\" stroke-width=\"2\"/>"));
            put(format_args!("<text x=\"{text}\" y=\"{row}\">{}</text>", escaped(&series.name)));
        }
        put(format_args!("</svg>"));
        svg
    }
}

impl Series {
    fn drawn(&self, colour: &str, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
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
        for part in svg.split("cx=\"").skip(1) {
            let x: f64 = part.split('"').next().unwrap().parse().unwrap();
            assert!((LEFT..=WIDTH - RIGHT).contains(&x));
        }
    }
}
