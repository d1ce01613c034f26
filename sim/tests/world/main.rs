//! Gateway and venue against each other, over a bad network, seed by seed: what the whole product must hold.
//!
//! What a world notices was tried by hand: each of these errors, put into the gateway alone, fails the first ten seeds of
//! heavy faults (`FIRELANE_SEEDS=1..11`). Whoever adds a rule to the life of an order adds a line, and tries it.
//!
//! | where | errors that were noticed |
//! |---|---|
//! | fills | a late one dropped; one of a replaced number dropped; a late one taken from what is open; one said again counted again; booked at the limit; not added to what is executed; sign or side of a sale |
//! | replaces | a reject that leaves it pending; liability without what is executed, or without what met our own; open asked for instead of liability; price, quantity, number or reference of the replacement not taken; its exposure ignored |
//! | cancels | the decrement ignored, or the whole taken; a refused, a deferred or a fulfilled one left as it was; what it would free freed at once |
//! | self-match | what it took off not counted; its two quantities confused |
//! | trades | a broken one not reversed, or twice; a correction that adds without reversing, at the old price, or forgotten when the trade is broken later |
//! | ledger | exposure not freed on reject or cancel; sides confused; the short mark lost; worth at the lower of two prices |
//! | silence | a late request given up; a settled one still pending, or its order alive; requests settled by a query before them, or by an answer to an older one |
//! | tape | shares or price of before the step |

mod broken;
mod corruption;
mod fidget;
mod rig;
mod seeds;
