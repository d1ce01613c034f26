"""From processes to a network of the twin.

Neurons and the connections between them are the twin's. A connection that gets spikes from one population as they are is one of the twin's, and
takes a step there. One that gets anything else hears an input of its own: what comes from arrays and injectors is given to it in the step in
which it is there; what is mixed from several ports, or leaves a port in another order, is added up after the step and given to it at once in the
next one, which is the same. What comes to neurons without a connection between arrives at once, too.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _firelane
from ._parts import Neurons, Synapses
from .magma.core.process.ports.ports import AbstractSource, InPort, OutPort
from .magma.core.process.process import AbstractProcess
from .proc.dense.process import Dense
from .proc.io.extractor import Extractor
from .proc.io.injector import Injector
from .proc.io.sink import RingBuffer as Sink
from .proc.io.source import RingBuffer as Source
from .proc.lif.process import AbstractLIF
from .proc.monitor.process import Monitor

#: Bits of a value that comes to neurons without a connection between: as many as the twin takes.
VALUE_BITS = 24


@dataclass
class Wire:
    """From a port to another: the elements of the first, in the order in which the second has them."""

    origin: OutPort
    #: None: as they are.
    index: np.ndarray | None

    def take(self, values: np.ndarray) -> np.ndarray:
        """Values `(steps, elements)` of the one, as the other gets them."""
        return values if self.index is None else values[:, self.index]


def wires(port: InPort) -> list[Wire]:
    """All that leads to a port."""
    found = []
    for source in port.in_connections:
        index = source.index.ravel()
        found.append(Wire(source.origin, None if np.array_equal(index, np.arange(source.origin.size)) else index))
    return found


@dataclass
class Input:
    """An input of the twin, and what it gets."""

    name: str
    size: int
    wires: list[Wire] = field(default_factory=list)
    #: The connection to which it brings what was added up in the step before.
    held: Synapses | None = None


class Plan:
    """A network, compiled."""

    def __init__(self, first: AbstractProcess) -> None:
        self.processes = connected(first)
        self.neurons: list[Neurons] = []
        self.synapses: dict[Dense, Synapses] = {}
        self.inputs: list[Input] = []
        #: Of each connection of the twin what it is told; a function, for it may change.
        self._connections: list[Callable[[], dict[str, Any]]] = []
        self._names: dict[AbstractProcess, str] = {}
        for process in self.processes:
            self._check(process)
        for process in self.processes:
            if isinstance(process, Dense):
                self.synapses[process] = Synapses(process)
        self._order([process for process in self.processes if isinstance(process, AbstractLIF)])
        self._watch()
        for neurons in self.neurons:
            self._connect(neurons)
        self.twin = _firelane.Twin(*self.network()) if self.neurons else None

    def network(self) -> tuple[list[tuple[str, int]], list[dict[str, Any]], list[dict[str, Any]]]:
        """What the twin is made from."""
        inputs = [(one.name, one.size) for one in self.inputs]
        populations = [one.keys(self._names[one.process]) for one in self.neurons]
        return inputs, populations, [connection() for connection in self._connections]

    @property
    def by_step(self) -> bool:
        """Is there something that has to be looked at after each step?"""
        beside = any(one.held for one in self.inputs) or any(one.watched for one in self.synapses.values())
        return beside or any(isinstance(process, (Injector, Extractor)) for process in self.processes)

    def _check(self, process: AbstractProcess) -> None:
        known = (AbstractLIF, Dense, Source, Sink, Injector, Extractor, Monitor)
        if not isinstance(process, known):
            names = "LIF, LIFReset, TernaryLIF, Dense, DelayDense, RingBuffer, Injector, Extractor and Monitor"
            raise NotImplementedError(
                f"{process.name}: a {type(process).__name__} can't be run here: there are {names}"
            )
        taken = process.name in self._names.values() or any(ch in process.name for ch in "\0")
        self._names[process] = f"{process.name} ({process.id})" if taken else process.name

    def _order(self, populations: list[AbstractLIF]) -> None:
        """Populations, so that whatever acts at once comes first; else in the order in which they were made."""
        after = {
            one: {wire.origin.process for wire in wires(one.a_in) if isinstance(wire.origin.process, AbstractLIF)}
            for one in populations
        }
        waiting = {one: len(before) for one, before in after.items()}
        ready = [(one.id, one) for one, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        while ready:
            _, process = heapq.heappop(ready)
            neurons = Neurons(process)
            neurons.index = len(self.neurons)
            self.neurons.append(neurons)
            for one, before in after.items():
                if process in before:
                    waiting[one] -= 1
                    if waiting[one] == 0:
                        heapq.heappush(ready, (one.id, one))
        if len(self.neurons) < len(populations):
            names = ", ".join(one.name for one in populations if waiting[one] > 0)
            raise ValueError(
                f"{names}: these are connected in a circle without a Dense between, and would wait for each other for ever; a Dense takes a step"
            )

    def _watch(self) -> None:
        """Which connections' outputs somebody other than neurons looks at."""
        ports = [
            wire.origin
            for process in self.processes
            if not isinstance(process, AbstractLIF)
            for port in process.in_ports
            for wire in wires(port)
        ]
        probed = [
            probe.target for process in self.processes if isinstance(process, Monitor) for probe in process.probes
        ]
        for process, synapses in self.synapses.items():
            synapses.watched = any(port is process.a_out for port in ports) or any(
                target in (process.a_out, process.a_buff) for target in probed
            )

    def _population(self, process: AbstractProcess | None) -> Neurons | None:
        return next((one for one in self.neurons if one.process is process), None)

    def _connect(self, target: Neurons) -> None:
        direct = Input(f"{self._names[target.process]}.a_in", target.size)
        for wire in wires(target.process.a_in):
            origin = wire.origin.process
            population = self._population(origin)
            if isinstance(origin, Dense):
                self._dense(self.synapses[origin], target, wire.index)
            elif population is not None:
                order = np.arange(population.size) if wire.index is None else wire.index
                self._at_once(dict(from_input=False, source=population.index), target, order, population.size)
            else:
                direct.wires.append(wire)
        if direct.wires:
            self.inputs.append(direct)
            self._at_once(
                dict(from_input=True, source=len(self.inputs) - 1), target, np.arange(target.size), target.size
            )

    def _at_once(self, source: dict[str, Any], target: Neurons, order: np.ndarray, size: int) -> None:
        """Each neuron gets the value of the unit that `order` says."""
        weights = np.zeros((target.size, size), dtype=np.int64)
        weights[np.arange(target.size), order] = 1
        bits = VALUE_BITS if source["from_input"] else 1
        keys = dict(
            weights=weights,
            weight_exp=0,
            num_weight_bits=8,
            num_message_bits=bits,
            sign_mode=2,
            delays=None,
            at_once=True,
        )
        self._connections.append(lambda: dict(source, target=target.index, **keys))

    def _dense(self, synapses: Synapses, target: Neurons, rows: np.ndarray | None) -> None:
        process = synapses.process
        incoming = wires(process.s_in)
        alone = (
            self._population(incoming[0].origin.process) if len(incoming) == 1 and incoming[0].index is None else None
        )
        at_once = False
        if alone is not None:
            source = dict(from_input=False, source=alone.index)
        else:
            given = all(isinstance(wire.origin.process, (Source, Injector)) for wire in incoming)
            at = self._input(synapses, incoming, held=not given)
            source, at_once = dict(from_input=True, source=at), not given
        self._connections.append(lambda: {**synapses.keys(rows), **source, "target": target.index, "at_once": at_once})

    def _input(self, synapses: Synapses, incoming: list[Wire], held: bool) -> int:
        """The input through which a connection hears what leads to it."""
        name = f"{self._names[synapses.process]}.s_in"
        for at, one in enumerate(self.inputs):
            if one.name == name:
                return at
        self.inputs.append(Input(name, synapses.process.s_in.size, incoming, synapses if held else None))
        return len(self.inputs) - 1


def connected(first: AbstractProcess) -> list[AbstractProcess]:
    """All that are connected with a process, in the order in which they were made."""
    found, new = {first}, [first]
    while new:
        process = new.pop()
        near: set[AbstractProcess | None] = {wire.origin.process for port in process.in_ports for wire in wires(port)}
        near |= {target.process for port in process.out_ports for target in targets(port)} | set(process._observers)
        if isinstance(process, Monitor):
            near |= {probe.target.process for probe in process.probes}
        for other in near:
            if other is not None and other not in found:
                found.add(other)
                new.append(other)
    return sorted(found, key=lambda process: process.id)


def targets(port: AbstractSource) -> list[InPort]:
    """All ports that a port leads to, through others or not."""
    return [end for one in port.out_connections for end in ([one] if isinstance(one, InPort) else targets(one))]
