//! How wide texts are, and how they are laid out for it.

use crate::paint;
use std::io::{self, IsTerminal};

/// Columns of the terminal, at least 60 and at most 120; 80 where there is none and `COLUMNS` says nothing.
pub(crate) fn width() -> usize {
    let terminal = io::stdout().is_terminal().then(terminal_columns).flatten();
    let named = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.or_else(named).map_or(80, |columns: usize| columns.clamp(60, 120))
}

fn terminal_columns() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size()?;
    Some(usize::from(width.0))
}

/// Words laid out: as many as fit in `width` columns on a line, the lines after the first behind `indent` spaces.
pub(crate) fn laid_out(parts: &[String], indent: usize, width: usize) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for (index, part) in parts.iter().enumerate() {
        let length = paint::columns(part);
        if index > 0 && column + 1 + length > width {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if index > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(part);
        column += length;
    }
    text
}

/// A sentence for the width there is, the lines after the first behind `indent` spaces.
pub(crate) fn sentence(text: &str, indent: usize) -> String {
    let body = text.trim_start();
    let mut words: Vec<String> = body.split(' ').map(str::to_owned).collect();
    if let Some(first) = words.first_mut() {
        *first = format!("{}{first}", &text[..text.len() - body.len()]);
    }
    laid_out(&words, indent, width())
}

/// A row of a report: its name, its figure, and what there is to say of it, which goes on below where it is long.
pub(crate) fn row(name: &str, figure: &str, note: &str) -> String {
    sentence_behind(&format!("  {name:<10}{figure:>14}  "), note, 29, width()).trim_end().to_owned()
}

fn sentence_behind(head: &str, note: &str, indent: usize, width: usize) -> String {
    let words = std::iter::once(head.to_owned()).chain(note.split(' ').map(str::to_owned));
    laid_out(&words.collect::<Vec<_>>(), indent, width)
}

/// A text of paragraphs and indented lines, as under a help, for `width` columns: paragraphs are filled; of an indented
/// line that is too long, what stands behind two or more spaces goes below it.
pub(crate) fn epilogue(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut paragraph: Vec<String> = Vec::new();
    let mut block: Vec<&str> = Vec::new();
    let close = |paragraph: &mut Vec<String>, lines: &mut Vec<String>| {
        if !paragraph.is_empty() {
            lines.extend(laid_out(&std::mem::take(paragraph), 0, width).lines().map(str::to_owned));
        }
    };
    for line in text.lines() {
        if line.is_empty() || line.starts_with(' ') || line.ends_with(':') {
            // The last line of a paragraph may end so, too.
            if line.ends_with(':') && !line.starts_with(' ') && !paragraph.is_empty() {
                paragraph.extend(line.split(' ').map(str::to_owned));
                close(&mut paragraph, &mut lines);
                continue;
            }
            close(&mut paragraph, &mut lines);
            block.extend(line.starts_with(' ').then_some(line));
            if !line.starts_with(' ') {
                lines.extend(indented(&std::mem::take(&mut block), width));
                lines.push(line.to_owned());
            }
        } else {
            lines.extend(indented(&std::mem::take(&mut block), width));
            paragraph.extend(line.split(' ').map(str::to_owned));
        }
    }
    close(&mut paragraph, &mut lines);
    lines.extend(indented(&block, width));
    lines.join("\n")
}

/// Lines that belong together: if one is too long, the comments of all go below.
fn indented(block: &[&str], width: usize) -> Vec<String> {
    if block.iter().all(|line| line.chars().count() <= width) {
        return block.iter().map(|line| (*line).to_owned()).collect();
    }
    block.iter().flat_map(|line| broken(line, width)).collect()
}

fn broken(line: &str, width: usize) -> Vec<String> {
    let body = line.trim_start();
    let indent = line.len() - body.len();
    let Some((command, comment)) = body.split_once("  ") else {
        let words: Vec<String> = body.split(' ').map(str::to_owned).collect();
        let first = vec![format!("{}{}", " ".repeat(indent), words[0])];
        let all: Vec<String> = first.into_iter().chain(words.into_iter().skip(1)).collect();
        return laid_out(&all, indent + 4, width).lines().map(str::to_owned).collect();
    };
    let words = comment.trim_start().split(' ').map(str::to_owned);
    let first = format!("{}{command}", " ".repeat(indent));
    let mut below: Vec<String> = words.collect();
    if let Some(word) = below.first_mut() {
        *word = format!("{}{word}", " ".repeat(indent + 4));
    }
    let mut lines = if first.chars().count() > width { broken(&first, width) } else { vec![first] };
    lines.extend(laid_out(&below, indent + 4, width).lines().map(str::to_owned));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_laid_out_within_the_width() {
        let parts = ["one", "two", "three", "four"].map(str::to_owned);
        assert_eq!(laid_out(&parts, 2, 7), "one two\n  three\n  four");
        assert_eq!(laid_out(&parts, 2, 80), "one two three four");
        assert_eq!(laid_out(&parts, 2, 1), "one\n  two\n  three\n  four");
    }

    #[test]
    fn an_epilogue_is_filled_and_keeps_its_examples() {
        let text = "One two three\nfour five.\n\nTry:\n  ab cd    a comment that is long\n  ef";
        assert_eq!(
            epilogue(text, 12),
            "One two\nthree four\nfive.\n\nTry:\n  ab cd\n      a\n      comment\n      that\n      is\n      long\n  ef"
        );
        assert_eq!(epilogue(text, 80), "One two three four five.\n\nTry:\n  ab cd    a comment that is long\n  ef");
    }

    #[test]
    fn a_row_without_a_note_ends_with_its_figure() {
        assert!(row("fills", "876", "").ends_with("876"));
    }

    #[test]
    fn a_row_goes_on_below_its_note() {
        let text = sentence_behind(&format!("  {:<10}{:>14}  ", "gaps", "3"), "one two three four", 29, 40);
        assert_eq!(text, "  gaps                   3   one two\n                             three four");
    }
}
