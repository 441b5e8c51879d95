"""Reports for tests of what readers see, on simulated rows: the same every time, each made once.

What they say is what a run would find out: the program's own fits, its sampler, its analyses and judgements.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache, wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ParamSpec

import numpy as np
import pandas as pd

from tasks.opening.studies import OpenedStudy
from tasks.rows.collect import collect_afresh
from tasks.stats.findings import Findings, concluded
from tasks.stats.past.changes import Changes
from tasks.stats.past.over_time import History
from tasks.stats.records import Floats, GroupedData, PosteriorDraws
from tasks.study.errors import Rejection
from tasks.study.model import Study
from tasks.study.settings import SamplerSettings
from tasks.view.context import Context, context_of
from tests.around_the_fit import FEW_DRAWS, WIDE_LIMITS, around_the_fit
from tests.posteriors import sampled_of

HOSTILE_LABELS = (
    "<script>alert('group')</script>",
    "</script><img src=x onerror=alert(1)>",
    "<b>bold</b> & <a href='javascript:alert(2)'>link</a>",
    "{{ 7 * 7 }} %{y} $x^2$",
    "מחוז ירושלים",
    "🏥 clinic 🚑",
    "L" * 500,
    "line\u2028separator\u202eoverride",
)
COUNTIES = (
    "cheshire",
    "cumbria",
    "devon",
    "dorset",
    "essex",
    "kent",
    "london",
    "norfolk",
)

REJECTIONS = (
    Rejection("bounce_rates.csv", 12, "age", "abc", "not a number"),
    Rejection("bounce_rates.csv", 40, "bounce_time", "", "missing"),
    Rejection("bounce_rates.csv", 41, "bounce_time", "", "missing"),
)
SAMPLER = SamplerSettings(draws=500)  # half the usual number

P = ParamSpec("P")


@dataclass(frozen=True)
class Case:
    study: Study
    findings: Findings
    data: GroupedData
    draws: PosteriorDraws | None
    rejections: tuple[Rejection, ...]

    changes: Changes | None = None
    history: History | None = None

    @property
    def context(self) -> Context:
        return context_of(
            self.study,
            self.findings,
            self.data,
            self.draws,
            self.rejections,
            changes=self.changes,
            history=self.history,
        )

    def judged(self) -> Case:
        """Judged anew, after something in the findings was changed."""
        return replace(self, findings=concluded(self.study, self.findings))


def made_once(make: Callable[P, Case]) -> Callable[P, Case]:
    """The same case for the same arguments; nobody can write into its arrays."""

    @cache
    def made(*args: P.args, **kwargs: P.kwargs) -> Case:
        case = make(*args, **kwargs)
        _protect(case)
        return case

    return wraps(make)(made)


def _protect(value: object) -> None:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif is_dataclass(value):
        for part in fields(value):
            _protect(getattr(value, part.name))
    elif isinstance(value, dict | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            _protect(part)


@made_once
def singular_case(labels: tuple[str, ...] = COUNTIES, title: str = "Does age change the time on site?") -> Case:
    """Eight counties whose slopes hardly differ: singular, Simpson's paradox, Bayes recommended."""
    return _counties(labels, title, REJECTIONS)


def _counties(labels: tuple[str, ...], title: str, rejections: tuple[Rejection, ...], **names: str) -> Case:
    study = Study(
        name="bounce_rates",
        title=title,
        **{"outcome": "bounce_time", "outcome_unit": "s", **names},
        group="county",
        predictors=("age",),
        predictor_units={"age": "year"},
        sampler=SAMPLER,
    )
    sizes = (150, 7, 22, 90, 75, 112, 120, 37)
    data = _simulate(study, labels, sizes, mean=200, group_sd=14, slopes=(1.3,), slope_sd=0.25, sigma=8)
    by_rule = dict(Counter(rejection.rule for rejection in rejections))
    return _case(study, data, rejections, n_rejected=len(rejections), rejected_by_rule=by_rule)


@made_once
def regular_case() -> Case:
    """Eighteen subjects by ten days: a regular fit."""
    study = Study(
        name="sleepstudy",
        title="Does lack of sleep slow reactions?",
        outcome="reaction",
        outcome_unit="ms",
        group="subject",
        predictors=("days",),
        predictor_units={"days": "days"},
        sampler=SAMPLER,
    )
    labels = tuple(str(number) for number in range(308, 326))
    data = _simulate(study, labels, (10,) * 18, mean=298, group_sd=35, slopes=(30,), slope_sd=17, sigma=25)
    return _case(study, data)


@made_once
def intercept_only_case() -> Case:
    """Six batches, no predictor, no unit."""
    study = Study(name="dyestuff", title="Do batches differ?", outcome="yield", group="batch", sampler=SAMPLER)
    data = _simulate(study, tuple("ABCDEF"), (5,) * 6, mean=1527, group_sd=42, slopes=(), slope_sd=0, sigma=50)
    return _case(study, data)


