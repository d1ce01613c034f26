"""Ports: what processes are connected by.

An `OutPort` is connected with an `InPort` of the same shape. `reshape`, `flatten` and `transpose` give a port through which the same
elements leave in another shape or order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .exceptions import DuplicateConnectionError, ReshapeError, TransposeIndexError, TransposeShapeError

if TYPE_CHECKING:
    from ..process import AbstractProcess


def to_list(of: Any) -> list[Any]:
    """`of` as a list: itself, or of one."""
    return list(of) if isinstance(of, (list, tuple)) else [of]


class AbstractPort:
    """A port of a process, with as many elements as its shape says."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = checked_shape(shape)
        self.name = "unnamed"
        self.process: AbstractProcess | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def __repr__(self) -> str:
        owner = self.process.name if self.process else "no process"
        return f"<{type(self).__name__} {owner}.{self.name} {self.shape}>"

    def concat_with(self, ports: Any, axis: int) -> None:
        """Not there in Lava's runs either."""
        raise NotImplementedError(
            f"{self!r}: ports can't be concatenated (Lava 0.10 refuses to run such a network, too); connect each by a Dense of its own"
        )


class AbstractIOPort(AbstractPort):
    """A port that data comes in or goes out by."""


class InPort(AbstractIOPort):
    """Where a process gets data: the sum of all that is connected."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape)
        self.in_connections: list[AbstractSource] = []

    def connect(self, ports: Any, connection_configs: Any = None) -> None:
        """Not for processes without others inside."""
        raise NotImplementedError(
            f"{self!r}: an InPort can't be connected onwards here, for there are no hierarchical processes; connect from an OutPort"
        )

    def connect_from(self, ports: Any, connection_configs: Any = None) -> None:
        """Connects one or several OutPorts with this port."""
        for port in to_list(ports):
            if not isinstance(port, (OutPort, VirtualPort)):
                raise AssertionError(f"{self!r} can be connected from an OutPort; this is {type(port).__name__}")
            port.connect(self)


class AbstractSource(AbstractIOPort):
    """A port that data leaves by."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape)
        #: Ports that it leads to, and views of it.
        self.out_connections: list[InPort | VirtualPort] = []

    #: Which element of the process's own port each element is, in the shape of this one.
    index: np.ndarray
    #: The process's own port.
    origin: OutPort

    def connect(self, ports: Any, connection_configs: Any = None) -> None:
        """Connects this port with one or several InPorts of its shape.

        Raises AssertionError for ports of other kinds or shapes, DuplicateConnectionError for a pair that is connected already.
        """
        for port in to_list(ports):
            if not isinstance(port, InPort):
                raise AssertionError(f"{self!r} can be connected with an InPort; this is {type(port).__name__}")
            if port.shape != self.shape:
                raise AssertionError(
                    f"{self!r} can't be connected with {port!r}: their shapes must be the same; reshape, flatten and transpose give a port of another one"
                )
            if any(other.origin is self.origin for other in port.in_connections):
                raise DuplicateConnectionError(repr(self.origin), repr(port))
            if port.process is not None and port.process.runtime is not None:
                raise RuntimeError(
                    f"{port!r} is of a network that has been compiled: connect ports ahead of the first run"
                )
            self.out_connections.append(port)
            port.in_connections.append(self)

    def reshape(self, new_shape: tuple[int, ...]) -> ReshapePort:
        """A port with the same elements in this shape. ReshapeError if they are not as many."""
        new_shape = checked_shape(new_shape)
        if self.size != math.prod(new_shape):
            raise ReshapeError(self.shape, new_shape)
        return ReshapePort(self, self.index.reshape(new_shape))

    def flatten(self) -> ReshapePort:
        """A port with the same elements in a row."""
        return self.reshape((self.size,))

    def transpose(self, axes: tuple[int, ...] | list[int] | None = None) -> TransposePort:
        """A port with these axes, in this order (without: reversed). TransposeShapeError, TransposeIndexError."""
        if axes is not None:
            axes = tuple(axes)
            dimensions = len(self.shape)
            if len(axes) != dimensions:
                raise TransposeShapeError(self.shape, axes)
            for axis in axes:
                if not -dimensions <= axis < dimensions:
                    raise TransposeIndexError(self.shape, axes, axis)
        return TransposePort(self, self.index.transpose(axes))


class OutPort(AbstractSource):
    """Where a process gives data."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape)
        self.index = np.arange(self.size).reshape(self.shape)
        self.origin = self

    def connect_from(self, ports: Any, connection_configs: Any = None) -> None:
        """Not for processes without others inside."""
        raise NotImplementedError(
            f"{self!r}: an OutPort can't be connected from another one here, for there are no hierarchical processes"
        )


class VirtualPort(AbstractSource):
    """Another view of an OutPort."""

    def __init__(self, parent: AbstractSource, index: np.ndarray) -> None:
        super().__init__(index.shape)
        self.index = index
        self.origin = parent.origin
        self.process, self.name = parent.process, parent.name
        parent.out_connections.append(self)


class ReshapePort(VirtualPort):
    """The elements of a port in another shape."""


class TransposePort(VirtualPort):
    """The elements of a port with its axes in another order."""


def checked_shape(shape: Any) -> tuple[int, ...]:
    """`shape`, if it is one."""
    if not isinstance(shape, tuple):
        raise TypeError(f"a shape is a tuple of whole numbers, such as (3,); this is {shape!r}")
    for size in shape:
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool):
            raise TypeError(f"a shape is a tuple of whole numbers; in {shape!r} there is {size!r}")
        if size <= 0:
            raise ValueError(f"each size of a shape is 1 or more; in {shape!r} there is {size}")
    return tuple(int(size) for size in shape)
