//! Days as rows: traces, and whether an alert would be right.

use firelane_surveillance::detector::Detector;
use firelane_surveillance::matching::Target;
use firelane_surveillance::score::{Book, What};
use firelane_surveillance::traces::{Constants, Traces};
use firelane_surveillance::watch::Units;

/// Which part of an episode is to be learnt: its beginning looks like any other moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Learnt {
    Whole,
    SecondHalf,
}

/// Rows for one alert: column-major, as both trainers take them.
pub(crate) struct Rows {
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
    pub(crate) wanted: Vec<bool>,
}

impl Rows {
    pub(crate) fn count(&self) -> usize {
        self.wanted.len()
    }
}

/// Which events are rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Of the events of episodes and decoys one in so many...
    pub(crate) targets: usize,
    /// ...and of all others.
    pub(crate) others: usize,
}

/// Is an alert right at `at`? `None`: neither right nor wrong, so that nothing is to be learnt from it.
fn wanted(targets: &[Target<What>], grace: impl Fn(&Target<What>) -> u64, at: u64, learnt: Learnt) -> Option<bool> {
    let Some(of) = targets.iter().find(|one| !one.decoy && (one.from..=one.until).contains(&at)) else {
        return Some(false);
    };
    let end = of.until - grace(of);
    let from = match learnt {
        Learnt::Whole => of.from,
        Learnt::SecondHalf => of.from + (end - of.from) / 2,
    };
    (from..=end).contains(&at).then_some(true)
}

/// Rows of all books for the alert of this number.
pub(crate) fn rows(
    books: &[Book],
    alert: usize,
    learnt: Learnt,
    sample: Sample,
    detector: &Detector,
    constants: &Constants,
) -> Rows {
    let mut traces = Traces::new(Units::of(detector.settings()), constants);
    let columns = traces.values().len();
    let (mut by_row, mut all) = (Vec::new(), Vec::new());
    let (mut of_targets, mut of_others) = (0, 0);
    for book in books {
        traces.restart();
        let targets = &book.targets[alert];
        for (at, spikes) in book.track.events() {
            traces.hear(spikes);
            let wanted = wanted(targets, |one| one.what.kind.grace().0, at, learnt);
            let (count, one_in) = match targets.iter().any(|one| (one.from..=one.until).contains(&at)) {
                true => (&mut of_targets, sample.targets),
                false => (&mut of_others, sample.others),
            };
            *count += 1;
            let kept = *count % one_in == 0;
            if let Some(wanted) = wanted.filter(|_| kept) {
                by_row.extend_from_slice(traces.values());
                all.push(wanted);
            }
        }
    }
    let at = |column: usize| by_row.iter().skip(column).step_by(columns).map(|value| f64::from(*value));
    Rows { columns, values: (0..columns).flat_map(at).collect(), wanted: all }
}
