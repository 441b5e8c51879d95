"""The command line. Exit codes: 0 report published, 2 bad usage or study file, 3 data rejected,
4 sampling failed, 1 anything else."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.core import TyperGroup

from flows import stopping
from flows.prefect_settings import is_prefect_configured
from flows.quiet import keep_log, set_defaults, survive_any_encoding
from flows.short_lived_server import ShortLivedServer, instead_of_prefects
from tasks.atomic import explained, refusal, write_whole
from tasks.engines import EngineName
from tasks.stats.errors import PoolwiseError, StudyError
from tasks.stats.plain_text import brief, listed

if TYPE_CHECKING:
    from flows.report import Outcome
    from flows.steps import Listener
    from tasks.studies import OpenedStudy

STARTED = time.perf_counter()
# Imported while Prefect's server comes up, rather than when first needed.
HEAVY_MODULES = ("pandera.pandas", "arviz_stats.base", "scipy.optimize", "jinja2", "xarray", "h5netcdf")


class Commands(TyperGroup):
    """Shows what was typed, when it is wrong, as one line without effects."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with _told_briefly():
            return super().make_context(*args, **kwargs)

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        with _told_briefly():
            return super().invoke(*args, **kwargs)


@contextmanager
def _told_briefly() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # Typer's own class of errors has no public name
        if not isinstance(error, PoolwiseError) and isinstance(getattr(error, "message", None), str):
            error.message = brief(error.message, 500)  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    cls=Commands,
    name="poolwise",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Pooling reports for grouped data: can partial pooling be trusted here, and what to use when it cannot?\n\n"
    "Start with `poolwise new FILE.csv`, which drafts a study beside your data, or try `poolwise run data/sleepstudy`.",
    epilog="Exit codes: 0 report published (findings included), 2 bad usage or study file, 3 data rejected, "
    "4 sampling failed, 1 anything else.",
)

Study = Annotated[str, typer.Argument(metavar="STUDY", help="A study's folder, its study.toml, or a data file.")]
Reports = Annotated[Path, typer.Option("--out", metavar="DIR", help="The reports folder.")]
OutcomeOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--outcome", metavar="COLUMN", help="Outcome, for a data file."),
]
GroupOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--group", metavar="COLUMN", help="Group, for a data file."),
]
PredictorsOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--predictor", metavar="COLUMN", help="Predictor, for a data file; may be repeated."),
]
MaxRejectedShareOption = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--max-rejected-share", metavar="SHARE", help="How many rows may be bad, for a data file; default: 0.05."
    ),
]
SettingsOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting of a study file, for a data file; may be repeated."),
]


@app.command()
def run(
    study: Study,
    out: Reports = Path("reports"),
    engine: Annotated[
        EngineName,
        typer.Option(help="Stan engine. auto: CmdStan where it is installed, else the embedded one."),
    ] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Publish again though data and study are unchanged.")] = False,
    open_report: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    standalone: Annotated[
        bool, typer.Option("--standalone", help="Also write the report as one file that can be mailed.")
    ] = False,
    outcome: OutcomeOption = None,
    group: GroupOption = None,
    predictor: PredictorsOption = None,
    max_rejected_share: MaxRejectedShareOption = None,
    settings: SettingsOption = None,
) -> None:
    """Run a study and publish its report.

    STUDY is a folder with a study.toml. For a data file, name its columns instead:

        poolwise run visits.csv --outcome bounce_time --group county --predictor age

    Whatever else a study file can say, `--set` says for a data file: `--set decimal=,` or `--set rules.min_rows=10`.
    """
    from flows import console
    from flows.opening import Flags, open_study
    from tasks.origin import under_its_name
    from tasks.reports_folder import writable

    flags = Flags(outcome, group, predictor or (), max_rejected_share, settings or ())
    asked = open_study(study, flags)
    opened = under_its_name(asked, writable(out))
    if opened.study.name != asked.study.name:
        console.err.say(f"{out} has another study {asked.study.name}, so this one is called {opened.study.name} there.")
    _publish_report(opened, out, engine, force, standalone, open_report)


