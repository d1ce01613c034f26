//! Gates of one and two qubits: their names, matrices and inverses, as OpenQASM 3's `stdgates.inc` has them.
//!
//! Angles are in radians. Of two targets the first is the lower bit of a matrix's index.

use num_complex::Complex64;
use serde::Serialize;
use std::f64::consts::{FRAC_PI_4, PI};

/// What acts on one or two qubits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// Exchanges 0 and 1.
    X,
    /// Pauli Y.
    Y,
    /// Pauli Z.
    Z,
    /// Hadamard's.
    H,
    /// The root of Z.
    S,
    /// Its inverse.
    Sdg,
    /// The root of S.
    T,
    /// Its inverse.
    Tdg,
    /// The root of X.
    Sx,
    /// Its inverse.
    Sxdg,
    /// exp(-i angle X / 2)
    Rx(f64),
    /// exp(-i angle Y / 2)
    Ry(f64),
    /// exp(-i angle Z / 2)
    Rz(f64),
    /// A phase of the 1.
    P(f64),
    /// Exchanges two qubits.
    Swap,
    /// exp(-i angle XX / 2)
    Rxx(f64),
    /// exp(-i angle YY / 2)
    Ryy(f64),
    /// exp(-i angle ZZ / 2)
    Rzz(f64),
    /// exp(-i angle (XX + YY) / 4): it turns 01 into 10 as [`Gate::Rx`] turns 0 into 1, and leaves 00 and 11 alone.
    Xy(f64),
}

/// What a gate does to amplitudes: the two of a pair are mixed, or one is multiplied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    /// Amplitudes whose targets are `zero` and `one`, exchanged.
    Swap { zero: u8, one: u8 },
    /// They are turned: `[[c, -is], [-is, c]]`.
    Turn { zero: u8, one: u8, c: f64, s: f64 },
    /// They are mixed by a real matrix.
    Real { zero: u8, one: u8, m: [f64; 4] },
    /// They are mixed by any matrix.
    General { zero: u8, one: u8, m: crate::simd::General },
    /// Those whose targets are `of`, times a phase.
    Phase { of: u8, by: Complex64 },
}

