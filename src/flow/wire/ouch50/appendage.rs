//! The tail of a message: options as `{u8 length, u8 tag, value}`, where the length counts tag and value.
//! (Nasdaq, "OUCH 5.0", optional appendage.)

use super::codes::{AiqStrategy, Side};
use crate::base::VenueRef;

/// The appendage of a message. Remembers whether the length field was there at all, so that a message is encoded
/// in the form it was received in. Its structure was checked when it was made: every option has a tag and fits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Appendage<'a> {
    options: Option<&'a [u8]>,
}

impl<'a> Appendage<'a> {
    /// No appendage length at all: the older form of some messages.
    pub const NONE: Appendage<'static> = Appendage { options: None };
    /// An appendage length of zero.
    pub const EMPTY: Appendage<'static> = Appendage { options: Some(&[]) };

    /// From the bytes after the length field. `None` if an option has no tag or runs past the end, or if there are
    /// more bytes than the length field can say.
    #[inline]
    #[must_use]
    pub fn new(options: &'a [u8]) -> Option<Self> {
        u16::try_from(options.len()).ok()?;
        let mut rest = options;
        while !rest.is_empty() {
            (_, rest) = split_option(rest)?;
        }
        Some(Appendage { options: Some(options) })
    }

    /// Was there no length field?
    #[inline]
    #[must_use]
    pub const fn is_absent(self) -> bool {
        self.options.is_none()
    }

    /// The options as they lie in the packet, without the length field.
    #[inline]
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        match self.options {
            Some(bytes) => bytes,
            None => &[],
        }
    }

    /// Every option, also those of unknown tags, as tag and value.
    #[inline]
    #[must_use]
    pub const fn iter(self) -> Options<'a> {
        Options { rest: self.bytes() }
    }

    /// Every option of a known tag. One whose value has the wrong length is an error of that option only.
    pub fn known(self) -> impl Iterator<Item = Result<AppendageOption, BadOption>> + 'a {
        self.iter().filter_map(|(tag, value)| AppendageOption::parse(tag, value).transpose())
    }

    /// The value of the first option of a tag.
    #[must_use]
    pub fn find(self, tag: u8) -> Option<&'a [u8]> {
        self.iter().find(|(t, _)| *t == tag).map(|(_, value)| value)
    }

    /// The channel in the port (tag 28); 0, the default channel, if it is not given.
    #[must_use]
    pub fn user_ref_idx(self) -> u8 {
        match self.find(28) {
            Some(&[index]) => index,
            _ => 0,
        }
    }
}

impl<'a> IntoIterator for Appendage<'a> {
    type Item = (u8, &'a [u8]);
    type IntoIter = Options<'a>;

    fn into_iter(self) -> Options<'a> {
        self.iter()
    }
}

/// Iterates over the options of an [`Appendage`]: tag and value.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (option, rest) = split_option(self.rest)?;
        self.rest = rest;
        Some(option)
    }
}

/// An option: its tag and its value.
type RawOption<'a> = (u8, &'a [u8]);

/// The first option and the bytes after it. `None` if there is none, or a torn one.
#[inline]
fn split_option(bytes: &[u8]) -> Option<(RawOption<'_>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (option, rest) = rest.split_at_checked(usize::from(*length))?;
    let (tag, value) = option.split_first()?;
    Some(((*tag, value), rest))
}

/// An option of a known tag whose value has not the length that the tag asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadOption {
    /// The tag.
    pub tag: u8,
    /// The length of the value.
    pub length: usize,
}

/// How the value of an option is written. The largest is 8 bytes.
trait Value: Sized {
    fn read(value: &[u8]) -> Option<Self>;
    fn write(self, out: &mut [u8; 8]) -> usize;
}

macro_rules! number_values {
    ($($number:ty),*) => {$(
        impl Value for $number {
            fn read(value: &[u8]) -> Option<Self> {
                value.try_into().ok().map(<$number>::from_be_bytes)
            }
            fn write(self, out: &mut [u8; 8]) -> usize {
                self.to_be_bytes().write(out)
            }
        }
    )*};
}
number_values!(u8, u16, u32, i32, u64);

macro_rules! wrapped_values {
    ($($wrapper:ident($inner:ty)),*) => {$(
        impl Value for $wrapper {
            fn read(value: &[u8]) -> Option<Self> {
                <$inner>::read(value).map($wrapper)
            }
            fn write(self, out: &mut [u8; 8]) -> usize {
                self.0.write(out)
            }
        }
    )*};
}
wrapped_values!(VenueRef(u64), Side(u8), AiqStrategy(u8));

impl<const N: usize> Value for [u8; N] {
    fn read(value: &[u8]) -> Option<Self> {
        value.try_into().ok()
    }
    fn write(self, out: &mut [u8; 8]) -> usize {
        for (to, from) in out.iter_mut().zip(self) {
            *to = from;
        }
        N.min(8)
    }
}

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident($type:ty) = $tag:literal,)*) => {
        /// An option of a known tag. Defaults are for Enter Order; a Replace without the tag keeps the original's
        /// value, except Shares Located and Locate Broker.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum AppendageOption {
            $($(#[$doc])* $name($type),)*
        }

        impl AppendageOption {
            /// The tags that are known.
            pub const TAGS: &'static [u8] = &[$($tag),*];

            /// The typed option. `None` if the tag is unknown: skip it.
            ///
            /// # Errors
            /// The tag is known and the value has not its length.
            pub fn parse(tag: u8, value: &[u8]) -> Result<Option<Self>, BadOption> {
                let option = match tag {
                    $($tag => <$type as Value>::read(value).map(AppendageOption::$name),)*
                    _ => return Ok(None),
                };
                option.map(Some).ok_or(BadOption { tag, length: value.len() })
            }

            /// The tag.
            #[must_use]
            pub const fn tag(self) -> u8 {
                match self {
                    $(AppendageOption::$name(_) => $tag,)*
                }
            }

            fn write_value(self, out: &mut [u8; 8]) -> usize {
                match self {
                    $(AppendageOption::$name(value) => value.write(out),)*
                }
            }
        }
    };
}

