//! Bars as SVG, without any library: for a page of its own and for a README.

use std::fmt::Write;

/// One bar.
#[derive(Clone, PartialEq, Debug)]
pub struct Bar {
    /// What it is of.
    pub name: String,
    /// How long; none if there is no number that counts.
    pub value: Option<f64>,
    /// What stands behind it.
    pub note: String,
    /// Ours?
    pub ours: bool,
}

const WIDTH: usize = 720;
const LEFT: usize = 236;
const ROOM: usize = 240;
const ROW: usize = 26;
const TOP: usize = 46;

/// Text within XML.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A picture of bars: the shorter the better.
#[must_use]
pub fn bars(title: &str, unit: &str, rows: &[Bar]) -> String {
    let most = rows.iter().filter_map(|bar| bar.value).fold(0.0, f64::max);
    let height = TOP + ROW * rows.len() + 14;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <title>{0}</title>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"14\" y=\"26\" font-size=\"15\" font-weight=\"600\" fill=\"#1a1a1a\">{0}</text>\n\
         <text x=\"{1}\" y=\"26\" text-anchor=\"end\" fill=\"#666666\">{2}</text>\n",
        escaped(title),
        WIDTH - 14,
        escaped(unit)
    );
    for (n, bar) in rows.iter().enumerate() {
        row(&mut svg, TOP + ROW * n, bar, most);
    }
    svg + "</svg>\n"
}

fn row(svg: &mut String, y: usize, Bar { name, value, note, ours }: &Bar, most: f64) {
    let base = y + 17;
    let weight = if *ours { "600" } else { "400" };
    let name: String = name.chars().take(30).collect();
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{base}\" text-anchor=\"end\" font-weight=\"{weight}\" fill=\"#1a1a1a\">{}</text>",
        LEFT - 10,
        escaped(&name)
    );
    let Some(value) = value else {
        let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{base}\" font-weight=\"600\" fill=\"#b00020\">BROKEN</text>");
        return;
    };
    let length = if most > 0.0 { (value / most * ROOM as f64).max(1.0) } else { 1.0 };
    let colour = if *ours { "#d9480f" } else { "#8aa4c0" };
    let _ = writeln!(
        svg,
        "<rect x=\"{LEFT}\" y=\"{}\" width=\"{length:.1}\" height=\"{}\" rx=\"2\" fill=\"{colour}\"/>\n\
         <text x=\"{:.1}\" y=\"{base}\" fill=\"#1a1a1a\">{}<tspan dx=\"9\" fill=\"#666666\">{}</tspan></text>",
        y + 4,
        ROW - 8,
        LEFT as f64 + length + 8.0,
        number(*value),
        escaped(note)
    );
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value {
        v if v >= 1_000.0 => format!("{:.0}", (v / 10.0).round() * 10.0),
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, value: Option<f64>) -> Bar {
        Bar { name: name.into(), value, note: "a < b".into(), ours: name == "ours" }
    }

    #[test]
    fn the_longest_bar_fills_the_room_and_a_broken_one_has_none() {
        let svg = bars(
            "books & more",
            "ns a message",
            &[bar("ours", Some(50.0)), bar("peer", Some(100.0)), bar("bad", None)],
        );
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("books &amp; more"));
        assert!(svg.contains("width=\"120.0\"") && svg.contains("width=\"240.0\""), "{svg}");
        assert_eq!((svg.matches("<rect ").count(), svg.matches("BROKEN").count()), (3, 1));
        assert!(svg.contains("a &lt; b") && !svg.contains("a < b"));
    }

    #[test]
    fn numbers_have_the_digits_that_count() {
        assert_eq!([7.456, 45.67, 456.7, 9_376.0].map(number), ["7.46", "45.7", "457", "9380"]);
        assert!(bars("nothing", "ns", &[bar("ours", Some(0.0))]).contains("width=\"1.0\""));
    }
}
