//! Currencies, and what one is worth in another.

use super::Notional;
use core::fmt;

/// A currency: ISO 4217's three letters, or what a venue calls it in up to eight (`USDT`): capital letters and digits, a
/// letter first, padded with spaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Currency(pub [u8; Currency::LENGTH]);

crate::value! { Currency(_) }

impl Currency {
    /// No code is longer.
    pub const LENGTH: usize = 8;
    /// US dollars.
    pub const USD: Currency = Currency(*b"USD     ");
    /// ISO 4217's code where no currency is involved: of a row whose venue has not said its units yet.
    pub const NONE: Currency = Currency(*b"XXX     ");

    /// Of its code. `None`: not three to eight capital letters and digits, a letter first.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let mut padded = [b' '; Currency::LENGTH];
        padded.get_mut(..code.len())?.copy_from_slice(code.as_bytes());
        let currency = Currency(padded);
        currency.is_sound().then_some(currency)
    }

    /// Could these bytes be one?
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let length = self.0.iter().rposition(|b| *b != b' ').map_or(0, |last| last.saturating_add(1));
        let code = self.0.get(..length).unwrap_or_default();
        length >= 3
            && code.first().is_some_and(u8::is_ascii_uppercase)
            && code.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let code = self.0.iter().take_while(|b| **b != b' ');
        code.map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '?' }).try_for_each(|c| f.write_char(c))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({self})")
    }
}

/// What one unit of a currency is worth in another: a decimal fraction, exact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    numerator: u64,
    /// Ten to the number of decimals.
    denominator: u64,
}

impl Rate {
    /// One for one.
    pub const ONE: Rate = Rate { numerator: 1, denominator: 1 };
    /// Most decimals of a rate.
    pub const DECIMALS: usize = 12;
    /// No rate is higher: a million for one.
    pub const MOST: u64 = 1_000_000;

    /// Of its text: up to twelve decimals, above zero, a million at most. `None`: it is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let empty = whole.is_empty() || (decimals.is_empty() && whole.len() != text.len());
        if empty || whole.len() > 7 || decimals.len() > Rate::DECIMALS {
            return None;
        }
        let decimals = decimals.trim_end_matches('0');
        let (mut numerator, mut denominator) = (0u64, 1u64);
        for digit in whole.bytes() {
            numerator = numerator.checked_mul(10)?.checked_add(digit_of(digit)?)?;
        }
        for digit in decimals.bytes() {
            numerator = numerator.checked_mul(10)?.checked_add(digit_of(digit)?)?;
            denominator = denominator.checked_mul(10)?;
        }
        let most = Rate::MOST.checked_mul(denominator)?;
        (1..=most).contains(&numerator).then_some(Rate { numerator, denominator })
    }

    /// Is it one for one?
    #[inline]
    #[must_use]
    pub const fn is_one(self) -> bool {
        self.numerator == self.denominator
    }

    /// What an amount is worth, rounded up to a money unit. `None` beyond 128 bits, and of less than nothing.
    #[inline]
    #[must_use]
    pub fn up(self, amount: Notional) -> Option<Notional> {
        if self.is_one() { Some(amount) } else { mul_div(amount, self.numerator, self.denominator, true) }
    }

    /// How much of the currency an amount of the other one buys, rounded down to a money unit. `None` beyond 128 bits, and of
    /// less than nothing.
    #[must_use]
    pub fn back_down(self, amount: Notional) -> Option<Notional> {
        if self.is_one() { Some(amount) } else { mul_div(amount, self.denominator, self.numerator, false) }
    }
}

const fn digit_of(byte: u8) -> Option<u64> {
    match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0') as u64),
        _ => None,
    }
}

