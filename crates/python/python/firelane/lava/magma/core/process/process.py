"""What all processes are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..run_conditions import AbstractRunCondition
from ..run_configs import RunConfig
from .ports.ports import InPort, OutPort
from .variable import Var

if TYPE_CHECKING:
    from ...._runtime import Runtime

_ids = itertools.count()


@dataclass
class LogConfig:
    """Taken, and of no effect: nothing is logged."""

    file: str = ""
    level: int = 30
    level_console: int = 40
    logs_to_file: bool = False
    format: str = ""
    date_format: str = ""


class ProcessParameters:
    """What a process was made with. A parameter that is there can only be replaced by `overwrite`."""

    def __init__(self, initial_parameters: dict[str, Any]) -> None:
        self._parameters = initial_parameters

    def __setitem__(self, key: str, value: Any) -> None:
        if key in self._parameters:
            raise KeyError(f"{key!r} is there already")
        self._parameters[key] = value

    def __getitem__(self, key: str) -> Any:
        return self._parameters[key]

    def overwrite(self, key: str, value: Any) -> None:
        """Sets it, there or not."""
        self._parameters[key] = value

    def get(self, key: str, default: Any = None) -> Any:
        """What it is, or `default`."""
        return self._parameters.get(key, default)


class Collection:
    """Members of a process, by name and in order."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members

    @property
    def members(self) -> list[Any]:
        """All of them."""
        return list(self._members.values())

    @property
    def member_names(self) -> list[str]:
        """All of their names."""
        return list(self._members)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.members)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_members"][name]
        except KeyError:
            raise AttributeError(f"there is no {name!r} here; there are {', '.join(self._members)}") from None


class AbstractProcess:
    """A process: variables, and ports that connect it with others.

    Running one runs all that are connected with it. They are compiled ahead of the first run, and nothing can be connected after that.
    """

    def __init__(self, **proc_params: Any) -> None:
        self.id = next(_ids)
        self.name: str = proc_params.get("name") or f"Process_{self.id}"
        self.proc_params = ProcessParameters(proc_params)
        self._runtime: Runtime | None = None
        self._observers: list[AbstractProcess] = []

    def __setattr__(self, name: str, value: Any) -> None:
        # A member learns by this what it is called and whose it is.
        if isinstance(value, (Var, InPort, OutPort)) and value.process is None:
            value.process, value.name = self, name
        super().__setattr__(name, value)

    def _members(self, kind: type) -> Collection:
        return Collection({name: value for name, value in vars(self).items() if isinstance(value, kind)})

    @property
    def vars(self) -> Collection:
        """Its variables."""
        return self._members(Var)

    @property
    def in_ports(self) -> Collection:
        """Where it gets data."""
        return self._members(InPort)

    @property
    def out_ports(self) -> Collection:
        """Where it gives data."""
        return self._members(OutPort)

    @property
    def runtime(self) -> Runtime | None:
        """What runs it; None ahead of the first run."""
        return self._runtime

    @property
    def is_compiled(self) -> bool:
        """Has it been compiled?"""
        return self._runtime is not None

    def create_runtime(
        self, run_cfg: RunConfig | None = None, executable: Any = None, compile_config: Any = None
    ) -> None:
        """Compiles this process with all that are connected, without running a step. ValueError if they are no network."""
        from ...._runtime import Runtime

        if run_cfg is None:
            raise ValueError(
                f'{self.name}: run_cfg must be given ahead of the first run: Loihi2SimCfg(select_tag="fixed_pt")'
            )
        # It makes itself known to all of its processes.
        Runtime(self, run_cfg)

    def run(
        self, condition: AbstractRunCondition, run_cfg: RunConfig | None = None, compile_config: Any = None
    ) -> None:
        """Runs this process with all that are connected, for as long as `condition` says, from where the last run ended.

        `run_cfg` is needed for the first run alone.
        """
        if self._runtime is None:
            self.create_runtime(run_cfg, compile_config=compile_config)
        assert self._runtime is not None
        self._runtime.start(condition)

    def wait(self) -> None:
        """Waits until the run has ended; raises what ended it, if that was an error."""
        if self._runtime is not None:
            self._runtime.wait()

    def pause(self) -> None:
        """Ends the run after the step that it is in; `run` goes on from there."""
        if self._runtime is not None:
            self._runtime.pause()

    def stop(self) -> None:
        """Ends the run for good: ask variables for what they are before."""
        if self._runtime is not None:
            self._runtime.stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
