//! `firelane tape tail|export`: the tape of a gateway as it is written, or of a file, as text, JSON lines or a tape's file.

mod source;

use crate::cli::{self, Dump, Export, Tail, Tape, TapeOf};
use crate::dump::Printer;
use crate::outfile::{self, OutFile};
use crate::output;
use crate::replay::group;
use anyhow::{Context, Result, bail};
use firelane_gateway::flow::record::Kind;
use firelane_gateway::shell::log::{FileHeader, FileWriter, Record, Role};
use firelane_gateway::shell::signals;
use firelane_gateway::shell::sync::Stop;
use source::{Next, Source};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use zerocopy::IntoBytes;

pub(crate) fn run(command: &Tape) -> Result<ExitCode> {
    match command {
        Tape::Tail(options) => tail(options),
        Tape::Export(options) => export(options),
    }
}

/// What is asked for, as `log dump` has it.
fn filters(of: &TapeOf, json: bool) -> Dump {
    let (kind, symbol) = (of.kind.clone(), of.symbol.clone());
    Dump { file: of.target.clone(), symbol, order: of.order, kind, input: None, from: None, to: None, json }
}

fn tail(options: &Tail) -> Result<ExitCode> {
    let of = &options.of;
    let mut source = Source::live(of)?;
    let header = source.header().clone();
    let mut printer = Printer::new(&header, &filters(of, options.json))?;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let end = Follow::new(of)?.records(&mut source, |record| {
        match record {
            Some(record) => {
                if let Some(line) = printer.line(record)? {
                    output::text_written(&writeln!(out, "{line}"));
                }
            }
            None => output::text_written(&out.flush()),
        }
        Ok(!output::is_over())
    })?;
    output::text_written(&out.flush());
    if !output::is_over() {
        source.sum_up();
    }
    end
}

/// Where an export goes, and how.
enum Form<'a, W: Write> {
    Lines(Box<Printer<'a>>, W),
    Records(FileWriter<W>),
}

impl<'a, W: Write> Form<'a, W> {
    fn new(options: &Export, header: &'a FileHeader, out: W) -> Result<Self> {
        let printer = Printer::new(header, &filters(&options.of, !options.text))?;
        match options.raw {
            false => Ok(Form::Lines(Box::new(printer), out)),
            true => Ok(Form::Records(FileWriter::new(out, Role::Tape, header)?)),
        }
    }

    fn put(&mut self, record: &Record) -> Result<()> {
        match self {
            Form::Lines(printer, out) => {
                if let Some(line) = printer.line(record)? {
                    writeln!(out, "{line}")?;
                }
            }
            Form::Records(file) => file.put(&[record.header.as_bytes(), &record.body])?,
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Form::Lines(_, out) => out.flush(),
            Form::Records(file) => file.flush(),
        }
    }
}

/// Where an export goes.
enum Out {
    /// Of a file: whole, or not at all.
    Whole(OutFile),
    /// Of a tape that goes on: as it comes.
    Live(File),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Out::Whole(out) => out.write(bytes),
            Out::Live(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::Whole(out) => out.flush(),
            Out::Live(out) => out.flush(),
        }
    }
}

fn export(options: &Export) -> Result<ExitCode> {
    let (of, path) = (&options.of, &options.output);
    if options.raw && !(of.kind.is_empty() && of.symbol.is_empty() && of.order.is_none()) {
        cli::wrong("--raw gives every record as it is: it has no --kind, --symbol and --order");
    }
    outfile::check_dashes(&[Some(&of.target)], &[Some(path)], false);
    let mut source = Source::any(of)?;
    let header = source.header().clone();
    let others = [of.target.as_path()];
    let out = match source.is_live() {
        true => Out::Live(outfile::stream(path, &others, options.force, "--force writes it over")?),
        false => Out::Whole(OutFile::create(path, &others, options.force)?),
    };
    let name = || path.display().to_string();
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let mut form = Form::new(options, &header, &mut out)?;
    let live = source.is_live();
    let follow = Follow::new(of)?;
    let end = follow.records(&mut source, |record| {
        match record {
            Some(record) => form.put(record).with_context(name)?,
            None if live => form.flush().with_context(name)?,
            None => {}
        }
        Ok(!output::is_over())
    })?;
    form.flush().with_context(name)?;
    drop(form);
    let out = out.into_inner().map_err(io::IntoInnerError::into_error).with_context(name)?;
    if let (Out::Whole(file), Ok(_)) = (out, &end) {
        file.finish().with_context(name)?;
    }
    source.sum_up();
    end
}

/// Until when a tape is followed.
struct Follow {
    end: Stop,
    began: Instant,
    limit: Option<Duration>,
}

impl Follow {
    fn new(of: &TapeOf) -> Result<Self> {
        let end = signals::asked_to_end(signals::LastWords::default())?;
        Ok(Follow { end, began: Instant::now(), limit: of.seconds.map(Duration::from_secs) })
    }

    /// Every record to `take`, and `None` when there is none for the moment, until the tape ends, or it is asked to, or `take`
    /// says false. Answers how that is to end.
    fn records(
        &self,
        source: &mut Source,
        mut take: impl FnMut(Option<&Record>) -> Result<bool>,
    ) -> Result<Result<ExitCode>> {
        loop {
            let goes_on = match source.next()? {
                Next::Record(record) => {
                    let is_lapped = record.kind == Some(Kind::Lapped);
                    take(Some(&record))? && (!is_lapped || source.say_lost())
                }
                Next::Nothing => take(None)?,
                Next::End(None) => return Ok(Ok(ExitCode::SUCCESS)),
                Next::End(Some(why)) => {
                    take(None)?;
                    return Ok(Err(anyhow::anyhow!(why)));
                }
            };
            if !goes_on || self.end.is_stopped() || self.limit.is_some_and(|limit| self.began.elapsed() >= limit) {
                return Ok(Ok(ExitCode::SUCCESS));
            }
        }
    }
}

/// What was read, and what was not, for people.
fn summed_up([records, lost, bytes]: [u64; 3]) -> String {
    let lost = match lost {
        0 => "none lost".to_owned(),
        n => format!("{} lost ({} bytes): this reader is too slow for the tape", group(n), group(bytes)),
    };
    format!("firelane: {} records read, {lost}", group(records))
}

/// A tape is asked for and there is none.
fn none_there(path: &std::path::Path) -> Result<Source> {
    bail!(
        "{}: the configuration names neither a shared tape nor a control socket: set shared in its [tape] table, as in shared = \
         \"/dev/shm/firelane.tape\", or socket in [control], and start the gateway again",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_never_left_out_of_the_sum() {
        assert_eq!(summed_up([1_234, 0, 0]), "firelane: 1,234 records read, none lost");
        let said = summed_up([1, 2_000, 60_000]);
        assert!(said.contains("2,000 lost (60,000 bytes)"), "{said}");
    }
}