/// `amount * times / by`, exact but for the last unit. Taken apart so that no product overflows unless the answer does.
fn mul_div(amount: Notional, times: u64, by: u64, round_up: bool) -> Option<Notional> {
    let (amount, times, by) = (u128::try_from(amount.0).ok()?, u128::from(times), u128::from(by));
    let (whole, rest) = (amount.checked_div(by)?, amount.checked_rem(by)?);
    // Both below 2^64.
    let rest = rest.wrapping_mul(times);
    let rest = if round_up { rest.div_ceil(by) } else { rest.checked_div(by)? };
    let worth = whole.checked_mul(times)?.checked_add(rest)?;
    i128::try_from(worth).ok().map(Notional)
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn a_currency_is_three_to_eight_capital_letters_and_digits() {
        for code in ["USD", "EUR", "USDT", "ABCDEFGH", "X2Y"] {
            assert_eq!(Currency::new(code).unwrap().to_string(), code);
        }
        for none in ["", "US", "ABCDEFGHI", "usd", "U D", "2XY", "US ", "U\0D"] {
            assert_eq!(Currency::new(none), None, "{none:?}");
        }
        assert_eq!((Currency::new("USD"), Currency::new("XXX")), (Some(Currency::USD), Some(Currency::NONE)));
        assert!(!Currency(*b"US D    ").is_sound() && !Currency([b' '; 8]).is_sound());
    }

    #[test]
    fn a_rate_is_a_decimal_fraction() {
        let fraction = |text| Rate::new(text).map(|rate| (rate.numerator, rate.denominator));
        assert_eq!(fraction("1.0832"), Some((10_832, 10_000)));
        assert_eq!(fraction("150"), Some((150, 1)));
        assert_eq!(fraction("0.000000000001"), Some((1, 1_000_000_000_000)));
        assert_eq!(fraction("1000000"), Some((1_000_000, 1)));
        assert_eq!(fraction("1000000.000000000000"), Some((1_000_000, 1)), "the last zeros say nothing");
        assert_eq!(fraction("999999.999999999999"), Some((999_999_999_999_999_999, 1_000_000_000_000)));
        assert!(Rate::new("1.00").unwrap().is_one() && !Rate::new("1.01").unwrap().is_one());
        let none = ["", ".", ".5", "1.", "0", "0.0", "-1", "1e3", "1,5", "1.2.3", "1000001", "1000000.000000000001"];
        for none in none.into_iter().chain(["0.0000000000001", "00000001", "+1", " 1"]) {
            assert_eq!(Rate::new(none), None, "{none:?}");
        }
    }

    #[test]
    fn an_amount_is_rounded_up_and_back_down() {
        let rate = Rate::new("0.3").unwrap();
        let up = |n| rate.up(Notional(n)).map(|n| n.0);
        assert_eq!([0, 1, 3, 4, 10, 11].map(up), [0, 1, 1, 2, 3, 4].map(Some));
        let down = |n| rate.back_down(Notional(n)).map(|n| n.0);
        assert_eq!([0, 1, 2, 3, 4].map(down), [0, 3, 6, 10, 13].map(Some));
        assert_eq!((up(-1), down(-1)), (None, None));
        assert_eq!(Rate::new("2").unwrap().up(Notional(i128::MAX / 2 + 1)), None);
        assert_eq!(Rate::new("2").unwrap().up(Notional(i128::MAX / 2)), Some(Notional(i128::MAX - 1)));
        assert_eq!(Rate::new("0.5").unwrap().up(Notional(i128::MAX)), Some(Notional(i128::MAX / 2 + 1)));
        assert_eq!(Rate::ONE.up(Notional(i128::MAX)), Some(Notional(i128::MAX)));
    }

    proptest! {
        #[test]
        fn rounding_is_by_less_than_a_unit_and_never_in_our_favour(
            amount in 0i128..1 << 100, whole in 0u64..1000, decimals in 0u64..1_000_000, shift in 0u32..100,
        ) {
            let amount = amount >> shift;
            let Some(rate) = Rate::new(&alloc::format!("{whole}.{decimals:06}")) else { return Ok(()) };
            let (n, d) = (i128::from(rate.numerator), i128::from(rate.denominator));
            // Split so that this reckoning has room: amount = a * d + b.
            let (a, b) = (amount / d, amount % d);
            let exact_up = a * n + (b * n + d - 1) / d;
            prop_assert_eq!(rate.up(Notional(amount)), Some(Notional(exact_up)));
            if let Some(back) = rate.back_down(Notional(amount)) {
                prop_assert!(rate.up(back).unwrap().0 <= amount, "what it buys is not worth more");
            }
        }
    }
}
