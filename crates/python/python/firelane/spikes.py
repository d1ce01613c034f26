"""Networks from files, in the gateway's own schedule or in Lava's.

net = firelane.spikes.Network.open("detector.json")
traces = net.run({"in": spikes})
traces["out"].s      # (steps, neurons)
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import numpy as np

from . import _firelane
from .lava._values import whole


@dataclass(frozen=True)
class Trace:
    """Of a population, after each step: currents, voltages (after the reset of those that fired) and spikes, `(steps, neurons)` of int32."""

    u: np.ndarray
    v: np.ndarray
    s: np.ndarray


class Network:
    """A network in the software twin, which `run` takes on from where it is.

    text: the JSON that `firelane spikes run` takes. schedule: "cascade" (all layers in a step: the gateway's) or "lava" (a step a connection). overflow:
    "forbidden" (a network in which a current could leave its 24 bits is refused) or "wrap" (it wraps as Lava's). device: "software", or one path of it.
    ValueError, with the node and the limit, for what is no network.
    """

    def __init__(self, text: str, schedule: str = "cascade", overflow: str = "forbidden", device: str = "software"):
        self._twin = _firelane.Twin.from_json(text, schedule, overflow, device)

    @classmethod
    def open(cls, path: str | os.PathLike, **kwargs: str) -> Network:
        """The network of a file."""
        with open(path, encoding="utf-8") as file:
            text = file.read()
        try:
            return cls(text, **kwargs)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None

    @property
    def inputs(self) -> dict[str, int]:
        """Inputs, and how many units each has."""
        return dict(self._twin.inputs)

    @property
    def populations(self) -> dict[str, int]:
        """Populations, and how many neurons each has."""
        return dict(self._twin.populations)

    @property
    def device(self) -> str:
        """What computes it."""
        return self._twin.device

    @property
    def counters(self) -> dict[str, int]:
        """Counted since the start: `steps`, `events`, `spikes`, `synaptic_operations`, `overflows`."""
        return self._twin.counters()

    @property
    def overflows(self) -> dict[str, int]:
        """By population: of `counters["overflows"]` its part."""
        return dict(self._twin.overflows())

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, Trace]:
        """As many steps as the inputs have: `(steps, units)` for each, 0 where nothing comes. Traces by population."""
        names = self.inputs
        for name in inputs:
            if name not in names:
                raise ValueError(f"there is no input {name!r}; there are {', '.join(names)}")
        arrays = []
        for name in names:
            if name not in inputs:
                raise ValueError(f"{name}: there are no values for this input")
            values = whole(inputs[name], name)
            if values.ndim == 1:
                values = values[:, None]
            if values.ndim != 2:
                raise ValueError(f"{name}: values must have the shape (steps, {names[name]}); they have {values.shape}")
            if values.size and np.abs(values).max() > np.iinfo(np.int32).max:
                raise ValueError(f"{name}: {np.abs(values).max()} has more than 32 bits")
            arrays.append(values.astype(np.int32))
        steps = arrays[0].shape[0] if arrays else 0
        record = [(what, at) for at in range(len(self.populations)) for what in "uvs"]
        rows = self._twin.run(steps, arrays, record)
        return {name: Trace(*rows[3 * at : 3 * at + 3]) for at, name in enumerate(self.populations)}

    def learnt(self) -> str:
        """The network as a file (JSON), with the weights that it has learnt; without what is under way in it."""
        return self._twin.learnt()

    def restart(self) -> None:
        """Back to before the first step."""
        self._twin.restart()


def golden(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, Trace]]:
    """Inputs and traces of a golden file (`tests/vectors/snn/README.md`)."""
    with open(path, encoding="utf-8") as file:
        whole_file = json.load(file)
    inputs = {name: np.array(rows, dtype=np.int32) for name, rows in whole_file["inputs"].items()}
    trace = whole_file.get("trace", {})
    return inputs, {
        name: Trace(*(np.array(one[what], dtype=np.int32) for what in "uvs")) for name, one in trace.items()
    }
