"""Processes as the runtime holds them: their numbers, checked, and how they become nodes of the twin."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np

from ._values import each, whole
from .magma.core.process.process import AbstractProcess
from .magma.core.process.variable import Var
from .proc.dense.process import DelayDense, Dense
from .proc.lif.process import AbstractLIF, LIFReset, TernaryLIF
from .utils.weightutils import SignMode, clip_weights, determine_sign_mode, truncate_weights

#: A bit for the sign and all eight of the size: weights that are set while a network runs are not cut.
UNCUT = 9


def wrapped(values: np.ndarray) -> np.ndarray:
    """As integers of 32 bits, as Lava's ports hold them."""
    return values.astype(np.int64).astype(np.int32)


P = TypeVar("P", bound=AbstractProcess)


class Values(Generic[P]):
    """The values of a process's variables, but for the state of neurons."""

    def __init__(self, process: P, names: tuple[str, ...]) -> None:
        self.process = process
        self.numbers = {name: self.read(name, getattr(process, name).init) for name in names}

    def read(self, name: str, value: Any) -> np.ndarray:
        """A value for one of them."""
        var: Var = getattr(self.process, name)
        return each(value, var.shape, var.label)

    def one(self, name: str) -> int:
        """Of one that has one value."""
        return int(self.numbers[name].flat[0])

    def each(self, name: str) -> list[int]:
        """Of one that each neuron has."""
        return [int(value) for value in self.numbers[name].flat]


class Neurons(Values[AbstractLIF]):
    """A population."""

    def __init__(self, process: AbstractLIF) -> None:
        ternary = isinstance(process, TernaryLIF)
        self.thresholds = ("vth_hi", "vth_lo") if ternary else ("vth",)
        super().__init__(process, ("u", "v", "du", "dv", "bias_mant", "bias_exp") + self.thresholds)
        self.size = process.s_out.size
        self.kind = "TernaryLIF" if ternary else "LIFReset" if isinstance(process, LIFReset) else "LIF"
        self.index = 0

    def keys(self, name: str) -> dict[str, Any]:
        """What the twin is told of it."""
        params = self.process.proc_params
        reset = (int(params["reset_interval"]), int(params["reset_offset"])) if self.kind == "LIFReset" else (1, 0)
        return dict(
            id=name,
            n=self.size,
            kind=self.kind,
            du=self.one("du"),
            dv=self.one("dv"),
            vth=[self.one(threshold) for threshold in self.thresholds],
            bias_mant=self.each("bias_mant"),
            bias_exp=self.each("bias_exp"),
            u0=self.each("u"),
            v0=self.each("v"),
            reset=reset,
        )


class Synapses(Values[Dense]):
    """A connection."""

    def __init__(self, process: Dense) -> None:
        delayed = isinstance(process, DelayDense)
        super().__init__(process, ("weights", "num_message_bits") + (("delays",) if delayed else ()))
        params = process.proc_params
        label = process.name
        self.exponent = int(whole(params.get("weight_exp", 0) or 0, f"{label}.weight_exp").flat[0])
        self.bits = int(whole(params.get("num_weight_bits", 8), f"{label}.num_weight_bits").flat[0])
        mode = params.get("sign_mode")
        self.mode = None if mode is None else int(getattr(mode, "value", mode))
        #: They have been set while the network ran: Lava cuts weights ahead of the first step, and never again.
        self.uncut = False
        #: As the twin has them. What is set acts on what comes from then on, and what has come in the step before is still added up as it was.
        self.acting = (dict(self.numbers), self.uncut)
        #: Its output is computed beside the twin, for somebody other than neurons looks at it.
        self.watched = False
        #: What comes out in the steps to come: a column for each.
        self.ring = np.zeros((process.a_out.size, self.longest + 1), dtype=np.int32)

    @property
    def longest(self) -> int:
        """The longest delay that it has room for."""
        return self.process.a_buff.shape[-1] - 1 if isinstance(self.process, DelayDense) else 0

    @property
    def graded(self) -> bool:
        """Are weights multiplied by values?"""
        return self.one("num_message_bits") > 0

    def effective(self) -> np.ndarray:
        """The weights that act."""
        weights = self.numbers["weights"]
        if self.uncut or weights.size == 0:
            return weights
        mode = determine_sign_mode(weights) if self.mode is None else SignMode(self.mode)
        return truncate_weights(clip_weights(weights, mode, num_bits=8), mode, self.bits)

    def keys(self, rows: np.ndarray | None) -> dict[str, Any]:
        """What the twin is told of it: of those of its outputs that `rows` says, in that order."""
        some = slice(None) if rows is None else rows
        numbers, uncut = self.acting
        weights, bits, mode = numbers["weights"], self.bits, self.mode
        if uncut:
            low, high = weights.min(), weights.max()
            if low < -256 or high > 255:
                wild = low if low < -256 else high
                raise ValueError(
                    f"{self.process.weights.label}: {wild} is no weight; they have eight bits and a sign, -256 to 255"
                )
            mode, bits = 1, UNCUT
        elif mode is None:
            # Of the whole matrix, whatever part of it goes where.
            mode = determine_sign_mode(weights).value
        delays = numbers["delays"][some] if "delays" in numbers else None
        return dict(
            weights=np.ascontiguousarray(weights[some]),
            weight_exp=self.exponent,
            num_weight_bits=bits,
            num_message_bits=int(numbers["num_message_bits"].flat[0]),
            sign_mode=mode,
            delays=None if delays is None else np.ascontiguousarray(delays),
            at_once=False,
        )

    def settle(self) -> None:
        """What has been set acts from now on in the twin, too."""
        self.acting = (dict(self.numbers), self.uncut)

    def sums(self, spikes: np.ndarray) -> np.ndarray:
        """What `spikes` add up to, shifted: a column for each delay."""
        values = spikes.astype(np.int64) if self.graded else (spikes != 0).astype(np.int64)
        weights = self.effective().astype(np.int64)
        if "delays" in self.numbers:
            delays = self.numbers["delays"]
            sums = np.stack(
                [np.where(delays == delay, weights, 0) @ values for delay in range(self.longest + 1)], axis=1
            )
        else:
            sums = (weights @ values)[:, None]
        if self.graded:
            sums = wrapped(sums).astype(np.int64)
        return wrapped(sums << self.exponent if self.exponent > 0 else sums >> -self.exponent)

    def advance(self, spikes: np.ndarray) -> None:
        """A step further: what was due is out, and `spikes` have come in."""
        self.ring[:, :-1] = self.ring[:, 1:]
        self.ring[:, -1] = 0
        self.ring += self.sums(spikes)
