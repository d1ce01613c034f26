//! The example, as somebody would use it.

#[allow(dead_code, reason = "its main is run by hand")]
#[path = "../../examples/manipulations.rs"]
mod example;

use firelane_gateway::base::Nanos;
use firelane_sim::manipulation::{Day, DayConfig};

#[test]
fn the_example_says_what_was_played() {
    let day = Day::play(DayConfig { length: Nanos::from_secs(300), ..DayConfig::default() }, 1);
    let labels = example::labels(&day);
    let mut lines = labels.lines();
    assert_eq!(lines.next(), Some("kind,decoy,strength,symbol,start,end"));
    assert_eq!(lines.clone().count(), day.episodes.len());
    for (line, episode) in lines.zip(&day.episodes) {
        let cells: Vec<_> = line.split(',').collect();
        assert_eq!(cells[0], episode.kind.name());
        assert_eq!(cells[1] == "1", episode.decoy);
        assert_eq!(cells[3], day.symbols[episode.symbol].to_string());
        assert_eq!((cells[4].parse(), cells[5].parse()), (Ok(episode.start), Ok(episode.end)));
    }
    let counts = example::summary(&day);
    assert!(counts.lines().all(|line| line.len() <= 80), "{counts}");
    let number = |cell: Option<&str>| cell.and_then(|cell| cell.parse::<usize>().ok()).unwrap_or(0);
    let counted: usize = counts
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split_whitespace().skip(2);
            number(cells.next()) + number(cells.next())
        })
        .sum();
    assert_eq!(counted, day.episodes.len());
}
