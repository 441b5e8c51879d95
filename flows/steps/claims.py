"""A run's claim on a study: nobody else runs it meanwhile, and the intake ledger knows what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flows.steps.binding import run_log
from flows.steps.stopping import will_publish
from tasks.disk.leftovers import undone_if_cut_short
from tasks.reports.holding import Hold, RunningRun
from tasks.reports.ledger import Ledger
from tasks.reports.refresh import refresh_held
from tasks.reports.run_lock import only_run
from tasks.study.errors import DataRejected, SamplingFailed


class Claim:
    """The files that a run has taken from the ledger. Exactly one `settle…` is called when the run ends."""

    def __init__(self, ledger: Ledger, hold: Hold, folder: Path) -> None:
        self._ledger, self._hold, self._folder = ledger, hold, folder
        self.run_id = ""

    def take(self, run_id: str, files: Mapping[str, str]) -> None:
        """Note that this run reads these contents; `files` are sha256 by name."""
        self.run_id = run_id
        self._hold.note(run_id, _id_of_this_run())
        self._ledger.take(self._folder.name, run_id, files.values())
        will_publish(self._folder / run_id)

    def require(self) -> None:
        """Raises PoolwiseError if another process has taken over the study; nothing may be published then."""
        self._hold.require()

    def settle(self) -> None:
        """Count what the run took: its report is published, or one of the same data was already there."""
        self._ledger.count(self.run_id)

    def settle_refused(self, refused: DataRejected | SamplingFailed) -> None:
        """Refuse what the run took: the same files would end the same way again."""
        self._ledger.refuse(self.run_id, str(refused))
        if isinstance(refused, DataRejected) and run_log().is_flow_run:
            from flows.steps.events import say_rejected

            say_rejected(self._folder.name, self.run_id, str(refused))

    def settle_interrupted(self, reason: str = "interrupted") -> None:
        """Let what the run took wait again, unless its report has been published: then count it."""
        if self.run_id and (self._folder / self.run_id).is_dir():
            self._ledger.count(self.run_id)
        else:
            self._ledger.release(self.run_id, reason)


@contextmanager
def claimed(reports: Path, study_name: str) -> Iterator[Claim]:
    """Hold the study while the block lasts, and settle what it took by how the block ends.

    A run that was killed leaves its note and its ledger entries; the next run, or intake, lets its files wait again.
    """
    ledger = Ledger(reports)
    with only_run(reports, study_name) as hold:
        if hold.left_behind:
            heal(ledger, hold.left_behind)
        refresh_held(reports, study_name)
        claim = Claim(ledger, hold, reports / study_name)
        # Undone newest first, so the note goes last: if time runs out before, the next run cleans up by it.
        with _marked_if_cut_short(), undone_if_cut_short(claim.settle_interrupted), _settled(claim):
            yield claim


@contextmanager
def _settled(claim: Claim) -> Iterator[None]:
    """Settle the claim by the exception with which the block ends, if any, and raise it again."""
    try:
        yield
    except (DataRejected, SamplingFailed) as refused:
        claim.settle_refused(refused)
        raise
    except BaseException as failed:
        claim.settle_interrupted(f"{type(failed).__name__}: {failed}")
        raise
    claim.settle()


@contextmanager
def _marked_if_cut_short() -> Iterator[None]:
    """Have Prefect mark the flow run as crashed if the process has to end inside of the block."""
    flow_run_id = _id_of_this_run()
    if not flow_run_id:
        yield
        return
    with undone_if_cut_short(lambda: _mark_crashed(flow_run_id, "The run was interrupted.")):
        yield


def heal(ledger: Ledger, dead: RunningRun) -> None:
    """Clean up after a run whose process died: let its files wait again, and mark it as crashed in Prefect.

    A run that does without Prefect leaves the marking to Prefect.
    """
    ledger.release(dead.run_id, "the run's process died")
    if dead.flow_run_id and run_log().is_flow_run:
        _mark_crashed(dead.flow_run_id, "The run's process died.")


def _id_of_this_run() -> str:
    """Prefect's id of it; empty if it is no flow run."""
    if not run_log().is_flow_run:
        return ""
    from flows.steps import in_prefect

    return in_prefect.id_of_this_run()


def _mark_crashed(flow_run_id: str, why: str) -> None:
    from flows.steps import in_prefect

    in_prefect.mark_crashed(flow_run_id, why)
