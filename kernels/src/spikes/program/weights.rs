//! What of the weights that somebody wrote is left: clipped to nine bits, cut to as many as were asked for.

use super::{Refused, range};
use crate::spikes::network::{Connection, SignMode};

/// The weights that act, of those `written`.
///
/// Lava 0.10, `lava.utils.weightutils`: `determine_sign_mode`, `clip_weights` (to 8 bits and, if mixed, a sign) and
/// `truncate_weights`, which clears the low bits of what is left, of inhibitory weights those of the size.
pub(super) fn effective(id: &str, written: &[i64], one: &Connection) -> Result<Vec<i16>, Refused> {
    let mode = one.sign_mode.unwrap_or_else(|| signs(written));
    let mixed = mode == SignMode::Mixed;
    let bits = range(id, "num_weight_bits", one.num_weight_bits, 0, if mixed { 9 } else { 8 })?;
    let largest = i64::from(i32::MAX);
    if let Some(&wild) = written.iter().find(|weight| weight.abs() > largest) {
        range(id, "weights", wild, -largest, largest)?;
    }
    let cut = 8 - bits + i64::from(mixed);
    let low = if mixed { -256 } else { 0 };
    let sign = if mode == SignMode::Inhibitory { -1 } else { 1 };
    Ok(written
        .iter()
        .map(|&weight| sign * (((sign * weight).clamp(low, 255) >> cut) << cut))
        .map(|w| w as i16)
        .collect())
}

/// The mode that the signs of the weights have.
fn signs(weights: &[i64]) -> SignMode {
    if weights.iter().all(|&weight| weight >= 0) {
        SignMode::Excitatory
    } else if weights.iter().all(|&weight| weight <= 0) {
        SignMode::Inhibitory
    } else {
        SignMode::Mixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spikes::network::Source;

    fn cut(weights: &[i64], bits: i64, mode: Option<SignMode>) -> Vec<i16> {
        let one =
            Connection { num_weight_bits: bits, sign_mode: mode, ..Connection::of(Source::Input(0), 0, Vec::new()) };
        effective("c", weights, &one).unwrap()
    }

    #[test]
    fn an_odd_weight_of_a_mixed_matrix_is_floored_to_an_even_one() {
        assert_eq!(cut(&[-5, 5, 0, -256, -257, 255, 256], 8, None), [-6, 4, 0, -256, -256, 254, 254]);
    }

    #[test]
    fn nine_bits_keep_mixed_weights_as_they_are_and_no_others_have_them() {
        assert_eq!(cut(&[-5, 5, 0, -256, -257, 255, 256], 9, None), [-5, 5, 0, -256, -256, 255, 255]);
        for (weights, bits) in [([-1, 1], 10), ([1, 1], 9), ([-1, -1], 9)] {
            let one = Connection { num_weight_bits: bits, ..Connection::of(Source::Input(0), 0, Vec::new()) };
            let error = effective("c", &weights, &one).unwrap_err().to_string();
            let most = if bits == 10 { 9 } else { 8 };
            assert_eq!(error, format!("c: num_weight_bits is {bits}; it must be 0 to {most}"));
        }
    }

    #[test]
    fn one_sign_keeps_all_eight_bits_and_is_cut_by_its_size() {
        assert_eq!(cut(&[0, 5, 255, 256], 8, None), [0, 5, 255, 255]);
        assert_eq!(cut(&[0, -5, -255, -256], 8, None), [0, -5, -255, -255]);
        assert_eq!(cut(&[-9, -1], 6, None), [-8, 0]);
        assert_eq!(cut(&[200, 127], 1, None), [128, 0]);
        assert_eq!(cut(&[255], 0, None), [0]);
    }

    #[test]
    fn a_mode_that_is_said_holds_whatever_the_signs_are() {
        assert_eq!(cut(&[-5, 5], 8, Some(SignMode::Excitatory)), [0, 5]);
        assert_eq!(cut(&[-5, 5], 8, Some(SignMode::Null)), [0, 5]);
        assert_eq!(cut(&[-5, 5], 8, Some(SignMode::Inhibitory)), [-5, 0]);
        assert_eq!(cut(&[7, 5], 8, Some(SignMode::Mixed)), [6, 4]);
        // All zero: excitatory, as is a matrix without negative weights.
        assert_eq!(signs(&[0, 0]), SignMode::Excitatory);
        assert_eq!(signs(&[0, -1]), SignMode::Inhibitory);
    }
}
