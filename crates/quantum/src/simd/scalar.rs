//! The specification: what every path computes, to the bit. A product and a sum are rounded apart (no fused multiply-add), so
//! that every processor gives the same bits.

use super::{General, Half};

/// Exchanges two halves.
pub(super) fn swap(zero: &mut Half<'_>, one: &mut Half<'_>) {
    zero.re.swap_with_slice(one.re);
    zero.im.swap_with_slice(one.im);
}

/// `[[c, -is], [-is, c]]`: a turn around X.
pub(super) fn turn(c: f64, s: f64, zero: &mut Half<'_>, one: &mut Half<'_>) {
    for i in 0..zero.re.len() {
        let (re0, im0, re1, im1) = (zero.re[i], zero.im[i], one.re[i], one.im[i]);
        zero.re[i] = c * re0 + s * im1;
        zero.im[i] = c * im0 - s * re1;
        one.re[i] = c * re1 + s * im0;
        one.im[i] = c * im1 - s * re0;
    }
}

/// `[[m[0], m[1]], [m[2], m[3]]]`, all of them real.
pub(super) fn real(m: [f64; 4], zero: &mut Half<'_>, one: &mut Half<'_>) {
    for i in 0..zero.re.len() {
        let (re0, im0, re1, im1) = (zero.re[i], zero.im[i], one.re[i], one.im[i]);
        zero.re[i] = m[0] * re0 + m[1] * re1;
        zero.im[i] = m[0] * im0 + m[1] * im1;
        one.re[i] = m[2] * re0 + m[3] * re1;
        one.im[i] = m[2] * im0 + m[3] * im1;
    }
}

/// Any matrix of two by two.
pub(super) fn general(m: &General, zero: &mut Half<'_>, one: &mut Half<'_>) {
    for i in 0..zero.re.len() {
        let (re0, im0, re1, im1) = (zero.re[i], zero.im[i], one.re[i], one.im[i]);
        let row = |k: usize| {
            let re = (m.re[k] * re0 - m.im[k] * im0) + (m.re[k + 1] * re1 - m.im[k + 1] * im1);
            let im = (m.re[k] * im0 + m.im[k] * re0) + (m.re[k + 1] * im1 + m.im[k + 1] * re1);
            (re, im)
        };
        (zero.re[i], zero.im[i]) = row(0);
        (one.re[i], one.im[i]) = row(2);
    }
}

/// Each amplitude times one phase.
pub(super) fn phase(re: f64, im: f64, half: &mut Half<'_>) {
    for (a, b) in half.re.iter_mut().zip(half.im.iter_mut()) {
        (*a, *b) = (re * *a - im * *b, re * *b + im * *a);
    }
}

/// Each amplitude times the phase that its index names.
pub(super) fn phases(index: &[u16], table_re: &[f64], table_im: &[f64], half: &mut Half<'_>) {
    for ((a, b), &i) in half.re.iter_mut().zip(half.im.iter_mut()).zip(index) {
        let (re, im) = (table_re[usize::from(i)], table_im[usize::from(i)]);
        (*a, *b) = (re * *a - im * *b, re * *b + im * *a);
    }
}

/// [`turn`] of `count` qubits from `first` on, one after the other.
pub(super) fn turns(c: f64, s: f64, first: usize, count: usize, half: &mut Half<'_>) {
    for qubit in first..first + count {
        let run = 1 << qubit;
        let blocks = half.re.chunks_exact_mut(2 * run).zip(half.im.chunks_exact_mut(2 * run));
        for (re, im) in blocks {
            let ((re0, re1), (im0, im1)) = (re.split_at_mut(run), im.split_at_mut(run));
            turn(c, s, &mut Half { re: re0, im: im0 }, &mut Half { re: re1, im: im1 });
        }
    }
}
