"""One study of a portfolio, from its files to its report, in whichever process it falls to."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Literal

from tasks.engines.engines import EngineName
from tasks.portfolio.member import Member
from tasks.stats.records import VerdictStatus
from tasks.study.errors import DataRejected, PoolwiseError, SamplingFailed, StudyError

log = logging.getLogger("poolwise")

How = Literal["published", "unchanged", "wrong study", "data rejected", "sampling failed", "failed"]
HOW: dict[type[PoolwiseError], How] = {
    StudyError: "wrong study",
    DataRejected: "data rejected",
    SamplingFailed: "sampling failed",
}


@dataclass(frozen=True)
class Ended:
    """How the run of one study ended; `reason` is empty when there is a report."""

    name: str
    label: str
    how: How
    exit_code: int = 0
    run_id: str = ""
    status: VerdictStatus | None = None
    headline: str = ""
    reason: str = ""
    seconds: float = 0.0


def run_member(member: Member, reports: str, engine: EngineName, force: bool) -> Ended:
    """Run the study, unless its newest report is of the same rows. Raises nothing: what stops one stops no other."""
    began = time.perf_counter()
    try:
        ended = _reported(member, reports, engine, force)
    except PoolwiseError as error:
        how: How = next((how for kind, how in HOW.items() if isinstance(error, kind)), "failed")
        ended = Ended(member.name, member.label, how, error.exit_code, reason=str(error))
    except Exception as error:
        log.exception("unexpected error in the study %s", member.name)
        ended = Ended(member.name, member.label, "failed", 1, reason=f"{type(error).__name__}: {error}")
    return Ended(**{**vars(ended), "seconds": time.perf_counter() - began})


def run_member_on_worker(member: Member, reports: str, engine: EngineName, force: bool) -> Ended:
    """The same on a worker of Dask, which xarray must not take for where its own arrays are."""
    import dask

    with dask.config.set(scheduler="synchronous"):
        return run_member(member, reports, engine, force)


def _reported(member: Member, reports: str, engine: EngineName, force: bool) -> Ended:
    from flows.pipeline import report
    from flows.steps.binding import RunLog, logged
    from tasks.opening.origin import under_its_name
    from tasks.opening.reports_folder import folder_of_reports

    folder = folder_of_reports(reports)
    with logged(RunLog(is_flow_run=False, one_of_many=True)):
        outcome = report(under_its_name(member.open(), folder), folder, engine, force)
    return Ended(
        outcome.folder.parent.name,
        member.label,
        "published" if outcome.is_new else "unchanged",
        run_id=outcome.folder.name,
        status=outcome.verdict.status,
        headline=outcome.verdict.headline,
    )
