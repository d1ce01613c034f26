//! Currencies and their rates, and limits in them.

use super::check::{ConfigError, refuse, word};
use super::instruments::{Listed, currency, named};
use super::{RawRisk, RawSymbolRisk, SHORT, SHORT_ALLOWED};
use crate::base::{Currency, Instrument, Name, Notional, Qty, Rate, VenueId};
use crate::flow::risk::{CurrencyLimits, InstrumentLimits, MoneyIn, RiskLimits};
use serde::Deserialize;

/// The keys that a `[[currency]]` may have.
pub const KEYS: [&str; 3] = ["code", "rate", "max_total_open"];

/// A `[[currency]]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCurrency {
    code: String,
    rate: String,
    max_total_open: Option<u64>,
}

/// An amount of whole units of a currency, in money units.
pub(super) fn amount(whole: u64, exponent: i8) -> Notional {
    Notional(i128::from(whole) * 10i128.pow(exponent.unsigned_abs().into()))
}

/// The currencies beside the base currency, which may be among them.
pub(super) fn currencies(raw: &[RawCurrency], risk: &RiskLimits) -> Result<Vec<CurrencyLimits>, ConfigError> {
    let mut all: Vec<CurrencyLimits> = Vec::new();
    if raw.len() > 31 {
        return Err(refuse("currency", raw.len(), "31 tables at most"));
    }
    for (at, one) in raw.iter().enumerate() {
        let key = |field: &str| named("currency", raw.len(), at, field);
        let code = currency(&key("code"), &one.code)?;
        if all.iter().any(|known| known.currency == code) {
            return Err(refuse(&key("code"), format!("{:?}", one.code), "given once"));
        }
        let rate = "a decimal number in quotes, above 0, up to 1000000 with up to 12 decimals";
        let rate = Rate::new(&one.rate).ok_or_else(|| refuse(&key("rate"), format!("{:?}", one.rate), rate))?;
        if code == risk.currency && !rate.is_one() {
            return Err(refuse(&key("rate"), format!("{:?}", one.rate), "\"1\" for the base currency"));
        }
        let max_total_open = one.max_total_open.map(|whole| amount(whole, risk.exponent));
        let (least, most) = (Notional(1), RiskLimits::widest().max_total_open);
        if max_total_open.is_some_and(|limit| limit < least || limit > most) {
            return Err(refuse(
                &key("max_total_open"),
                one.max_total_open.unwrap_or_default(),
                "1 to 2^100 money units",
            ));
        }
        all.push(CurrencyLimits { currency: code, rate, max_total_open });
    }
    Ok(all)
}

/// What an instrument's currency is worth.
fn rate_of(code: Currency, all: &[CurrencyLimits], risk: &RiskLimits) -> Option<Rate> {
    if code == risk.currency {
        return Some(Rate::ONE);
    }
    all.iter().find(|known| known.currency == code).map(|known| known.rate)
}

/// Every listed instrument's amounts must be whole money units of a currency with a rate.
pub(super) fn check(listed: &Listed, all: &[CurrencyLimits], risk: &RiskLimits) -> Result<(), ConfigError> {
    for (row, key) in listed.rows.iter().zip(&listed.keys) {
        if rate_of(row.currency, all, risk).is_none() {
            let value = format!("{:?} (of {row})", row.currency.to_string());
            let allowed = "risk.base_currency, or the code of a [[currency]], which gives its rate";
            return Err(refuse(&format!("{key}currency"), value, allowed));
        }
        let exponent = i32::from(row.price_exponent) + i32::from(row.qty_exponent);
        if !(0..=38).contains(&(exponent - i32::from(risk.exponent))) {
            let value = format!("{} (amounts of {row} are in 10^{exponent})", risk.exponent);
            let allowed = "no more than price_exponent + qty_exponent of any instrument, and no less by more than 38";
            return Err(refuse("risk.money_exponent", value, allowed));
        }
    }
    Ok(())
}

/// Whose limits, by venue and name, and what they are.
pub type LimitsOf = ((VenueId, Name), InstrumentLimits);

