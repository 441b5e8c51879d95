"""Whole run folders with their catalogue, made by the functions of a flow in its order, without Prefect's server.

<folder>/reports/<study>/<run>/    report.html, report-standalone.html, summary.json, estimates.csv, …
<folder>/reports/index.html        the catalogue
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flows.steps import of_a_report as steps
from tasks.engines.sample import sample_posterior
from tasks.notify.notify import age_in_days
from tasks.opening.studies import OpenedStudy, read_study
from tasks.reports.run_record import open_run, with_rows
from tasks.stats.findings import LeastSquaresFits, Posterior
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.fits.pooling import complete_pooling, no_pooling
from tasks.stats.records import Floats, PartialPooling, Scaling
from tasks.stats.rows.usable_varying import with_usable_varying
from tasks.study.model import Study
from tasks.study.settings import SamplerSettings
from tasks.study.toml_text import toml_text
from tests.factories import HOSTILE_LABELS

BUNDLED = Path(__file__).parent.parent / "data"
HOSTILE_TITLE = "</title><script>alert('title')</script> <b>bold</b> {{ 7 * 7 }} عنوان 🏥"
HOSTILE_OUTCOME = "<i>y</i> %{x} $z$"
HOSTILE_CELL = "</td><script>alert('cell')</script>"
HOSTILE_FILE = "<svg onload=alert(3)>.csv"


def publish_bundled(name: str, reports: Path) -> Path:
    """The run folder of one of the studies in `data/`, sampled by Stan as always."""
    return publish_run(read_study(BUNDLED / name), reports)


def publish_many(folder: Path, reports: Path, n_groups: int = 10_000) -> Path:
    """A study of many groups. Sampling takes Stan half a minute: the parameters' draws, a quarter of the usual number,
    are made up around the REML fit, and everything that follows from them is made as always."""
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
        sampler={"draws": 250},
    )
    return publish_run(opened, reports, stan=False)


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
    """What `flows.report` does; returns the run folder, which also has the report as one file."""
    study, files = opened.study, steps.identified(opened, reports)
    run = open_run(study, files)
    previous = steps.previous_report(reports, study.name)
    rows = steps.collected_or_kept(steps.files_read(opened, files, reports), opened, reports, run.id, previous)
    study = with_usable_varying(study, rows.products)
    products, scaling = steps.scaled(rows.products)
    fits = least_squares(study, products, scaling)
    if stan:
        posterior = steps.sampled("embedded", study, products, scaling, run.seed)
    else:
        posterior = made_up(study, products, scaling, fits, run.seed)
    run = with_rows(run, rows, posterior.engine, "")
    findings = steps.found(study, run, rows, age_in_days(opened), products, scaling, fits, posterior)
    context = steps.looked_back(reports, replace(opened, study=study), findings, rows, posterior.draws, previous)
    files_of_run = steps.written(context, posterior.draws, standalone=True, look=None)
    return steps.published(reports, study, run.id, files_of_run)


def least_squares(study: Study, products: ModelCrossProducts, scaling: Scaling) -> LeastSquaresFits:
    partial = {
        flavour: partial_pooling(products, scaling, flavour, varying)
        for flavour, varying in flavours(study.varying_columns).items()
    }
    return LeastSquaresFits(complete_pooling(products), no_pooling(products), partial)


def made_up(
    study: Study, products: ModelCrossProducts, scaling: Scaling, fits: LeastSquaresFits, seed: int
) -> Posterior:
    engine = AroundTheFit(list(fits.partial.values())[-1], scaling, len(products.labels))
    draws, attempts = sample_posterior(engine, study, products, scaling, seed, lambda share: None)
    return Posterior(draws, attempts, engine.name)


@dataclass(frozen=True)
class AroundTheFit:
    """Stands in for a Stan engine: independent normal draws around a REML fit, about as wide as a posterior."""

    fit: PartialPooling
    scaling: Scaling
    n_groups: int
    name: str = "embedded"

    def sample(
        self, program: Path, data: Mapping[str, Any], settings: SamplerSettings, seed: int, progress: object
    ) -> dict[str, Floats]:
        rng, shape = np.random.default_rng(seed), (settings.chains, settings.draws)
        s, q = self.scaling.outcome_scale, len(self.fit.varying)
        centred = self.fit.fixef - np.eye(self.fit.fixef.size)[0] * self.scaling.outcome_center
        spread = 1 + rng.normal(size=(*shape, q)) / np.sqrt(2 * self.n_groups)
        return {
            "beta": rng.multivariate_normal(centred, self.fit.fixef_cov, size=shape) / s,
            "sigma_group": self.fit.sigma_group / s * spread,
            "L_group": np.broadcast_to(np.linalg.cholesky(self._correlations(rng, shape)), (*shape, q, q)),
            "sigma": self.fit.sigma / s * (1 + rng.normal(size=shape) / np.sqrt(2 * data["N"])),
            **self._sampler_columns(rng, shape),
        }

    def _correlations(self, rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        """(C, D, q, q), every correlation moved alike."""
        q = len(self.fit.varying)
        kept = 0.9 + 0.02 * rng.normal(size=(*shape, 1, 1))
        return np.where(np.eye(q, dtype=bool), 1.0, kept * self.fit.correlation)

    def _sampler_columns(self, rng: np.random.Generator, shape: tuple[int, int]) -> dict[str, Floats]:
        none = np.zeros(shape)
        return {
            "divergent__": none,
            "energy__": rng.normal(2100, 3, size=shape),
            "treedepth__": none + 3,
            "accept_stat__": none + 0.9,
            "n_leapfrog__": none + 7,
        }
