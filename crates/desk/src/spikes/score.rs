//! `firelane spikes score`: a detector against baselines on the same spikes, on days of known manipulations.

use crate::cli::SpikesScore;
use crate::detector::document_of;
use crate::layout::sentence;
use crate::replay::group;
use crate::{output, progress};
use anyhow::{Context, Result};
use firelane_gateway::base::Nanos;
use firelane_sim::manipulation::{Alert, Kind, Strength};
use firelane_surveillance::curve::Recall;
use firelane_surveillance::detector::Detector;
use firelane_surveillance::models::Baselines;
use firelane_surveillance::score::{CHOSEN, Delay, Options, RATES, Report, Scored, score};
use std::ops::Range;
use std::process::ExitCode;
use std::str::FromStr;

/// Seeds of days, as an argument has them.
#[derive(Clone, Debug)]
pub(crate) struct Seeds(Range<u64>);

impl FromStr for Seeds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = "must be a first seed, two dots and the one after the last, as in 3000..3024";
        let (first, end) = text.split_once("..").ok_or(rule)?;
        let seed = |text: &str| text.parse::<u64>().map_err(|_| rule);
        match seed(first)?..seed(end)? {
            range if range.is_empty() => Err("must have the larger seed behind the dots: it is the one after the last"),
            range if range.end - range.start > MOST => Err("must be at most 1000 days"),
            range => Ok(Seeds(range)),
        }
    }
}

/// Days that are scored, at most: more take hours.
const MOST: u64 = 1_000;

pub(super) fn run(options: &SpikesScore) -> Result<ExitCode> {
    let detector = match &options.detector {
        None => Detector::shipped()?,
        Some(file) => {
            let name = || file.display().to_string();
            Detector::parse(&document_of(file).with_context(name)?).with_context(name)?
        }
    };
    let mut asked = Options::default();
    asked.seeds = options.seeds.clone().map_or(asked.seeds, |seeds| seeds.0);
    asked.validation = options.validation.clone().map_or(asked.validation, |seeds| seeds.0);
    asked.day.length = Nanos::from_secs(options.minutes * 60);
    let bar = progress::line();
    let told = |finished: usize, of: usize| bar.set_message(format!("{finished} of {of} days"));
    let report = score(&detector, &Baselines::shipped()?, &asked, told);
    bar.finish_and_clear();
    let report = report?;
    if options.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &Report) {
    let [first, end] = report.seeds;
    let [before, until] = report.validation;
    let head = format!(
        "{}: days of seeds {first} to {}, {:.1} symbol-hours, {} events. An alert within {} s of a false one is part of it.",
        report.detector,
        end - 1,
        report.hours,
        group(report.events),
        report.merge_ns / 1_000_000_000
    );
    say!("{}", sentence(&head, 2));
    if report.seen_before {
        say!("{}", sentence("Some of these days contestants were trained with or chosen by: this is no test.", 2));
    }
    if !report.baselines {
        let text = "The baselines were trained on other spikes than this detector hears, and are left out.";
        say!("{}", sentence(text, 2));
    }
    say!();
    say!("  kind         episodes    decoys   an alert counts until");
    for kind in &report.kinds {
        let grace = kind.grace_ns as f64 / 1e9;
        say!("  {:<11}{:>10}{:>10}   {grace:.1} s behind the end", kind.kind, group(kind.episodes), group(kind.decoys));
    }
    recall(report);
    strengths(report);
    delays(report);
    transfer(report, before, until);
    costs(report);
}

/// A part as people read it, or a dash.
fn part(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
}

/// The recall of a group at a rate.
fn find(scored: &Scored, rate: f64, group: (Option<Alert>, Option<Kind>, Option<Strength>)) -> Option<&Recall> {
    let (alert, kind, strength) = (group.0.map(Alert::name), group.1.map(Kind::name), group.2.map(Strength::name));
    let found = scored
        .recall
        .iter()
        .find(|one| one.per_hour == rate && (one.alert, one.kind, one.strength) == (alert, kind, strength));
    found.map(|one| &one.recall)
}

fn recall(report: &Report) {
    say!();
    say!("{}", sentence("Recall at so many false alarms of an alert a symbol-hour, with its interval of 95 %:", 2));
    say!();
    say!("  alert      contestant         1                 10                60");
    for alert in [None].into_iter().chain(Alert::ALL.map(Some)) {
        for (n, scored) in report.contestants.iter().enumerate() {
            let columns = RATES.map(|rate| match find(scored, rate, (alert, None, None)) {
                Some(one) => format!("{:>6} {:>11}", part(one.part), format!("{}-{}", part(one.low), part(one.high))),
                None => String::new(),
            });
            let name = if n == 0 { alert.map_or("all", Alert::name) } else { "" };
            say!("  {name:<10} {:<10} {}", scored.name, columns.join(""));
        }
    }
}

