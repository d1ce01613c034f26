//! State that can be saved, restored and compared.
//!
//! Each struct of the lane's state names its fields once, in [`state!`](crate::state) or [`value!`](crate::value): the list
//! takes the struct apart without `..`, so that a new field must be put into it, and `save` and `load` both follow it, so
//! that they can't drift apart. A digest is the save, hashed ([`Digest`](super::Digest)): nothing can be in one and not in
//! the other.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// Where state is saved to: bytes ([`Writer`]), or a digest of them. Numbers are little-endian.
pub trait Save {
    /// Appends bytes as they are.
    fn bytes(&mut self, bytes: &[u8]);

    /// Appends a number.
    fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    /// Appends a number.
    fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends a number.
    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends a number.
    fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends how many of something follow.
    fn count(&mut self, value: usize) {
        self.u64(value as u64);
    }
}

/// Saved state as bytes. It grows, for it is used between inputs at most, and never on the way of a packet.
#[derive(Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// What a state is saved as.
    #[must_use]
    pub fn of<S: State + ?Sized>(state: &S) -> Vec<u8> {
        let mut writer = Writer::default();
        state.save(&mut writer);
        writer.0
    }
}

impl Save for Writer {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// Why saved state could not be loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// The bytes end too early.
    Short,
    /// Bytes are left over.
    Long,
    /// A value that this field, `Type.field`, can't have.
    OutOfRange(&'static str),
    /// The part was built for another number of something.
    Capacity {
        /// Of what: `Type.field`.
        of: &'static str,
        /// For how many it was built.
        built: u64,
        /// How many were saved.
        saved: u64,
    },
}

impl LoadError {
    /// A value that can't be. Who knows its name adds it.
    pub const BAD: LoadError = LoadError::OutOfRange("");

    /// `Ok` if a part is as large as what was saved.
    ///
    /// # Errors
    /// [`LoadError::Capacity`], to be named.
    pub const fn unless_equal(built: usize, saved: u64) -> Result<(), LoadError> {
        if built as u64 == saved { Ok(()) } else { Err(LoadError::Capacity { of: "", built: built as u64, saved }) }
    }

    /// The same, of this field, if it names none yet.
    #[must_use]
    pub fn within(self, field: &'static str) -> Self {
        match self {
            LoadError::OutOfRange("") => LoadError::OutOfRange(field),
            LoadError::Capacity { of: "", built, saved } => LoadError::Capacity { of: field, built, saved },
            named => named,
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Short => f.write_str("the saved state ends too early"),
            LoadError::Long => f.write_str("there is more than the saved state"),
            LoadError::OutOfRange(field) => write!(f, "{field} has a value that it can't have"),
            LoadError::Capacity { of, built, saved } => write!(f, "{of} was built for {built}, and saved with {saved}"),
        }
    }
}

impl core::error::Error for LoadError {}

/// Reads what was saved.
#[derive(Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`LoadError::Short`] if there are fewer.
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], LoadError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(LoadError::Short)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`LoadError::Short`] if there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(LoadError::Short)?;
        self.0 = tail;
        Ok(*head)
    }

    /// The next value.
    ///
    /// # Errors
    /// [`LoadError`] when the bytes are none.
    pub fn value<T: Value>(&mut self) -> Result<T, LoadError> {
        T::take(self)
    }

    /// The next number.
    ///
    /// # Errors
    /// [`LoadError::Short`] if there are fewer bytes.
    pub fn u8(&mut self) -> Result<u8, LoadError> {
        self.value()
    }

    /// The next number.
    ///
    /// # Errors
    /// [`LoadError::Short`] if there are fewer bytes.
    pub fn u16(&mut self) -> Result<u16, LoadError> {
        self.value()
    }

    /// The next number.
    ///
    /// # Errors
    /// [`LoadError::Short`] if there are fewer bytes.
    pub fn u32(&mut self) -> Result<u32, LoadError> {
        self.value()
    }

    /// The next number.
    ///
    /// # Errors
    /// [`LoadError::Short`] if there are fewer bytes.
    pub fn u64(&mut self) -> Result<u64, LoadError> {
        self.value()
    }

    /// How many of something follow.
    ///
    /// # Errors
    /// [`LoadError`] when there are more than `most`.
    pub fn count(&mut self, most: usize) -> Result<usize, LoadError> {
        let saved = self.u64()?;
        match usize::try_from(saved) {
            Ok(count) if count <= most => Ok(count),
            _ => Err(LoadError::Capacity { of: "", built: most as u64, saved }),
        }
    }

    /// Nothing is to be left.
    ///
    /// # Errors
    /// [`LoadError::Long`].
    pub const fn end(&self) -> Result<(), LoadError> {
        if self.0.is_empty() { Ok(()) } else { Err(LoadError::Long) }
    }
}

