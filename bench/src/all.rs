//! All that the lab measures in one run, written down: a table, JSON, and pictures.

use crate::contest::{self, Entry};
use crate::course::{self, Others};
use crate::machine::Machine;
use crate::market::{Market, Stream};
use crate::picture::{Bar, bars, escaped};
use crate::stats::Percentiles;
use crate::{book, encode, orders, stream, wire};
use anyhow::{Context, Result};
use firelane_gateway::flow::book::BATCH;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What is measured, and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// A recorded hour; without it the made market alone.
    pub file: Option<PathBuf>,
    /// The made market.
    pub made: Market,
    /// Passes of each contestant.
    pub passes: usize,
    /// Who takes part besides.
    pub others: Others,
    /// Settings of the lane for `orders` and `quotes`.
    pub settings: String,
    /// Wire to wire, if it is wanted.
    pub wire: Option<wire::Plan>,
}

/// What one part gave, or why it could not be measured.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Part<T> {
    /// Measured.
    Report(T),
    /// Not measured.
    Failed {
        /// Why.
        failed: String,
    },
}

impl<T> Part<T> {
    fn of(result: Result<T>) -> Self {
        match result {
            Ok(report) => Part::Report(report),
            Err(error) => Part::Failed { failed: format!("{error:#}") },
        }
    }

    fn report(&self) -> Option<&T> {
        match self {
            Part::Report(report) => Some(report),
            Part::Failed { .. } => None,
        }
    }
}

impl<T: std::fmt::Display> std::fmt::Display for Part<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Part::Report(report) => write!(f, "{report}"),
            Part::Failed { failed } => write!(f, "not measured: {failed}"),
        }
    }
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// On what.
    pub machine: Machine,
    /// By which command.
    pub command: String,
    /// Decode, on the file or the made market.
    pub decode: Part<contest::Report>,
    /// Books, on the file.
    pub book: Option<Part<contest::Report>>,
    /// Books, on the made market.
    pub book_made: Part<contest::Report>,
    /// Framing.
    pub encode: Part<contest::Report>,
    /// Packet to order, beside the straight line.
    pub orders: Part<orders::Report>,
    /// The whole lane with its market maker quoting, on the file; on a made market without the peers, which take one symbol.
    pub quotes: Part<contest::Report>,
    /// Wire to wire, beside the echo.
    pub wire: Option<Part<wire::Report>>,
}

/// Measures all. `tell` hears what comes next.
#[must_use]
pub fn measure(plan: &Plan, machine: &Machine, command: String, mut tell: impl FnMut(&str)) -> Report {
    let file = plan.file.as_deref();
    let made = crate::market::market(plan.made);
    let recorded = file.map(stream::file);
    let one_of = || -> Result<(&Stream, Option<&Path>)> {
        match &recorded {
            None => Ok((&made, None)),
            Some(Ok(stream)) => Ok((stream, file)),
            Some(Err(error)) => Err(anyhow::anyhow!("{error:#}")),
        }
    };
    // A program of one's own is a book; the peers have some of each kind.
    let peers = Others { against: Vec::new(), ..plan.others.clone() };
    tell("decode");
    let decode = Part::of(one_of().and_then(|(s, f)| course::decoders(s, f, &peers, plan.passes)));
    let of_file =
        book::Setup { instruments: 1_024, orders: 65_536, hints: book::Hints::Never, batch: BATCH, passes: 0 };
    let book = file.map(|_| {
        tell("books, the file");
        let ours = of_file.as_arguments();
        Part::of(one_of().and_then(|(s, f)| course::books(s, f, &ours, &plan.others, plan.passes)))
    });
    tell("books, the made market");
    let Market { symbols, live, .. } = plan.made;
    let setup = book::Setup { instruments: symbols.into(), orders: live + live / 4, ..of_file };
    // A pass of it is hundreds of times as long as one of a recorded hour.
    let few = (plan.passes / 5).max(3);
    let book_made = Part::of(course::books(&made, None, &setup.as_arguments(), &plan.others, few));
    tell("encode");
    let encode = Part::of(course::encoders(encode::ORDERS, &peers, plan.passes));
    tell("orders");
    let passes = (plan.passes / 4).max(2);
    let open = || stream::open(Market { symbols: 50, live: 10_000, messages: 50_000, seed: 1 });
    let orders = match file {
        Some(_) => one_of().and_then(|(s, _)| orders::measure(&s.bytes, passes, &plan.settings, machine)),
        None => orders::measure(&open().bytes, passes, &plan.settings, machine),
    };
    tell("quotes");
    let quotes = match file {
        Some(_) => one_of().and_then(|(s, f)| course::quoters(s, f, &plan.settings, &peers, plan.passes)),
        None => course::quoters(&open(), None, &plan.settings, &Others { peers: None, ..peers }, plan.passes),
    };
    let wire = plan.wire.as_ref().map(|plan| {
        tell("wire");
        Part::of(wire::measure(plan))
    });
    let (orders, quotes, machine) = (Part::of(orders), Part::of(quotes), machine.clone());
    Report { machine, command, decode, book, book_made, encode, orders, quotes, wire }
}

