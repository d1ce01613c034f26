//! Gateway and venue against each other, over a bad network, seed by seed: what the whole product must hold.
//!
//! What a world notices is tried by hand: an error is put into the gateway alone, and a few seeds of heavy faults are run
//! (`FIRELANE_SEEDS=1..6`). Whoever adds a rule to the life of an order adds a line, and tries it.
//!
//! | where | errors that were tried and noticed |
//! |---|---|
//! | fills | a late one dropped; one of a replaced number dropped; a late one taken from what is open; one said again counted again; one not added to what is executed; side or sign of a sale |
//! | replaces | a reject that leaves it pending; liability without what is executed, or without what met our own; open asked for instead of liability; price, quantity or reference of the replacement not taken; one that is dead taken for live |
//! | cancels | the decrement ignored, or the whole taken; a refused or a deferred one left as it was; a fulfilled one kept |
//! | self-match | what it took off not counted; its two quantities confused |
//! | trades | a broken one not reversed, or twice; a correction that adds without reversing, or at the old price |
//! | ledger | exposure not freed on cancel, or without a replace's price or shares; the short mark lost; sides confused |
//! | others | a change of priority ignored |
//!
//! A late fill that is taken from what is open needs an order that lives and has been replaced: seed 29 has it, and five
//! seeds need not.
//!
//! Tried on five seeds and not noticed there: a restated reference ignored (a restatement names the reference that the
//! order has already), a late request given up as dead (few requests are late; more seeds have more), a request that was
//! settled still pending (none was), exposure not freed on reject and a correction forgotten when its trade is broken later
//! (both before the tricks that bring them about: to be tried again).
//!
//! Not tried yet: the order of a settled request alive; requests settled by an earlier query or an older answer; fills at
//! the limit; a cancel that frees at once, or names one number only; shares or price on the tape of before the step; open
//! sells not counted as sold.

mod broken;
mod corruption;
mod fidget;
mod many;
mod mix;
mod restore;
mod rig;
mod seeds;
mod steps;
