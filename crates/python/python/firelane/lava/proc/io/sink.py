"""Data that goes into an array."""

from __future__ import annotations

import numpy as np

from ...magma.core.process.ports.ports import InPort
from ...magma.core.process.process import AbstractProcess
from ...magma.core.process.variable import Var


class RingBuffer(AbstractProcess):
    """Keeps what comes in the last `buffer` steps: step t (from 0 on) in `data[..., t % buffer]`."""

    def __init__(self, *, shape: tuple[int, ...], buffer: int) -> None:
        if not isinstance(buffer, (int, np.integer)) or buffer < 1:
            raise ValueError(f"RingBuffer: buffer is {buffer!r}; it must be 1 step or more")
        super().__init__(shape=shape, buffer=buffer)
        self.shape = shape
        self.a_in = InPort(shape=shape)
        self.data = Var(shape=tuple(shape) + (int(buffer),), init=np.zeros(tuple(shape) + (int(buffer),)))
