"""`poolwise portfolio`: a bar with the time left while the studies run, then what ended how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from flows.cli import console
from flows.cli.with_prefect import prefect_answering
from flows.server.quiet import keep_log
from tasks.disk.mirror import place_of
from tasks.engines.engines import EngineName
from tasks.study.plain_text import brief

if TYPE_CHECKING:
    from flows.portfolio.member_run import Ended
    from flows.portfolio.portfolio import Portfolio

MOST_LISTED = 40
LONGEST_REASON = 300


class Bar:
    """Tells a portfolio's progress on a terminal; elsewhere, a line for each study that has no report."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bar: TaskID = progress.add_task("reading", total=1.0)
        self._how: Counter[str] = Counter()

    def splitting(self, share: float) -> None:
        self._progress.update(self._bar, completed=share)

    def began(self, n_members: int, n_unassigned: int) -> None:
        self._progress.reset(self._bar, total=n_members, description="running")
        if n_unassigned:
            console.err.say(f"  {n_unassigned:,} rows belong to no study: no value, or a wrong number of fields.")

    def ended(self, one: Ended) -> None:
        self._how[one.how] += 1
        self._progress.update(self._bar, advance=1, description=_counted(self._how))
        if one.exit_code:
            console.err.say("  ", (one.label, "bold"), f"  {one.how}: {brief(one.reason, LONGEST_REASON)}")


@contextmanager
def _bar(title: str) -> Iterator[Bar]:
    console.err.say(("Poolwise", "bold"), f"  {title}")
    columns = (
        TextColumn("  {task.description}", markup=False),
        BarColumn(30),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    shown = Progress(*columns, console=console.err, transient=True, disable=not console.err.is_terminal)
    with shown:
        yield Bar(shown)


def run_portfolio(
    study: Path, by: str | None, reports: str, engine: EngineName, force: bool, at_once: int, dask: str | None
) -> int:
    """Run the portfolio and show how its studies ended; returns the exit code."""
    with prefect_answering():
        from flows.portfolio.portfolio import watched, with_runner

        keep_log()
        flow: Any = with_runner(at_once, dask)
        with _bar(f"a portfolio of {study}{f' by {by}' if by else ''}") as bar, watched(bar):
            portfolio: Portfolio = flow(study, by, reports, engine, force, at_once, dask is not None)
    _show(portfolio.ended)
    if portfolio.n_unassigned:
        console.out.say(f"{portfolio.n_unassigned:,} rows belong to no study.")
    console.out.say(f"Portfolio    {place_of(portfolio.page)}")
    return portfolio.exit_code


def _show(ended: Sequence[Ended]) -> None:
    """All studies, or where they are many, those without a report; then how many ended how."""
    listed = [each for each in ended if each.exit_code or len(ended) <= MOST_LISTED][:MOST_LISTED]
    console.show_cells(
        ("study", "ended", "verdict", "in a sentence"),
        [
            (each.label, each.how, each.status or "", brief(each.headline or each.reason, LONGEST_REASON))
            for each in listed
        ],
    )
    console.out.say(f"{len(ended):,} studies: {_counted(Counter(each.how for each in ended))}")


def _counted(how: Counter[str]) -> str:
    return ", ".join(f"{n:,} {word}" for word, n in how.most_common())
