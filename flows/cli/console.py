"""What a person sees of a run on the terminal: its steps as they end, then the verdict and the report.

Progress goes to standard error, the result to standard output, so that a script can keep the one and
drop the other. Without a terminal there are the same lines, and no moving parts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.segment import Segment, Segments
from rich.table import Column, Table
from rich.text import Text

from tasks.disk.layout import REPORT, STANDALONE, catalogue_page
from tasks.disk.mirror import place_of
from tasks.stats.past.earlier import ReportedVerdict
from tasks.stats.records import VerdictStatus
from tasks.study.addresses import is_remote
from tasks.study.plain_text import brief, shown, visible
from tasks.view.catalogue.catalogue import RunEntry

if TYPE_CHECKING:
    from flows.serve.serve import Addresses
    from tasks.rows.collect import Collected
    from tasks.stats.fits.cells import Cells
    from tasks.study.model import Study


class Terminal(Console):
    """A console that prints texts as they are, without markup. When its reader is gone it falls silent."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **settings)

    def say(self, *parts: str | tuple[str, str], soft_wrap: bool | None = None) -> None:
        """Print one line of texts; a pair is a text and its style. Control characters and line ends are spelled out."""
        self.print(line(*parts), soft_wrap=soft_wrap)

    def on_broken_pipe(self) -> None:
        self.quiet = True
        with suppress(OSError, ValueError):  # what is still buffered would fail again when the process ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def line(*parts: str | tuple[str, str]) -> Text:
    """Texts, and pairs of a text and its style, as one line whose control characters are spelled out."""
    styled = (part if isinstance(part, tuple) else (part, "") for part in parts)
    return Text.assemble(*((visible(text), style) for text, style in styled))


err = Terminal(stderr=True)
out = Terminal(soft_wrap=True)

STATUS_STYLE: dict[VerdictStatus, str] = {"trust": "bold green", "use": "bold yellow", "none": "bold red"}
WIDTH = 20
MOST_REJECTIONS = 20
MOST_CHARACTERS = 2000  # of a problem


class Narrator:
    """Listens to a run: prints a line per step that has ended, and one moving line for the steps going on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._moving = progress.add_task("", total=None)
        self._going_on: list[str] = []
        self._lock = Lock()

    def began(self, step: str) -> None:
        with self._lock:
            self._going_on.append(step)
            self._show()

    def advanced(self, step: str, share: float) -> None:
        with self._lock:
            self._show(share)

    def ended(self, step: str, seconds: float, found: str) -> None:
        with self._lock:
            if step in self._going_on:
                self._going_on.remove(step)
            self._show()
            tick = "✓" if err.encoding.startswith("utf") else "+"
            words = (f"  {found}",) if found else ()
            err.say("  ", (tick, "green"), f" {step:<{WIDTH}}", (f"{seconds:6.2f} s", "dim"), *words)

    def _show(self, share: float | None = None) -> None:
        names = ", ".join(dict.fromkeys(self._going_on))
        self._progress.update(
            self._moving, description=f"{names:<{WIDTH}}", total=share and 1.0, completed=share or 0.0
        )


@contextmanager
def narrated(title: str) -> Iterator[Narrator]:
    """Print a heading; inside of the block the narrator shows the run's steps."""
    err.say(("Poolwise", "bold"), f"  {title}")
    moving = Progress(
        TextColumn(" "),
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        console=err,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not err.is_terminal,
    )
    with moving:
        yield Narrator(moving)


def show_verdict(verdict: ReportedVerdict) -> None:
    out.say()
    out.say((verdict.headline, STATUS_STYLE[verdict.status]))
    if out.is_terminal:
        out.print(Padding(line(verdict.reason), (0, 0, 0, 2)), soft_wrap=False)
    else:
        out.say(f"  {verdict.reason}")
    out.say()
    if verdict.status != "none":
        out.say(f"Recommended  {verdict.recommended_model}")


def show_report(folder: Path, standalone: bool) -> None:
    out.say(f"Report       {_short(folder / REPORT)}")
    if standalone and (folder / STANDALONE).is_file():
        out.say(f"To mail      {_short(folder / STANDALONE)}")
    elif standalone:
        out.say("To mail      That report was published without a file to mail; add --force to publish one with it.")


