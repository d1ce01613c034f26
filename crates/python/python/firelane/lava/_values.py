"""Numbers, as the fixed-point models take them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np


def whole(value: Any, name: str) -> np.ndarray:
    """`value` as int64. What is behind the point is cut, as Lava does it, and a warning says so. ValueError for what is no number."""
    array = np.asarray(value)
    if array.dtype.kind in "biu":
        if array.dtype.kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
            raise ValueError(f"{name}: {array.max()} has more than 64 bits")
        return array.astype(np.int64)
    if array.dtype.kind != "f":
        raise ValueError(f"{name}: numbers are needed; this is of type {array.dtype}: {value!r}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: {array[~np.isfinite(array)].flat[0]} is no number that an integer can be")
    if np.abs(array).max(initial=0) >= 2.0**63:
        raise ValueError(f"{name}: {np.abs(array).max()} has more than 64 bits")
    cut = np.trunc(array)
    if (cut != array).any():
        warnings.warn(
            f"{name}: {array[cut != array].flat[0]} is not whole; what is behind the point is cut, as in Lava's fixed-point models",
            stacklevel=4,
        )
    return cut.astype(np.int64)


def each(value: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    """The same, for a variable of this shape: of its shape, or of one that fills it."""
    array = whole(value, name)
    try:
        return np.broadcast_to(array, shape).copy()
    except ValueError:
        raise ValueError(f"{name}: values of the shape {array.shape} do not fit the shape {shape}") from None


def unknown(process: str, kwargs: dict[str, Any]) -> None:
    """Warns of parameters that have no effect."""
    for key in kwargs:
        if key != "shape_1":
            warnings.warn(
                f"{process}: there is no parameter {key!r}; it is kept in proc_params, and has no effect", stacklevel=4
            )
