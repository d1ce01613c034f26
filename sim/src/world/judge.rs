//! What must hold in a world: at every moment, and at rest.

use super::{Link, MarketData, Seat, World, WorldError};
use crate::account::Counts;
use crate::reconcile::{self, Difference, Rest, Statement};
use firelane_gateway::base::InstrumentId;
use firelane_gateway::shell::lane::Lane;

impl World {
    /// Every difference between lanes and venues, and whatever a lane still owes. None, once all is at rest.
    #[must_use]
    pub fn reconcile(&self) -> Vec<Difference> {
        let mut differences = Vec::new();
        for link in &self.links {
            let state = &self.lanes[link.seat];
            let lane = Statement::of_lane(state.lane.lane(), link.venue, &state.tape);
            let venue = Statement::of_venue(self.venues[link.place].exchange(), link.port);
            let venue = match link.market {
                MarketData::Lines => venue,
                MarketData::Stream => venue.in_levels(),
            };
            differences.extend(reconcile::compare(&lane, &venue));
        }
        for (seat, state) in self.lanes.iter().enumerate() {
            let lane = state.lane.lane();
            let heard = state.links.iter().map(|link| self.links[*link].account.counts());
            differences.extend(Rest::of_lane(lane).check(Some(&heard.fold(Counts::default(), Counts::plus))));
            differences.extend(reconcile::compare_with_lane(&self.accounts(seat), lane, &state.tape));
        }
        differences.extend(self.links.iter().flat_map(|link| self.compare_with_venue(link)));
        differences
    }

    fn accounts(&self, seat: usize) -> Vec<reconcile::AtVenue<'_>> {
        let links = self.lanes[seat].links.iter().map(|at| &self.links[*at]);
        links.map(|link| (link.venue, &link.account)).collect()
    }

    /// The account and the venue's own books, unless the venue has said what has not arrived.
    fn compare_with_venue(&self, link: &Link) -> Vec<Difference> {
        let exchange = self.venues[link.place].exchange();
        let said = exchange.port(link.port).map_or(0, |port| port.messages().len() as u64);
        if link.account.heard() != said {
            return Vec::new();
        }
        reconcile::compare_with_venue(&link.account, exchange, link.port)
    }

    /// What a lane makes of its orders is what the bytes between it and its venues make of them, whenever something has
    /// been said by either.
    pub(super) fn compare_with_accounts(&mut self, seat: usize) -> Result<(), WorldError> {
        let state = &self.lanes[seat];
        let steps = state.links.iter().map(|link| self.links[*link].account.steps()).sum();
        let said = (steps, state.tape.records());
        if state.compared == said {
            return Ok(());
        }
        let differences = reconcile::compare_with_lane(&self.accounts(seat), state.lane.lane(), &state.tape);
        self.lanes[seat].compared = said;
        self.stats.compared += 1;
        if differences.is_empty() { Ok(()) } else { Err(WorldError::Audit { at: self.now, differences }) }
    }

    /// What must hold at every moment: the venues are sound, whatever one could do to an order is counted by the lane, and
    /// a book that a lane trusts, at the venue's own message number, is the venue's book.
    ///
    /// # Errors
    /// [`WorldError::Audit`] or [`WorldError::Venue`].
    pub fn audit(&mut self) -> Result<(), WorldError> {
        self.check_venues()?;
        self.stats.audits += 1;
        let mut differences = Vec::new();
        let mut books = 0;
        for link in &self.links {
            let (lane, exchange) = (self.lane(Seat(link.seat)), self.venues[link.place].exchange());
            let may = reconcile::reach_of_venue(exchange, link.port);
            differences.extend(reconcile::check_exposure(&reconcile::reach_of_lane(lane, &may), &may));
            differences.extend(self.compare_with_venue(link));
            if self.is_abreast(link, lane) {
                let rows = (0..).map(InstrumentId).zip(lane.instruments().rows());
                for (id, row) in rows.filter(|(_, row)| row.venue == link.venue) {
                    if lane.book(id).freshness().is_fresh() {
                        books += 1;
                        let (own, symbol) = (reconcile::book_of_lane(lane, id), reconcile::symbol_of(row));
                        let venue = match link.market {
                            MarketData::Lines => reconcile::book_of_venue(exchange, symbol),
                            MarketData::Stream => reconcile::levels_of_venue(exchange, symbol),
                        };
                        differences.extend(reconcile::compare_books(symbol, &own, &venue));
                    }
                }
            }
        }
        self.stats.audited_books += books;
        if differences.is_empty() { Ok(()) } else { Err(WorldError::Audit { at: self.now, differences }) }
    }

    /// Has the lane taken in all that the venue has published?
    fn is_abreast(&self, link: &Link, lane: &dyn Lane) -> bool {
        let venue = &self.venues[link.place];
        let same_session = match link.market {
            MarketData::Lines => {
                lane.feed_counters(link.venue).is_some_and(|feed| feed.session_changes == venue.stats().session_changes)
            }
            // A book of an earlier connection is not fresh.
            MarketData::Stream => true,
        };
        let head = self.head(link);
        same_session && head.is_some() && lane.next_sequence(link.venue) == head
    }
}
