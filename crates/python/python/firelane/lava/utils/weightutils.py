"""Signs of weights, and what is left of them."""

from __future__ import annotations

from enum import Enum, unique

import numpy as np


@unique
class SignMode(Enum):
    """What signs the weights of a connection have."""

    #: Not said: cut as excitatory ones are.
    NULL = 0
    #: Both. The lowest bit is not kept.
    MIXED = 1
    #: None below zero.
    EXCITATORY = 2
    #: None above zero.
    INHIBITORY = 3


def determine_sign_mode(weights: np.ndarray) -> SignMode:
    """The mode that the signs of `weights` have."""
    if np.min(weights) >= 0:
        return SignMode.EXCITATORY
    return SignMode.INHIBITORY if np.max(weights) <= 0 else SignMode.MIXED


def clip_weights(
    weights: np.ndarray, sign_mode: SignMode, num_bits: int, learning_simulation: bool = False
) -> np.ndarray:
    """`weights` within `num_bits`, and a sign where they are mixed."""
    mixed = int(sign_mode == SignMode.MIXED)
    sign = -1 if sign_mode == SignMode.INHIBITORY else 1
    whole = np.asarray(weights).astype(np.int32)
    return sign * np.clip(sign * whole, -(2**num_bits) * mixed, 2**num_bits - 1 - int(learning_simulation) * mixed)


def truncate_weights(
    weights: np.ndarray, sign_mode: SignMode, num_weight_bits: int, max_num_weight_bits: int = 8
) -> np.ndarray:
    """`weights` without their low bits, so that `num_weight_bits` are left (of inhibitory weights: of their size)."""
    sign = -1 if sign_mode == SignMode.INHIBITORY else 1
    cut = max_num_weight_bits - num_weight_bits + int(sign_mode == SignMode.MIXED)
    whole = np.asarray(weights).astype(np.int32)
    return sign * (((sign * whole) >> cut) << cut)
