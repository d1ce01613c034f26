//! Every message that is put on a wire or taken off one, as literal bytes: written by hand, field after field, from the
//! specifications, with another value in every field and another one in every byte of a number. Both ends of a session
//! share one codec here, so that a field read and written wrongly alike is right to both; only these bytes are not.

/// `holds`: a message of this direction is written as these bytes, and they are read as it.
macro_rules! both_ways {
    ($direction:ident) => {
        fn holds(message: &$direction<'_>, bytes: &[u8]) {
            let mut out = [0; 400];
            let length = message.encode_into(&mut out).unwrap();
            assert_eq!(out[..length].escape_ascii().to_string(), bytes.escape_ascii().to_string());
            assert_eq!($direction::decode(bytes).as_ref(), Ok(message));
        }
    };
}

mod itch;
mod mold;
mod ouch_inbound;
mod ouch_outbound;
mod reports;
mod soup;
