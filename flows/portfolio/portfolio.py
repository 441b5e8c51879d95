"""A portfolio: many studies, told in one place.

folder of studies, or one study ──split by a column──▶ a study per value ──map──▶ reports/<study>/<run>/ each
    ──▶ the catalogue, the portfolio's page, one table of how each ended
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from prefect import Flow, Task, task, unmapped
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, as_completed
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner

from flows.portfolio.member_run import Ended, run_member, run_member_on_worker
from flows.steps.cluster import cluster_at
from flows.steps.processes import MOST_DEATHS, ProcessDied, Processes, processes
from tasks.engines.engines import EngineName
from tasks.opening.origin import under_its_name
from tasks.opening.reports_folder import folder_of_reports, place_of_reports
from tasks.opening.studies import read_study
from tasks.opening.studies_elsewhere import found
from tasks.portfolio.member import Member, members_in, require_distinct
from tasks.portfolio.split import split_by
from tasks.reports.catalogue import rebuild_catalogue
from tasks.reports.portfolio_page import write_portfolio
from tasks.reports.refresh import refresh
from tasks.study.model import study_name
from tasks.view.words.text import markdown


class Watcher(Protocol):
    """Hears of the progress of a portfolio."""

    def splitting(self, share: float) -> None: ...

    def began(self, n_members: int, n_unassigned: int) -> None: ...

    def ended(self, one: Ended) -> None: ...


class NobodyWatches:
    def splitting(self, share: float) -> None:
        pass

    def began(self, n_members: int, n_unassigned: int) -> None:
        pass

    def ended(self, one: Ended) -> None:
        pass


_WATCHER: ContextVar[Watcher | None] = ContextVar("poolwise_portfolio_watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Inside of the block, portfolios tell this watcher."""
    token = _WATCHER.set(watcher)
    try:
        yield
    finally:
        _WATCHER.reset(token)


@dataclass(frozen=True)
class Portfolio:
    """How each study ended, by label, and the page that shows it."""

    name: str
    ended: tuple[Ended, ...]
    page: Path
    n_unassigned: int  # rows that belong to no study

    @property
    def exit_code(self) -> int:
        """0 if every study has a report, else the largest of theirs."""
        return max((each.exit_code for each in self.ended), default=0)


def name_of_this_run() -> str:
    asked = flow_run.get_parameters()
    return f"{Path(asked['study']).name}{' by ' + asked['by'] if asked.get('by') else ''}"


def run_studies(
    study: Path,
    by: str | None = None,
    reports: Path | str = "reports",
    engine: EngineName = "auto",
    force: bool = False,
    at_once: int = 2,
    on_cluster: bool = False,
) -> Portfolio:
    """Run each study of a folder, or one study for each value of the column `by`, and show them side by side.

    What has a report of the same rows is not run again, so an interrupted portfolio goes on where it was. Raises
    StudyError or another PoolwiseError when it cannot begin; what happens to one study is in the result.
    """
    watcher = _WATCHER.get() or NobodyWatches()
    folder = folder_of_reports(reports)
    name, title, members, n_unassigned = _members(found(study), by, folder, watcher.splitting)
    watcher.began(len(members), n_unassigned)
    place = place_of_reports(folder)
    if on_cluster:
        ended = _gathered(run_on_worker.map(members, *map(unmapped, (place, engine, force))), watcher)
    else:
        with processes(min(at_once, len(members))) as here:
            asked = map(unmapped, (here, place, engine, force))
            ended = _gathered(run_in_process.map(members, *asked), watcher)
    refresh(folder)
    page = write_portfolio(folder, name, title, [asdict(each) for each in ended])
    rebuild_catalogue(folder)
    _leave_table(name, title, ended)
    return Portfolio(name, tuple(ended), page, n_unassigned)


# The flow, and the task below, are of plain functions with names of their own, by which Dask sends them.
pooling_portfolio: Flow[..., Portfolio] = Flow(run_studies, name="pooling-portfolio", flow_run_name=name_of_this_run)


def with_runner(at_once: int, dask: str | None) -> Any:
    """The flow with what runs its studies: `at_once` processes here, or the workers of the Dask scheduler at `dask`.

    Raises PoolwiseError where Dask is not installed or its scheduler does not answer.
    """
    runner: Any = _on_dask(dask) if dask else ThreadPoolTaskRunner(max_workers=at_once)
    return pooling_portfolio.with_options(task_runner=runner)


def _on_dask(address: str) -> Any:
    with cluster_at(address):
        from prefect_dask import DaskTaskRunner
    return DaskTaskRunner(address=address)


def _members(
    study: Path, by: str | None, reports: Path, progress: Callable[[float], None]
) -> tuple[str, str, Sequence[Member], int]:
    """The portfolio's name and title, its studies, and how many rows belong to none."""
    if by is None:
        members, folder = members_in(study), study.resolve()
        require_distinct(members)
        return study_name(folder.name), f"Studies in {folder.name}", members, 0
    opened = under_its_name(read_study(study), reports)
    split = split_by(opened, by, reports, progress)
    require_distinct(split.members)
    return opened.study.name, f"{opened.study.title} By {by}", split.members, split.n_unassigned


def _gathered(futures: Sequence[PrefectFuture[Ended]], watcher: Watcher) -> list[Ended]:
    """What came of each study, by label, told as it comes."""
    ended = []
    for future in as_completed(list(futures)):
        one = future.result()
        watcher.ended(one)
        ended.append(one)
    return sorted(ended, key=lambda each: each.label)


def _leave_table(name: str, title: str, ended: Sequence[Ended]) -> None:
    rows = [
        {"study": each.label, "ended": each.how, "verdict": each.status or "", "why": each.headline or each.reason}
        for each in ended
    ]
    create_table_artifact(rows, key=f"portfolio-{name.replace('_', '-')}", description=markdown(title))


@task(name="study", task_run_name="{member.name}", cache_policy=NO_CACHE, persist_result=False)
def run_in_process(member: Member, here: Processes, reports: str, engine: EngineName, force: bool) -> Ended:
    try:
        return here.run(run_member, member, reports, engine, force)
    except ProcessDied:
        reason = f"The process that ran it ended by itself {MOST_DEATHS} times, as when memory runs out."
        return Ended(member.name, member.label, "failed", 1, reason=reason)


# Where a worker dies, Dask runs its study again on another.
run_on_worker: Task[..., Ended] = Task(
    run_member_on_worker, name="study", task_run_name="{member.name}", cache_policy=NO_CACHE, persist_result=False
)