@made_once
def two_predictors_case() -> Case:
    """Twelve clinics (one with two rows, so no fit of its own), two predictors of which one varies."""
    study = Study(
        name="clinics",
        title="What shortens the stay?",
        outcome="stay",
        outcome_unit="days",
        group="clinic",
        predictors=("age", "severity"),
        predictor_units={"age": "year"},
        varying=("severity",),
        sampler=SAMPLER,
    )
    labels = tuple(f"clinic {letter}" for letter in "ABCDEFGHIJKL")
    sizes = (2, 8, 12, 20, 25, 30, 40, 45, 50, 60, 80, 100)
    data = _simulate(study, labels, sizes, mean=9, group_sd=1.5, slopes=(0.4, 1.1), slope_sd=0.5, sigma=2)
    return _case(study, data)


@made_once
def categories_case() -> Case:
    """Twelve clinics; how patients came is a category with two levels that look alike, one of them rare."""
    study = Study(
        name="wards",
        title="What shortens the stay?",
        outcome="stay",
        outcome_unit="days",
        group="clinic",
        predictors=("age", "severity", "way in", "private"),
        predictor_units={"age": "year"},
        varying=("severity",),
        categories={"reference": {"way in": "referred"}},
        sampler=SAMPLER,
    )
    plain = two_predictors_case().data
    rng = np.random.default_rng(20_261_127)
    way = rng.choice(["referred", "emergency", "transfer"], plain.n_rows, p=[0.6, 0.3, 0.1])
    private = rng.random(plain.n_rows) < 0.4
    way[:6], stay = "Emergency", plain.y - 1.2 * (way == "emergency") + 0.5 * private
    columns = {"stay": stay, "clinic": [plain.labels[j] for j in plain.group_index], "way in": way, "private": private}
    frame = pd.DataFrame({**columns, "age": plain.x[:, 0], "severity": plain.x[:, 1]})
    with TemporaryDirectory() as folder:
        frame.to_csv(Path(folder, "rows.csv"), index=False)
        rows = collect_afresh(OpenedStudy(study, Path(folder), ""))
    found = sampled_of(rows.sample, asked := rows.study(study), products=rows.products, notes=rows.notes)
    return Case(asked, found.findings, rows.sample, found.draws, ())


@made_once
def many_groups_case(n_groups: int = 500) -> Case:
    """More groups than are shown one by one. Their posterior is made up around the fit, and its draws are not kept."""
    study = Study(
        name="many",
        title="Many groups",
        outcome="score",
        group="school",
        predictors=("hours",),
        sampler=FEW_DRAWS,
        thresholds=WIDE_LIMITS,
    )
    labels = tuple(f"school {number:05d}" for number in range(n_groups))
    sizes = tuple(3 + (7 * index) % 25 for index in range(n_groups))
    data = _simulate(study, labels, sizes, mean=50, group_sd=5, slopes=(2,), slope_sd=1, sigma=8)
    return replace(_case(study, data, posterior=around_the_fit), draws=None)


@made_once
def hostile_case() -> Case:
    """Labels, names and a title that would break a page which trusts them."""
    rejections = (Rejection("<svg onload=alert(3)>.csv", 1, "age", "</td><script>alert(4)</script>", "missing"),)
    title = "</title><script>alert('title')</script>"
    return _counties(HOSTILE_LABELS, title, rejections, outcome="<i>y</i>%{x}", outcome_unit="<s>")


def _simulate(
    study: Study,
    labels: tuple[str, ...],
    sizes: tuple[int, ...],
    *,
    mean: float,
    group_sd: float,
    slopes: tuple[float, ...],
    slope_sd: float,
    sigma: float,
) -> GroupedData:
    """Group means of the predictors follow the group effects, which is what misleads complete pooling."""
    rng = np.random.default_rng(20_261_122)
    index = np.repeat(np.arange(len(sizes)), sizes)
    effects = group_sd * _standardised(rng.normal(size=len(sizes)))
    x = rng.normal(size=(index.size, len(slopes))) + 0.25 * effects[index, None] / max(group_sd, 1)
    varying = np.zeros((len(sizes), len(slopes)))
    if slopes:
        varying[:, -1] = slope_sd * rng.normal(size=len(sizes))
    y = mean + effects[index] + ((np.asarray(slopes) + varying[index]) * x).sum(axis=1)
    y = y + sigma * rng.normal(size=index.size)
    return GroupedData(y=y, x=40 + 12 * x, group_index=index, labels=labels, terms=study.terms)


def _standardised(values: Floats) -> Floats:
    return (values - values.mean()) / values.std()


def _case(study: Study, data: GroupedData, rejections: tuple[Rejection, ...] = (), **of_run: Any) -> Case:
    found = sampled_of(data, study, **of_run)
    return Case(study, found.findings, data, found.draws, rejections)
