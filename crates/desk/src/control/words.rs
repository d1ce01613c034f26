//! Commands as lines of text: what may be said to a lane over its control socket.
//!
//! A line is the word, whom it is to, its arguments, and for how long it holds (`within=SECONDS`).

use firelane_gateway::base::{AccountId, InstrumentId, Mono, Nanos, Notional, ParentId, Price, Qty, Side};
use firelane_gateway::base::{StrategyId, VenueId};
use firelane_gateway::flow::command::{Detected, Key, Own, ParentOrder, ParentStep, To, Word};
use firelane_gateway::flow::risk::{LaneLimitChange, LimitChange, ShortSale};
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::firm;
use std::str::FromStr;

/// How each is said, for whoever asks.
pub(crate) const SAID: &[(&str, &str)] = &[
    ("kill [venue N | instrument NAME | strategy N]", "throw the kill switch of the lane, or of one part of it"),
    ("release [venue N | instrument NAME | strategy N]", "release it; the lane's releases no other"),
    ("enable [strategy N]", "let the strategies act, or one of them"),
    ("disable [strategy N]", "stop them, or one, and cancel what rests"),
    ("snapshot [venue N]", "heal the books of a venue (0) by a snapshot"),
    ("limits NAME KEY=VALUE...", "max_order_qty, max_order_notional, max_position, max_open, short"),
    ("lane-limits KEY=VALUE...", "max_total_open, orders_per_second, burst"),
    (
        "lease LANE KEY=VALUE... [LANE KEY=VALUE...]",
        "of several lanes: what each is leased of the firm's max_total_open, orders_per_second, burst",
    ),
    ("locates NAME SHARES", "shares located for the day, used ones included"),
    ("carry-in NAME SHARES COST [strategy N]", "a position of the day before, and what it cost in all"),
    ("target NAME SHARES [strategy N]", "hold this position"),
    ("alert DETECTOR VALUE [instrument NAME]", "a detector has seen something"),
    ("parameter N KEY=VALUE", "strategy N's parameter KEY is VALUE from now on; times in nanoseconds"),
    (
        "parent new|amend NAME ID buy|sell SHARES KEY=VALUE...",
        "limit, start, end (seconds from now), urgency, algorithm, account, strategy",
    ),
    ("parent pause|resume|cancel NAME ID [strategy=N]", "a parent order waits, goes on, or ends"),
    ("own N HEX", "strategy N's own words"),
];

/// A command that was read; it borrows the bytes of its own words.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) to: To,
    pub(crate) expires: Mono,
    word: Owned,
}

#[derive(Debug, PartialEq)]
enum Owned {
    Word(Word<'static>),
    Own(Vec<u8>),
}

impl Read {
    pub(crate) fn word(&self) -> Word<'_> {
        match &self.word {
            Owned::Word(word) => *word,
            Owned::Own(bytes) => Word::Own(Own::new(bytes).unwrap_or_else(|| unreachable!("its length was looked at"))),
        }
    }
}

/// What a lane's configuration says of the names and units in a line.
#[derive(Debug)]
pub(crate) struct Known {
    /// The instruments that are listed, in the order of their numbers: name, and decimals of a price.
    listed: Vec<(String, usize)>,
    /// Decimals of money.
    money: usize,
}

/// Decimals of a price of an instrument that is not listed: the venue's directory names US equities alone.
const USUAL: usize = 4;

impl Known {
    pub(crate) fn of(config: &Config) -> Self {
        let decimals = |exponent: i8| usize::from(exponent.min(0).unsigned_abs());
        let listed = config.listed.iter().map(|row| (row.name.to_string(), decimals(row.price_exponent)));
        Known { listed: listed.collect(), money: decimals(config.risk.exponent) }
    }
}

