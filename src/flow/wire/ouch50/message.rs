//! What all messages share: a fixed part that lies in the packet as a struct, then perhaps an appendage.

use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::Appendage;

/// Why some bytes are not a message. To be skipped, counted and reported; the next packet is unaffected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// Not even a type byte.
    Empty,
    /// A type that this side of the protocol does not have.
    UnknownType(u8),
    /// A length that no revision gives this type.
    BadLength {
        /// The type byte.
        message_type: u8,
        /// The length of the whole message.
        length: usize,
    },
    /// The appendage length is not the length of what follows, or an option has no tag or runs past the end.
    BadAppendage {
        /// The type byte.
        message_type: u8,
        /// The length of the whole message.
        length: usize,
    },
}

/// Whether a message's fixed part is followed by a u16 appendage length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Appended {
    /// In every revision.
    Always,
    /// Since revision 1.03; absent before. The packet's length tells.
    Optional,
    /// Never.
    Never,
}

/// The fixed part of a message.
pub trait Message: FromBytes + IntoBytes + KnownLayout + Immutable + Unaligned {
    /// The type byte.
    const TYPE: u8;
    /// What follows the fixed part.
    const APPENDED: Appended;
}

/// Declares fixed parts: a `repr(C)` struct of unaligned big-endian fields, its letter, and its size, asserted.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident = $letter:literal, fixed $size:literal, $appended:ident
        { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Debug)]
        #[derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::KnownLayout)]
        #[derive(zerocopy::Immutable, zerocopy::Unaligned)]
        #[repr(C)]
        pub struct $name {
            /// 0: the type byte.
            pub message_type: MessageType<$letter>,
            $($(#[$field_doc])* pub $field: $type,)*
        }

        const _: () = assert!(size_of::<$name>() == $size);

        impl Message for $name {
            const TYPE: u8 = $letter;
            const APPENDED: Appended = Appended::$appended;
        }
    )*};
}
pub(super) use messages;

/// Reads the fixed part of a message whose type byte is already known to be `M`'s, and its appendage.
#[inline]
pub(super) fn parse<M: Message>(bytes: &[u8]) -> Result<(&M, Appendage<'_>), Malformed> {
    let bad_length = Malformed::BadLength { message_type: M::TYPE, length: bytes.len() };
    let (message, rest) = M::ref_from_prefix(bytes).map_err(|_| bad_length)?;
    let appendage = match (M::APPENDED, rest) {
        (Appended::Optional | Appended::Never, []) => Appendage::NONE,
        (Appended::Always | Appended::Optional, [_, _, ..]) => appendage::<M>(bytes, rest)?,
        _ => return Err(bad_length),
    };
    Ok((message, appendage))
}

/// Reads the appendage with its length, `rest`, of the whole message `bytes`.
#[inline]
pub(super) fn appendage<'a, M: Message>(bytes: &[u8], rest: &'a [u8]) -> Result<Appendage<'a>, Malformed> {
    let bad = Malformed::BadAppendage { message_type: M::TYPE, length: bytes.len() };
    let (length, options) = U16::ref_from_prefix(rest).map_err(|_| bad)?;
    if usize::from(length.get()) != options.len() {
        return Err(bad);
    }
    Appendage::new(options).ok_or(bad)
}

/// Writes a message into a slice; consumed by the last part, which says how much was written.
pub(super) struct Writer<'o> {
    free: &'o mut [u8],
    written: usize,
}

impl<'o> Writer<'o> {
    #[inline]
    pub(super) fn new(out: &'o mut [u8]) -> Self {
        Writer { free: out, written: 0 }
    }

    /// A whole message: fixed part, and its appendage if the message has one.
    #[inline]
    pub(super) fn message<M: Message>(self, message: &M, appendage: Appendage<'_>) -> Option<usize> {
        let writer = self.put(message.as_bytes())?;
        match M::APPENDED {
            Appended::Never => Some(writer.written),
            Appended::Optional if appendage.is_absent() => Some(writer.written),
            Appended::Always | Appended::Optional => writer.appendage(appendage),
        }
    }

    /// The length field and the options.
    #[inline]
    pub(super) fn appendage(self, appendage: Appendage<'_>) -> Option<usize> {
        let length = U16::new(u16::try_from(appendage.bytes().len()).ok()?);
        Some(self.put(length.as_bytes())?.put(appendage.bytes())?.written)
    }

    #[inline]
    pub(super) fn put(self, bytes: &[u8]) -> Option<Self> {
        let (here, free) = self.free.split_at_mut_checked(bytes.len())?;
        here.copy_from_slice(bytes);
        Some(Writer { free, written: self.written.saturating_add(bytes.len()) })
    }

    #[inline]
    pub(super) fn finish(self) -> usize {
        self.written
    }
}
