"""The report's steps: plain functions bound as Prefect tasks, with a line on what each found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from prefect.artifacts import create_markdown_artifact
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture
from prefect.utilities.urls import url_for

from flows.steps import run_log, step, timed
from tasks.atomic import encoded
from tasks.catalogue import rebuild_catalogue
from tasks.engines import EngineName, engine_named
from tasks.load import hash_files, load_rows
from tasks.posterior import write_posterior
from tasks.publish import keep_rejections, plotly_script
from tasks.publish import publish as publish_files
from tasks.render import render_report
from tasks.run_folders import REPORT, STANDALONE
from tasks.sample import sample_posterior
from tasks.stats.checks import FLAVOUR_WORDS
from tasks.stats.cross_products import ModelCrossProducts, centre_scaled, cross_products, scaling_of
from tasks.stats.errors import DataRejected
from tasks.stats.findings import LeastSquaresFits, Posterior, find
from tasks.stats.partial_pooling import partial_pooling
from tasks.stats.pooling import complete_pooling, no_pooling
from tasks.stats.records import (
    CompletePooling,
    Findings,
    Flavour,
    GroupedData,
    NoPooling,
    PartialPooling,
    PosteriorDraws,
    Scaling,
    Verdict,
)
from tasks.stats.study import Study
from tasks.studies import OpenedStudy
from tasks.validate import Validated, rejections_frame, validate_rows
from tasks.view.estimates import estimates_csv
from tasks.view.page import build_page
from tasks.view.summary import summary_json, summary_of

FilesOfRun = Mapping[str, str | Callable[[Path], object]]


def begin() -> None:
    run_log().began_running()


def validate_or_keep(
    frame: pd.DataFrame, study: Study, sha256: Mapping[str, str], reports: Path, run_id: str
) -> Validated:
    """Validate; when that stops the run, the rejected rows are on disk all the same."""
    try:
        return validate_rows(frame, study, sha256)
    except DataRejected as stopped:
        if not stopped.rejections:
            raise
        path = keep_rejections(reports, study.name, run_id, rejections_csv(stopped.rejections))
        raise DataRejected(f"{stopped} The rejected rows are in {path}.", stopped.rejections) from None


def rejections_csv(rejections: Any) -> str:
    return rejections_frame(rejections).to_csv(index=False, lineterminator="\n")


def reduced(data: GroupedData) -> tuple[ModelCrossProducts, Scaling]:
    """Rows to per-group sums; from here on everything but the checks on rows costs O(J)."""
    products = cross_products(data)
    scaling = scaling_of(products)
    return centre_scaled(products, scaling), scaling


def sampled(engine: EngineName, study: Study, products: ModelCrossProducts, scaling: Scaling, seed: int) -> Posterior:
    chosen = engine_named(engine)
    listener = run_log().listener
    draws, attempts = sample_posterior(
        chosen, study, products, scaling, seed, lambda share: listener.advanced("sample", share)
    )
    return Posterior(draws, attempts, chosen.name)


def gather(
    complete: PrefectFuture[CompletePooling],
    separate: PrefectFuture[NoPooling],
    partial: Mapping[Flavour, PrefectFuture[PartialPooling]],
) -> LeastSquaresFits:
    """Wait for the fits that went on side by side."""
    return LeastSquaresFits(complete.result(), separate.result(), {name: fit.result() for name, fit in partial.items()})


def written(
    opened: OpenedStudy, findings: Findings, rows: Validated, draws: PosteriorDraws, standalone: bool
) -> FilesOfRun:
    """What the run folder will hold, by file name. The summary comes last: it says how long the rest took."""
    study, log = opened.study, run_log()
    findings = replace(findings, timings=log.seconds())
    page = build_page(study, findings, rows.data, draws, rows.rejections, study_text=opened.text)

    def posterior(path: Path) -> None:
        with timed("store posterior", log):
            write_posterior(path, draws, study, findings, rows.data)

    def summary(path: Path) -> None:
        path.write_bytes(encoded(summary_json(summary_of(study, replace(findings, timings=log.seconds())))))

    return {
        "study.toml": opened.text,
        REPORT: render_report(page, f"../../{plotly_script()}"),
        **({STANDALONE: render_report(page, "", standalone=True)} if standalone else {}),
        "estimates.csv": estimates_csv(study, findings),
        **({"rejected.csv": rejections_csv(rows.rejections)} if rows.rejections else {}),
        "posterior.nc": posterior,
        "summary.json": summary,
    }


def published(reports: Path, study: Study, run_id: str, files: FilesOfRun) -> Path:
    folder = publish_files(reports, study.name, run_id, files)
    rebuild_catalogue(reports)
    return folder


def link_of_this_run() -> str:
    """The run's page in Prefect's UI; empty when the server lives only as long as the run."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or not run_log().server_lasts:
        return ""
    return url_for(context.flow_run) or ""


def leave_link(study: Study, verdict: Verdict, folder: Path) -> None:
    """An artifact on the run's page in Prefect's UI. Paths are text: the UI strips file addresses."""
    create_markdown_artifact(
        key=f"report-{study.name.replace('_', '-')}",
        description=verdict.headline,
        markdown=f"# {verdict.status.upper()}: {verdict.headline}\n\n{verdict.reason}\n\n"
        f"Report: `{(folder / 'report.html').resolve()}`\n\nRecommended: `{verdict.recommended_model}`\n",
    )


def _rows_found(rows: Validated) -> str:
    rejected = f", {rows.n_rejected:,} rejected" if rows.n_rejected else ", none rejected"
    return f"{rows.data.n_rows:,} rows in {rows.data.n_groups:,} groups{rejected}"


def _fit_found(fit: PartialPooling) -> str:
    ended = "regular" if fit.converged else "not converged"
    return f"{FLAVOUR_WORDS[fit.flavour]}: {'singular' if fit.is_singular else ended}"


def _posterior_found(posterior: Posterior) -> str:
    last = posterior.attempts[-1]
    again = f", attempt {len(posterior.attempts)}" if len(posterior.attempts) > 1 else ""
    return f"{last.chains} x {last.draws:,} draws, R-hat {last.diagnostics.rhat_max:.3f}{again}"


def _findings_found(findings: Findings) -> str:
    counts = {s: sum(check.status == s for check in findings.checks) for s in ("pass", "review", "fail")}
    return ", ".join(f"{n} {status}" for status, n in counts.items() if n)


identify_files = step(hash_files, "find files", lambda found: f"{len(found)} file{'s'[: len(found) != 1]}", disk=True)
load = step(load_rows, "load", lambda frame: f"{len(frame):,} rows", disk=True)
validate = step(validate_or_keep, "validate", _rows_found, disk=True)
reduce = step(reduced, "reduce")
fit_complete_pooling = step(complete_pooling, "complete pooling")
fit_no_pooling = step(no_pooling, "no pooling")
fit_partial_pooling = step(partial_pooling, "partial pooling", _fit_found)
sample = step(sampled, "sample", _posterior_found)
check = step(find, "check", _findings_found)
write = step(written, "write")
publish = step(published, "publish", disk=True)