/// Reads a line. `None`: it begins with no word of these. `now`: on the lane's clock.
pub(crate) fn read(line: &str, known: &Known, now: Mono) -> Option<Result<Read, String>> {
    let mut words: Vec<&str> = line.split_ascii_whitespace().collect();
    let first = *words.first()?;
    let ways = || SAID.iter().map(|(said, _)| *said).filter(|said| said.split(' ').next() == Some(first));
    ways().next()?;
    let expires = match words.iter().position(|word| word.starts_with("within=")).map(|at| words.remove(at)) {
        None => Ok(Mono::NEVER),
        Some(within) => seconds(&within["within=".len()..]).map(|within| now.after(within)),
    };
    let parsed = expires.and_then(|expires| {
        let mut rest = Words { rest: words[1..].iter(), known, now };
        let (to, word) = rest.command(first)?;
        match rest.rest.next() {
            Some(more) => Err(format!("{more:?} is one word too many")),
            None => Ok(Read { to, expires, word }),
        }
    });
    Some(parsed.map_err(|error| format!("{error}; it is said so: {}", ways().collect::<Vec<_>>().join(", or "))))
}

struct Words<'a> {
    rest: std::slice::Iter<'a, &'a str>,
    known: &'a Known,
    now: Mono,
}

fn number<T: FromStr>(text: &str, what: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no number of {what}"))
}

fn seconds(text: &str) -> Result<Nanos, String> {
    let ns = decimal(text, 9).filter(|ns| *ns >= 0).and_then(|ns| u64::try_from(ns).ok());
    ns.map(Nanos).ok_or_else(|| format!("{text:?} is no number of seconds"))
}

/// A decimal number, in units of so many decimals. `None`: it is none, or has more of them.
fn decimal(text: &str, decimals: usize) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let sound = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !sound(whole) || !sound(part) || part.len() > decimals {
        return None;
    }
    let padded = format!("{whole}{part:0<decimals$}");
    padded.parse::<i128>().ok()?.checked_mul(sign)
}

fn money(text: &str, decimals: usize) -> Result<i128, String> {
    decimal(text, decimals).ok_or_else(|| format!("{text:?} is no amount of money with at most {decimals} decimals"))
}

/// One of a lane's limits, with money of so many decimals. False: there is no such key.
fn lane_limit(change: &mut LaneLimitChange, key: &str, value: &str, decimals: usize) -> Result<bool, String> {
    match key {
        "max_total_open" => {
            let open = decimal(value, decimals).filter(|open| *open >= 0);
            let wrong = || format!("{value:?} is no amount of money with at most {decimals} decimals");
            change.total_open = Some(Notional(open.ok_or_else(wrong)?));
        }
        "orders_per_second" => change.orders_per_second = Some(number(value, "orders")?),
        "burst" => change.burst = Some(number(value, "orders")?),
        _ => return Ok(false),
    }
    Ok(true)
}

/// `lease LANE KEY=VALUE... [LANE KEY=VALUE...]`: of each lane by its place in `names`, what it is to have. Money is counted in
/// units of 10^`exponent`.
pub(crate) fn leases(line: &str, exponent: i8, names: &[&str]) -> Result<Vec<(usize, LaneLimitChange)>, String> {
    let decimals = usize::from(exponent.unsigned_abs());
    let mut changes: Vec<(usize, LaneLimitChange)> = Vec::new();
    for word in line.split_ascii_whitespace().skip(1) {
        let Some((key, value)) = word.split_once('=') else {
            let lane = names.iter().position(|name| *name == word);
            let lane = lane.ok_or_else(|| format!("there is no lane {word:?}; there are: {}", names.join(", ")))?;
            changes.push((lane, LaneLimitChange::default()));
            continue;
        };
        let (_, change) = changes.last_mut().ok_or_else(|| format!("of which lane is {word}? Its name comes first"))?;
        if !lane_limit(change, key, value, decimals)? {
            return Err(format!("there is no {key}; there are: {}", firm::KEYS.join(", ")));
        }
    }
    Ok(changes)
}

/// `lane-limits KEY=VALUE...` of a lane whose limits are leased.
pub(crate) fn lane_limits(line: &str, exponent: i8) -> Result<LaneLimitChange, String> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let known = Known { listed: Vec::new(), money: usize::from(exponent.unsigned_abs()) };
    let mut rest = Words { rest: words.get(1..).unwrap_or_default().iter(), known: &known, now: Mono(0) };
    rest.lane_limits(known.money)
}

