//! How a lane of several venues is doing at each.

use super::gateway::{Followed, stage};
use crate::paint;
use crate::replay::group;
use firelane_gateway::base::VenueId;
use firelane_gateway::flow::record::VenueStatusBody;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Lane;
use serde::{Deserialize, Serialize};

/// One venue's part of a status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AtVenue {
    /// Its number in the lane, by which commands address it.
    pub(crate) venue: u8,
    /// Its name.
    pub(crate) name: String,
    /// Where order entry stands there, as of the whole lane.
    pub(crate) entry: String,
    /// May orders be sent there?
    pub(crate) ready: bool,
    /// Is its market followed without a gap?
    pub(crate) live_market: bool,
    /// How far.
    #[serde(flatten)]
    pub(crate) market: Followed,
    /// Books that cannot be trusted.
    pub(crate) stale: u64,
    /// Orders that live there.
    pub(crate) live_orders: u64,
}

/// The names of a lane's venues; none where there is one alone.
pub(crate) fn names(config: &Config) -> Vec<String> {
    let several = config.venues.count() > 1;
    config.venues.iter().filter(|_| several).map(|(_, venue)| venue.to_string()).collect()
}

impl AtVenue {
    fn of(name: &str, said: &VenueStatusBody) -> Self {
        AtVenue {
            venue: said.venue,
            name: name.to_owned(),
            entry: stage(said.entry).to_owned(),
            ready: said.ready != 0,
            live_market: said.live_market != 0,
            market: Followed::of(&said.market),
            stale: said.stale.get(),
            live_orders: said.live.get(),
        }
    }

    /// As the lane has said it.
    pub(crate) fn all(names: &[String], said: &[VenueStatusBody]) -> Vec<Self> {
        names.iter().zip(said).map(|(name, said)| AtVenue::of(name, said)).collect()
    }

    /// As a lane at rest is.
    pub(crate) fn of_lane(names: &[String], lane: &dyn Lane) -> Vec<Self> {
        let said = |(venue, name): (u8, &String)| {
            let mut body = VenueStatusBody { venue, ..VenueStatusBody::default() };
            lane.venue_status(VenueId(venue), &mut body);
            AtVenue::of(name, &body)
        };
        (0..).zip(names).map(said).collect()
    }

    /// For people: which, and how it is there.
    pub(crate) fn words(&self) -> [String; 2] {
        let entry = if self.ready { paint::good(&self.entry) } else { paint::amber(&self.entry) };
        let mut text = format!("{}: orders {entry}, market ", self.name);
        text += &if self.live_market { "live".to_owned() } else { paint::amber("NOT LIVE") };
        text += &format!(", the next is {}", group(self.market.next_sequence));
        for (count, what) in
            [(self.market.gaps, "gaps"), (self.market.snapshots, "snapshots"), (self.live_orders, "orders live")]
        {
            if count > 0 {
                text += &format!("; {} {what}", group(count));
            }
        }
        for (count, what) in [(self.market.lost, "messages lost"), (self.stale, "books stale")] {
            if count > 0 {
                text += &format!("; {}", paint::amber(&format!("{} {what}", group(count))));
            }
        }
        [format!("venue {}", self.venue), text]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_said_by_number_and_name_and_what_is_zero_is_left_out() {
        let config = |text: &str| crate::wirings::parse(text).unwrap();
        assert!(names(&config("")).is_empty() && names(&config("[[venue]]\nname = \"A\"")).is_empty());
        let two = "[[venue]]\nname = \"A\"\n[[venue]]\nname = \"B\"\nentry = { username = \"B\" }";
        let names = names(&config(two));
        let mut said = [
            VenueStatusBody::default(),
            VenueStatusBody { venue: 1, entry: 5, ready: 1, live_market: 1, ..VenueStatusBody::default() },
        ];
        said[0].market.next_sequence.set(1_234);
        said[0].stale.set(7);
        said[1].live.set(2);
        said[1].market.gaps.set(3);
        let all = AtVenue::all(&names, &said);
        let words: Vec<[String; 2]> = all.iter().map(AtVenue::words).collect();
        assert_eq!(words[0], ["venue 0", "A: orders down, market NOT LIVE, the next is 1,234; 7 books stale"]);
        assert_eq!(words[1], ["venue 1", "B: orders ready, market live, the next is 0; 3 gaps; 2 orders live"]);
        let plug = "wiring = \"listener\"\n";
        let lane = crate::wirings::build(&config(&format!("{plug}{two}")), None).unwrap();
        let rest = AtVenue::of_lane(&names, &*lane);
        assert_eq!(rest.iter().map(|at| (at.venue, at.entry.as_str())).collect::<Vec<_>>(), [(0, "down"), (1, "down")]);
    }
}
