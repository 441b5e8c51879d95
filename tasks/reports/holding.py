"""What holding a study means, however it is held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class RunningRun:
    """`flow_run_id` is Prefect's; empty when the run was not Prefect's."""

    run_id: str
    flow_run_id: str
    pid: int
    host: str = ""  # where the process is; empty for this machine


class Hold(Protocol):
    """A held study. `left_behind` is the run that died holding it before, if one did."""

    @property
    def left_behind(self) -> RunningRun | None: ...

    def note(self, run_id: str, flow_run_id: str) -> None:
        """Write down which run holds the study, for others to find if this process dies."""
        ...

    def require(self) -> None:
        """Raises PoolwiseError if the study is held no more."""
        ...