impl Words<'_> {
    fn next(&mut self, what: &str) -> Result<&str, String> {
        self.rest.next().copied().ok_or_else(|| format!("{what} is missing"))
    }

    fn of<T: FromStr>(&mut self, what: &str) -> Result<T, String> {
        number(self.next(what)?, what)
    }

    /// By its name, or by its number behind a `#`.
    fn instrument(&mut self) -> Result<InstrumentId, String> {
        let name = self.next("the instrument's name")?.to_owned();
        if let Some(id) = name.strip_prefix('#') {
            return number(id, "an instrument").map(InstrumentId);
        }
        let place = self.known.listed.iter().position(|(known, _)| *known == name);
        let id = place.and_then(|place| u32::try_from(place).ok()).map(InstrumentId);
        id.ok_or_else(|| format!("{name:?} is not listed in the configuration (#3 is the instrument of number 3)"))
    }

    fn strategy(&mut self) -> Result<To, String> {
        Ok(To::strategy(StrategyId(self.of("a strategy")?)))
    }

    /// What stands behind, if anything does: of these kinds.
    fn part(&mut self, kinds: &[&str]) -> Result<To, String> {
        let Some(kind) = self.rest.next().copied() else { return Ok(To::LANE) };
        if !kinds.contains(&kind) {
            return Err(format!("{kind:?} is none of: {}", kinds.join(", ")));
        }
        match kind {
            "venue" => Ok(To::venue(VenueId(self.of("a venue")?))),
            "instrument" => self.instrument().map(To::instrument),
            _ => self.strategy(),
        }
    }

    /// In an instrument, of one strategy if that is said.
    fn of_strategy(&mut self, id: InstrumentId) -> Result<To, String> {
        Ok(To { instrument: Some(id), ..self.part(&["strategy"])? })
    }

    /// Each `key=value` that is left.
    fn pairs(&mut self, mut take: impl FnMut(&str, &str) -> Result<bool, String>) -> Result<(), String> {
        let mut none = true;
        for pair in self.rest.by_ref() {
            let (key, value) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is no KEY=VALUE"))?;
            none = false;
            if !take(key, value)? {
                return Err(format!("there is no {key}"));
            }
        }
        if none { Err("nothing is said to change".to_owned()) } else { Ok(()) }
    }

    fn command(&mut self, word: &str) -> Result<(To, Owned), String> {
        let all = ["venue", "instrument", "strategy"];
        let (to, word) = match word {
            "kill" => (self.part(&all)?, Word::Kill),
            "release" => (self.part(&all)?, Word::Release),
            "enable" => (self.part(&["strategy"])?, Word::Enable),
            "disable" => (self.part(&["strategy"])?, Word::Disable),
            "snapshot" => {
                let to = self.part(&["venue"])?;
                (if to == To::LANE { To::venue(VenueId::FIRST) } else { to }, Word::Snapshot)
            }
            "limits" => (To::instrument(self.instrument()?), Word::Limits(self.limits()?)),
            "lane-limits" => (To::LANE, Word::LaneLimits(self.lane_limits(self.known.money)?)),
            "lease" => return Err("there is one lane here, and its limits are not leased".to_owned()),
            "locates" => (To::instrument(self.instrument()?), Word::Locates { shares: Qty(self.of("shares")?) }),
            "carry-in" => {
                let (id, shares, decimals) = (self.instrument()?, Qty(self.of("shares")?), self.known.money);
                let cost = Notional(money(self.next("the cost")?, decimals)?);
                (self.of_strategy(id)?, Word::CarryIn { shares, cost })
            }
            "target" => {
                let (id, position) = (self.instrument()?, Qty(self.of("shares")?));
                (self.of_strategy(id)?, Word::Target { position })
            }
            "alert" => {
                let (detector, value) = (self.of("a detector")?, self.of("the value")?);
                (self.part(&["instrument"])?, Word::Alert(Detected { detector, value, at: self.now }))
            }
            "parameter" => self.parameter()?,
            "parent" => self.parent()?,
            _ => {
                let (to, hex) = (self.strategy()?, self.next("the bytes in hex")?);
                return Ok((to, Owned::Own(bytes(hex)?)));
            }
        };
        Ok((to, Owned::Word(word)))
    }

    fn limits(&mut self) -> Result<LimitChange, String> {
        let (mut change, decimals) = (LimitChange::default(), self.known.money);
        self.pairs(|key, value| {
            match key {
                "max_order_qty" => change.order_qty = Some(Qty(number(value, "shares")?)),
                "max_order_notional" => change.order_notional = Some(Notional(money(value, decimals)?)),
                "max_position" => change.position = Some(Qty(number(value, "shares")?)),
                "max_open" => change.open = Some(Notional(money(value, decimals)?)),
                "short" => {
                    change.short = Some(match value {
                        "forbidden" => ShortSale::Forbidden,
                        "located" => ShortSale::Located,
                        "market_maker" => ShortSale::MarketMaker,
                        _ => return Err("short is forbidden, located or market_maker".to_owned()),
                    });
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(change)
    }

    fn lane_limits(&mut self, decimals: usize) -> Result<LaneLimitChange, String> {
        let mut change = LaneLimitChange::default();
        self.pairs(|key, value| lane_limit(&mut change, key, value, decimals))?;
        Ok(change)
    }

    fn parameter(&mut self) -> Result<(To, Word<'static>), String> {
        let to = self.strategy()?;
        let pair = self.next("KEY=VALUE")?;
        let (key, value) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is no KEY=VALUE"))?;
        let name = Key::new(key).ok_or_else(|| format!("{key:?} is no name of a parameter: 1 to 32 letters"))?;
        Ok((to, Word::Parameter { key: name, value: number(value, "the parameter")? }))
    }

    fn parent(&mut self) -> Result<(To, Word<'static>), String> {
        let what = match self.next("what becomes of the parent order")? {
            "new" => ParentStep::New,
            "amend" => ParentStep::Amend,
            "pause" => ParentStep::Pause,
            "resume" => ParentStep::Resume,
            "cancel" => ParentStep::Cancel,
            other => return Err(format!("{other:?} is none of: new, amend, pause, resume, cancel")),
        };
        let id = self.instrument()?;
        let (mut to, known) = (To::instrument(id), self.known);
        let decimals = known.listed.get(id.0 as usize).map_or(USUAL, |(_, decimals)| *decimals);
        let parent = ParentId(self.of("a parent order")?);
        let said = matches!(what, ParentStep::New | ParentStep::Amend);
        let side = match if said { self.next("the side")? } else { "buy" } {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            other => return Err(format!("{other:?} is neither buy nor sell")),
        };
        let qty = Qty(if said { self.of("shares")? } else { 0 });
        let (now, account) = (self.now, AccountId(0));
        let (start, end, limit, urgency, algorithm) = (now, Mono::NEVER, None, 0, 0);
        let mut order = ParentOrder { what, parent, side, qty, limit, start, end, urgency, algorithm, account };
        if self.rest.len() > 0 {
            self.pairs(|key, value| {
                match key {
                    "strategy" => to.strategy = Some(StrategyId(number(value, "a strategy")?)),
                    "limit" => {
                        let price = decimal(value, decimals).and_then(|price| i64::try_from(price).ok());
                        let wrong = || format!("{value:?} is no price with at most {decimals} decimals");
                        order.limit = Some(Price(price.ok_or_else(wrong)?));
                    }
                    "start" => order.start = now.after(seconds(value)?),
                    "end" => order.end = now.after(seconds(value)?),
                    "urgency" => order.urgency = number(value, "urgency")?,
                    "algorithm" => order.algorithm = number(value, "an algorithm")?,
                    "account" => order.account = AccountId(number(value, "an account")?),
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok((to, Word::Parent(order)))
    }
}

fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    let bytes: Option<Vec<u8>> = pairs.collect();
    let bytes = bytes.ok_or_else(|| format!("{hex:?} is no pairs of hexadecimal digits"))?;
    if bytes.len() > Own::MOST { Err(format!("{} bytes are more than {}", bytes.len(), Own::MOST)) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Mono = Mono(5_000_000_000);

    fn known() -> Known {
        Known::of(&Config::parse("[instruments]\nlisted = [\"AAPL\", \"MSFT\"]").unwrap())
    }

    fn sound(line: &str) -> (To, Word<'static>, Mono) {
        let read = read(line, &known(), NOW).unwrap().unwrap();
        let Owned::Word(word) = read.word else { panic!("{line}") };
        (read.to, word, read.expires)
    }

    fn error(line: &str) -> String {
        read(line, &known(), NOW).unwrap().unwrap_err()
    }

    #[test]
    fn every_word_is_read() {
        let (aapl, msft) = (To::instrument(InstrumentId(0)), To::instrument(InstrumentId(1)));
        let second = To::strategy(StrategyId(2));
        let limits = LimitChange {
            order_notional: Some(Notional(1_500_000)),
            position: Some(Qty(500)),
            short: Some(ShortSale::Located),
            ..LimitChange::default()
        };
        let lane = LaneLimitChange { total_open: Some(Notional(50_000)), burst: Some(3), orders_per_second: Some(9) };
        for (line, to, word) in [
            ("kill", To::LANE, Word::Kill),
            ("kill venue 1", To::venue(VenueId(1)), Word::Kill),
            ("release instrument MSFT", msft, Word::Release),
            ("release instrument #7", To::instrument(InstrumentId(7)), Word::Release),
            ("enable strategy 2", second, Word::Enable),
            ("disable", To::LANE, Word::Disable),
            ("snapshot", To::venue(VenueId(0)), Word::Snapshot),
            ("snapshot venue 3", To::venue(VenueId(3)), Word::Snapshot),
            ("limits AAPL max_position=500 max_order_notional=150 short=located", aapl, Word::Limits(limits)),
            ("lane-limits max_total_open=5 burst=3 orders_per_second=9", To::LANE, Word::LaneLimits(lane)),
            ("locates AAPL 1000", aapl, Word::Locates { shares: Qty(1000) }),
            ("carry-in AAPL -100 -1523.5", aapl, Word::CarryIn { shares: Qty(-100), cost: Notional(-15_235_000) }),
            (
                "target AAPL 300 strategy 2",
                To { strategy: second.strategy, ..aapl },
                Word::Target { position: Qty(300) },
            ),
            ("alert 4 -7 instrument MSFT", msft, Word::Alert(Detected { detector: 4, value: -7, at: NOW })),
            ("parameter 2 size=200", second, Word::Parameter { key: Key::new("size").unwrap(), value: 200 }),
        ] {
            assert_eq!(sound(line), (to, word, Mono::NEVER), "{line}");
        }
        assert_eq!(sound("kill within=1.5").2, Mono(6_500_000_000));
        assert_eq!(sound("kill within=0 venue 1").2, NOW);
        let own = read("own 2 00fF7a", &known(), NOW).unwrap().unwrap();
        assert_eq!((own.to, own.word()), (second, Word::Own(Own::new(&[0, 255, 0x7a]).unwrap())));
        assert!(read("own 2 ", &known(), NOW).unwrap().is_err());
        assert!(read("hello", &known(), NOW).is_none() && read("", &known(), NOW).is_none());
    }

    #[test]
    fn leases_are_read_by_lane() {
        let names = ["north", "south"];
        let read = |line: &str| leases(line, -2, &names);
        let open = |units| LaneLimitChange { total_open: Some(Notional(units)), ..LaneLimitChange::default() };
        let both = read("lease south max_total_open=5.25 north max_total_open=7 burst=3").unwrap();
        assert_eq!(both, [(1, open(525)), (0, LaneLimitChange { burst: Some(3), ..open(700) })]);
        for (line, says) in [
            ("lease west burst=1", "no lane \"west\"; there are: north, south"),
            ("lease burst=1", "of which lane is burst=1?"),
            ("lease north bursts=1", "there is no bursts; there are: max_total_open"),
            ("lease north burst=-1", "no number of orders"),
            ("lease north max_total_open=1.234", "at most 2 decimals"),
            ("lease north max_total_open=-1", "no amount of money"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
        assert_eq!(lane_limits("lane-limits max_total_open=1.5", -2), Ok(open(150)));
        assert!(lane_limits("lane-limits", -2).unwrap_err().contains("nothing is said to change"));
        assert!(error("lease north burst=1").contains("there is one lane here"));
    }

    /// Money is in the lane's unit, and a price in the instrument's.
    #[test]
    fn amounts_have_the_decimals_of_the_configuration() {
        let text = "[risk]\nmoney_exponent = -6\n[[instrument]]\nname = \"BTC\"\nprice_exponent = -2\ntick = \"0.01\"";
        let known = Known::of(&Config::parse(text).unwrap());
        let word = |line: &str| read(line, &known, NOW).unwrap().map(|read| read.word);
        let lane = LaneLimitChange { total_open: Some(Notional(5_250_001)), ..LaneLimitChange::default() };
        assert_eq!(word("lane-limits max_total_open=5.250001"), Ok(Owned::Word(Word::LaneLimits(lane))));
        let limits = LimitChange { open: Some(Notional(1_500_000)), ..LimitChange::default() };
        assert_eq!(word("limits BTC max_open=1.5"), Ok(Owned::Word(Word::Limits(limits))));
        let cost = Notional(-2_000_000);
        assert_eq!(word("carry-in BTC -1 -2"), Ok(Owned::Word(Word::CarryIn { shares: Qty(-1), cost })));
        let Ok(Owned::Word(Word::Parent(order))) = word("parent new BTC 7 buy 10 limit=61000.25") else { panic!() };
        assert_eq!(order.limit, Some(Price(6_100_025)));
        for (line, says) in [
            ("lane-limits max_total_open=5.2500001", "at most 6 decimals"),
            ("limits BTC max_order_notional=1.2345678", "at most 6 decimals"),
            ("parent new BTC 7 buy 10 limit=61000.255", "no price with at most 2 decimals"),
        ] {
            let error = word(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }

    #[test]
    fn parent_orders_are_read() {
        let (to, Word::Parent(order), _) =
            sound("parent new MSFT 7 sell 1000 limit=150.25 end=60 urgency=3 strategy=2")
        else {
            panic!("no parent order")
        };
        assert_eq!((to.instrument, to.strategy), (Some(InstrumentId(1)), Some(StrategyId(2))));
        assert_eq!((order.parent, order.side, order.qty), (ParentId(7), Side::Sell, Qty(1000)));
        assert_eq!((order.limit, order.start, order.end), (Some(Price(1_502_500)), NOW, Mono(65_000_000_000)));
        assert_eq!(order.urgency, 3);
        assert!(matches!(sound("parent cancel AAPL 7").1, Word::Parent(ParentOrder { what: ParentStep::Cancel, .. })));
    }

    #[test]
    fn what_is_wrong_is_said_with_how_to_say_it() {
        for (line, says) in [
            ("kill lane", "\"lane\" is none of: venue, instrument, strategy"),
            ("kill venue", "a venue is missing"),
            ("kill venue 256", "no number of a venue"),
            ("kill instrument IBM", "not listed in the configuration"),
            ("kill strategy 2 3", "one word too many"),
            ("kill within=-1", "no number of seconds"),
            ("enable venue 0", "none of: strategy"),
            ("limits AAPL", "nothing is said to change"),
            ("limits AAPL max_qty=3", "there is no max_qty"),
            ("limits AAPL max_open=1.23456", "at most 4 decimals"),
            ("limits AAPL short=yes", "forbidden, located or market_maker"),
            ("limits AAPL max_position", "no KEY=VALUE"),
            ("locates AAPL", "shares is missing"),
            ("carry-in AAPL 1 1,5", "no amount of money"),
            ("parameter x size=1", "no number of a strategy"),
            ("parameter 1 size", "no KEY=VALUE"),
            ("own 1 abc", "no pairs of hexadecimal digits"),
            ("parent old AAPL 1", "none of: new, amend"),
            ("parent new AAPL 1 hold 5", "neither buy nor sell"),
        ] {
            let error = error(line);
            let word = line.split(' ').next().unwrap();
            assert!(error.contains(says) && error.contains(&format!("it is said so: {word}")), "{line}: {error}");
        }
        let long = error(&format!("own 1 {}", "00".repeat(Own::MOST + 1)));
        assert!(long.contains("257 bytes are more than 256"), "{long}");
    }
}
