"""Whole run folders with their catalogue, made by the functions of a flow in its order, without Prefect's server.

<folder>/reports/<study>/<run>/    report.html, report-standalone.html, summary.json, estimates.csv, …
<folder>/reports/index.html        the catalogue
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flows.families import analysis_of
from flows.steps import of_a_normal_outcome as normal
from flows.steps import of_a_report as steps
from flows.steps.analysis import Analysis
from flows.steps.binding import RunLog, logged
from tasks.notify.notify import age_in_days
from tasks.opening.studies import OpenedStudy, read_study
from tasks.reports.run_record import open_run, with_rows
from tasks.rows.collect import Collected
from tasks.study.model import Study
from tasks.study.run import RunRecord
from tasks.study.toml_text import toml_text
from tasks.view.context import context_of
from tests.around_the_fit import FEW_DRAWS, WIDE_LIMITS, around_the_fit
from tests.factories import HOSTILE_LABELS
from tests.posteriors import fits_of

BUNDLED = Path(__file__).parent.parent / "data"
HOSTILE_TITLE = "</title><script>alert('title')</script> <b>bold</b> {{ 7 * 7 }} عنوان 🏥"
HOSTILE_OUTCOME = "<i>y</i> %{x} $z$"
HOSTILE_CELL = "</td><script>alert('cell')</script>"
HOSTILE_FILE = "<svg onload=alert(3)>.csv"


def publish_bundled(name: str, reports: Path) -> Path:
    """The run folder of one of the studies in `data/`, sampled by Stan as always."""
    return publish_run(read_study(BUNDLED / name), reports)


def publish_many(folder: Path, reports: Path, n_groups: int = 10_000) -> Path:
    """A study of many groups. Sampling takes Stan half a minute: few draws of the parameters are made up around the
    REML fit, and everything that follows from them is made as always."""
    rng = np.random.default_rng(3)
    sizes = np.maximum(2, rng.lognormal(2.2, 0.9, n_groups).astype(int))
    group = np.repeat(np.arange(n_groups), sizes)
    age = rng.normal(40, 10, group.size)
    level, slope = rng.normal(100, 5, n_groups), rng.normal(0.5, 0.3, n_groups)
    waiting = level[group] + slope[group] * (age - 40) + rng.normal(0, 8, group.size)
    labels = np.array([f"clinic {number:05d}" for number in range(n_groups)])
    frame = pd.DataFrame({"clinic": labels[group], "age": age.round(2), "waiting_time": waiting.round(3)})
    opened = write_study(
        folder,
        {"many.csv": frame},
        title="Do clinics differ in waiting time?",
        outcome="waiting_time",
        outcome_unit="min",
        group="clinic",
        predictors=["age"],
        predictor_units={"age": "years"},
        sampler=FEW_DRAWS,
        thresholds=WIDE_LIMITS,
    )
    return publish_run(opened, reports, stan=False)


def publish_flat(folder: Path, reports: Path) -> Path:
    """A study without a predictor: twelve wards of different size."""
    rng = np.random.default_rng(11)
    sizes = np.array([4, 6, 9, 12, 15, 20, 25, 30, 40, 50, 60, 80])
    group = np.repeat(np.arange(sizes.size), sizes)
    stay = 6 + rng.normal(0, 0.8, sizes.size)[group] + rng.normal(0, 2, group.size)
    rows = {"stay.csv": pd.DataFrame({"ward": [f"ward {each + 1}" for each in group], "stay": stay.round(2)})}
    words = {"title": "Do wards differ in length of stay?", "outcome": "stay", "outcome_unit": "days", "group": "ward"}
    return publish_run(write_study(folder, rows, **words), reports)


def publish_hostile(folder: Path, reports: Path) -> Path:
    """Labels, names, cells and a title that would break a page which trusts them; the second run of its study."""
    opened = write_study(
        folder,
        {HOSTILE_FILE: _hostile_rows(seed=5)},
        title=HOSTILE_TITLE,
        outcome=HOSTILE_OUTCOME,
        outcome_unit="<s>",
        group="<u>place</u>",
        predictors=["age"],
        predictor_units={"age": "<i>years</i>"},
        rules={"max_rejected_share": 0.2},
    )
    publish_run(opened, reports)
    _hostile_rows(seed=6).to_csv(folder / f"2 {HOSTILE_FILE}", index=False)
    return publish_run(opened, reports)


def _hostile_rows(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(HOSTILE_LABELS)), 20)
    age = rng.normal(40, 10, group.size)
    outcome = 100 + 12 * np.cos(group) + 0.5 * (age - 40) + rng.normal(0, 8, group.size)
    rows = pd.DataFrame({"<u>place</u>": np.array(HOSTILE_LABELS)[group], "age": age, HOSTILE_OUTCOME: outcome})
    bad = rows.head(2).assign(age=HOSTILE_CELL)
    return pd.concat([rows.astype(str), bad.astype(str)])


def write_study(folder: Path, files: Mapping[str, pd.DataFrame], **keys: Any) -> OpenedStudy:
    """A study's folder on disk, opened."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        rows.to_csv(folder / name, index=False)
    (folder / "study.toml").write_text(toml_text({"source": "*.csv", **keys}), "utf-8")
    return read_study(folder)


def publish_run(opened: OpenedStudy, reports: Path, *, stan: bool = True) -> Path:
    """What `flows.pipeline` does; returns the run folder, which also has the report as one file."""
    with logged(RunLog(is_flow_run=False)):
        return _published(opened, reports, stan=stan)


def _published(opened: OpenedStudy, reports: Path, *, stan: bool) -> Path:
    study, files = opened.study, steps.identified(opened, reports)
    run, age = open_run(study, files), age_in_days(opened)
    previous = steps.previous_report(reports, study.name)
    rows = steps.collected_or_kept(steps.files_read(opened, files, reports), opened, reports, run.id, previous)
    study = rows.study(study)
    analysis = analysis_of(study)("auto", study, rows, run, age) if stan else _made_up(study, rows, run, age)
    context = steps.looked_back(reports, replace(opened, study=study), analysis, rows, previous)
    return steps.published(reports, study, run.id, steps.written(context, standalone=True, look=None))


def _made_up(study: Study, rows: Collected, run: RunRecord, age: float | None) -> Analysis:
    """The normal family's analysis, of a posterior around its REML fit."""
    products, scaling = normal.scaled(rows.products)
    fits = fits_of(study, products, scaling)
    screening = normal.screened(study, rows, products, scaling, fits, run.seed)
    posterior = around_the_fit(study, products, scaling, fits, run.seed)
    run = with_rows(run, rows, posterior.engine, "")
    findings = normal.found(study, run, rows, age, products, scaling, fits, posterior, screening, None)
    return Analysis(findings, posterior.draws, None, context_of)
