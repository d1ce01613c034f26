//! What a shell wants of a program that is installed: completions, and pages for `man`. Made from the command line itself.

use crate::cli::{self, Completions, Man};
use crate::outfile::OutFile;
use crate::output;
use anyhow::{Context, Result};
use clap_complete::generate;
use clap_mangen::Man as Page;
use std::fs;
use std::io::Write;
use std::process::ExitCode;

/// Columns of a manual page's text.
const PAGE: usize = 72;

pub(crate) fn completions(options: &Completions) -> Result<ExitCode> {
    let mut script = Vec::new();
    generate(options.shell, &mut cli::command(PAGE), "firelane", &mut script);
    output::text(&script);
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(options: &Man) -> Result<ExitCode> {
    let pages = pages(cli::command(PAGE).disable_help_subcommand(true), "firelane".to_owned());
    let Some(folder) = &options.dir else {
        let mut page = Vec::new();
        Page::new(cli::command(PAGE).disable_help_subcommand(true)).render(&mut page)?;
        output::text(&page);
        return Ok(ExitCode::SUCCESS);
    };
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for (name, command) in &pages {
        let mut page = Vec::new();
        Page::new(command.clone()).render(&mut page)?;
        let path = folder.join(format!("{name}.1"));
        // Those of the same version are there already.
        if fs::read(&path).is_ok_and(|there| there == page) {
            continue;
        }
        let mut file = OutFile::create(&path, &[], options.force)?;
        file.write_all(&page).and_then(|()| file.finish()).with_context(|| path.display().to_string())?;
    }
    say!("{} pages are in {}.", pages.len(), folder.display());
    Ok(ExitCode::SUCCESS)
}

/// The command and all below it, each under the name of its page: `firelane-log-dump`.
fn pages(mut command: clap::Command, name: String) -> Vec<(String, clap::Command)> {
    command.build();
    let below: Vec<clap::Command> = command.get_subcommands().filter(|one| !one.is_hide_set()).cloned().collect();
    let typed = name.replace('-', " ");
    let mut all = vec![(name.clone(), command.name(leaked(&name)).bin_name(typed))];
    for one in below {
        let below = format!("{name}-{}", one.get_name());
        all.extend(pages(one.disable_help_subcommand(true), below));
    }
    all
}

/// The names of pages live as long as the program: clap wants it so, and there are a dozen.
fn leaked(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}
