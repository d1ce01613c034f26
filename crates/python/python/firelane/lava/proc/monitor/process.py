"""What is written down of other processes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...magma.core.process.ports.ports import OutPort
from ...magma.core.process.process import AbstractProcess
from ...magma.core.process.variable import Var


class Probe:
    """A variable or port that is written down."""

    def __init__(self, target: Var | OutPort, num_steps: int) -> None:
        self.target = target
        self.data = np.zeros((num_steps,) + target.shape)

    @property
    def name(self) -> str:
        """Of which process, and which of it."""
        return f"{self.target.process.name if self.target.process else 'no process'}.{self.target.name}"


class Monitor(AbstractProcess):
    """Writes variables and ports of other processes down, after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, dict[str, Any]] = {}
        self.probes: list[Probe] = []

    def probe(self, target: Var | OutPort, num_steps: int) -> None:
        """Writes `target` down for the first `num_steps` steps; a run beyond them is refused. Ahead of the first run.

        TypeError for what is neither a Var nor an OutPort.
        """
        if not isinstance(target, (Var, OutPort)):
            raise TypeError(f"{self.name}: a Var or an OutPort can be probed; this is {type(target).__name__}")
        if not isinstance(num_steps, (int, np.integer)) or num_steps < 1:
            raise ValueError(f"{self.name}: num_steps is {num_steps!r}; it must be 1 or more")
        if target.process is None or target.process.runtime is not None or self.runtime is not None:
            raise RuntimeError(f"{self.name}: probe what is to be written down ahead of the first run")
        self.probes.append(Probe(target, int(num_steps)))
        self.data.setdefault(target.process.name, {})[target.name] = 0
        target.process._observers.append(self)

    def get_data(self) -> dict[str, dict[str, np.ndarray]]:
        """`data[process name][variable or port name]`: an array `(num_steps, *shape)`, of type float64 as in Lava; zeros for steps
        that have not been taken. RuntimeError while the network runs, and after `stop`."""
        if self.runtime is not None:
            self.runtime.check_idle(f"{self.name}.get_data")
        for probe in self.probes:
            assert probe.target.process is not None
            self.data[probe.target.process.name][probe.target.name] = probe.data.copy()
        return self.data

    def plot(self, ax: Any, target: Var | OutPort, *args: Any, **kwargs: Any) -> None:
        """Plots what was written down of `target` into the axes `ax` of matplotlib."""
        assert target.process is not None
        ax.set_title(target.process.name)
        ax.set_xlabel("Time step")
        ax.set_ylabel(target.name)
        ax.plot(self.get_data()[target.process.name][target.name], *args, **kwargs)
