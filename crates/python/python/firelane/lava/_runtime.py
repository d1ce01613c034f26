"""What runs a network, step by step or many at a time, in the script's thread or in one of its own."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from .._firelane import Twin
from ._parts import Neurons, Synapses, wrapped
from ._plan import Plan, Wire, wires
from ._values import whole
from .magma.core.process.ports.ports import OutPort
from .magma.core.process.process import AbstractProcess
from .magma.core.process.variable import Var
from .magma.core.run_conditions import AbstractRunCondition, RunContinuous, RunSteps
from .magma.core.run_configs import RunConfig
from .proc.io.extractor import Extractor
from .proc.io.injector import Injector
from .proc.io.sink import RingBuffer as Sink
from .proc.io.source import RingBuffer as Source
from .proc.io.utils import Closed
from .proc.monitor.process import Monitor

#: Most steps of one call of the twin.
CHUNK = 256


class Runtime:
    """Runs a network. `process.run` makes one."""

    def __init__(self, process: AbstractProcess, run_cfg: RunConfig) -> None:
        if not isinstance(run_cfg, RunConfig):
            raise TypeError(f"run_cfg must be a Loihi2SimCfg; it is {run_cfg!r}")
        self.plan = Plan(process)
        #: Steps that have been taken.
        self.steps = 0
        #: Weights have been set, and the twin still has the old ones, for one step.
        self._unsettled = False
        self._thread: threading.Thread | None = None
        self._failed: BaseException | None = None
        self._pausing = False
        self._stopped = False
        processes = self.plan.processes
        self._injectors = [one for one in processes if isinstance(one, Injector)]
        self._extractors = [one for one in processes if isinstance(one, Extractor)]
        self._monitors = [one for one in processes if isinstance(one, Monitor)]
        #: What arrays hold.
        self._arrays = {
            one: whole(one.data.init, one.data.label) for one in processes if isinstance(one, (Source, Sink))
        }
        self._parts: dict[AbstractProcess, Neurons | Synapses] = {one.process: one for one in self.plan.neurons}
        self._parts.update({one.process: one for one in self.plan.synapses.values()})
        self._record = self._wanted()
        #: What injectors have given for the step to come, and what extractors have not been given yet of the last one: a pause may come between.
        self._received: dict[Injector, np.ndarray] = {}
        self._unsent: list[tuple[Extractor, np.ndarray]] = []
        #: What left the ports of arrays and injectors in the last step.
        self._last: dict[OutPort, np.ndarray] = {}
        #: What connections got in the last step that hear it in the next.
        self._held = {id(one): np.zeros((1, one.size), dtype=np.int32) for one in self.plan.inputs if one.held}
        for one in self.plan.processes:
            one._runtime = self

    # Running.

    def start(self, condition: AbstractRunCondition) -> None:
        """Runs for as long as `condition` says."""
        self.check_idle("run")
        if isinstance(condition, RunSteps):
            number = whole(condition.num_steps, "RunSteps.num_steps")
            if number.shape != () or number < 0:
                raise ValueError(f"RunSteps: num_steps is {condition.num_steps!r}; it must be 0 or more")
            steps: int | None = int(number)
            self._check_probes(int(number))
        elif isinstance(condition, RunContinuous):
            steps = None
        else:
            raise TypeError(f"run: the condition must be RunSteps or RunContinuous; it is {condition!r}")
        self._pausing = False
        if condition.blocking:
            self._run(steps)
        else:
            self._thread = threading.Thread(
                target=self._run_beside, args=(steps,), daemon=True, name="firelane-network"
            )
            self._thread.start()

    def wait(self) -> None:
        """Until the run has ended."""
        thread = self._thread
        if thread is not None:
            # A timeout lets the interrupt of a keyboard in.
            while thread.is_alive():
                thread.join(0.1)
            self._thread = None
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def pause(self) -> None:
        """Ends the run after the step that it is in."""
        self._pausing = True
        self.wait()

    def stop(self) -> None:
        """Ends the run, for good."""
        self._pausing = self._stopped = True
        self.wait()

    def is_over(self) -> bool:
        """Has it been stopped?"""
        return self._stopped

    def check_idle(self, what: str) -> None:
        """RuntimeError if the network is running, or has been stopped."""
        if self._stopped:
            raise RuntimeError(
                f"{what}: the network has been stopped; ask for what it holds ahead of stop(), and build it anew to run it again"
            )
        if self._thread is not None:
            if self._thread.is_alive():
                raise RuntimeError(f"{what}: the network is running; wait() for it or pause() it")
            self.wait()

    def _run_beside(self, steps: int | None) -> None:
        try:
            self._run(steps)
        except BaseException as error:
            self._failed = error

    def _run(self, steps: int | None) -> None:
        end = None if steps is None else self.steps + steps
        most = 1 if self.plan.by_step else CHUNK
        while not self._pausing and (end is None or self.steps < end):
            chunk = 1 if self._unsettled else most
            chunk = chunk if end is None else min(chunk, end - self.steps)
            try:
                self._advance(chunk)
            except Closed:
                return
            except BaseException:
                # An error, or somebody's interrupt, in the middle of it: there is no way back to where both sides agree.
                taken = self.steps if self.plan.twin is None else self.plan.twin.counters()["steps"]
                self._stopped = taken != self.steps
                raise

    def _check_probes(self, steps: int) -> None:
        for monitor in self._monitors:
            for probe in monitor.probes:
                if self.steps + steps > len(probe.data):
                    raise RuntimeError(
                        f"{monitor.name}: it writes {probe.name} down for {len(probe.data)} steps, "
                        f"and {self.steps} + {steps} are more; probe it with a larger num_steps"
                    )

    @property
    def _twin(self) -> Twin:
        assert self.plan.twin is not None, "there are neurons, and so there is a twin"
        return self.plan.twin

    # A step, or many.

    def _advance(self, steps: int) -> None:
        if self._monitors:
            self._check_probes(steps)
        self._send()
        signals = self._given(steps)
        values = [
            wrapped(self._held[id(one)]) if one.held else self._sum(one.wires, signals, one.size, steps)
            for one in self.plan.inputs
        ]
        taken = self.plan.twin.run(steps, values, self._record) if self.plan.twin else []
        recorded = dict(zip(self._record, taken, strict=True)) if taken else {}
        for neurons in self.plan.neurons:
            if ("s", neurons.index) in recorded:
                signals[neurons.process.s_out] = recorded["s", neurons.index]
        self._last = {
            port: signal[-1:] for port, signal in signals.items() if isinstance(port.process, (Source, Injector))
        }
        self._write(steps, signals, recorded)
        for one in self.plan.inputs:
            if one.held:
                self._held[id(one)] = self._sum(one.wires, signals, one.size, 1)
        for process, synapses in self.plan.synapses.items():
            if synapses.watched:
                synapses.advance(self._sum(wires(process.s_in), signals, process.s_in.size, 1)[0])
        self.steps += steps
        self._received.clear()
        for extractor in self._extractors:
            row = self._sum(wires(extractor.in_port), signals, extractor.in_port.size, 1)[0]
            self._unsent.append((extractor, row.reshape(extractor.in_port.shape).astype(np.float64)))
        if self._unsettled:
            self._settle()
        self._send()

    def _given(self, steps: int) -> dict[OutPort, np.ndarray]:
        """What leaves the ports of arrays, injectors and watched connections."""
        signals = {}
        for source, data in self._arrays.items():
            if not isinstance(source, Source):
                continue
            when = (self.steps + np.arange(steps)) % data.shape[-1]
            signals[source.s_out] = wrapped(np.moveaxis(data[..., when], -1, 0).reshape(steps, -1))
        for injector in self._injectors:
            if injector not in self._received:
                self._received[injector] = injector._channel.receive(lambda: self._pausing)
            signals[injector.out_port] = wrapped(whole(self._received[injector], injector.name)).reshape(1, -1)
        for process, synapses in self.plan.synapses.items():
            if synapses.watched:
                signals[process.a_out] = synapses.ring[:, 0].copy().reshape(1, -1)
        return signals

    def _sum(self, incoming: list[Wire], signals: dict[OutPort, np.ndarray], size: int, steps: int) -> np.ndarray:
        """What a port gets."""
        total = np.zeros((steps, size), dtype=np.int32)
        for wire in incoming:
            total += wire.take(signals[wire.origin])
        return total

    def _wanted(self) -> list[tuple[str, int]]:
        """What has to be known of the twin after each step."""
        ports = [
            port
            for process in self.plan.processes
            if isinstance(process, (Sink, Extractor))
            for port in process.in_ports
        ]
        held = [one.held for one in self.plan.inputs]
        beside = [one for one in self.plan.synapses.values() if one.watched or any(one is other for other in held)]
        ports += [one.process.s_in for one in beside]
        heard = [self._parts.get(wire.origin.process) for port in ports for wire in wires(port) if wire.origin.process]
        wanted = {("s", part.index) for part in heard if isinstance(part, Neurons)}
        for monitor in self._monitors:
            for probe in monitor.probes:
                part = self._parts.get(probe.target.process) if probe.target.process else None
                if isinstance(part, Neurons) and probe.target.name in ("u", "v", "s_out"):
                    wanted.add(({"s_out": "s"}.get(probe.target.name, probe.target.name), part.index))
        return sorted(wanted)

    def _write(
        self, steps: int, signals: dict[OutPort, np.ndarray], recorded: dict[tuple[str, int], np.ndarray]
    ) -> None:
        """Into sinks and monitors."""
        for sink, data in self._arrays.items():
            if not isinstance(sink, Sink):
                continue
            rows = self._sum(wires(sink.a_in), signals, sink.a_in.size, steps)
            kept = rows[-data.shape[-1] :]
            when = (self.steps + steps - len(kept) + np.arange(len(kept))) % data.shape[-1]
            data[..., when] = np.moveaxis(kept.reshape((len(kept),) + sink.a_in.shape), 0, -1)
        for monitor in self._monitors:
            for probe in monitor.probes:
                rows = self._probed(probe.target, signals, recorded)
                probe.data[self.steps : self.steps + steps] = np.asarray(rows).reshape((-1,) + probe.target.shape)

    def _probed(
        self, target: Any, signals: dict[OutPort, np.ndarray], recorded: dict[tuple[str, int], np.ndarray]
    ) -> np.ndarray:
        if isinstance(target, OutPort):
            return signals[target]
        part = self._parts.get(target.process)
        if isinstance(part, Neurons) and target.name in ("u", "v"):
            return recorded[target.name, part.index]
        if isinstance(part, Synapses) and target.name == "a_buff":
            # As it is after the step.
            after = part.ring.copy()
            after[:, :-1], after[:, -1] = part.ring[:, 1:], 0
            after += part.sums(self._sum(wires(target.process.s_in), signals, target.process.s_in.size, 1)[0])
            return after.reshape(target.shape)
        return self._value(target)

    def _send(self) -> None:
        """What extractors have not been given yet."""
        while self._unsent:
            extractor, values = self._unsent[0]
            extractor._channel.send(values, lambda: self._pausing)
            del self._unsent[0]

    # Variables.

    def get_var(self, var: Var) -> np.ndarray:
        """What a variable is."""
        self.check_idle(f"{var.label}.get")
        return np.asarray(self._value(var), dtype=np.float64).reshape(var.shape)

    def _value(self, var: Var) -> np.ndarray:
        process = var.process
        if isinstance(process, (Source, Sink)):
            return self._arrays[process]
        assert process is not None
        part = self._parts[process]
        if isinstance(part, Neurons) and var.name in ("u", "v"):
            return self._twin.probe(var.name, part.index)
        if isinstance(part, Synapses):
            if var.name == "a_buff":
                return self._buffered(part)
            if var.name == "weights" and self.steps > 0:
                return part.effective()
        return part.numbers[var.name]

    def _buffered(self, synapses: Synapses) -> np.ndarray:
        """What a connection will give in the steps to come."""
        if synapses.watched:
            return synapses.ring
        process = synapses.process
        if synapses.longest > 0:
            raise NotImplementedError(
                f"{process.a_buff.label}: what is under way in a DelayDense is known where its a_buff or a_out is probed"
            )
        if self.steps == 0:
            return synapses.ring
        signals = dict(self._last)
        for neurons in self.plan.neurons:
            signals[neurons.process.s_out] = self._twin.fired(neurons.index).reshape(1, -1)
        if any(wire.origin not in signals for wire in wires(process.s_in)):
            raise NotImplementedError(f"{process.a_buff.label}: it hears another Dense; probe it")
        return synapses.sums(self._sum(wires(process.s_in), signals, process.s_in.size, 1)[0])

    def set_var(self, var: Var, value: Any) -> None:
        """Makes a variable this, for the next step."""
        self.check_idle(f"{var.label}.set")
        values = whole(value, var.label)
        if values.size != var.size:
            raise ValueError(
                f"{var.label}: {values.size} values were given; it has {var.size}, in the shape {var.shape}"
            )
        values = values.reshape(var.shape)
        process = var.process
        part = None if process is None else self._parts.get(process)
        if isinstance(process, (Source, Sink)):
            self._arrays[process] = values.copy()
        elif isinstance(part, Neurons) and var.name in ("u", "v"):
            self._twin.poke(var.name, part.index, values.ravel())
        elif var.name == "a_buff":
            raise NotImplementedError(f"{var.label}: what is under way can't be set")
        elif part is not None:
            self._change(part, var.name, values)

    def _change(self, part: Neurons | Synapses, name: str, values: np.ndarray) -> None:
        """Other numbers for a population or connection, all or none of them."""
        before = dict(part.numbers)
        part.numbers = {**before, name: values}
        if isinstance(part, Neurons):
            try:
                self._tell()
            except ValueError:
                part.numbers = before
                raise
            return
        uncut, acting = part.uncut, part.acting
        part.uncut = uncut or (name == "weights" and self.steps > 0)
        try:
            part.settle()
            if self.plan.twin:
                self.plan.twin.check_change(*self.plan.network())
        except ValueError:
            part.numbers, part.uncut, part.acting = before, uncut, acting
            raise
        part.acting = acting
        self._unsettled = True
        if self.steps == 0:
            self._settle()

    def _settle(self) -> None:
        """What has been set of connections acts from now on."""
        for synapses in self.plan.synapses.values():
            synapses.settle()
        self._unsettled = False
        self._tell()

    def _tell(self) -> None:
        if self.plan.twin:
            self.plan.twin.change(*self.plan.network())
