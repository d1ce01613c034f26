"""Detectors: spiking networks that watch order flow, over recorded days, as they would in a lane.

detector = firelane.detect.Detector("sweeps.toml")
watched = firelane.detect.watch("day.itch.gz", detector, "AAPL")
watched.alerts                  # when, of whom, which, how strong
watched.spikes["orders"]        # what the network heard: (steps, units)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _firelane
from .itch import Replay

#: What an alert is. `time`: nanoseconds since midnight, of the event that raised it. `value`: of the neuron's spike. `step`: when its step began, nanoseconds
#: since midnight; its number, where each event is a step. `code`: the alert's number, from 1 on, or LAGGING or WARM.
ALERT = np.dtype([("time", "u8"), ("value", "i8"), ("step", "i8"), ("code", "u4"), ("symbol", "S8")])
#: As a code: a silence was longer than is caught up, and the network starts over.
LAGGING = 1_001
#: As a code: it is warm, and raises alerts.
WARM = 1_002


class Detector:
    """A detector's file (TOML; `docs/spikes.md` has its keys), with the network that it names.

    FileNotFoundError if it is not there, ValueError for what is wrong with it, with the key.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self._inner = _firelane.Detector(os.fspath(path))

    @property
    def name(self) -> str:
        """What it is called."""
        return self._inner.name

    @property
    def alerts(self) -> list[str]:
        """What its alerts are called; their codes count from 1 on."""
        return self._inner.alerts

    @property
    def inputs(self) -> dict[str, int]:
        """Inputs of its network, and how many units each has."""
        return dict(self._inner.inputs)

    @property
    def dt(self) -> int | None:
        """Nanoseconds of a step; None: each event is one."""
        return self._inner.dt


@dataclass(frozen=True)
class Watched:
    """A recorded day, as a detector saw it.

    rows: as of `itch.read`. heard: of each row, whether the network heard of it; restarted: whether it started over there. spikes: of each input what it heard, `(rows, units)` of int32, without what
    channels that code by rates drew. alerts: records of type `ALERT`. counters: what the networks have counted.
    """

    rows: np.recarray[Any, Any]
    heard: np.ndarray
    restarted: np.ndarray
    spikes: dict[str, np.ndarray]
    alerts: np.recarray[Any, Any]
    counters: dict[str, int]


def watch(
    source: str | os.PathLike[str] | bytes,
    detector: Detector,
    symbols: str | list[str] | tuple[str, ...] | None = None,
    levels: int = 1,
) -> Watched:
    """A recorded day through a detector: the same encoder, clock and network as in a lane, and so the same alerts as `firelane replay --alerts` writes.

    As `itch.read`. ValueError, too, for a symbol that no message names.
    """
    replay = Replay(source, symbols, levels, detector)
    rows = replay.read()
    replay.check_missing()
    alerts, heard, seen = replay._inner.heard()
    spikes = {}
    for number, (name, units) in enumerate(detector.inputs.items()):
        table = np.zeros((len(rows), units), dtype=np.int32)
        mine = seen[seen[:, 1] == number]
        np.add.at(table, (mine[:, 0], mine[:, 2]), mine[:, 3])
        spikes[name] = table
    was, restarted = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    was[heard[:, 0]] = True
    restarted[heard[heard[:, 1] != 0, 0]] = True
    return Watched(rows, was, restarted, spikes, alerts.view(ALERT).view(np.recarray), replay._inner.watched())
