"""Connections from all units of one process to all of another: `a_out = weights @ s_in`, one step later."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._values import unknown
from ...magma.core.process.ports.ports import InPort, OutPort
from ...magma.core.process.process import AbstractProcess, LogConfig
from ...magma.core.process.variable import Var

#: What a connection may be told beside its weights.
KEYS = ("weight_exp", "num_weight_bits", "sign_mode")


class Dense(AbstractProcess):
    """A connection.

    weights: `(targets, sources)`; clipped to eight bits, and a sign where they are mixed, of which `num_weight_bits` are kept (0 to
    8; 8). weight_exp: the weighted sum is shifted left by so many bits, right if it is negative (-31 to 31; 0). sign_mode: a
    `SignMode`; as the signs are, if it is not said. num_message_bits: 0: a spike is a spike, whatever its value; above: weights are
    multiplied by values.
    """

    def __init__(
        self,
        *,
        weights: np.ndarray,
        name: str | None = None,
        num_message_bits: int = 0,
        log_config: LogConfig | None = None,
        **kwargs: Any,
    ) -> None:
        unknown(type(self).__name__, {key: value for key, value in kwargs.items() if key not in KEYS + ("max_delay",)})
        shape = np.shape(weights)
        if len(shape) != 2:
            raise ValueError(
                f"{type(self).__name__}: weights must be a matrix of (targets, sources); they have the shape {shape}"
            )
        super().__init__(weights=weights, num_message_bits=num_message_bits, name=name, log_config=log_config, **kwargs)
        self.s_in = InPort(shape=(shape[1],))
        self.a_out = OutPort(shape=(shape[0],))
        self.weights = Var(shape=shape, init=weights)
        self.a_buff = Var(shape=(shape[0],), init=0)
        self.num_message_bits = Var(shape=(1,), init=num_message_bits)


class DelayDense(Dense):
    """A connection whose synapses take `delays` steps more, 0 to 63: a matrix in the shape of the weights, or one for all."""

    def __init__(
        self,
        *,
        weights: np.ndarray,
        delays: np.ndarray | int,
        max_delay: int = 0,
        name: str | None = None,
        num_message_bits: int = 0,
        log_config: LogConfig | None = None,
        **kwargs: Any,
    ) -> None:
        given = np.asarray(delays)
        if given.dtype.kind not in "iu":
            raise ValueError(f"DelayDense: delays must be whole numbers; they are of type {given.dtype}")
        if given.min() < 0:
            raise ValueError(f"DelayDense: delays must be 0 or more; the least is {given.min()}")
        if given.shape not in ((), np.shape(weights)):
            raise ValueError(
                f"DelayDense: delays have the shape {given.shape}; it must be that of the weights, {np.shape(weights)}, or one number for all"
            )
        max_delay = max_delay or int(given.max())
        if max_delay < int(given.max()):
            raise ValueError(f"DelayDense: max_delay is {max_delay}; the longest delay is {given.max()}")
        super().__init__(
            weights=weights,
            num_message_bits=num_message_bits,
            name=name,
            log_config=log_config,
            max_delay=max_delay,
            **kwargs,
        )
        self.delays = Var(shape=np.shape(weights), init=delays)
        self.a_buff = Var(shape=(np.shape(weights)[0], max_delay + 1), init=0)