def show_rows(study: Study, rows: Collected) -> None:
    """Print files set aside, the first rejected rows, what to look at, and how many rows can be used."""
    from tasks.stats.rows.data_findings import findings_of_rows, judge_rows  # heavy, and wanted here only
    from tasks.view.checks import row_checks_of
    from tasks.view.row_context import RowContext

    set_aside = [each for each in rows.rejections if not each.row]
    rejected = [each for each in rows.rejections if each.row]
    for each in set_aside[:MOST_REJECTIONS]:
        out.say(f"{each.file}: {each.rule}")
    for each in rejected[:MOST_REJECTIONS]:
        found = f"{brief(each.column)} = {shown(each.value)}"
        out.say(f"{each.file}, row {each.row}: {found} ({each.rule})")
    more = sum(max(len(found) - MOST_REJECTIONS, 0) for found in (set_aside, rejected))
    if more:
        out.say(f"... and {more:,} more")
    known = findings_of_rows(rows.products, rows.n_rejected, rows.notes)
    for check in row_checks_of(RowContext(rows.study(study), known), judge_rows(known, study)):
        is_news = check.status != "pass" or check.kind == "fixed"
        if is_news or (rows.n_copies and check.kind == "copied_rows"):
            out.say(" ".join(filter(None, [check.message, check.advice])))
    if rows.notes.hint:
        out.say(rows.notes.hint)
    n_read = rows.n_rows + rows.n_rejected
    counted = f": {_counted(rows.cells, study)}" if rows.cells else ""
    out.say(f"{study.name}: {rows.n_rows:,} of {n_read:,} rows can be used, in {rows.n_groups:,} groups{counted}.")


def _counted(cells: Cells, study: Study) -> str:
    """What a counted outcome comes to: `43 events of 585 trials`."""
    events, size = f"{cells.events.sum():,.15g} events", f"{cells.size.sum():,.15g}"
    if study.family == "binomial":
        return f"{events} of {size} {brief(study.rates.of) or 'trials'}"
    return f"{events} over an exposure of {size}" if study.exposure else events


def show_runs(runs: Sequence[RunEntry], reports: Path) -> None:
    """Print a table on a terminal, tab-separated lines elsewhere."""
    if not runs:
        out.say(f"No reports in {reports} yet. Make one with: poolwise run STUDY")
        return
    cells = [(run.when, run.study, run.status, str(run.n_rows), run.headline, run.report) for run in runs]
    if not out.is_terminal:
        for row in cells:
            out.print(Segments([Segment("\t".join(map(visible, row)) + "\n")]), end="")
        return
    table = Table("when (UTC)", "study", "verdict", Column("rows", justify="right"), "headline", box=SIMPLE)
    for when, study, status, rows, headline, report in cells:
        link = _link(reports / report)
        words = line((headline, f"link {link}"))
        table.add_row(line(when), line(study), line((status, STATUS_STYLE[status])), rows, words)
    out.print(table)
    out.say(f"Catalogue    {_short(catalogue_page(reports))}")


def show_cells(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on a terminal, tab-separated lines elsewhere."""
    if not out.is_terminal:
        for row in rows:
            out.print(Segments([Segment("\t".join(map(visible, row)) + "\n")]), end="")
        return
    table = Table(*heads, box=SIMPLE)
    for row in rows:
        table.add_row(*map(line, row))
    if rows:
        out.print(table)


def show_addresses(addresses: Addresses) -> None:
    out.say(f"Catalogue    {addresses.catalogue}")
    out.say(f"Prefect      {addresses.prefect}")
    if addresses.key:
        out.say(f"Key          in {addresses.key}")
    for folder in addresses.watched:
        out.say(f"Watching     {_short(folder)}")
    out.say("Stop with Ctrl-C.")


def show_trouble(message: str) -> None:
    """Print a problem that does not stop the command."""
    err.say(("Trouble", "bold yellow"), "      ", brief(message, MOST_CHARACTERS), soft_wrap=True)


def show_problem(message: str) -> None:
    """Print the problem that stopped the command."""
    err.say(("Stopped.", "bold red"), " ", brief(message, MOST_CHARACTERS), soft_wrap=True)


def _link(path: Path) -> str:
    place = place_of(path)
    return place if is_remote(place) else Path(place).as_uri()


def _short(path: Path) -> str:
    """The path relative to the working directory if it lies below that, else where people find it."""
    whole = path.resolve()
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else place_of(path)
