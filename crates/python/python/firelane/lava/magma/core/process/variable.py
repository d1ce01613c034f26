"""Variables of processes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .ports.ports import checked_shape

if TYPE_CHECKING:
    from .process import AbstractProcess


class Var:
    """A variable: its initial value ahead of the first run, then what it is in the network, between runs."""

    def __init__(self, shape: tuple[int, ...], init: Any = 0, shareable: bool = True, name: str = "unnamed") -> None:
        self.shape = checked_shape(shape)
        self.init = init
        self.shareable = shareable
        self.name = name
        self.process: AbstractProcess | None = None

    @property
    def size(self) -> int:
        """The number of values."""
        return math.prod(self.shape)

    def get(self, idx: np.ndarray | None = None) -> Any:
        """What it is now: `init` ahead of the first run; then an array of its shape, of type float64 as in Lava (of which those at
        `idx`). RuntimeError while the network runs, and after `stop`."""
        runtime = None if self.process is None else self.process.runtime
        if runtime is None:
            return self.init
        value = runtime.get_var(self)
        return value if idx is None else value[idx]

    def set(self, value: Any, idx: np.ndarray | None = None) -> None:
        """Makes it `value` (an array of as many values), for the next step. ValueError ahead of the first run or for a value that it
        can't have, RuntimeError while the network runs, and after `stop`."""
        runtime = self.process.runtime if self.process else None
        if runtime is None:
            raise ValueError(
                f"{self.label}: there is no runtime yet; give its initial value to the process, or set it after the first run"
            )
        if idx is not None:
            raise NotImplementedError(f"{self.label}: a part can't be set; get it, change it, and set it whole")
        runtime.set_var(self, value)

    @property
    def label(self) -> str:
        """What errors call it."""
        return f"{self.process.name if self.process else 'no process'}.{self.name}"

    def __repr__(self) -> str:
        return f"Variable: {self.name}\n    shape: {self.shape}\n    init: {self.init}\n    shareable: {self.shareable}\n    value: {self.get()}"
