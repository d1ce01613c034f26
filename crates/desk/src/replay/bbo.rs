//! `--bbo`: each change of a best bid or offer, as a line of CSV.

use crate::cli::Column;
use firelane_gateway::base::{InstrumentId, Side, Symbol};
use firelane_gateway::flow::book::{BookRef, StaleReason};
use std::io::{self, BufWriter, Write};

use crate::outfile::OutFile;

/// Price and size of the best offer and the best bid.
type Top = ((i64, i64), (i64, i64));

/// Where the lines go.
pub(super) struct Bbo {
    out: BufWriter<OutFile>,
    columns: Vec<Column>,
    last: Vec<Top>,
    /// Lines written, and of these (or beside them) those of a book that may be wrong.
    pub(super) written: u64,
    pub(super) stale: u64,
}

impl Bbo {
    pub(super) fn new(out: OutFile, columns: &[Column]) -> io::Result<Bbo> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        if !columns.is_empty() {
            write!(out, "index,ask_px,ask_sz,bid_px,bid_sz")?;
            for column in columns {
                write!(out, ",{}", column.name())?;
            }
            writeln!(out)?;
        }
        Ok(Bbo { out, columns: columns.to_vec(), last: Vec::new(), written: 0, stale: 0 })
    }

    /// Writes a line if the best prices of the book have changed with this message.
    ///
    /// After a loss a book shows what the venue's did not. Such lines are marked where there is a column for it, and
    /// else left out.
    pub(super) fn look(
        &mut self,
        index: u64,
        message: &[u8],
        symbol: Option<Symbol>,
        book: BookRef<'_>,
        id: InstrumentId,
    ) -> io::Result<()> {
        let side = |side| book.top(side).map_or((0, 0), |level| (level.price.0, level.qty.0));
        let now = (side(Side::Sell), side(Side::Buy));
        let at = id.0 as usize;
        if self.last.len() <= at {
            self.last.resize(at + 1, Top::default());
        }
        let Some(last) = self.last.get_mut(at) else { return Ok(()) };
        if *last == now {
            return Ok(());
        }
        *last = now;
        let freshness = book.freshness();
        let is_marked = self.columns.contains(&Column::Stale);
        if if is_marked { !freshness.is_fresh() } else { freshness.has(StaleReason::Gap) } {
            self.stale += 1;
            if !is_marked {
                return Ok(());
            }
        }
        let ((ask, ask_size), (bid, bid_size)) = now;
        write!(self.out, "{index},{ask},{ask_size},{bid},{bid_size}")?;
        for column in &self.columns {
            match column {
                Column::TimeNs => write!(self.out, ",{}", stamp(message))?,
                Column::Symbol => match symbol {
                    Some(symbol) => write!(self.out, ",{symbol}")?,
                    None => write!(self.out, ",")?,
                },
                Column::Stale => write!(self.out, ",{}", u8::from(!freshness.is_fresh()))?,
            }
        }
        writeln!(self.out)?;
        self.written += 1;
        Ok(())
    }

    /// All is written: the file gets its name.
    pub(super) fn finish(self) -> io::Result<()> {
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }
}

/// A message's time of day, in nanoseconds.
fn stamp(message: &[u8]) -> u64 {
    let bytes = message.get(5..11).unwrap_or_default();
    bytes.iter().fold(0, |ns, byte| ns << 8 | u64::from(*byte))
}
