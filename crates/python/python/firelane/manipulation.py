"""Days of a synthetic market into which manipulations are played, with labels: to train detectors, and to judge them.

day = firelane.manipulation.day(firelane.manipulation.TRAIN[0])
watched = firelane.detect.watch(day.file, detector, day.symbols)
day.episodes[~day.episodes.decoy]   # what there was to find: kind, strength, symbol, start, end
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _firelane

_kinds, _strengths, _seeds = _firelane.manipulations()

#: What is played.
KINDS = [kind for kind, _, _ in _kinds]
#: What a detector says of each kind: layering and spoofing are the same to it.
ALERTS = {kind: alert for kind, alert, _ in _kinds}
#: For how many nanoseconds behind its end an alert still counts as one of it.
GRACE = {kind: grace for kind, _, grace in _kinds}
#: How easily they are seen.
STRENGTHS = list(_strengths)
#: Seeds of the days to learn from, to choose by, and to report on.
TRAIN, VALIDATION, TEST = (range(first, end) for first, end in _seeds)

#: What was played. `decoy`: it only looks like one. `start`, `end`: stamps of its first and last message, nanoseconds since midnight.
EPISODE = np.dtype(
    [("kind", "U8"), ("decoy", "?"), ("strength", "U7"), ("symbol", "U8"), ("start", "u8"), ("end", "u8")]
)


@dataclass(frozen=True)
class Day:
    """A day. file: its messages, as a BinaryFILE. length: for how many nanoseconds the market was open. episodes: records of type `EPISODE`, in the
    order in which they began."""

    file: bytes
    symbols: list[str]
    length: int
    episodes: np.recarray[Any, Any]


def day(seed: int) -> Day:
    """The day of a seed (0 or more): three symbols, an hour of each, some 800 episodes, half of them decoys."""
    file, symbols, length, rows = _firelane.day(seed)
    episodes = np.zeros(len(rows), dtype=EPISODE)
    names = [KINDS, None, STRENGTHS, symbols, None, None]
    for column, (field, of) in enumerate(zip(EPISODE.names or (), names, strict=True)):
        episodes[field] = rows[:, column] if of is None else np.array(of)[rows[:, column]]
    return Day(file, symbols, length, episodes.view(np.recarray))
