//! Hints to the books of what a packet still holds.

use super::*;
use crate::flow::wire::moldudp64::Messages;

/// Fewer messages get no hints: there is not enough of them to wait for at once.
const LEAST: u16 = 6;

impl<W: Wiring> Core<W> {
    /// Tells the books of a venue what comes next, if they are so large that it pays. Changes nothing but the time that it takes.
    #[inline]
    pub fn foresee(&mut self, venue: VenueId, coming: Messages<'_>) {
        if coming.remaining() >= LEAST {
            self.foresee_some(venue, coming);
        }
    }

    #[inline(never)]
    fn foresee_some(&mut self, venue: VenueId, messages: Messages<'_>) {
        let (Some(market), Some(ends)) = (self.markets.get_mut(venue), self.ends.get(venue)) else { return };
        if !market.books.hints_pay() {
            return;
        }
        market.books.foresee(messages.flatten().map(|(_, message)| ends.line.foresee(message)));
    }
}
