//! Every message that is put on a wire or taken off one, as literal bytes: written by hand, field after field, from the
//! specifications, with another value in every field and another one in every byte of a number. Both ends of a session
//! share one codec here, so that a field read and written wrongly alike is right to both; only these bytes are not.

mod mold;
mod ouch_inbound;
mod ouch_outbound;
mod reports;
mod soup;
