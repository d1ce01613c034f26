"""Data that a script sends while the network runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._values import whole
from ...magma.core.process.ports.ports import OutPort
from ...magma.core.process.process import AbstractProcess
from .utils import Channel, ChannelConfig, Closed


class Injector(AbstractProcess):
    """In each step, what the script has sent: `send(array)` of this shape. Without a `channel_config`, the network waits for data
    and the script for room."""

    def __init__(
        self, shape: tuple[int, ...], buffer_size: int = 50, channel_config: ChannelConfig | None = None, **kwargs: Any
    ) -> None:
        channel = Channel(shape, buffer_size, channel_config)
        super().__init__(shape_1=shape, **kwargs)
        self.out_port = OutPort(shape=shape)
        self._channel = channel

    def send(self, data: np.ndarray) -> None:
        """Sends an array of whole numbers of this shape. AssertionError ahead of `run` or `create_runtime`, ValueError for
        another shape, RuntimeError once the network is stopped."""
        if self.runtime is None:
            raise AssertionError(f"{self.name}: there is no runtime yet; call run or create_runtime ahead of send")
        data = whole(data, f"{self.name}.send")
        if data.shape != self._channel.shape:
            raise ValueError(f"{self.name}: data of the shape {data.shape} was sent; it must be {self._channel.shape}")
        try:
            self._channel.send(data, self.runtime.is_over)
        except Closed:
            raise RuntimeError(f"{self.name}: the network was stopped while it waited to send") from None


class PyLoihiInjectorModel:
    """Lava's name for what runs it, to be named in `exception_proc_model_map`. Here it is run whether it is named or not."""

    implements = Injector