/// The limits of single instruments: of `[risk.symbols.NAME]`, which are of the first venue, and of `[[instrument]]` tables.
pub(super) fn limits(
    risk: &RawRisk,
    listed: &Listed,
    all: &[CurrencyLimits],
    limits: &RiskLimits,
) -> Result<Vec<LimitsOf>, ConfigError> {
    let mut found = Vec::new();
    for (name, own) in &risk.symbols {
        let of = (VenueId::FIRST, super::instruments::name("risk.symbols", name)?);
        let row = listed.rows.iter().find(|row| (row.venue, row.name) == of);
        found.push((of, own.checked(&format!("risk.symbols.{name}"), row, all, limits)?));
    }
    for (row, key, own) in listed.own.iter().map(|(at, own)| (&listed.rows[*at], &listed.keys[*at], own)) {
        let of = (row.venue, row.name);
        if found.iter().any(|(known, _)| *known == of) {
            let allowed = "given once, here or in risk.symbols";
            return Err(ConfigError::Limit { key: format!("{key}risk"), allowed });
        }
        found.push((of, own.checked(&format!("{key}risk"), Some(row), all, limits)?));
    }
    Ok(found)
}

impl RawSymbolRisk {
    /// With what it has not said from the rest. Amounts that it says are in the instrument's currency, and then all are.
    fn checked(
        &self,
        table: &str,
        row: Option<&Instrument>,
        all: &[CurrencyLimits],
        risk: &RiskLimits,
    ) -> Result<InstrumentLimits, ConfigError> {
        let each = risk.each;
        let key = |field: &str| format!("{table}.{field}");
        let short = match &self.short {
            Some(text) => word(&key("short"), text, &SHORT, SHORT_ALLOWED)?,
            None => each.short,
        };
        let foreign = row.is_some_and(|row| row.currency != risk.currency);
        let says = self.max_order_notional.or(self.max_open).is_some();
        let money = if foreign && says { MoneyIn::Own } else { MoneyIn::Base };
        let rate = row.and_then(|row| rate_of(row.currency, all, risk)).unwrap_or(Rate::ONE);
        let of = |own: Option<u64>, each: Notional| match own {
            Some(whole) => amount(whole, risk.exponent),
            None if money == MoneyIn::Own => rate.back_down(each).unwrap_or(each).max(Notional(1)),
            None => each,
        };
        let limits = InstrumentLimits {
            max_order_qty: self.max_order_qty.map_or(each.max_order_qty, Qty),
            money,
            max_order_notional: of(self.max_order_notional, each.max_order_notional),
            max_position: self.max_position.map_or(each.max_position, Qty),
            max_open: of(self.max_open, each.max_open),
            short,
            locates: self.locates.map_or(each.locates, Qty),
            ..each
        };
        limits
            .check()
            .map_err(|e| ConfigError::Limit { key: key(e.field.trim_start_matches("risk.")), allowed: e.allowed })?;
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn said(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    const EURO: &str = "[[currency]]\ncode = \"EUR\"\nrate = \"1.25\"\n";
    const ROW: &str = "[[instrument]]\nname = \"SAP\"\ntick = \"0.01\"\ncurrency = \"EUR\"\n";

    #[test]
    fn currencies_have_a_rate_and_a_limit_each() {
        let text = format!(
            "[risk]\nmoney_exponent = -6\n{EURO}max_total_open = 3\n[[currency]]\ncode = \"USD\"\nrate = \"1\"\n"
        );
        let config = Config::parse(&text).unwrap();
        let of = |code, rate, limit| CurrencyLimits {
            currency: Currency::new(code).unwrap(),
            rate: Rate::new(rate).unwrap(),
            max_total_open: limit,
        };
        assert_eq!(config.currencies, [of("EUR", "1.25", Some(Notional(3_000_000))), of("USD", "1", None)]);
        assert_eq!((config.risk.currency, config.risk.exponent), (Currency::USD, -6));
        assert_eq!(config.risk.max_total_open, Notional(10_000_000 * 1_000_000));
        for (from, to, says) in [
            ("\"EUR\"", "\"eur\"", "currency[0].code = \"eur\""),
            ("\"USD\"", "\"EUR\"", "currency[1].code = \"EUR\": must be given once"),
            ("1.25", "0", "currency[0].rate = \"0\""),
            ("1.25", "1000000.1", "currency[0].rate"),
            ("1.25", "0.0000000000001", "currency[0].rate"),
            ("rate = \"1\"", "rate = \"1.1\"", "currency[1].rate = \"1.1\": must be \"1\" for the base"),
            ("open = 3", "open = 0", "currency[0].max_total_open = 0: must be 1 to 2^100"),
            ("-6", "-19", "risk.money_exponent must be -18 to 0"),
            ("-6", "1", "risk.money_exponent must be -18 to 0"),
            ("rate = \"1.25\"", "", "missing field `rate`"),
        ] {
            let said = said(&text.replace(from, to));
            assert!(said.contains(says), "{from} -> {to}: {said}");
        }
        for (at, good) in [("1.25", "1000000"), ("1.25", "0.000000000001"), ("-6", "0"), ("-6", "-18")] {
            assert!(Config::parse(&text.replace(at, good).replace("open = 3", "open = 1")).is_ok(), "{good}");
        }
        let many: String = (0..32).map(|n| format!("[[currency]]\ncode = \"C{n:02}\"\nrate = \"1\"\n")).collect();
        assert!(said(&many).contains("31 tables at most"));
        assert_eq!(Config::parse(many.rsplit_once("[[").unwrap().0).unwrap().currencies.len(), 31);
    }

    #[test]
    fn a_listed_instrument_needs_a_rate_and_units_that_are_whole_money() {
        let text = said(ROW);
        assert!(text.contains("instrument.currency = \"EUR\" (of SAP): must be risk.base_currency, or"), "{text}");
        assert!(Config::parse(&format!("{EURO}{ROW}")).is_ok());
        assert!(Config::parse(&format!("[risk]\nbase_currency = \"EUR\"\n{ROW}")).is_ok());
        let symbol = said("[risk]\nbase_currency = \"EUR\"\n[instruments]\nlisted = [\"A\"]");
        assert!(symbol.contains("instruments.listed.currency = \"USD\" (of A)"), "{symbol}");
        let fine = |money: i8| format!("[risk]\nmoney_exponent = {money}\n{EURO}{ROW}qty_exponent = -2\n");
        let text = said(&fine(-5));
        assert!(text.contains("risk.money_exponent = -5 (amounts of SAP are in 10^-6): must be no more"), "{text}");
        assert!(Config::parse(&fine(-6)).is_ok() && Config::parse(&fine(-7)).is_ok());
    }

    #[test]
    fn an_instruments_own_amounts_are_in_its_currency() {
        let of = |text: &str| Config::parse(text).unwrap().risk_of[0].1;
        let all = of(&format!("{EURO}{ROW}risk = {{ max_position = 7 }}\n"));
        assert_eq!(
            (all.money, all.max_order_notional, all.max_position),
            (MoneyIn::Base, amount(1_000_000, -4), Qty(7))
        );
        let own = of(&format!("{EURO}{ROW}risk = {{ max_order_notional = 7 }}\n"));
        assert_eq!((own.money, own.max_order_notional), (MoneyIn::Own, amount(7, -4)));
        assert_eq!(own.max_open, amount(4_000_000, -4), "5,000,000 dollars at 1.25");
        let named = of(&format!("{EURO}{ROW}[risk.symbols.SAP]\nmax_open = 9\n"));
        assert_eq!(
            (named.money, named.max_order_notional, named.max_open),
            (MoneyIn::Own, amount(800_000, -4), amount(9, -4))
        );
        let dollars = of("[instruments]\nlisted = [\"A\"]\n[risk.symbols.A]\nmax_open = 9\n");
        assert_eq!((dollars.money, dollars.max_open), (MoneyIn::Base, amount(9, -4)), "the same");
        let twice = said(&format!("{EURO}{ROW}risk = {{ max_position = 7 }}\n[risk.symbols.SAP]\nmax_open = 9\n"));
        assert!(twice.contains("instrument.risk: must be given once, here or in risk.symbols"), "{twice}");
        let over = said(&format!("{EURO}{ROW}risk = {{ max_order_qty = 0 }}\n"));
        assert!(over.contains("instrument.risk.max_order_qty: must be 1 to 2^40"), "{over}");
    }

    /// The examples in the sample are such tables.
    #[test]
    fn the_currency_in_the_sample_is_one() {
        let sample = super::super::SAMPLE;
        let row: Vec<&str> = sample.lines().skip_while(|line| *line != "# [[currency]]").take(KEYS.len() + 1).collect();
        let text: String = row.iter().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        let table: toml::Table = text.parse().unwrap();
        assert!(KEYS.iter().all(|key| table["currency"][0].get(*key).is_some()), "{text}");
        assert_eq!(Config::parse(&text).unwrap().currencies.len(), 1);
    }
}
