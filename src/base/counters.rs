//! Counts that are seen: a struct of counts that knows their names.
//!
//! What is counted and shown nowhere is not counted. A struct made by [`counters!`] hands its counts out by name, so that
//! one which is added to it appears on the tape, in `firelane status` and in every report by itself.

/// Declares a struct of counts, each a `u64`, with their names. What is no count stands in front, after `with`.
macro_rules! counters {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$about:meta])* pub $field:ident: u64,)* }) => {
        $crate::base::counters! {
            $(#[$doc])* pub struct $name with {} { $($(#[$about])* pub $field: u64,)* }
        }
    };
    (
        $(#[$doc:meta])* pub struct $name:ident
        with { $($(#[$of:meta])* pub $other:ident: $type:ty,)* }
        { $($(#[$about:meta])* pub $field:ident: u64,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $name {
            $($(#[$of])* pub $other: $type,)*
            $($(#[$about])* pub $field: u64,)*
        }

        $crate::value! { $name { $($other,)* $($field,)* } }

        impl $name {
            /// The names of its counts.
            pub const NAMES: [&'static str; [$(stringify!($field)),*].len()] = [$(stringify!($field)),*];

            /// Its counts, in the order of [`NAMES`](Self::NAMES).
            #[must_use]
            pub const fn values(&self) -> [u64; Self::NAMES.len()] {
                [$(self.$field),*]
            }
        }
    };
}

pub(crate) use counters;

#[cfg(test)]
mod tests {
    #![allow(unreachable_pub)] // as every struct that it makes
    counters! {
        /// Some.
        pub struct Some with {
            /// No count.
            pub rows: [u8; 2],
        } {
            /// The first.
            pub first: u64,
            /// The other.
            pub second: u64,
        }
    }

    #[test]
    fn every_count_has_its_name() {
        let some = Some { second: 7, ..Some::default() };
        assert_eq!((Some::NAMES, some.values()), (["first", "second"], [0, 7]));
        assert_eq!(some.rows, [0, 0]);
    }
}
