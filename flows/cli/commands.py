"""The commands and their options. Each imports what it needs when it is called, so that `--help` comes at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from typer.core import TyperGroup

from flows.cli.one_run import publish_report
from flows.server.quiet import keep_log
from flows.steps import stopping
from tasks.disk.atomic import explained, write_whole
from tasks.engines.engines import EngineName
from tasks.study.errors import PoolwiseError, StudyError
from tasks.study.plain_text import brief, listed


class Commands(TyperGroup):
    """Typer's commands; what it says of wrong usage is one line of at most 500 characters, without escape codes."""

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
Reports = Annotated[
    str, typer.Option("--out", metavar="DIR", help="The reports folder, or an address such as s3://bucket/reports.")
]
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
OrderOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(metavar="COLUMN", help="What rows of a group follow one another by, for a data file."),
]
FamilyOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--family", metavar="FAMILY", help="normal, binomial or poisson, for a data file."),
]
TrialsOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--trials", metavar="COLUMN", help="Trials of which the outcome counts the events, for a data file."),
]
ExposureOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--exposure", metavar="COLUMN", help="Exposure over which the outcome is a count, for a data file."),
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
DaskOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--dask", metavar="ADDRESS", help="Read new files on the Dask cluster at tcp://HOST:PORT."),
]


@app.command()
def run(
    study: Study,
    out: Reports = "reports",
    engine: Annotated[
        EngineName,
        typer.Option(
            help="Stan engine. auto: CmdStan where it is installed, else the embedded one; none from 2,000 groups on."
        ),
    ] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Publish again though data and study are unchanged.")] = False,
    open_report: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    standalone: Annotated[
        bool, typer.Option("--standalone", help="Also write the report as one file that can be mailed.")
    ] = False,
    pdf: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--pdf", metavar="FILE", help="Also print what is to be acted on, if there is a Chromium."),
    ] = None,
    outcome: OutcomeOption = None,
    group: GroupOption = None,
    predictor: PredictorsOption = None,
    order: OrderOption = None,
    family: FamilyOption = None,
    trials: TrialsOption = None,
    exposure: ExposureOption = None,
    max_rejected_share: MaxRejectedShareOption = None,
    settings: SettingsOption = None,
    dask: DaskOption = None,
) -> None:
    """Run a study and publish its report.

    STUDY is a folder with a study.toml. For a data file, name its columns instead:

        poolwise run visits.csv --outcome bounce_time --group county --predictor age

    Whatever else a study file can say, `--set` says for a data file: `--set decimal=,` or `--set rules.min_rows=10`.
    """
    from flows.cli import console
    from flows.cli.opening import Flags, open_study
    from tasks.opening.origin import under_its_name
    from tasks.opening.reports_folder import writable

    sizes = (family, trials, exposure)
    flags = Flags(outcome, group, predictor or (), max_rejected_share, settings or (), order, *sizes)
    asked = open_study(study, flags)
    folder = writable(out)
    opened = under_its_name(asked, folder)
    if opened.study.name != asked.study.name:
        console.err.say(f"{out} has another study {asked.study.name}, so this one is called {opened.study.name} there.")
    publish_report(opened, folder, engine, force, standalone, open_report, pdf, dask)


@app.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or Parquet file.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing study.toml.")] = False,
) -> None:
    """Draft a study.toml beside a data file, guessing group, outcome and predictors.

    Read it, correct the guesses, then `poolwise validate` and `poolwise run` its folder.
    """
    from flows.cli.console import out
    from tasks.drafting.draft import draft_study
    from tasks.opening.studies import STUDY_FILE

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
    order: OrderOption = None,
    family: FamilyOption = None,
    trials: TrialsOption = None,
    exposure: ExposureOption = None,
    max_rejected_share: MaxRejectedShareOption = None,
    settings: SettingsOption = None,
) -> None:
    """Check a study, its look and its rows, without fitting anything. Rejected rows are listed."""
    from flows.cli.console import show_rows
    from flows.cli.opening import Flags, open_study
    from tasks.look.trial import look_of
    from tasks.rows.collect import collect_afresh
    from tasks.study.schedules import refuse_ended

    sizes = (family, trials, exposure)
    flags = Flags(outcome, group, predictor or (), max_rejected_share, settings or (), order, *sizes)
    opened = open_study(study, flags)
    refuse_ended(opened.study.schedule, study)
    look_of(opened)
    show_rows(opened.study, collect_afresh(opened))


