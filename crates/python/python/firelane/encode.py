"""From numbers to spikes: the encoders of the gateway, over whole arrays.

moves = firelane.encode.Delta(vth=100).encode(day.bid)   # (rows, 1): what the bid has moved, once that is a cent or more
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _firelane
from .lava._values import whole


def _table(values: Any, units: int | None, name: str) -> np.ndarray:
    table = whole(values, name)
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or (units is not None and table.shape[1] != units):
        expected = (
            "(steps,) or (steps, units)"
            if units is None
            else f"(steps, {units})" + (" or (steps,)" if units == 1 else "")
        )
        raise ValueError(f"{name}: values must have the shape {expected}; they have {np.shape(values)}")
    return table


class Delta:
    """Delta modulation: a spike is what a value has moved since the last one, once that is `vth` or more.

    Lava 0.10's `DeltaEncoder` with dense spikes, to the bit, but that a spike comes in its own step, not one later. units: how many values are
    followed. spike_exp: values, and so spikes, are shifted left by so many bits (0 to 7). num_bits: a spike is clipped to so many bits ahead of
    that, with its sign, and the rest told later (1 to 24).
    """

    def __init__(self, vth: int, units: int = 1, spike_exp: int = 0, num_bits: int | None = None):
        self.units = units
        self._inner = _firelane.Delta(units, vth, spike_exp, num_bits)

    def encode(self, values: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """The spikes `(steps, units)`, as int32, of values `(steps, units)`, or `(steps,)` of one unit. The next call goes on from here."""
        return self._inner.encode(_table(values, self.units, "Delta.encode"))


class Rate:
    """Rate coding: a unit fires by chance, the oftener the larger its value; the same for the same seed, step and unit."""

    def __init__(self, seed: int):
        self._inner = _firelane.Rate(seed)

    def encode(self, rates: npt.ArrayLike, first: int = 0) -> npt.NDArray[np.int32]:
        """Who fires, 0 or 1 of int32, for rates `(steps, units)` from 0 (never) to 1 (in every step), which are rounded to 1/65,536. `first`: the number of the
        first step."""
        rates = np.asarray(rates, dtype=np.float64)
        if not np.isfinite(rates).all():
            raise ValueError("Rate.encode: a rate is no number")
        if rates.size and (rates.min() < 0 or rates.max() > 1):
            raise ValueError(f"Rate.encode: rates must be 0 to 1; there are {rates.min()} to {rates.max()}")
        return self._inner.encode(_table(np.rint(rates * 65_536), None, "Rate.encode"), first)
