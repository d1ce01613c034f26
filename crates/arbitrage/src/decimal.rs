//! Decimal numbers as they are written, without a float between: prices, sizes, fees.

use std::fmt;
use std::str::FromStr;

/// Digits behind the point, at most.
pub const MOST_PLACES: u32 = 9;
/// The largest number without its point.
pub const MOST_MANTISSA: u64 = 999_999_999_999_999;

/// A number of 0 or more: `mantissa / 10^places`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decimal {
    /// All digits.
    pub mantissa: u64,
    /// So many of them are behind the point.
    pub places: u32,
}

impl Decimal {
    /// In units of `10^-places`, if it is a whole number of them that fits.
    #[must_use]
    pub fn units(self, places: u32) -> Option<u64> {
        if self.places <= places {
            return self.mantissa.checked_mul(10_u64.checked_pow(places - self.places)?);
        }
        let divisor = 10_u64.checked_pow(self.places - places)?;
        self.mantissa.is_multiple_of(divisor).then(|| self.mantissa / divisor)
    }

    /// The nearest float.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.mantissa as f64 / 10_f64.powi(self.places as i32)
    }
}

impl FromStr for Decimal {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = "must be digits, with a point and up to 9 digits behind it if need be, 15 digits in all";
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let pointed = whole.len() + 1 == text.len();
        if whole.is_empty() || pointed || !digits(whole) || !digits(part) || part.len() > MOST_PLACES as usize {
            return Err(rule);
        }
        let mantissa = format!("{whole}{part}").parse().ok().filter(|mantissa| *mantissa <= MOST_MANTISSA);
        Ok(Decimal { mantissa: mantissa.ok_or(rule)?, places: part.len() as u32 })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.places == 0 {
            return write!(to, "{}", self.mantissa);
        }
        let one = 10_u64.pow(self.places);
        write!(to, "{}.{:0width$}", self.mantissa / one, self.mantissa % one, width = self.places as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_digit_by_digit() {
        for text in ["0", "1.08495", "155", "999999999999999", "0.000000001", "007.10"] {
            let read: Decimal = text.parse().unwrap();
            let again: Decimal = read.to_string().parse().unwrap();
            assert_eq!(read, again, "{text}");
        }
        let price: Decimal = "1.0850".parse().unwrap();
        assert_eq!((price.mantissa, price.places, price.units(4), price.units(2)), (10_850, 4, Some(10_850), None));
        assert_eq!("1.0800".parse::<Decimal>().unwrap().units(2), Some(108));
        assert_eq!("999999999999999".parse::<Decimal>().unwrap().units(9), None, "it does not fit");
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in
            ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,0", "NaN", "inf", "1.0000000001", "1000000000000000", "1.2.3"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }
}