@app.command()
def reports(out: Reports = "reports") -> None:
    """List the published runs, newest first."""
    from flows.cli.console import show_runs
    from tasks.opening.reports_folder import readable
    from tasks.reports.catalogue import list_runs
    from tasks.reports.refresh import refresh

    folder = readable(out)
    refresh(folder)
    show_runs(list_runs(folder), folder)


@app.command()
def portfolio(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study's folder, or a folder of such folders.")],
    by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--by", metavar="COLUMN", help="One study per value of this column."),
    ] = None,
    out: Reports = "reports",
    engine: Annotated[EngineName, typer.Option(help="Stan engine, as for `run`.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Publish again what is unchanged, too.")] = False,
    at_once: Annotated[int, typer.Option(min=1, help="How many studies run at the same time, here.")] = 2,
    dask: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="ADDRESS", help="Run them on the workers of this Dask scheduler instead."),
    ] = None,
) -> None:
    """Run many studies, and show them side by side: one per sub-folder, or one per value of a column.

        poolwise portfolio data/visits --by region

    A study whose rows have not changed is not run again, so an interrupted portfolio goes on where it was. One that
    fails stops no other. The exit code is 0 if all have a report, else the largest of theirs.
    """
    from flows.cli.many_studies import run_portfolio
    from tasks.opening.reports_folder import place_of_reports, writable

    exit_code = run_portfolio(study, by, place_of_reports(writable(out)), engine, force, at_once, dask)
    if exit_code:
        raise typer.Exit(exit_code)


@app.command()
def serve(
    studies: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[STUDY]...", help="Studies' folders; default: every study under data/."),
    ] = None,
    out: Reports = "reports",
    engine: Annotated[EngineName, typer.Option(help="Stan engine, as for `run`.")] = "auto",
    at_once: Annotated[int, typer.Option(min=1, help="How many studies may run at the same time.")] = 2,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the catalogue listens, on this machine.")] = 8765,
    runner: Annotated[
        bool, typer.Option("--runner/--no-runner", help="Run studies here, or leave it to workers.")
    ] = True,
) -> None:
    """Run studies on their schedules and whenever new data arrive, and serve the catalogue of reports.

    Starts Prefect's server on this machine unless PREFECT_API_URL names one; the key to its pages is in the file that
    is printed. A study that cannot be read is reported, and the others go on. Drop files into a study's incoming
    folder; stop with Ctrl-C. Set POOLWISE_CATALOGUE_PASSWORD to ask readers for a password.
    """
    from flows.cli import console
    from flows.serve.serve import serve_studies
    from tasks.opening.reports_folder import writable
    from tasks.opening.studies_to_serve import folders_of

    reports = writable(out)
    folders = folders_of(studies, reports)
    stopping.leave_signals_alone()  # it has children to end in their order
    keep_log()
    console.err.say(("Poolwise", "bold"), "  starting to serve " + listed(folder.name for folder in folders))
    limit = at_once if runner else None
    serve_studies(folders, reports, engine, limit, port, console.show_addresses, console.show_trouble)
    console.err.say("Stopped.")


@app.command()
def deploy(
    studies: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[STUDY]...", help="Studies' folders; default: every study under data/."),
    ] = None,
    pool: Annotated[str, typer.Option(metavar="NAME", help="The work pool whose workers will run them.")] = "poolwise",
    out: Reports = "reports",
    engine: Annotated[EngineName, typer.Option(help="Stan engine, as for `run`.")] = "auto",
) -> None:
    """Register studies as Prefect deployments of a work pool, for those who run Prefect already.

    Needs PREFECT_API_URL. The workers need Poolwise installed, and run on the machine that holds the studies and the
    reports, or on several that share, by POOLWISE_DATABASE_URL, a database, and the reports: a
    mounted folder, or a store's address. Studies that cannot be
    registered are named, the others are registered, and the exit code is 2.
    """
    from flows.cli import console
    from flows.serve.deployments import register
    from flows.server.open_server import warn_of_open_server
    from tasks.opening.reports_folder import writable
    from tasks.opening.studies_to_serve import folders_of

    failed: list[Path] = []

    def tell(folder: Path, reason: str) -> None:
        failed.append(folder)
        console.show_trouble(f"{folder.name}: {reason}")

    reports = writable(out)
    for name in register(folders_of(studies, reports), pool, reports, engine, tell):
        console.out.say(f"Deployed     {name}")
    warn_of_open_server(console.show_trouble)
    console.out.say(f"Run them with: prefect worker start --pool {pool}")
    if failed:
        raise StudyError(f"Not deployed: {listed(folder.name for folder in failed)}. The reasons are given above.")
