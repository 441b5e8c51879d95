"""A run's claim on a study: nobody else runs it meanwhile, and the intake ledger knows what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from prefect import get_client
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed

from flows.events import say_rejected
from tasks.ledger import Ledger
from tasks.run_lock import Hold, RunningRun, only_run
from tasks.stats.errors import DataRejected, SamplingFailed


class Claim:
    """What a run has taken from the ledger, to be settled when it ends."""

    def __init__(self, ledger: Ledger, hold: Hold, study_name: str) -> None:
        self._ledger, self._hold, self._study_name = ledger, hold, study_name
        self.run_id = ""

    def take(self, run_id: str, files: Mapping[str, str]) -> None:
        """These contents are this run's; `files` are sha256 by name."""
        self.run_id = run_id
        self._hold.note(run_id, flow_run.get_id() or "")
        self._ledger.take(self._study_name, run_id, files.values())


@contextmanager
def claimed(reports: Path, study_name: str) -> Iterator[Claim]:
    """Hold the study while a run goes on, and settle what it took by how the run ends.

    Interrupted or killed, the run leaves its note, or at least its entries, and the next one heals both.
    """
    ledger = Ledger(reports)
    with only_run(reports, study_name) as hold:
        if hold.left_behind:
            heal(ledger, hold.left_behind)
        claim = Claim(ledger, hold, study_name)
        try:
            yield claim
        except (DataRejected, SamplingFailed) as refused:  # the same files would end the same way again
            ledger.refuse(claim.run_id, str(refused))
            if isinstance(refused, DataRejected):
                say_rejected(study_name, claim.run_id, str(refused))
            raise
        except BaseException as failed:
            ledger.release(claim.run_id, f"{type(failed).__name__}: {failed}")
            raise
        ledger.count(claim.run_id)


def heal(ledger: Ledger, dead: RunningRun) -> None:
    """A run died: its files wait again, and Prefect, which would show it running for ever, is told."""
    ledger.release(dead.run_id, "the run's process died")
    if not dead.flow_run_id:
        return
    with get_client(sync_client=True) as client:
        try:
            known = client.read_flow_run(UUID(dead.flow_run_id))
        except (ObjectNotFound, ValueError):
            return  # another server's run, or one that has been deleted
        if known.state and known.state.type in (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING):
            client.set_flow_run_state(known.id, Crashed(message="The run's process died."), force=True)
