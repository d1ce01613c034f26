//! Times of day, and what a picture has in it.

use super::picture::{Axis, Picture, Rows, Trace};
use super::*;

#[test]
fn a_time_of_day_is_read_whole_or_not_at_all() {
    for (text, expected) in [
        ("00:00:00", Some(0)),
        ("09:30:00.5", Some(34_200_500_000_000)),
        ("23:59:59.999999999", Some(86_399_999_999_999)),
        ("24:00:00", None),
        ("09:60:00", None),
        ("09:30:60", None),
        ("09:30", None),
        ("09:30:00.", None),
        ("09:30:00.1234567890", None),
        ("09:30:00.-1", None),
        ("", None),
    ] {
        assert_eq!(text.parse().ok(), expected.map(Clock), "{text}");
    }
}

#[test]
fn a_picture_has_a_stroke_for_each_spike_and_a_line_for_each_detection() {
    let picture = Picture {
        title: "a < b & c".to_owned(),
        axis: Axis::Clock,
        steps: vec![34_200_000_000_000, 34_200_001_000_000, 34_200_004_000_000],
        rows: vec![
            Rows { name: "in".to_owned(), units: 4, spikes: vec![(34_200_000_000_000, 0), (34_200_004_000_000, 3)] },
            Rows { name: "out".to_owned(), units: 1, spikes: vec![(34_200_001_000_000, 0)] },
        ],
        traces: vec![Trace {
            name: "out 0".to_owned(),
            threshold: 64,
            values: vec![(34_200_000_000_000, 0), (34_200_001_000_000, 128), (34_200_004_000_000, -64)],
        }],
        alerts: vec![(34_200_001_000_000, "burst".to_owned())],
    };
    let svg = picture.svg();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("a &lt; b &amp; c") && svg.contains(">burst</text>") && svg.contains("4 units, 2 spikes"));
    // Of two spikes, at the left end and at the right one; the first unit is the upper one.
    assert!(svg.contains("M120.0 64.8v6.0M1160.0 87.2v6.0"), "{svg}");
    // The detection stands a quarter of the way through.
    assert!(svg.contains("M380.0 38.0V"), "{svg}");
    for text in ["09:30:00.000000", "09:30:00.004000", "1 unit, 1 spike<"] {
        assert!(svg.contains(text), "{text}");
    }
    assert_eq!(picture.summary(), "a < b & c: 3 steps, 3 spikes, 1 voltage, alerts: burst.");
}