fn strengths(report: &Report) {
    say!();
    let text = format!("Recall at {CHOSEN:.0}, by how plain it is: b blatant, p plain, f faint.");
    say!("{}", sentence(&text, 2));
    say!();
    let head = Kind::ALL.map(|kind| format!("{:<16}", kind.name()));
    say!("  {}", format!("{:<11}{}", "", head.join("")).trim_end());
    let letters = Kind::ALL.map(|_| Strength::ALL.map(|strength| format!("{:>4} ", &strength.name()[..1])).join(""));
    say!("  {}", format!("{:<11}{}", "", letters.join(" ")).trim_end());
    for scored in &report.contestants {
        let of = |kind: Kind| {
            let each = |strength| find(scored, CHOSEN, (None, Some(kind), Some(strength))).and_then(|one| one.part);
            Strength::ALL.map(|strength| format!("{:>4} ", part(each(strength)))).join("")
        };
        say!("  {}", format!("{:<11}{}", scored.name, Kind::ALL.map(of).join(" ")).trim_end());
    }
}

fn delays(report: &Report) {
    say!();
    let text = format!(
        "From an episode's start to the first alert at {CHOSEN:.0} false ones a symbol-hour: median, and quartiles."
    );
    say!("{}", sentence(&text, 2));
    say!();
    say!("  kind       contestant            events                            ms");
    for kind in Kind::ALL {
        for (n, scored) in report.contestants.iter().enumerate() {
            let delay = scored.delay.iter().find(|delay| delay.kind == kind.name());
            let (events, ms) = delay.map_or_else(Default::default, delay_columns);
            let name = if n == 0 { kind.name() } else { "" };
            say!("  {}", format!("{name:<10} {:<10} {events:<22} {ms:>28}", scored.name).trim_end());
        }
    }
}

fn delay_columns(delay: &Delay) -> (String, String) {
    let events = delay.events.map_or_else(
        || format!("{:>12}", "-"),
        |one| format!("{:>12} ({} to {})", group(one.median), group(one.low), group(one.high)),
    );
    let ms = |ns: u64| format!("{:.1}", ns as f64 / 1e6);
    let ns = delay
        .ns
        .map_or_else(|| "-".to_owned(), |one| format!("{} ({} to {})", ms(one.median), ms(one.low), ms(one.high)));
    (events, ns)
}

fn transfer(report: &Report, before: u64, until: u64) {
    say!();
    let text = format!(
        "With the thresholds that gave {CHOSEN:.0} false alarms a symbol-hour on the days of seeds {before} to {}:",
        until - 1
    );
    say!("{}", sentence(&text, 2));
    say!();
    say!("  alert      contestant    recall   false alarms/h   decoys taken for it");
    for alert in Alert::ALL {
        let all = report.contestants.iter().filter_map(|scored| {
            let of_it = scored.transfer.iter().find(|transfer| transfer.alert == alert.name());
            of_it.map(|transfer| (scored.name, transfer))
        });
        for (n, (contestant, transfer)) in all.enumerate() {
            let name = if n == 0 { alert.name() } else { "" };
            say!(
                "  {name:<10} {contestant:<10} {:>9} {:>16.1} {:>21}",
                part(transfer.episodes.part()),
                transfer.false_alarms_per_hour,
                part(transfer.decoys.part())
            );
        }
    }
}

fn costs(report: &Report) {
    say!();
    let text = "NeuroBench's columns; operations are of an event, and comparisons not NeuroBench's:";
    say!("{}", sentence(text, 2));
    say!();
    say!("  contestant     bytes  weights 0   silent   MACs   ACs   dense  comparisons");
    for Scored { name, cost, .. } in &report.contestants {
        say!(
            "  {name:<11}{:>9}{:>11}{:>9}{:>7.0}{:>6.0}{:>8}{:>13.0}",
            group(cost.build.footprint_bytes),
            part(cost.build.connection_sparsity),
            part(cost.activation_sparsity),
            cost.effective_macs,
            cost.effective_acs,
            group(cost.build.dense_operations),
            cost.comparisons
        );
    }
}