/// A part of the lane whose state decides what comes next. `load` of what `save` wrote restores it, counters included, so
/// that it goes on bit for bit; equal state is saved as equal bytes. Configuration is not saved: `load` is into a part built
/// from the same one, whatever it has been through since.
///
/// Most parts say it by [`state!`](crate::state).
pub trait State {
    /// Writes the state.
    fn save(&self, into: &mut dyn Save);
    /// Restores the state into a part built from the same configuration.
    ///
    /// # Errors
    /// [`LoadError`] when the bytes are not such a state; the part is then unusable.
    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError>;
}

/// A value that is state and can be made from what was saved alone: see [`value!`](crate::value).
pub trait Value: Sized {
    /// Writes it.
    fn put(&self, into: &mut dyn Save);
    /// Reads it.
    ///
    /// # Errors
    /// [`LoadError`] when the bytes are no such value.
    fn take(from: &mut Reader<'_>) -> Result<Self, LoadError>;
}

/// Implements [`State`](crate::base::State) for a struct by the list of its fields, each a state itself. What is
/// configuration, or follows from the rest, or is void between inputs stands behind `without`; `then` names a method,
/// `fn(&mut Self) -> Result<(), LoadError>`, that is called after a load, to check it or to make what follows from it.
///
/// ```
/// use firelane_gateway::base::{Digest, Mono, Reader, Writer};
///
/// struct Pause {
///     length: u64,
///     until: Mono,
///     taken: u64,
/// }
/// firelane_gateway::state! { Pause { until, taken } without { length } }
///
/// let saved = Writer::of(&Pause { length: 5, until: Mono(7), taken: 1 });
/// let mut other = Pause { length: 5, until: Mono(0), taken: 0 };
/// firelane_gateway::base::State::load(&mut other, &mut Reader(&saved))?;
/// assert_eq!((other.until, other.taken), (Mono(7), 1));
/// assert_eq!(Digest::of_state(&other), Digest::of(&saved));
/// # Ok::<(), firelane_gateway::base::LoadError>(())
/// ```
#[macro_export]
macro_rules! state {
    (
        [$($generics:tt)*] $name:ident [$($args:tt)*] { $($field:ident),* $(,)? }
        $(without { $($not:ident),* $(,)? })? $(then $check:ident)?
    ) => {
        impl<$($generics)*> $crate::base::State for $name<$($args)*> {
            fn save(&self, into: &mut dyn $crate::base::Save) {
                let Self { $($field,)* $($($not: _,)*)? } = self;
                let _ = &into;
                $($crate::base::State::save($field, into);)*
            }

            fn load(&mut self, from: &mut $crate::base::Reader<'_>) -> Result<(), $crate::base::LoadError> {
                let Self { $($field,)* $($($not: _,)*)? } = self;
                let _ = &from;
                $(
                    $crate::base::State::load($field, from)
                        .map_err(|error| error.within(concat!(stringify!($name), ".", stringify!($field))))?;
                )*
                $(self.$check().map_err(|error| error.within(stringify!($name)))?;)?
                Ok(())
            }
        }
    };
    ($name:ident $($rest:tt)*) => { $crate::state! { [] $name [] $($rest)* } };
}

/// Implements [`Value`](crate::base::Value): for a struct by the list of its fields, for a struct around one value, or for an
/// enum by the number of each variant. Numbers stay as they are: they are in what was saved.
///
/// ```
/// use firelane_gateway::base::{Mono, Qty, Reader, Value, Writer};
///
/// #[derive(PartialEq, Debug)]
/// enum Waits {
///     Not,
///     Until(Mono),
///     For { shares: Qty },
/// }
/// firelane_gateway::value! { enum Waits { 0 => Not, 1 => Until(at), 2 => For { shares } } }
///
/// let saved = Writer::of(&Waits::For { shares: Qty(100) });
/// assert_eq!(Reader(&saved).value(), Ok(Waits::For { shares: Qty(100) }));
/// ```
#[macro_export]
macro_rules! value {
    (@state [$($generics:tt)*] $name:ty) => {
        impl<$($generics)*> $crate::base::State for $name {
            fn save(&self, into: &mut dyn $crate::base::Save) {
                $crate::base::Value::put(self, into);
            }

            fn load(&mut self, from: &mut $crate::base::Reader<'_>) -> Result<(), $crate::base::LoadError> {
                *self = $crate::base::Value::take(from)?;
                Ok(())
            }
        }
    };
    (enum $name:ident {
        $($code:literal => $variant:ident $({ $($field:ident),* })? $(( $($item:ident),* ))?),* $(,)?
    }) => {
        $crate::value! { @state [] $name }

        impl $crate::base::Value for $name {
            fn put(&self, into: &mut dyn $crate::base::Save) {
                match self {
                    $($name::$variant $({ $($field),* })? $(( $($item),* ))? => {
                        into.u8($code);
                        $($($crate::base::Value::put($field, into);)*)?
                        $($($crate::base::Value::put($item, into);)*)?
                    })*
                }
            }

            fn take(from: &mut $crate::base::Reader<'_>) -> Result<Self, $crate::base::LoadError> {
                Ok(match from.u8()? {
                    $($code => $name::$variant
                        $({ $($field: $crate::base::Value::take(from)?),* })?
                        $(( $({ let $item = $crate::base::Value::take(from)?; $item }),* ))?,)*
                    _ => return Err($crate::base::LoadError::BAD),
                })
            }
        }
    };
    ($name:ident { $($field:ident),* $(,)? }) => {
        $crate::value! { @state [] $name }

        impl $crate::base::Value for $name {
            fn put(&self, into: &mut dyn $crate::base::Save) {
                let Self { $($field),* } = self;
                $($crate::base::Value::put($field, into);)*
            }

            fn take(from: &mut $crate::base::Reader<'_>) -> Result<Self, $crate::base::LoadError> {
                Ok(Self {
                    $($field: $crate::base::Value::take(from).map_err(|error| {
                        $crate::base::LoadError::within(error, concat!(stringify!($name), ".", stringify!($field)))
                    })?),*
                })
            }
        }
    };
    ($($name:ident(_))*) => {$(
        $crate::value! { @state [] $name }

        impl $crate::base::Value for $name {
            fn put(&self, into: &mut dyn $crate::base::Save) {
                let Self(inner) = self;
                $crate::base::Value::put(inner, into);
            }

            fn take(from: &mut $crate::base::Reader<'_>) -> Result<Self, $crate::base::LoadError> {
                $crate::base::Value::take(from).map(Self)
            }
        }
    )*};
}

macro_rules! numbers {
    ($($name:ident)*) => {$(
        crate::value! { @state [] $name }

        impl Value for $name {
            fn put(&self, into: &mut dyn Save) {
                into.bytes(&self.to_le_bytes());
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, LoadError> {
                Ok($name::from_le_bytes(from.array()?))
            }
        }
    )*};
}

numbers! { u8 u16 u32 u64 i8 i64 i128 }

crate::value! { @state [] bool }
crate::value! { @state [] usize }
crate::value! { @state [T: Value] Option<T> }
crate::value! { @state [T: Value + Copy + Default, const N: usize] [T; N] }

impl Value for bool {
    fn put(&self, into: &mut dyn Save) {
        into.u8(u8::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, LoadError> {
        match from.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(LoadError::BAD),
        }
    }
}

impl Value for usize {
    fn put(&self, into: &mut dyn Save) {
        into.count(*self);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, LoadError> {
        usize::try_from(from.u64()?).map_err(|_| LoadError::BAD)
    }
}

impl<T: Value> Value for Option<T> {
    fn put(&self, into: &mut dyn Save) {
        self.is_some().put(into);
        if let Some(value) = self {
            value.put(into);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, LoadError> {
        if bool::take(from)? { T::take(from).map(Some) } else { Ok(None) }
    }
}

impl<T: Value + Copy + Default, const N: usize> Value for [T; N] {
    fn put(&self, into: &mut dyn Save) {
        self.iter().for_each(|one| one.put(into));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, LoadError> {
        let mut all = [T::default(); N];
        for one in &mut all {
            *one = T::take(from)?;
        }
        Ok(all)
    }
}

impl<A: Value, B: Value> Value for (A, B) {
    fn put(&self, into: &mut dyn Save) {
        self.0.put(into);
        self.1.put(into);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, LoadError> {
        Ok((A::take(from)?, B::take(from)?))
    }
}

/// As many as the part was built for.
impl<T: State> State for Box<[T]> {
    fn save(&self, into: &mut dyn Save) {
        into.count(self.len());
        self.iter().for_each(|one| one.save(into));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        LoadError::unless_equal(self.len(), from.u64()?)?;
        self.iter_mut().try_for_each(|one| one.load(from))
    }
}

/// No state.
impl State for () {
    fn save(&self, _: &mut dyn Save) {}

    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

/// Parts side by side.
impl<A: State, B: State> State for (A, B) {
    fn save(&self, into: &mut dyn Save) {
        self.0.save(into);
        self.1.save(into);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.0.load(from)?;
        self.1.load(from)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Digest;
    use super::*;
    use std::string::ToString;

    /// For tests of states: is every change of one saved, as something else than every other, and restored, whatever the part
    /// that it is loaded into has been through?
    #[track_caller]
    pub(crate) fn assert_all_saved<S: State>(make: impl Fn() -> S, changes: &[fn(&mut S)]) {
        let changed = |change: &fn(&mut S)| {
            let mut state = make();
            change(&mut state);
            state
        };
        let mut all: Vec<Vec<u8>> = Vec::new();
        for (n, change) in changes.iter().enumerate() {
            let saved = Writer::of(&changed(change));
            assert_eq!(Digest::of_state(&changed(change)), Digest::of(&saved), "the digest is the save, hashed");
            // Into one that has been through something else.
            let other = changes.iter().cycle().nth(n.wrapping_add(1));
            let (mut restored, mut from) = (other.map_or_else(&make, changed), Reader(&saved));
            assert_eq!(restored.load(&mut from).and_then(|()| from.end()), Ok(()), "change {n}");
            assert!(Writer::of(&restored) == saved, "change {n} is not restored");
            for end in [0, 1, saved.len() / 3, saved.len() / 2, saved.len().saturating_sub(1)] {
                let cut = saved.get(..end).filter(|cut| cut.len() < saved.len());
                assert!(cut.is_none_or(|cut| make().load(&mut Reader(cut)).is_err()), "change {n} cut at {end}");
            }
            let same = all.iter().position(|other| *other == saved);
            assert_eq!(same, None, "change {n} is saved as another is");
            all.push(saved);
        }
    }

    #[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
    enum Waits {
        #[default]
        Not,
        Until(u64),
        For {
            shares: i64,
            side: bool,
        },
    }
    value! { enum Waits { 0 => Not, 1 => Until(at), 7 => For { shares, side } } }

    #[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
    struct Small {
        number: u32,
        waits: Waits,
        maybe: Option<u8>,
        three: [u16; 3],
        wide: i128,
    }
    value! { Small { number, waits, maybe, three, wide } }

    struct Whole<T> {
        rows: Box<[Small]>,
        pair: (u64, T),
        size: u64,
    }
    crate::state! { [T: State] Whole[T] { rows, pair } without { size } then look }

    impl<T> Whole<T> {
        fn look(&mut self) -> Result<(), LoadError> {
            if self.pair.0 > self.size { Err(LoadError::BAD) } else { Ok(()) }
        }
    }

    fn whole(rows: usize) -> Whole<bool> {
        Whole { rows: alloc::vec![Small::default(); rows].into_boxed_slice(), pair: (0, false), size: 9 }
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Whole<bool>); 13] = [
            |_| {},
            |w| w.rows[0].number = 1,
            |w| w.rows[1].number = 1,
            |w| w.rows[0].waits = Waits::Until(0),
            |w| w.rows[0].waits = Waits::Until(1),
            |w| w.rows[0].waits = Waits::For { shares: 0, side: false },
            |w| w.rows[0].waits = Waits::For { shares: -1, side: false },
            |w| w.rows[0].waits = Waits::For { shares: 0, side: true },
            |w| w.rows[0].maybe = Some(0),
            |w| w.rows[0].three[2] = 1,
            |w| w.rows[0].wide = i128::MIN,
            |w| w.pair.0 = 9,
            |w| w.pair.1 = true,
        ];
        assert_all_saved(|| whole(2), &changes);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let saved = Writer::of(&whole(2));
        let load = |rows, saved: &[u8]| whole(rows).load(&mut Reader(saved));
        assert_eq!(load(2, &saved), Ok(()));
        assert_eq!(load(3, &saved), Err(LoadError::Capacity { of: "Whole.rows", built: 3, saved: 2 }));
        let mut wrong = saved.clone();
        wrong[12] = 2; // rows[0].waits: no such variant
        assert_eq!(load(2, &wrong), Err(LoadError::OutOfRange("Small.waits")));
        let mut wrong = saved.clone();
        let last = wrong.len() - 1;
        wrong[last] = 2; // pair.1: no bool
        assert_eq!(load(2, &wrong), Err(LoadError::OutOfRange("Whole.pair")));
        let over = Writer::of(&Whole { pair: (10, false), ..whole(2) });
        assert_eq!(load(2, &over), Err(LoadError::OutOfRange("Whole")));
        assert_eq!(Reader(&[0]).end(), Err(LoadError::Long));
        let text = LoadError::Capacity { of: "Whole.rows", built: 3, saved: 2 }.to_string();
        assert_eq!(text, "Whole.rows was built for 3, and saved with 2");
    }

    #[test]
    fn counts_are_bounded_by_what_was_built() {
        let of = |n: u64, most| Reader(&n.to_le_bytes()).count(most);
        assert_eq!((of(4, 4), of(0, 0)), (Ok(4), Ok(0)));
        assert_eq!(of(5, 4), Err(LoadError::Capacity { of: "", built: 4, saved: 5 }));
        assert!(of(u64::MAX, 4).is_err());
    }
}