@app.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or Parquet file.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing study.toml.")] = False,
) -> None:
    """Draft a study.toml beside a data file, guessing group, outcome and predictors.

    Read it, correct the guesses, then `poolwise validate` and `poolwise run` its folder.
    """
    from flows.console import out
    from tasks.draft import draft_study
    from tasks.studies import STUDY_FILE

    target = file.parent / STUDY_FILE
    text = draft_study(file)
    if target.exists() and not force:
        raise StudyError(
            f"{target} exists already. Use --force to overwrite it, or move {file} to a folder of its own."
        )
    with explained("write the study", file.parent):
        write_whole(target, text)
    out.say(f"Wrote {target}. Check its guesses, then: poolwise run {file.parent}")


@app.command()
def validate(
    study: Study,
    outcome: OutcomeOption = None,
    group: GroupOption = None,
    predictor: PredictorsOption = None,
    max_rejected_share: MaxRejectedShareOption = None,
    settings: SettingsOption = None,
) -> None:
    """Check a study, its look and its rows, without fitting anything. Rejected rows are listed."""
    from flows.console import show_rows
    from flows.opening import Flags, open_study
    from tasks.collect import collect_afresh
    from tasks.look_trial import look_of
    from tasks.schedules import refuse_ended

    opened = open_study(study, Flags(outcome, group, predictor or (), max_rejected_share, settings or ()))
    refuse_ended(opened.study.schedule, study)
    look_of(opened)
    show_rows(opened.study, collect_afresh(opened))


@app.command()
def reports(out: Reports = Path("reports")) -> None:
    """List the published runs, newest first."""
    from flows.console import show_runs
    from tasks.catalogue import list_runs
    from tasks.reports_folder import readable

    show_runs(list_runs(readable(out)), out)


@app.command()
def serve(
    studies: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[STUDY]...", help="Studies' folders; default: every study under data/."),
    ] = None,
    out: Reports = Path("reports"),
    engine: Annotated[EngineName, typer.Option(help="Stan engine, as for `run`.")] = "auto",
    at_once: Annotated[int, typer.Option(min=1, help="How many studies may run at the same time.")] = 2,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the catalogue listens, on this machine.")] = 8765,
) -> None:
    """Run studies on their schedules and whenever new data arrive, and serve the catalogue of reports.

    Starts Prefect's server on this machine unless PREFECT_API_URL names one; the key to its pages is in the file that
    is printed. A study that cannot be read is reported, and the others go on. Drop files into a study's incoming
    folder; stop with Ctrl-C. Set POOLWISE_CATALOGUE_PASSWORD to ask readers for a password.
    """
    from flows import console
    from flows.serve import serve_studies
    from tasks.reports_folder import writable
    from tasks.studies_to_serve import folders_of

    folders = folders_of(studies, writable(out))
    stopping.leave_signals_alone()  # it has children to end in their order
    keep_log()
    console.err.say(("Poolwise", "bold"), "  starting to serve " + listed(folder.name for folder in folders))
    serve_studies(folders, out, engine, at_once, port, console.show_addresses, console.show_trouble)
    console.err.say("Stopped.")


@app.command()
def deploy(
    studies: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[STUDY]...", help="Studies' folders; default: every study under data/."),
    ] = None,
    pool: Annotated[str, typer.Option(metavar="NAME", help="The work pool whose workers will run them.")] = "poolwise",
    out: Reports = Path("reports"),
    engine: Annotated[EngineName, typer.Option(help="Stan engine, as for `run`.")] = "auto",
) -> None:
    """Register studies as Prefect deployments of a work pool, for those who run Prefect already.

    Needs PREFECT_API_URL. The workers need Poolwise installed, and run on the machine that holds the studies and
    the reports: the ledger and the locks are files that only its processes can share. Studies that cannot be
    registered are named, the others are registered, and the exit code is 2.
    """
    from flows import console
    from flows.deployments import register
    from flows.open_server import warn_of_open_server
    from tasks.reports_folder import writable
    from tasks.studies_to_serve import folders_of

    failed: list[Path] = []

    def tell(folder: Path, reason: str) -> None:
        failed.append(folder)
        console.show_trouble(f"{folder.name}: {reason}")

    for name in register(folders_of(studies, writable(out)), pool, out, engine, tell):
        console.out.say(f"Deployed     {name}")
    warn_of_open_server(console.show_trouble)
    console.out.say(f"Run them with: prefect worker start --pool {pool}")
    if failed:
        raise StudyError(f"Not deployed: {listed(folder.name for folder in failed)}. The reasons are given above.")


