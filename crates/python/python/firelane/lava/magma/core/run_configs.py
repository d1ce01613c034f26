"""By what arithmetic to run."""

from __future__ import annotations

from typing import Any

#: Lava's tags for the arithmetic that there is here.
FIXED = ("fixed_pt", "bit_accurate_loihi")


class RunConfig:
    """By what arithmetic to run."""

    def __init__(
        self,
        custom_sync_domains: list[Any] | None = None,
        select_tag: str | None = None,
        select_sub_proc_model: bool = False,
        exception_proc_model_map: dict[Any, Any] | None = None,
        callback_fxs: list[Any] | None = None,
        loglevel: int = 30,
    ) -> None:
        name = type(self).__name__
        if select_tag not in FIXED:
            raise ValueError(
                f'{name}: select_tag is {select_tag!r}; there is one arithmetic here, that of Lava\'s fixed-point models: select_tag="fixed_pt"'
            )
        for what, given in [("callback_fxs", callback_fxs), ("custom_sync_domains", custom_sync_domains)]:
            if given:
                raise NotImplementedError(f"{name}: {what} can't be used here: what runs a process is Firelane's own")
        for process, model in (exception_proc_model_map or {}).items():
            if getattr(model, "implements", None) is not process:
                raise NotImplementedError(
                    f"{name}: exception_proc_model_map: {model!r} can't be used here: what runs a process is Firelane's own"
                )
        self.select_tag = select_tag


class Loihi1SimCfg(RunConfig):
    """Lava's fixed-point models, as the software twin computes them."""


class Loihi2SimCfg(RunConfig):
    """Lava's fixed-point models, as the software twin computes them."""


class Loihi2HwCfg(RunConfig):
    """There is no Loihi here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError('Loihi2HwCfg: there is no Loihi here; use Loihi2SimCfg(select_tag="fixed_pt")')
