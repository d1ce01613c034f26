"""Data that comes from an array."""

from __future__ import annotations

import numpy as np

from ...magma.core.process.ports.ports import OutPort
from ...magma.core.process.process import AbstractProcess
from ...magma.core.process.variable import Var


class RingBuffer(AbstractProcess):
    """Gives `data[..., t]` in step t, and begins anew at the end. The last axis is time."""

    def __init__(self, *, data: np.ndarray) -> None:
        data = np.asarray(data)
        if data.ndim < 2 or data.shape[-1] == 0:
            raise ValueError(f"RingBuffer: data must have units and steps, (..., steps); it has the shape {data.shape}")
        super().__init__(data=data)
        self.data = Var(shape=data.shape, init=data)
        self.s_out = OutPort(shape=data.shape[:-1])
