//! The gate: the only maker of [`Approved`].

use crate::flow::action::{Enter, SellMark};
use core::ops::Deref;

/// Proof that `T` passed the gate. Order entry encodes from nothing else, and takes it by value: it can be neither
/// made elsewhere nor used twice.
#[derive(PartialEq, Eq, Debug)]
#[must_use = "an approval that is dropped is an order that never leaves"]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    /// Spends the approval.
    #[inline]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Approved<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// A new order with the mark that Regulation SHO wants on a sale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarkedEnter {
    /// The order.
    pub enter: Enter,
    /// Long (and every buy), or short.
    pub mark: SellMark,
}