impl Report {
    /// Are the lab's own contestants sound, where they were measured?
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let contests =
            [Some(&self.decode), self.book.as_ref(), Some(&self.book_made), Some(&self.encode), Some(&self.quotes)];
        contests.into_iter().flatten().all(|part| part.report().is_some_and(contest::Report::is_sound))
    }

    /// Its pictures, by the name of their files.
    #[must_use]
    pub fn pictures(&self) -> Vec<(&'static str, String)> {
        let contests = [
            ("decode", "Decode: ITCH 5.0 read", Some(&self.decode)),
            ("book", "Parse and book: the recorded hour, warm", self.book.as_ref()),
            ("book-made", "Parse and book: the made market, warm", Some(&self.book_made)),
            ("encode", "An approved order to framed OUCH 5.0", Some(&self.encode)),
            ("quotes", "Messages, quotes and their answers: the whole lane", Some(&self.quotes)),
        ];
        let mut all: Vec<(&'static str, String)> = contests
            .into_iter()
            .filter_map(|(name, title, part)| {
                let unit = if name == "encode" { "ns an order" } else { "ns a message" };
                Some((name, bars(title, unit, &part?.report()?.entries.iter().map(bar).collect::<Vec<_>>())))
            })
            .collect();
        if let Some(orders) = self.orders.report() {
            all.push(("orders", bars("Packet to order, in process", "ns, p50", &lines(orders))));
        }
        if let Some(wire) = self.wire.as_ref().and_then(Part::report) {
            let rows = [("firelane", &wire.lane, true), ("a raw echo", &wire.echo, false)];
            all.push(("wire", bars("Wire to wire over loopback", "ns, p50", &rows.map(|(n, p, o)| latency(n, p, o)))));
        }
        all
    }

    /// The page: all pictures and the table, in one file that needs no other.
    #[must_use]
    pub fn page(&self) -> String {
        let pictures: String =
            self.pictures().into_iter().map(|(_, svg)| format!("<figure>\n{svg}</figure>\n")).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>Firelane: the latency lab</title>\n\
             <style>body{{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#1a1a1a;\
             background:#fff}}figure{{margin:1.2em 0;border:1px solid #ddd;border-radius:4px}}\
             svg{{max-width:100%;height:auto;display:block}}pre{{font-size:12px;overflow-x:auto;background:#f6f6f6;\
             padding:1em}}</style>\n<h1>The latency lab</h1>\n<p>{}<br><code>{}</code></p>\n\
             <p>Contestants by turns on the same bytes; shorter is better. Trust the ratios, not the times.</p>\n\
             {pictures}<h2>The table</h2>\n<pre>{}</pre>\n</html>\n",
            escaped(&self.machine.to_string()),
            escaped(&self.command),
            escaped(&self.to_string())
        )
    }

    /// Writes `table.txt`, `report.json`, `report.html` and the pictures into a folder.
    ///
    /// # Errors
    /// What the files say.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let mut files = vec![
            ("table.txt".to_owned(), format!("{}\n{self}\n", self.command)),
            ("report.json".to_owned(), serde_json::to_string_pretty(self)? + "\n"),
            ("report.html".to_owned(), self.page()),
        ];
        files.extend(self.pictures().into_iter().map(|(name, svg)| (format!("{name}.svg"), svg)));
        let mut written = Vec::new();
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::write(&path, text).with_context(|| path.display().to_string())?;
            written.push(path);
        }
        Ok(written)
    }
}

fn bar(entry: &Entry) -> Bar {
    let ours = entry.first_to_it.is_none() && entry.broken.is_none();
    let kind = if matches!(entry.kind.as_str(), "L2" | "L3") { entry.kind.clone() } else { String::new() };
    let note = entry.first_to_it.map(|pair| format!("firelane takes {:.2} of it", pair.ratio)).unwrap_or_default();
    Bar {
        name: format!("{} {kind}", entry.name).trim().to_owned(),
        value: entry.warm.map(|warm| warm.median),
        note,
        ours,
    }
}

fn latency(name: &str, time: &Percentiles, ours: bool) -> Bar {
    Bar { name: name.to_owned(), value: Some(time.p50), note: format!("p99 {:.0}", time.p99), ours }
}

fn lines(report: &orders::Report) -> Vec<Bar> {
    let mut rows = vec![latency("firelane", &report.packet_to_order, true)];
    if let Some(line) = &report.straight {
        rows.push(latency("the straight line", &line.alone, false));
        rows.push(latency("256 kB touched between", &line.disturbed, false));
    }
    rows
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.machine)?;
        writeln!(f, "\nDECODE\n{}", self.decode)?;
        if let Some(book) = &self.book {
            writeln!(f, "\nPARSE AND BOOK, THE FILE\n{book}")?;
        }
        writeln!(f, "\nPARSE AND BOOK, THE MADE MARKET\n{}", self.book_made)?;
        writeln!(f, "\nENCODE\n{}", self.encode)?;
        writeln!(f, "\nORDERS\n{}", self.orders)?;
        write!(f, "\nQUOTES\n{}", self.quotes)?;
        if let Some(wire) = &self.wire {
            write!(f, "\n\nWIRE\n{wire}")?;
        }
        Ok(())
    }
}
