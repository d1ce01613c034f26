"""Leaky integrate-and-fire neurons with a synaptic current, in 24-bit integers.

In each step, with `D(x, k) = sign(x) * (abs(x) * k >> 12)`: `u = D(u, 4095 - du) + (a_in << 6)`, which wraps at 24 bits;
`v = D(v, 4096 - dv) + u + bias`, which saturates; a spike where `v > vth << 6`, and `v` is 0 there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._values import unknown
from ...magma.core.process.ports.ports import InPort, OutPort
from ...magma.core.process.process import AbstractProcess, LogConfig
from ...magma.core.process.variable import Var


class AbstractLIF(AbstractProcess):
    """What all these neurons have: `a_in` and `s_out`; `u`, `v`, `bias_mant` and `bias_exp` of each neuron, `du` and `dv` of all."""

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        u: int | list[Any] | np.ndarray,
        v: int | list[Any] | np.ndarray,
        du: int,
        dv: int,
        bias_mant: int | list[Any] | np.ndarray,
        bias_exp: int | list[Any] | np.ndarray,
        name: str | None,
        log_config: LogConfig | None,
        **kwargs: Any,
    ) -> None:
        params: dict[str, Any] = dict(
            shape=shape,
            u=u,
            v=v,
            du=du,
            dv=dv,
            bias_mant=bias_mant,
            bias_exp=bias_exp,
            name=name,
            log_config=log_config,
        )
        super().__init__(**params, **kwargs)
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.u = Var(shape=shape, init=u)
        self.v = Var(shape=shape, init=v)
        self.du = Var(shape=(1,), init=du)
        self.dv = Var(shape=(1,), init=dv)
        self.bias_exp = Var(shape=shape, init=bias_exp)
        self.bias_mant = Var(shape=shape, init=bias_mant)


class LIF(AbstractLIF):
    """Neurons that fire above a threshold.

    shape: how many, in what shape. u, v: currents and voltages at the start (0). du, dv: what current and voltage lose in a step,
    in 1/4096, 0 to 4095 (0; the current loses 1/4096 more). bias_mant, bias_exp: `bias_mant << bias_exp` is added to the voltage
    in every step; -4096 to 4095, and 0 to 7 (0). vth: the threshold, in 64 units of the voltage, 0 to 131,071 (10).
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        u: int | list[Any] | np.ndarray = 0,
        v: int | list[Any] | np.ndarray = 0,
        du: int = 0,
        dv: int = 0,
        bias_mant: int | list[Any] | np.ndarray = 0,
        bias_exp: int | list[Any] | np.ndarray = 0,
        vth: int = 10,
        name: str | None = None,
        log_config: LogConfig | None = None,
        **kwargs: Any,
    ) -> None:
        unknown(type(self).__name__, kwargs)
        super().__init__(
            shape=shape,
            u=u,
            v=v,
            du=du,
            dv=dv,
            bias_mant=bias_mant,
            bias_exp=bias_exp,
            name=name,
            log_config=log_config,
            **kwargs,
        )
        self.vth = Var(shape=(1,), init=vth)


class LIFReset(LIF):
    """Neurons that forget current and voltage ahead of every step, counted from 1, that leaves `reset_offset` when it is divided by
    `reset_interval` (1 and 0: every step)."""

    def __init__(self, *, reset_interval: int = 1, reset_offset: int = 0, **kwargs: Any) -> None:
        if reset_interval < 1:
            raise ValueError(f"LIFReset: reset_interval is {reset_interval}; it must be 1 or more")
        if reset_offset < 0:
            raise ValueError(f"LIFReset: reset_offset is {reset_offset}; it must be 0 or more")
        super().__init__(**kwargs)
        self.proc_params["reset_interval"] = reset_interval
        self.proc_params["reset_offset"] = reset_offset


class TernaryLIF(AbstractLIF):
    """Neurons that fire 1 above `vth_hi` and -1 below `vth_lo`, in 64 units of the voltage (10 and -10); the rest as `LIF`."""

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        u: int | list[Any] | np.ndarray = 0,
        v: int | list[Any] | np.ndarray = 0,
        du: int = 0,
        dv: int = 0,
        bias_mant: int | list[Any] | np.ndarray = 0,
        bias_exp: int | list[Any] | np.ndarray = 0,
        vth_hi: int = 10,
        vth_lo: int = -10,
        name: str | None = None,
        log_config: LogConfig | None = None,
    ) -> None:
        if vth_lo > vth_hi:
            raise ValueError(f"TernaryLIF: vth_lo is {vth_lo} and vth_hi {vth_hi}; vth_lo must not be above vth_hi")
        super().__init__(
            shape=shape,
            u=u,
            v=v,
            du=du,
            dv=dv,
            bias_mant=bias_mant,
            bias_exp=bias_exp,
            name=name,
            log_config=log_config,
        )
        self.vth_hi = Var(shape=(1,), init=vth_hi)
        self.vth_lo = Var(shape=(1,), init=vth_lo)
