"""What every section of the report reads: the run's records, with names and units for its terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasks.stats.findings import Findings
from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.mean_structure import Added
from tasks.stats.judged.recommended import Recommended, recommended
from tasks.stats.past.changes import Changes
from tasks.stats.past.over_time import History
from tasks.stats.records import Flavour, Floats, GroupedData, PosteriorDraws
from tasks.study.errors import Rejection
from tasks.study.model import Study
from tasks.view.figures.style import MODELS
from tasks.view.report_context import ReportContext
from tasks.view.words import numbers

FLAVOUR_NAMES: dict[Flavour, str] = {
    "varying_intercept": "varying intercepts",
    "varying_slope": "varying slopes",
    "varying_intercept_slope": "varying intercepts and slopes",
}
MODEL_NAMES = {
    "complete_pooling": "complete pooling",
    "no_pooling": "no pooling",
    "partial_pooling": "partial pooling",
    **{f"partial_pooling.{flavour}": f"partial pooling with {name}" for flavour, name in FLAVOUR_NAMES.items()},
    "bayes": "the Bayesian partial-pooling model",
    "bayes_extended": "the extended Bayesian model",
}


@dataclass(frozen=True)
class Bands:
    """One model's estimates for every group, with 95 % intervals; (J, p) each, NaN where there is none."""

    model: str  # id in MODELS
    label: str
    coef: Floats
    se: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Context(ReportContext):
    """Of the normal family."""

    findings: Findings
    draws: PosteriorDraws | None = None
    answer_draws: PosteriorDraws | None = None

    @cached_property
    def bands(self) -> tuple[Bands, ...]:
        """No pooling, partial pooling (fullest), Bayes: the extended model where one answers what was found.

        Where partial pooling is recommended, its intervals are those to quote: widened for the spread's uncertainty.
        """
        none, part = self.findings.no_pooling, self.findings.fullest
        bayes, quoted = (self.findings.answer or self.findings.bayes).groups, self.findings.recommended
        is_quoted = quoted is not None and quoted.model == f"partial_pooling.{part.flavour}"
        lower, upper = (quoted.groups.lower, quoted.groups.upper) if is_quoted and quoted else (part.lower, part.upper)
        return (
            Bands("no_pooling", MODELS["no_pooling"].label, none.coef, none.se, none.lower, none.upper),
            Bands("partial_pooling", MODELS["partial_pooling"].label, part.coef, part.coef_se, lower, upper),
            Bands("bayes", MODELS["bayes"].label, bayes.mean, bayes.sd, bayes.lower, bayes.upper),
        )

    @cached_property
    def tabled(self) -> tuple[Bands, ...]:
        """The same for tables: the recommended model first."""
        return tuple(sorted(self.bands, key=lambda bands: bands.model != self.recommended.model))

    def is_recommended(self, bands: Bands) -> bool:
        """Whether these are the estimates to quote; never where no model can be trusted."""
        return self.findings.recommended is not None and bands.model == self.recommended.model

    def places(self, term: int, scale: float) -> int:
        """Decimal places of a term's group estimates divided by `scale`, the same for every model: what Bayes "
        "supports."""
        return numbers.common_decimals(self.findings.bayes.groups.sd[:, term] / scale)

    @cached_property
    def recommended(self) -> Bands:
        """Group estimates of the recommended model; those of Bayes where no model can be trusted."""
        numbers = self.findings.recommended
        if numbers is None:
            return self.bands[2]
        path, groups = numbers.model, numbers.groups
        se = (groups.upper - groups.lower) / (2.0 * Z_95)
        style = "partial_pooling" if path.startswith("partial_pooling") else "bayes"
        return Bands(style, MODEL_NAMES[path], groups.estimate, se, groups.lower, groups.upper)

    @cached_property
    def quoted(self) -> Recommended:
        """The numbers to quote; where no model can be trusted, what the plain Bayesian fit would say."""
        if self.findings.recommended is not None:
            return self.findings.recommended
        found = self.findings
        return recommended("bayes", found.fullest, found.bootstrap, found.plain_bayes, None)

    @property
    def quoted_model(self) -> str:
        """The name of the model of `quoted`."""
        return MODEL_NAMES[self.quoted.model]

    @property
    def recommended_mark(self) -> str:
        """The recommended model's name in tables and legends."""
        return MODELS[self.recommended.model].label

    @property
    def overall(self) -> Floats:
        """(p,) the recommended model's estimates for the average group."""
        return self.quoted.average.estimate

    @cached_property
    def group_draws(self) -> Floats | None:
        """(S, J, p) draws of the groups' coefficients, chain after chain; None if there are no draws of all groups.

        Of the model that answers what was found, where there is one.
        """
        draws = self.answer_draws or self.draws
        if draws is None or draws.group_coef.shape[2] != self.n_groups:
            return None
        return draws.group_coef.reshape(-1, *draws.group_coef.shape[2:])

    def bend(self, term: int) -> float:
        """The coefficient of a centre-scaled predictor's square in the model that answers what was found; 0 without."""
        fit = self.findings.answer
        if fit is None or Added("curve", term) not in fit.answer.added:
            return 0.0
        return float(fit.fixef.mean[len(self.terms) + fit.answer.added.index(Added("curve", term))])


def context_of(
    study: Study,
    findings: Findings,
    data: GroupedData | None = None,
    draws: PosteriorDraws | None = None,
    rejections: Sequence[Rejection] = (),
    *,
    changes: Changes | None = None,
    history: History | None = None,
    study_text: str = "",
    answer_draws: PosteriorDraws | None = None,
) -> Context:
    """The context of a whole run. Leave out `data` for words that need no single row."""
    rows = _no_rows(findings) if data is None else data
    return Context(
        study,
        findings.rows,
        findings,
        rows,
        draws,
        answer_draws,
        rejections,
        changes,
        history,
        study_text,
    )


def _no_rows(findings: Findings) -> GroupedData:
    nothing, p = np.empty(0), len(findings.terms)
    return GroupedData(nothing, np.empty((0, p - 1)), np.empty(0, dtype=np.int64), findings.labels, findings.terms)
