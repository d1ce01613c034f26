"""Data that a script receives while the network runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...magma.core.process.ports.ports import InPort
from ...magma.core.process.process import AbstractProcess
from .utils import Channel, ChannelConfig, Closed


class Extractor(AbstractProcess):
    """What comes in in each step, for `receive`. Without a `channel_config`, the script waits for data and the network for
    room."""

    def __init__(
        self, shape: tuple[int, ...], buffer_size: int = 50, channel_config: ChannelConfig | None = None, **kwargs: Any
    ) -> None:
        channel = Channel(shape, buffer_size, channel_config)
        super().__init__(shape_1=shape, **kwargs)
        self.in_port = InPort(shape=shape)
        self._channel = channel

    def receive(self) -> np.ndarray:
        """The data of a step, as float64. AssertionError ahead of `run` or `create_runtime`, RuntimeError once the network is
        stopped."""
        if self.runtime is None:
            raise AssertionError(f"{self.name}: there is no runtime yet; call run or create_runtime ahead of receive")
        try:
            return self._channel.receive(self.runtime.is_over)
        except Closed:
            raise RuntimeError(f"{self.name}: the network has been stopped, and there is nothing to receive") from None


class PyLoihiExtractorModel:
    """Lava's name for what runs it, to be named in `exception_proc_model_map`. Here it is run whether it is named or not."""

    implements = Extractor
