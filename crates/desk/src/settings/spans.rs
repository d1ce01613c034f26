//! Where every key of a TOML text stands.

use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The keys of a text, each with the tables that it is in, and the bytes from the key to its value's end.
pub(super) struct Spans {
    keys: Vec<(Vec<String>, Range<usize>)>,
    /// What is no TOML: where, and what is wrong.
    pub(super) errors: Vec<(usize, String)>,
}

impl Spans {
    pub(super) fn of(text: &str) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let errors = errors.iter().map(|e| (e.span().map_or(0, |span| span.start), e.message().to_owned())).collect();
        let mut spans = Spans { keys: Vec::new(), errors };
        spans.walk(&[], table.get_ref());
        spans
    }

    fn walk(&mut self, within: &[String], table: &DeTable<'_>) {
        for (name, value) in table {
            let key = [within, &[name.get_ref().to_string()]].concat();
            let (from, to) = (name.span(), value.span());
            self.keys.push((key.clone(), from.start.min(to.start)..from.end.max(to.end)));
            match value.get_ref() {
                DeValue::Table(table) => self.walk(&key, table),
                DeValue::Array(values) => {
                    for (index, value) in values.iter().enumerate() {
                        let DeValue::Table(table) = value.get_ref() else { continue };
                        let mut one = key.clone();
                        if let Some(last) = one.last_mut().filter(|_| values.len() > 1) {
                            last.push_str(&format!("[{index}]"));
                        }
                        self.walk(&one, table);
                    }
                }
                _ => {}
            }
        }
    }

    /// The innermost key that a byte belongs to.
    pub(super) fn key_at(&self, byte: usize) -> Option<Vec<String>> {
        let around = self.keys.iter().filter(|(_, span)| span.contains(&byte));
        around.max_by_key(|(key, span)| (key.len(), span.start)).map(|(key, _)| key.clone())
    }

    /// The line of a key.
    pub(super) fn line(&self, text: &str, key: &[String]) -> Option<usize> {
        let (_, span) = self.keys.iter().find(|(known, _)| known == key)?;
        Some(text[..span.start].matches('\n').count() + 1)
    }
}
