"""Recorded days of Nasdaq ITCH 5.0: every message through Firelane's decoder into exact books, as NumPy arrays.

day = firelane.itch.read("day.itch.gz", "AAPL")
day.bid[-1], day.ask[-1]          # in 1/10,000 dollars, after the last message
day[day.kind == b"P"].qty.sum()   # shares that traded against hidden orders
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _firelane

if TYPE_CHECKING:
    from .detect import Detector

#: Prices are in so many parts of a dollar.
DOLLAR = 10_000


def row_type(levels: int = 1) -> np.dtype:
    """What a row is.

    `time` nanoseconds since midnight. `order`, `side` (b"B", b"S", or empty where it is not known), `qty`, `price`: of the order or trade; what a message
    leaves out is the resting order's, a replacement has the new order's. `bid`, `bid_qty`, `ask`, `ask_qty`: the best prices after the message, 0 where
    there is none; of several levels, best first. `symbol`. `kind`: the message's type (A, F, E, C, X, D, U, P, Q). `stale`: the book may be wrong,
    for something was lost or contradicts it.
    """
    many = () if levels == 1 else (levels,)
    side = [("{}", "i8", many), ("{}_qty", "i8", many)]
    sides = [(name.format(of), kind, shape) for of in ("bid", "ask") for name, kind, shape in side]
    head = [("time", "u8"), ("order", "u8"), ("qty", "i8"), ("price", "i8")]
    return np.dtype(head + sides + [("symbol", "S8"), ("kind", "S1"), ("side", "S1"), ("stale", "?")])


@dataclass(frozen=True)
class Book:
    """A book at one moment. `bids` and `asks`: `(price, shares, orders)` of each level, best first. `stale`: it may be wrong."""

    symbol: str
    bids: np.ndarray
    asks: np.ndarray
    stale: bool


class Replay:
    """A recorded day that is read bit by bit: rows, and the books as they are at the last of them.

    source: a path (BinaryFILE or a packet capture, packed by gzip, xz or zstd or not), or the bytes of one. symbols: one, several, or none for all. levels:
    how many prices a side has in a row, 1 to 50. detector: one
    that watches (`firelane.detect.watch` is the way to it). FileNotFoundError, OSError or ValueError if it can't be opened or is no recording.
    """

    def __init__(
        self,
        source: str | os.PathLike | bytes,
        symbols: str | list[str] | tuple[str, ...] | None = None,
        levels: int = 1,
        detector: Detector | None = None,
    ):
        symbols = [] if symbols is None else [symbols] if isinstance(symbols, str) else list(symbols)
        self._name = "the bytes" if isinstance(source, bytes) else os.fspath(source)
        self._levels = levels
        of = source if isinstance(source, bytes) else self._name
        self._inner = _firelane.Replay(of, symbols, levels, detector._inner if detector is not None else None)

    def read(self, rows: int | None = None, until: int | None = None) -> np.recarray[Any, Any]:
        """The next rows (`row_type`): those of messages before `until` (nanoseconds since midnight), and `rows` at most. Empty at the end.

        A file that breaks off, or whose messages contradict each other, gives a warning that says how.
        """
        for name, value in [("rows", rows), ("until", until)]:
            if value is not None and value < 0:
                raise ValueError(f"{name} is {value}; it must be 0 or more")
        ended = self._inner.ending()
        packed = self._inner.read(rows, until)
        if ended is None and self._inner.ending() is not None:
            self._check_end()
        return packed.view(row_type(self._levels)).view(np.recarray)

    def _check_end(self) -> None:
        if not self._inner.counts():
            raise ValueError(
                f"{self._name}: there is no ITCH 5.0 message in it; it looks like {self._inner.looks_like()}"
            )
        if self._inner.ending():
            warnings.warn(f"{self._name}: {self._inner.ending()}; what comes before that was read", stacklevel=3)
        wrong = {what: count for what, count in self._inner.errors().items() if count and what != "unknown_type"}
        if wrong:
            warnings.warn(
                f"{self._name}: {', '.join(f'{what} {count}' for what, count in wrong.items())}; rows that may be wrong are marked stale",
                stacklevel=3,
            )

    def book(self, symbol: str) -> Book:
        """A followed book, whole, as it is now. ValueError if no message has named it."""
        bids, asks, fresh = self._inner.book(symbol)
        return Book(symbol, bids, asks, not fresh)

    @property
    def counts(self) -> dict[str, int]:
        """Messages that were read, by type."""
        return self._inner.counts()

    @property
    def errors(self) -> dict[str, int]:
        """What was wrong with them: `unknown_type`, `bad_length`, `bad_field`, `unknown_ref`, `duplicate_ref`, `over_reduce`, `no_room`, and `lost` of a capture."""
        return self._inner.errors()

    @property
    def missing(self) -> list[str]:
        """Symbols that were asked for and have not been named."""
        return self._inner.missing()

    def check_missing(self) -> None:
        """ValueError if there are such."""
        if self.missing:
            names = ", ".join(self.missing)
            raise ValueError(f"{self._name}: no message names {names}; symbols are as Nasdaq writes them, in capitals")


def read(
    source: str | os.PathLike | bytes, symbols: str | list[str] | tuple[str, ...] | None = None, levels: int = 1
) -> np.recarray[Any, Any]:
    """A recorded day, whole: a row (`row_type`) for each message that touched a book of `symbols`, or was a trade of theirs.

    As `Replay`, of which it is all rows. ValueError, too, for a symbol that no message names.
    """
    replay = Replay(source, symbols, levels)
    rows = replay.read()
    replay.check_missing()
    return rows
