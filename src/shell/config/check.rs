//! From raw values to checked ones: the error that names key and range, and the checks that several tables, of the gateway
//! and of the venue, share.

use crate::base::OutOfRange;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, or a value of another type. The text names line and key.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A key at the top that neither the lane nor anything that trades knows.
    #[error("unknown field `{key}`, expected one of {known}")]
    Unknown {
        /// The key.
        key: String,
        /// Those that there are.
        known: String,
    },
    /// A key of a row that is laid over another table: there is none of that name, or it is of another type.
    #[error("{key}: {message}")]
    Key {
        /// The key, with its table.
        key: String,
        /// What the reader of TOML says.
        message: String,
    },
    /// A name that nothing has.
    #[error("{key}: there is no {name:?}, only {known}")]
    Name {
        /// The key, with its table.
        key: String,
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A value out of its range.
    #[error("{key} = {value}: must be {allowed}")]
    Value {
        /// The key, with its table.
        key: String,
        /// What it is.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// An address that cannot be used.
    #[error("{key}: {error}")]
    Address {
        /// The key, with its table.
        key: String,
        /// What is wrong, and what it must be.
        error: String,
    },
    /// A value that a part of the lane refuses, in a table of its own.
    #[error("{key}: must be {allowed}")]
    Limit {
        /// The key, with its table.
        key: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A value that a part of the lane refuses.
    #[error(transparent)]
    Range(#[from] OutOfRange),
    /// What is wrong with one of several lanes.
    #[error("lane {lane:?}: {}", said(.within.as_deref(), .error))]
    Lane {
        /// Its name.
        lane: String,
        /// The key, as the document has it: in the lane's row, or in the rest.
        key: Option<String>,
        /// The key in the lane's own text.
        within: Option<String>,
        /// What is wrong with that.
        error: Box<ConfigError>,
    },
    /// What several lanes cannot have together.
    #[error("{key}: {problem}")]
    Lanes {
        /// The key, with its table.
        key: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

/// An error in a text that nobody has before him, without its place there.
fn said(key: Option<&str>, error: &ConfigError) -> String {
    match (error, key) {
        (ConfigError::Toml(error), Some(key)) => format!("{key}: {}", error.message()),
        (ConfigError::Toml(error), None) => error.message().to_owned(),
        (error, _) => error.to_string(),
    }
}

impl ConfigError {
    /// The key that is refused, with its table. `None`: its place in the text says it.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            ConfigError::Toml(_) => None,
            ConfigError::Unknown { key, .. }
            | ConfigError::Key { key, .. }
            | ConfigError::Name { key, .. }
            | ConfigError::Value { key, .. }
            | ConfigError::Address { key, .. }
            | ConfigError::Limit { key, .. }
            | ConfigError::Lanes { key, .. } => Some(key),
            ConfigError::Lane { key, .. } => key.as_deref(),
            ConfigError::Range(range) => Some(range.field),
        }
    }

    /// The same of a table that stands within another one: its key begins with `prefix`.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        match &mut self {
            // Its place in the text, or in the lane's, says it.
            ConfigError::Toml(_) | ConfigError::Lane { .. } => {}
            ConfigError::Unknown { key, .. }
            | ConfigError::Key { key, .. }
            | ConfigError::Name { key, .. }
            | ConfigError::Value { key, .. }
            | ConfigError::Address { key, .. }
            | ConfigError::Lanes { key, .. }
            | ConfigError::Limit { key, .. } => key.insert_str(0, prefix),
            ConfigError::Range(OutOfRange { field, allowed }) => {
                return ConfigError::Limit { key: format!("{prefix}{field}"), allowed };
            }
        }
        self
    }
}

/// A value out of its range.
#[must_use]
pub fn refuse(key: &str, value: impl Display, allowed: &'static str) -> ConfigError {
    ConfigError::Value { key: key.to_owned(), value: value.to_string(), allowed }
}

/// A number within a range.
///
/// # Errors
/// [`ConfigError::Value`].
pub fn within<T: PartialOrd + Display + Copy>(
    key: &str,
    value: T,
    range: RangeInclusive<T>,
    allowed: &'static str,
) -> Result<T, ConfigError> {
    if range.contains(&value) { Ok(value) } else { Err(refuse(key, value, allowed)) }
}

/// One of a few words.
///
/// # Errors
/// [`ConfigError::Value`].
pub fn word<T: Copy>(
    key: &str,
    value: &str,
    words: &[(&'static str, T)],
    allowed: &'static str,
) -> Result<T, ConfigError> {
    words.iter().find(|(w, _)| *w == value).map(|(_, t)| *t).ok_or_else(|| refuse(key, format!("{value:?}"), allowed))
}

/// `N` printable characters at most, padded with spaces.
///
/// # Errors
/// [`ConfigError::Value`].
pub fn padded<const N: usize>(key: &str, value: &str, allowed: &'static str) -> Result<[u8; N], ConfigError> {
    let good = value.len() <= N && value.bytes().all(|b| b.is_ascii_graphic());
    if !good {
        return Err(refuse(key, format!("{value:?}"), allowed));
    }
    let mut text = [b' '; N];
    text[..value.len()].copy_from_slice(value.as_bytes());
    Ok(text)
}

/// The name of an environment variable.
///
/// # Errors
/// [`ConfigError::Value`]. What somebody wrote there may be the secret itself: it is not repeated.
pub fn variable(key: &str, value: &str) -> Result<String, ConfigError> {
    let good = !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let allowed = "the name of an environment variable: letters, digits and _";
    if good { Ok(value.to_owned()) } else { Err(refuse(key, "(not shown)", allowed)) }
}

/// A date as days from 1970-01-01; 0 if none is given.
///
/// # Errors
/// [`ConfigError::Value`].
pub fn day(key: &str, value: Option<toml::value::Datetime>) -> Result<u32, ConfigError> {
    let Some(value) = value else { return Ok(0) };
    let date = value.date.ok_or_else(|| refuse(key, value, "a date, YYYY-MM-DD"))?;
    let days = days_from_civil(date.year.into(), date.month.into(), date.day.into());
    u32::try_from(days).map_err(|_| refuse(key, date, "a date from 1970-01-01 on"))
}

/// Days from 1970-01-01 of a proleptic Gregorian date. (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".)
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_1970() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2012, 6, 21), 15_512);
        assert_eq!(days_from_civil(2000, 2, 29), 11_016);
        assert_eq!(day("day", Some("2012-06-21".parse().unwrap())).unwrap(), 15_512);
        assert_eq!(day("day", None).unwrap(), 0);
        for bad in ["1969-12-31", "12:00:00"] {
            assert!(day("day", Some(bad.parse().unwrap())).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        assert_eq!(variable("k", "FIRELANE_1").unwrap(), "FIRELANE_1");
        let error = variable("k", "hunter2!").unwrap_err().to_string();
        assert!(error.contains("k = (not shown)") && !error.contains("hunter2"), "{error}");
        assert!(variable("k", "").is_err());
    }
}
