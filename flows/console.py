"""What a person sees of a run on the terminal: its steps as they end, then the verdict and the report.

Progress goes to standard error, the result to standard output, so that a script can keep the one and
drop the other. Without a terminal there are the same lines, and no moving parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column, Table
from rich.text import Text

from tasks.run_folders import REPORT, STANDALONE
from tasks.stats.records import Status, Verdict
from tasks.view.catalogue import RunEntry

if TYPE_CHECKING:
    from flows.serve import Addresses

err = Console(stderr=True, highlight=False)
out = Console(highlight=False, soft_wrap=True)

STATUS_STYLE: dict[Status, str] = {"pass": "bold green", "review": "bold yellow", "fail": "bold red"}
WIDTH = 20


class Narrator:
    """Listens to a run: a line per step that has ended, one moving line for those going on."""

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
            err.print(f"  [green]✓[/] {step:<{WIDTH}}[dim]{seconds:6.2f} s[/]  {escape(found)}".rstrip())

    def _show(self, share: float | None = None) -> None:
        names = ", ".join(dict.fromkeys(self._going_on))
        self._progress.update(
            self._moving, description=f"{names:<{WIDTH}}", total=share and 1.0, completed=share or 0.0
        )


@contextmanager
def narrated(title: str) -> Iterator[Narrator]:
    """A heading, then the steps."""
    err.print(f"[bold]Poolwise[/]  {escape(title)}")
    moving = Progress(
        TextColumn(" "),
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        console=err,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not err.is_terminal,
    )
    with moving:
        yield Narrator(moving)


def show_verdict(verdict: Verdict) -> None:
    out.print()
    out.print(Text.assemble((verdict.status.upper(), STATUS_STYLE[verdict.status]), "  ", (verdict.headline, "bold")))
    if out.is_terminal:
        out.print(Padding(Text(verdict.reason), (0, 0, 0, 2)), soft_wrap=False)
    else:
        out.print(f"  {verdict.reason}", markup=False)
    out.print(f"\nRecommended  {escape(verdict.recommended_model)}")


def show_report(folder: Path, standalone: bool) -> None:
    out.print(f"Report       {escape(str(_short(folder / REPORT)))}")
    if standalone and (folder / STANDALONE).is_file():
        out.print(f"To mail      {escape(str(_short(folder / STANDALONE)))}")
    elif standalone:
        out.print("To mail      That report was published without a file to mail; add --force to publish one with it.")


def show_runs(runs: Sequence[RunEntry], reports: Path) -> None:
    """A table on a terminal, tab-separated lines elsewhere."""
    if not runs:
        out.print(f"No reports in {reports} yet. Make one with: poolwise run STUDY", markup=False)
        return
    cells = [(run.when, run.study, run.status, str(run.n_rows), run.headline, run.report) for run in runs]
    if not out.is_terminal:
        print("\n".join("\t".join(row) for row in cells))
        return
    table = Table("when (UTC)", "study", "verdict", Column("rows", justify="right"), "headline", box=SIMPLE)
    for when, study, status, rows, headline, report in cells:
        link = (reports / report).resolve().as_uri()
        table.add_row(
            when, escape(study), Text(status, STATUS_STYLE[status]), rows, f"[link={link}]{escape(headline)}[/]"
        )
    out.print(table)
    out.print(f"Catalogue    {escape(str(_short(reports / 'index.html')))}")


def show_addresses(addresses: Addresses) -> None:
    out.print(f"Catalogue    {addresses.catalogue}", markup=False)
    out.print(f"Prefect      {addresses.prefect}", markup=False)
    if addresses.key:
        out.print(f"Key          in {addresses.key}", markup=False)
    for folder in addresses.watched:
        out.print(f"Watching     {_short(folder)}", markup=False)
    out.print("Stop with Ctrl-C.")


def show_trouble(message: str) -> None:
    """Something that does not stop the command."""
    err.print(f"[bold yellow]Trouble[/]      {escape(message)}", soft_wrap=True)


def show_problem(message: str) -> None:
    err.print(f"[bold red]Stopped.[/] {escape(message)}", soft_wrap=True)


def _short(path: Path) -> Path:
    """Relative to where the user is, when it lies below."""
    path = path.resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
