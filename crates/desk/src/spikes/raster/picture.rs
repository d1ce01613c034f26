//! The picture itself: SVG, one panel below the other on one time axis.

use crate::replay::group;
use std::fmt::Write;

/// The most voltages that are drawn.
pub(super) const TRACES: usize = 8;

/// What the horizontal axis counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Axis {
    /// Nanoseconds since midnight.
    Clock,
    /// Steps.
    Steps,
}

/// Spikes of an input or a population.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) name: String,
    pub(super) units: usize,
    /// When, and which unit.
    pub(super) spikes: Vec<(i64, usize)>,
}

/// A voltage.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) name: String,
    pub(super) threshold: i32,
    pub(super) values: Vec<(i64, i32)>,
}

/// All that is drawn.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) title: String,
    pub(super) axis: Axis,
    /// When each step began.
    pub(super) steps: Vec<i64>,
    pub(super) rows: Vec<Rows>,
    pub(super) traces: Vec<Trace>,
    pub(super) alerts: Vec<(i64, String)>,
}

/// Left of the panels are names, right of them the ends of axes.
const LEFT: f64 = 120.0;
const RIGHT: f64 = 1_160.0;
const WIDTH: f64 = 1_200.0;
const TOP: f64 = 64.0;
/// Between two panels.
const GAP: f64 = 26.0;
/// Of a voltage.
const TRACE: f64 = 54.0;
/// One colour a panel, from Okabe and Ito's palette: it can be told apart by most eyes.
const COLOURS: [&str; 6] = ["#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
const ALERT: &str = "#d55e00";

impl Picture {
    pub(super) fn svg(&self) -> String {
        let heights: Vec<f64> = self.rows.iter().map(|rows| height(rows.units)).collect();
        let panels = heights.iter().sum::<f64>() + (heights.len() + self.traces.len()) as f64 * GAP;
        let bottom = TOP + panels + self.traces.len() as f64 * TRACE;
        let mut svg = String::new();
        let mut put = |text: std::fmt::Arguments<'_>| {
            // Into a string nothing fails.
            let _ = svg.write_fmt(text);
            svg.push('\n');
        };
        let total = bottom + 30.0;
        put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{total}\" viewBox=\"0 0 {WIDTH} {total}\" \
             font-family=\"sans-serif\" font-size=\"12\">"
        ));
        put(format_args!("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"));
        put(format_args!("<text x=\"{LEFT}\" y=\"22\" font-size=\"16\">{}</text>", escaped(&self.title)));
        let mut y = TOP;
        for (n, (rows, height)) in self.rows.iter().zip(&heights).enumerate() {
            self.spikes(rows, y, *height, COLOURS[n % COLOURS.len()], &mut put);
            y += height + GAP;
        }
        for trace in &self.traces {
            self.voltage(trace, y, &mut put);
            y += TRACE + GAP;
        }
        self.detections(bottom - GAP, &mut put);
        self.times(bottom - GAP, &mut put);
        put(format_args!("</svg>"));
        svg
    }

    /// Where a time is.
    fn x(&self, at: i64) -> f64 {
        let first = self.steps.first().copied().unwrap_or(0);
        let span = (self.steps.last().copied().unwrap_or(0) - first).max(1) as f64;
        LEFT + (at - first) as f64 / span * (RIGHT - LEFT)
    }

    fn frame(name: &str, note: &str, y: f64, height: f64, put: &mut impl FnMut(std::fmt::Arguments<'_>)) {
        put(format_args!(
            "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"none\" stroke=\"#bbb\"/>",
            RIGHT - LEFT
        ));
        let x = LEFT - 8.0;
        put(format_args!("<text x=\"{x}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", y + 12.0, escaped(name)));
        let lower = y + 26.0;
        put(format_args!(
            "<text x=\"{x}\" y=\"{lower:.1}\" text-anchor=\"end\" fill=\"#777\" font-size=\"10\">{note}</text>"
        ));
    }

    fn spikes(&self, rows: &Rows, y: f64, height: f64, colour: &str, put: &mut impl FnMut(std::fmt::Arguments<'_>)) {
        let note = format!("{}, {}", some(rows.units, "unit"), some(rows.spikes.len(), "spike"));
        Self::frame(&rows.name, &note, y, height, put);
        let each = height / rows.units.max(1) as f64;
        // Each is a stroke as high as its unit's row: in one path, for there may be thousands.
        let mut path = String::new();
        for (at, unit) in &rows.spikes {
            let from = y + each * *unit as f64 + each * 0.1;
            let _ = write!(path, "M{:.1} {from:.1}v{:.1}", self.x(*at), (each * 0.8).max(1.0));
        }
        put(format_args!("<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"1.5\" fill=\"none\"/>"));
    }

    fn voltage(&self, trace: &Trace, y: f64, put: &mut impl FnMut(std::fmt::Arguments<'_>)) {
        Self::frame(&trace.name, "voltage", y, TRACE, put);
        let values = || trace.values.iter().map(|(_, value)| i64::from(*value)).chain([0, i64::from(trace.threshold)]);
        let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(1));
        let span = (high - low).max(1) as f64 * 1.1;
        let height = |value: i64| y + TRACE - (value - low) as f64 / span * TRACE;
        let threshold = height(i64::from(trace.threshold));
        put(format_args!(
            "<path d=\"M{LEFT} {threshold:.1}H{RIGHT}\" stroke=\"{ALERT}\" stroke-width=\"0.8\" stroke-dasharray=\"4 3\"/>"
        ));
        let points: Vec<String> = trace
            .values
            .iter()
            .map(|(at, value)| format!("{:.1},{:.1}", self.x(*at), height(i64::from(*value))))
            .collect();
        put(format_args!("<polyline points=\"{}\" stroke=\"#333\" fill=\"none\"/>", points.join(" ")));
    }

    /// Through all panels, with names above; names that would lie on each other take turns.
    fn detections(&self, bottom: f64, put: &mut impl FnMut(std::fmt::Arguments<'_>)) {
        for (n, (at, name)) in self.alerts.iter().enumerate() {
            let (x, y) = (self.x(*at), 38.0 + (n % 2) as f64 * 12.0);
            put(format_args!(
                "<path d=\"M{x:.1} {y:.1}V{bottom:.1}\" stroke=\"{ALERT}\" stroke-width=\"1\" opacity=\"0.7\"/>"
            ));
            put(format_args!(
                "<text x=\"{:.1}\" y=\"{y:.1}\" fill=\"{ALERT}\" font-size=\"11\">{}</text>",
                x + 3.0,
                escaped(name)
            ));
        }
    }

    fn times(&self, y: f64, put: &mut impl FnMut(std::fmt::Arguments<'_>)) {
        let (first, last) = (self.steps.first().copied().unwrap_or(0), self.steps.last().copied().unwrap_or(0));
        for n in 0..=4 {
            let at = first + (last - first) * n / 4;
            let (x, text) = (self.x(at), self.time(at));
            let anchor = ["start", "middle", "middle", "middle", "end"][n as usize];
            let (tick, lower) = (y + 4.0, y + 18.0);
            put(format_args!("<path d=\"M{x:.1} {y:.1}V{tick:.1}\" stroke=\"#777\"/>"));
            put(format_args!(
                "<text x=\"{x:.1}\" y=\"{lower:.1}\" text-anchor=\"{anchor}\" fill=\"#555\">{text}</text>"
            ));
        }
    }

    fn time(&self, at: i64) -> String {
        if self.axis == Axis::Steps {
            return format!("step {at}");
        }
        let (seconds, ns) = (at / 1_000_000_000, at % 1_000_000_000);
        format!("{:02}:{:02}:{:02}.{:06}", seconds / 3_600, seconds / 60 % 60, seconds % 60, ns / 1_000)
    }
}

/// Of so many rows of spikes: no row is lower than it can be seen, and no panel higher than the rest of the picture.
fn height(units: usize) -> f64 {
    (units as f64 * 5.0).clamp(30.0, 360.0)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// So many of something: `1 spike`, `2,106 spikes`.
pub(super) fn some(n: usize, what: &str) -> String {
    format!("{} {what}{}", group(n as u64), if n == 1 { "" } else { "s" })
}
