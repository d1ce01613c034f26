"""What can be wrong with a connection."""


class ReshapeError(Exception):
    """A port cannot have another number of elements."""

    def __init__(self, old_shape: tuple[int, ...], new_shape: tuple[int, ...]) -> None:
        super().__init__(
            f"a port of the shape {old_shape} can't be reshaped to {new_shape}: the number of elements must stay"
        )


class DuplicateConnectionError(Exception):
    """Two ports are connected already."""

    def __init__(self, source: str = "a port", target: str = "the same port") -> None:
        super().__init__(f"{source} is connected with {target} already")


class TransposeShapeError(Exception):
    """The axes of a transposition are not as many as the port has."""

    def __init__(self, old_shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
        super().__init__(
            f"a port of the shape {old_shape} can't be transposed by the axes {axes}: there must be one for each dimension"
        )


class TransposeIndexError(Exception):
    """An axis of a transposition is not there."""

    def __init__(self, old_shape: tuple[int, ...], axes: tuple[int, ...], wrong_index: int) -> None:
        super().__init__(
            f"a port of the shape {old_shape} can't be transposed by the axes {axes}: there is no axis {wrong_index}"
        )