def main() -> None:
    exit_code = command(sys.argv[1:])
    if stopping.is_requested():
        stopping.end_now(exit_code)
    sys.exit(exit_code)


def command(arguments: list[str]) -> int:
    """Run one command; errors meant for the user become one paragraph, every outcome an exit code.

    Refusals of the system that nobody explained before are explained here; whatever else is a mistake of ours.
    """
    survive_any_encoding()
    with stopping.stoppable():
        try:
            return _exit_code(arguments)
        except BaseException:
            if not stopping.is_requested():
                raise
            stopping.say()
            return 1


def _exit_code(arguments: list[str]) -> int:
    try:
        _require_a_place()
        set_defaults()
        app(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except PoolwiseError as problem:
        return _stopped(str(problem), problem.exit_code)
    except Exception as error:
        if stopping.is_requested():
            raise
        if isinstance(error, OSError):
            _kept_in_log(error)
            return _stopped(f"The system refused{f' {error.filename}' if error.filename else ''}: {refusal(error)}", 1)
        kept = _kept_in_log(error)
        where = f" The details are in {kept}." if kept else ""
        return _stopped(f"Something unexpected went wrong: {type(error).__name__}: {error}.{where}", 1)
    return 0


def _require_a_place() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise PoolwiseError("The folder you are in was deleted. Change to another one and run again.") from None


def _kept_in_log(error: Exception) -> Path | None:
    """The log's path, now that the traceback is in it."""
    kept = keep_log()
    logging.getLogger("poolwise").error("unexpected error", exc_info=error)
    return kept


def _publish_report(
    opened: OpenedStudy, out: Path, engine: EngineName, force: bool, standalone: bool, open_report: bool
) -> None:
    from flows import console
    from tasks.reports_layout import REPORT
    from tasks.run_folders import read_verdict

    with console.narrated(opened.study.title) as narrator:
        narrator.began("start")
        folder = None if force else _report_of_the_same(opened, out, narrator)
        is_new = False
        if folder is None:
            outcome = _run_flow(opened, out, engine, force, standalone, narrator)
            folder, is_new = outcome.folder, outcome.is_new
    console.show_verdict(read_verdict(folder))
    console.show_report(folder, standalone)
    if not is_new:
        console.out.say("Nothing has changed since this report was published. Use --force to publish another.")
    if open_report:
        webbrowser.open((folder / REPORT).resolve().as_uri())


def _report_of_the_same(opened: OpenedStudy, out: Path, listener: Listener) -> Path | None:
    """Asked first: a server takes seconds to start. Trouble is told by the flow, which knows whom to tell."""
    from tasks.unchanged import report_of_the_same

    try:
        folder = report_of_the_same(opened, out)
    except (PoolwiseError, OSError):
        return None
    if folder is not None and opened.study.notify.max_age_days is not None:
        from tasks.notify import age_in_days, in_words, notify_stale

        if told := notify_stale(opened, out, age_in_days(opened)):
            listener.ended("notify", 0.0, in_words(told))
    return folder


def _run_flow(
    opened: OpenedStudy, out: Path, engine: EngineName, force: bool, standalone: bool, listener: Listener
) -> Outcome:
    """With Prefect's server where PREFECT_API_URL names one, else with one that lives as long as the run."""
    own = None if is_prefect_configured() else ShortLivedServer()
    if own:
        own.announce()  # before Prefect reads it: its own threads have to know too
    for name in HEAVY_MODULES:
        importlib.import_module(name)
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.report import pooling_report
    from flows.steps import RunLog, logged

    keep_log()
    own = own or instead_of_prefects()
    if own:
        own.wait()
    # Joining the heartbeat's thread takes 0.9 s; without a lasting server nobody would miss a beat.
    settings = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None} if own else {}
    log = RunLog(listener, STARTED, server_lasts=own is None)
    with temporary_settings(settings), logged(log):
        return pooling_report(opened, out, engine, force, standalone)


def _stopped(message: str, exit_code: int) -> int:
    from flows.console import show_problem

    show_problem(message)
    return exit_code


if __name__ == "__main__":
    main()
