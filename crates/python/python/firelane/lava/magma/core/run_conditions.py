"""How long to run."""


class AbstractRunCondition:
    """How long to run, and whether `run` waits for that."""

    def __init__(self, blocking: bool) -> None:
        self.blocking = blocking


class RunSteps(AbstractRunCondition):
    """So many steps. With `blocking=False`, `run` returns at once, and `wait` waits."""

    def __init__(self, num_steps: int, blocking: bool = True) -> None:
        super().__init__(blocking)
        self.num_steps = num_steps


class RunContinuous(AbstractRunCondition):
    """Until `pause` or `stop`. `run` returns at once."""

    def __init__(self) -> None:
        super().__init__(blocking=False)