options! {
    /// 1, on R: the feed's reference of the displayed part.
    SecondaryOrdRefNum(VenueRef) = 1,
    /// 2: the firm, in capitals; default, the account's.
    Firm([u8; 4]) = 2,
    /// 3: the fewest shares to execute; default 0.
    MinQty(u32) = 3,
    /// 4: `R` retail, `N` not; default, the port's.
    CustomerType(u8) = 4,
    /// 5: the displayed part; default 0.
    MaxFloor(u32) = 5,
    /// 6: `L` limit; pegs `P` market, `M` midpoint, `R` primary, `Q` market maker; `m` midpoint; default `L`.
    PriceType(u8) = 6,
    /// 7: offset of a peg, in 1/10,000 of a dollar; default 0.
    PegOffset(i32) = 7,
    /// 9: discretion price, in 1/10,000 of a dollar; default 0.
    DiscretionPrice(u64) = 9,
    /// 10: `L` limit; pegs `P`, `M`, `R`; default `L`.
    DiscretionPriceType(u8) = 10,
    /// 11: offset of a discretion peg, in 1/10,000 of a dollar; default 0.
    DiscretionPegOffset(i32) = 11,
    /// 12: `P` post-only, `N` not; default `N`.
    PostOnly(u8) = 12,
    /// 13: range of random reserve; default 0.
    RandomReserves(u32) = 13,
    /// 14: route.
    Route([u8; 4]) = 14,
    /// 15: seconds to live, fewer than a day has, for time in force `6`.
    ExpireTime(u32) = 15,
    /// 16: `Y`, `N`: trade with a locking order at once; default, the port's.
    TradeNow(u8) = 16,
    /// 17: handling instruction (imbalance only, retail, retail price improvement ...); default, space.
    HandleInst(u8) = 17,
    /// 18: how the order stands to the best bid and offer: `0` to `3`, `S` sets, `N` improves, space.
    BboWeight(u8) = 18,
    /// 22, on R: the displayed quantity.
    DisplayQuantity(u32) = 22,
    /// 23, on R: the displayed price, in 1/10,000 of a dollar.
    DisplayPrice(u64) = 23,
    /// 24: the group, for mass cancels; 0 none.
    GroupId(u16) = 24,
    /// 25: `Y`, `N`: shares for a short sale were located; default `N`.
    SharesLocated(u8) = 25,
    /// 26: who located them.
    LocateBroker([u8; 4]) = 26,
    /// 27: a side: the new one of a replace, the filter of a mass cancel.
    Side(Side) = 27,
    /// 28: the channel in the port.
    UserRefIdx(u8) = 28,
    /// 29: self-match prevention (revision 1.05).
    AiqStrategy(AiqStrategy) = 29,
    /// 30: self-match prevention group (revision 1.05).
    AiqGroupId([u8; 2]) = 30,
}

/// The builder's buffer cannot hold the option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AppendageFull;

/// Builds an appendage in a buffer of `N` bytes, without allocation.
#[derive(Clone, Debug)]
pub struct AppendageBuilder<const N: usize> {
    buffer: [u8; N],
    length: usize,
}

impl<const N: usize> Default for AppendageBuilder<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> AppendageBuilder<N> {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        AppendageBuilder { buffer: [0; N], length: 0 }
    }

    /// Appends a known option.
    ///
    /// # Errors
    /// No room; nothing was appended.
    pub fn push(&mut self, option: AppendageOption) -> Result<(), AppendageFull> {
        let mut value = [0; 8];
        let length = option.write_value(&mut value);
        self.push_raw(option.tag(), value.get(..length).ok_or(AppendageFull)?)
    }

    /// Appends an option of any tag.
    ///
    /// # Errors
    /// No room, or a value of more than 254 bytes; nothing was appended.
    pub fn push_raw(&mut self, tag: u8, value: &[u8]) -> Result<(), AppendageFull> {
        let counted = value.len().checked_add(1).and_then(|n| u8::try_from(n).ok()).ok_or(AppendageFull)?;
        let end = self.length.saturating_add(usize::from(counted)).saturating_add(1);
        let free = self.buffer.get_mut(self.length..end).filter(|_| end <= usize::from(u16::MAX));
        let (head, to) = free.and_then(|free| free.split_at_mut_checked(2)).ok_or(AppendageFull)?;
        head.copy_from_slice(&[counted, tag]);
        to.copy_from_slice(value);
        self.length = end;
        Ok(())
    }

    /// What was built; with a length field even if it is empty.
    #[must_use]
    pub fn appendage(&self) -> Appendage<'_> {
        Appendage { options: self.buffer.get(..self.length) }
    }
}