impl Gate {
    /// Its name in OpenQASM 3.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Gate::X => "x",
            Gate::Y => "y",
            Gate::Z => "z",
            Gate::H => "h",
            Gate::S => "s",
            Gate::Sdg => "sdg",
            Gate::T => "t",
            Gate::Tdg => "tdg",
            Gate::Sx => "sx",
            Gate::Sxdg => "sxdg",
            Gate::Rx(_) => "rx",
            Gate::Ry(_) => "ry",
            Gate::Rz(_) => "rz",
            Gate::P(_) => "p",
            Gate::Swap => "swap",
            Gate::Rxx(_) => "rxx",
            Gate::Ryy(_) => "ryy",
            Gate::Rzz(_) => "rzz",
            Gate::Xy(_) => "xy",
        }
    }

    /// Its angle, if it has one.
    #[must_use]
    pub fn angle(self) -> Option<f64> {
        match self {
            Gate::Rx(angle) | Gate::Ry(angle) | Gate::Rz(angle) | Gate::P(angle) => Some(angle),
            Gate::Rxx(angle) | Gate::Ryy(angle) | Gate::Rzz(angle) | Gate::Xy(angle) => Some(angle),
            _ => None,
        }
    }

    /// How many targets it has: one or two.
    #[must_use]
    pub fn targets(self) -> usize {
        match self {
            Gate::Swap | Gate::Rxx(_) | Gate::Ryy(_) | Gate::Rzz(_) | Gate::Xy(_) => 2,
            _ => 1,
        }
    }

    /// What undoes it.
    #[must_use]
    pub fn inverse(self) -> Gate {
        match self {
            Gate::S => Gate::Sdg,
            Gate::Sdg => Gate::S,
            Gate::T => Gate::Tdg,
            Gate::Tdg => Gate::T,
            Gate::Sx => Gate::Sxdg,
            Gate::Sxdg => Gate::Sx,
            Gate::Rx(angle) => Gate::Rx(-angle),
            Gate::Ry(angle) => Gate::Ry(-angle),
            Gate::Rz(angle) => Gate::Rz(-angle),
            Gate::P(angle) => Gate::P(-angle),
            Gate::Rxx(angle) => Gate::Rxx(-angle),
            Gate::Ryy(angle) => Gate::Ryy(-angle),
            Gate::Rzz(angle) => Gate::Rzz(-angle),
            Gate::Xy(angle) => Gate::Xy(-angle),
            Gate::X | Gate::Y | Gate::Z | Gate::H | Gate::Swap => self,
        }
    }

    /// What it does to amplitudes, one after the other.
    pub(crate) fn actions(self) -> Vec<Action> {
        let general = |m: [Complex64; 4]| {
            let m = crate::simd::General { re: m.map(|x| x.re), im: m.map(|x| x.im) };
            vec![Action::General { zero: 0, one: 1, m }]
        };
        let phase = |of: u8, angle: f64| Action::Phase { of, by: Complex64::cis(angle) };
        let exact = |re: f64, im: f64| vec![Action::Phase { of: 1, by: Complex64::new(re, im) }];
        let turn = |zero: u8, one: u8, angle: f64| {
            let (s, c) = (angle / 2.0).sin_cos();
            Action::Turn { zero, one, c, s }
        };
        match self {
            Gate::X => vec![Action::Swap { zero: 0, one: 1 }],
            Gate::Y => general([Complex64::ZERO, -Complex64::I, Complex64::I, Complex64::ZERO]),
            Gate::Z => exact(-1.0, 0.0),
            Gate::S => exact(0.0, 1.0),
            Gate::Sdg => exact(0.0, -1.0),
            Gate::T => vec![phase(1, FRAC_PI_4)],
            Gate::Tdg => vec![phase(1, -FRAC_PI_4)],
            Gate::H => {
                let h = std::f64::consts::FRAC_1_SQRT_2;
                vec![Action::Real { zero: 0, one: 1, m: [h, h, h, -h] }]
            }
            Gate::Sx | Gate::Sxdg => {
                let sign = if self == Gate::Sx { 0.5 } else { -0.5 };
                let (own, other) = (Complex64::new(0.5, sign), Complex64::new(0.5, -sign));
                general([own, other, other, own])
            }
            Gate::Rx(angle) => vec![turn(0, 1, angle)],
            Gate::Ry(angle) => {
                let (s, c) = (angle / 2.0).sin_cos();
                vec![Action::Real { zero: 0, one: 1, m: [c, -s, s, c] }]
            }
            Gate::Rz(angle) => vec![phase(0, -angle / 2.0), phase(1, angle / 2.0)],
            Gate::P(angle) => vec![phase(1, angle)],
            Gate::Swap => vec![Action::Swap { zero: 1, one: 2 }],
            Gate::Rxx(angle) => vec![turn(0, 3, angle), turn(1, 2, angle)],
            Gate::Ryy(angle) => vec![turn(0, 3, -angle), turn(1, 2, angle)],
            Gate::Rzz(angle) => {
                let (even, odd) = (-angle / 2.0, angle / 2.0);
                vec![phase(0, even), phase(1, odd), phase(2, odd), phase(3, even)]
            }
            Gate::Xy(angle) => vec![turn(1, 2, angle)],
        }
    }
}

/// An angle as people write it: as a part of pi where it is one.
pub(crate) fn angle_in_words(angle: f64) -> String {
    for below in [1_u32, 2, 3, 4, 6, 8, 16] {
        let parts = angle / PI * f64::from(below);
        if parts != 0.0 && parts == parts.round() && parts.abs() <= 16.0 && parts * PI / f64::from(below) == angle {
            let above = if parts == 1.0 {
                "pi".to_owned()
            } else if parts == -1.0 {
                "-pi".to_owned()
            } else {
                format!("{parts}*pi")
            };
            return if below == 1 { above } else { format!("{above}/{below}") };
        }
    }
    format!("{angle}")
}
