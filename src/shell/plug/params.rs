//! Parameters of one's own: a struct whose fields are the keys of a table of the configuration.

use crate::shell::config::ConfigError;
use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// What can be read from tables of a configuration. [`params!`](crate::params) makes structs that can; `()` has none, and a
/// tuple the tables of each.
pub trait Params: Sized + 'static {
    /// The tables.
    fn tables() -> Vec<Table>;

    /// Reads them from the text of a whole configuration; what is not there has its default.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first key that is wrong.
    fn read(text: &str) -> Result<Self, ConfigError>;
}

/// A table of the configuration, as it is printed: its `Display` is TOML, each key with its default and its comment.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What it is for, by lines.
    pub about: &'static [&'static str],
    /// Its keys.
    pub keys: Vec<Key>,
}

/// A key of a [`Table`].
#[derive(Clone, PartialEq, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it means, by lines.
    pub about: &'static [&'static str],
    /// Its default; `None` if it has none and can be left out.
    pub default: Option<toml::Value>,
}

/// Columns before the comments.
const KEY: usize = 26;
/// Columns of a line.
const WIDTH: usize = 124;

/// A line with its comment behind it; in front of it, where that has no room.
fn line(f: &mut fmt::Formatter<'_>, text: &str, about: &[&str]) -> fmt::Result {
    let about: Vec<&str> = about.iter().map(|line| line.trim()).collect();
    match &about[..] {
        [] => writeln!(f, "{text}"),
        [one] if text.len() <= KEY && KEY + 3 + one.len() <= WIDTH => writeln!(f, "{text:KEY$} # {one}"),
        several => {
            several.iter().try_for_each(|line| writeln!(f, "# {line}"))?;
            writeln!(f, "{text}")
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, &format!("[{}]", self.name), self.about)?;
        self.keys.iter().try_for_each(|key| match &key.default {
            Some(value) => line(f, &format!("{} = {value}", key.name), key.about),
            None => line(f, &format!("# {} =", key.name), key.about),
        })
    }
}

impl Params for () {
    fn tables() -> Vec<Table> {
        Vec::new()
    }

    fn read(_: &str) -> Result<Self, ConfigError> {
        Ok(())
    }
}

macro_rules! tuple {
    ($($one:ident),*) => {
        impl<$($one: Params),*> Params for ($($one,)*) {
            fn tables() -> Vec<Table> {
                [$($one::tables()),*].concat()
            }

            fn read(text: &str) -> Result<Self, ConfigError> {
                Ok(($($one::read(text)?,)*))
            }
        }
    };
}
tuple! { A, B }
tuple! { A, B, C }
tuple! { A, B, C, D }

/// One table of a document; the others are passed over. Errors keep the places that they have in the whole text.
struct One<T>(&'static str, PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> DeserializeSeed<'de> for One<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for One<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a configuration with a table [{}]", self.0)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<T, M::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found.unwrap_or_default())
    }
}

/// Reads the table `name` of a configuration; its default where it is not there. For [`params!`](crate::params).
///
/// # Errors
/// [`ConfigError::Toml`].
pub fn read_table<T: DeserializeOwned + Default>(text: &str, name: &'static str) -> Result<T, ConfigError> {
    let from = toml::Deserializer::parse(text)?;
    Ok(One(name, PhantomData).deserialize(from)?)
}

/// The defaults of a table, by name. For [`params!`](crate::params).
#[must_use]
pub fn defaults<T: serde::Serialize + Default>() -> toml::Table {
    // What TOML cannot say has no default there.
    toml::Table::try_from(T::default()).unwrap_or_default()
}

/// Makes a struct that is a table of the configuration: its fields are the keys, with their defaults; their doc comments
/// are what `--print-config` says of them. Unknown keys are refused. `check` is asked once all is read, and says what a
/// value may be.
///
/// ```
/// use firelane_gateway::shell::config::check::within;
/// use firelane_gateway::shell::plug::Params;
///
/// firelane_gateway::params! {
///     /// Buys every dip.
///     pub struct DipParams in "dip" {
///         /// Ticks below the last trade: 1 to 100.
///         depth: u32 = 5,
///         /// Whom to tell.
///         note: String = "nobody".into(),
///     }
///     check = |dip| within("dip.depth", dip.depth, 1..=100, "1 to 100").map(|_| ());
/// }
///
/// let dip = DipParams::read("[dip]\ndepth = 7\n[other]\nkey = 1\n")?;
/// assert_eq!((dip.depth, dip.note.as_str()), (7, "nobody"));
/// assert!(DipParams::read("[dip]\ndeep = 7\n").unwrap_err().to_string().contains("unknown field `deep`"));
/// assert_eq!(
///     DipParams::read("[dip]\ndepth = 0\n").unwrap_err().to_string(),
///     "dip.depth = 0: must be 1 to 100"
/// );
/// # Ok::<(), firelane_gateway::shell::config::ConfigError>(())
/// ```
#[macro_export]
macro_rules! params {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $name:ident in $table:literal {
            $($(#[doc = $doc:literal])* $field:ident: $type:ty = $default:expr),* $(,)?
        }
        $(check = $check:expr;)?
    ) => {
        $(#[doc = $about])*
        #[derive(
            Clone, PartialEq, Debug, $crate::shell::plug::serde::Serialize, $crate::shell::plug::serde::Deserialize,
        )]
        #[serde(crate = "firelane_gateway::shell::plug::serde", deny_unknown_fields, default)]
        $vis struct $name {
            $($(#[doc = $doc])* $vis $field: $type,)*
        }

        impl ::core::default::Default for $name {
            fn default() -> Self {
                $name { $($field: $default,)* }
            }
        }

        impl $crate::shell::plug::Params for $name {
            fn tables() -> ::std::vec::Vec<$crate::shell::plug::Table> {
                let mut defaults = $crate::shell::plug::params::defaults::<Self>();
                let keys = ::std::vec![$($crate::shell::plug::Key {
                    name: stringify!($field),
                    about: &[$($doc),*],
                    default: defaults.remove(stringify!($field)),
                }),*];
                ::std::vec![$crate::shell::plug::Table { name: $table, about: &[$($about),*], keys }]
            }

            fn read(text: &str) -> ::core::result::Result<Self, $crate::shell::config::ConfigError> {
                let read: Self = $crate::shell::plug::params::read_table(text, $table)?;
                $(
                    let check: fn(&Self) -> ::core::result::Result<(), $crate::shell::config::ConfigError> = $check;
                    check(&read)?;
                )?
                Ok(read)
            }
        }
    };
}
