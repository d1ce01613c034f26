"""What a channel does when it is full, and when it is empty."""

from __future__ import annotations

import threading
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, auto
from typing import Any

import numpy as np

from ...magma.core.process.ports.ports import checked_shape


class SendFull(IntEnum):
    """What a sender does when the buffer is full."""

    #: It waits.
    BLOCKING = auto()
    #: The data is dropped, with a warning.
    NON_BLOCKING_DROP = auto()


class ReceiveEmpty(IntEnum):
    """What a receiver does when the buffer is empty."""

    #: It waits.
    BLOCKING = auto()
    #: It gets zeros.
    NON_BLOCKING_ZEROS = auto()


class ReceiveNotEmpty(IntEnum):
    """What a receiver takes when there is something."""

    #: The oldest.
    FIFO = auto()
    #: The sum of all.
    ACCUMULATE = auto()


@dataclass
class ChannelConfig:
    """The three of them."""

    send_full: SendFull = SendFull.BLOCKING
    receive_empty: ReceiveEmpty = ReceiveEmpty.BLOCKING
    receive_not_empty: ReceiveNotEmpty = ReceiveNotEmpty.FIFO


def validate_shape(shape: Any) -> None:
    """TypeError or ValueError if it is none."""
    checked_shape(shape)


def validate_buffer_size(buffer_size: Any) -> None:
    """TypeError or ValueError if it is none."""
    if not isinstance(buffer_size, (int, np.integer)) or isinstance(buffer_size, bool):
        raise TypeError(f"buffer_size must be a whole number; it is {buffer_size!r}")
    if buffer_size <= 0:
        raise ValueError(f"buffer_size must be 1 or more; it is {buffer_size}")


def validate_channel_config(config: Any) -> None:
    """TypeError if it is none."""
    if not isinstance(config, ChannelConfig):
        raise TypeError(f"channel_config must be a ChannelConfig; it is {config!r}")
    for name, kind in [
        ("send_full", SendFull),
        ("receive_empty", ReceiveEmpty),
        ("receive_not_empty", ReceiveNotEmpty),
    ]:
        if not isinstance(getattr(config, name), kind):
            raise TypeError(f"channel_config: {name} must be a {kind.__name__}; it is {getattr(config, name)!r}")


class Closed(Exception):
    """The network was stopped, or paused, while somebody waited."""


class Channel:
    """Arrays on their way between the network and the script, from one thread to another."""

    #: So often somebody who waits looks whether he still should.
    LOOK = 0.05

    def __init__(self, shape: tuple[int, ...], size: int, config: ChannelConfig | None) -> None:
        """TypeError or ValueError if one of these is none; without a `config` both sides wait."""
        self.shape, self.size, self.config = shape, size, config or ChannelConfig()
        validate_shape(shape)
        validate_buffer_size(size)
        validate_channel_config(self.config)
        self._items: deque[np.ndarray] = deque()
        self._changed = threading.Condition()

    def send(self, data: np.ndarray, give_up: Callable[[], bool]) -> None:
        """Sends; waits while it is full, as long as `give_up()` is false."""
        with self._changed:
            if len(self._items) >= self.size and self.config.send_full == SendFull.NON_BLOCKING_DROP:
                warnings.warn("the send buffer is full: what was to be sent is dropped", stacklevel=3)
                return
            while len(self._items) >= self.size:
                self._wait(give_up)
            self._items.append(np.array(data))
            self._changed.notify_all()

    def receive(self, give_up: Callable[[], bool]) -> np.ndarray:
        """Receives; waits while it is empty, as long as `give_up()` is false."""
        with self._changed:
            if not self._items and self.config.receive_empty == ReceiveEmpty.NON_BLOCKING_ZEROS:
                return np.zeros(self.shape)
            while not self._items:
                self._wait(give_up)
            if self.config.receive_not_empty == ReceiveNotEmpty.ACCUMULATE:
                data = np.sum(self._items, axis=0)
                self._items.clear()
            else:
                data = self._items.popleft()
            self._changed.notify_all()
            return data

    def _wait(self, give_up: Callable[[], bool]) -> None:
        if give_up():
            raise Closed
        self._changed.wait(self.LOOK)
