//! `firelane portfolio qubo`: the choice of names at equal weights, for annealers.

use super::universe;
use crate::cli::{PortfolioQubo, dash};
use crate::layout::sentence;
use crate::outfile::{OutFile, check_dashes, finish};
use anyhow::Result;
use firelane_portfolio::equal::Choice;
use firelane_portfolio::qubo::Qubo;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(options: &PortfolioQubo) -> Result<ExitCode> {
    check_dashes(&[Some(&options.file)], &[Some(&options.out)], false);
    let universe = universe(&options.file)?;
    let choice = Choice::new(&universe, options.cardinality, options.lambda)?;
    let qubo = Qubo::new(&choice, options.penalty);
    let read_from: Vec<&Path> = Some(options.file.as_path()).into_iter().filter(|path| !dash(path)).collect();
    let to = OutFile::create(&options.out, &read_from, options.force)?;
    let mut bytes = Vec::new();
    qubo.write(&mut bytes)?;
    finish(Some(to), Some(&options.out), &bytes)?;
    let text = format!(
        "{} variables, {} terms; penalty {:e}; the objective is the energy + {:e} where the count is met.",
        choice.names(),
        qubo.terms().filter(|(_, _, value)| *value != 0.0).count(),
        qubo.penalty(),
        qubo.offset()
    );
    say!("{}", sentence(&text, 2));
    Ok(ExitCode::SUCCESS)
}
