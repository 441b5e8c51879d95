"""What the sections of a report on a counted outcome read: rates as readers meet them, and the models' numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tasks.stats.counted.comparison import Comparison, carried_rates
from tasks.stats.counted.draws import CountedDraws
from tasks.stats.counted.findings import CountedFindings
from tasks.stats.counted.links import mean_of
from tasks.stats.counted.weighed import CountedRecommended, counted_recommended
from tasks.stats.judged.recommended import WithInterval
from tasks.stats.past.changes import Changes
from tasks.stats.past.over_time import History
from tasks.stats.records import Floats, GroupedData
from tasks.study.errors import Rejection
from tasks.view.context import FLAVOUR_NAMES
from tasks.view.counted.past import changes_as_rates, history_as_rates
from tasks.view.figures.style import MODELS
from tasks.view.report_context import ReportContext
from tasks.view.words import numbers, text
from tasks.view.words.numbers import THIN_SPACE

MODEL_NAMES = {
    "complete_pooling": "complete pooling",
    "no_pooling": "no pooling",
    "partial_pooling": "partial pooling",
    **{f"partial_pooling.{flavour}": f"partial pooling with {name}" for flavour, name in FLAVOUR_NAMES.items()},
    "bayes": "the Bayesian partial-pooling model",
}
MOST_PLACES = 6


@dataclass(frozen=True)
class CountedContext(ReportContext):
    """Of the binomial and the Poisson family."""

    findings: CountedFindings
    draws: CountedDraws | None = None
    answer_draws: CountedDraws | None = None

    @property
    def is_binomial(self) -> bool:
        return self.findings.cells.family == "binomial"

    @property
    def size_noun(self) -> str:
        """What is counted in: `admissions`; `trials` or `units of exposure` where the study does not say."""
        default = "trials" if self.is_binomial else text.readable(self.study.exposure or "rows")
        return text.clean(self.study.rates.of) or (default if self.study.size_column else "rows")

    @property
    def rate_scale(self) -> float:
        """By what a probability or rate is multiplied to be shown."""
        return self.study.rates.per or (100.0 if self.is_binomial else 1.0)

    @property
    def rate_unit(self) -> str:
        """`%`, or `per 1,000 admissions`."""
        if self.study.rates.per is None and self.is_binomial:
            return "%"
        per = self.study.rates.per or 1.0
        noun = text.singular(self.size_noun) if per == 1.0 else self.size_noun
        return f"per {numbers.plain(per)} {noun}" if per != 1.0 else f"per {noun}"

    @property
    def difference_unit(self) -> str:
        return "percentage points" if self.rate_unit == "%" else self.rate_unit

    @property
    def unit(self) -> str:
        """Of the level, where one is told: a rate's."""
        return self.rate_unit

    def raw_unit(self, term: int) -> str:
        """Of the level a rate's; of an effect that of its coefficient per raw unit of the predictor."""
        return self.link_unit(term) if term else self.rate_unit

    @property
    def level_meaning(self) -> str:
        return "rate"

    @property
    def margin_place(self) -> str:
        return " at the overall rate"

    def effect_unit(self, term: int) -> str:
        """Of a predictor's difference of rates per raw unit."""
        if self.is_level(term):
            return self.difference_unit
        return f"{self.difference_unit} per {self.predictor_unit(term)}"

    def link_unit(self, term: int) -> str:
        """Unit of a coefficient as fitted, per raw unit of its predictor."""
        link = "log odds" if self.is_binomial else "log rate"
        return link if term == 0 or self.is_level(term) else f"{link} per {self.predictor_unit(term)}"

    @property
    def rate_name(self) -> str:
        """`deaths (% of admissions)`; `deaths per 1,000 admissions`."""
        if self.rate_unit == "%":
            return f"{self.outcome} (% of {self.size_noun})"
        return f"{self.outcome} {self.rate_unit}"

    @property
    def ratio_name(self) -> str:
        return "odds ratio" if self.is_binomial else "rate ratio"

    @cached_property
    def rate_places(self) -> int:
        """Decimal places of rates: one of per cent, more where events are rare."""
        overall = self.overall_rate * self.rate_scale
        least = 1 if self.rate_unit == "%" else 0
        return min(max(numbers.decimals_for(overall, 2), least), MOST_PLACES)

    @cached_property
    def overall_rate(self) -> float:
        """Events of all groups by their trials or exposure."""
        cells = self.findings.cells
        return float(cells.events.sum() / cells.size.sum())

    def rate_number(self, rate: float) -> str:
        """A probability or rate without its unit."""
        return numbers.fixed(rate * self.rate_scale, self.rate_places)

    def rate_text(self, rate: float) -> str:
        """`4.2 %`; `42 per 1,000 admissions`."""
        number = self.rate_number(rate)
        if number == numbers.MISSING:
            return number
        return f"{number}{THIN_SPACE}%" if self.rate_unit == "%" else f"{number} {self.rate_unit}"

    def rate_interval(self, lower: float, upper: float) -> str:
        """`3.1 % to 5.6 %` without the unit at the first end."""
        if not (np.isfinite(lower) and np.isfinite(upper)):
            return numbers.MISSING
        return f"{self.rate_number(lower)} to {self.rate_text(upper)}"

    def difference_text(self, difference: float, places: int | None = None) -> str:
        number = numbers.fixed(difference * self.rate_scale, self.rate_places if places is None else places)
        return f"{number} {self.difference_unit}"

    @cached_property
    def sizes(self) -> Floats:
        """(J,) trials or exposure."""
        return self.findings.fits.rates.size

    @cached_property
    def events(self) -> Floats:
        """(J,)"""
        return self.findings.fits.rates.events

    @cached_property
    def too_few(self) -> np.ndarray:
        """(J,) whether a group has less than the study asks for before it is judged."""
        least = self.study.rates
        return np.asarray((self.sizes < least.least_size) | (self.events < least.least_events))

    @cached_property
    def quoted(self) -> CountedRecommended:
        """The recommended numbers; of the Bayesian fit where no model can be trusted."""
        return self.findings.recommended or counted_recommended("bayes", self.findings)

    @property
    def comparison(self) -> Comparison:
        return self.quoted.comparison

    @property
    def quoted_model(self) -> str:
        """The id in MODELS of the model of `quoted`."""
        return "bayes" if self.quoted.model.startswith("bayes") else "partial_pooling"

    @property
    def quoted_label(self) -> str:
        return MODELS[self.quoted_model].label

    @cached_property
    def seen_changes(self) -> Changes | None:
        return None if self.changes is None else changes_as_rates(self.changes, self.level_as_rate, self.rate_scale)

    @cached_property
    def seen_history(self) -> History | None:
        return None if self.history is None else history_as_rates(self.history, self.level_as_rate)

    def carried(self, coef: Floats, se: Floats) -> WithInterval:
        """(J,) shown rates on everybody's case mix, of estimates (J, p) with standard errors (J,) of the level."""
        found = carried_rates(self.findings.cells.family, self.findings.mix, coef, se)
        return WithInterval(*(self.rate_scale * part for part in vars(found).values()))

    def level_as_rate(self, linear: Floats) -> Floats:
        """Linear predictors as shown rates."""
        return np.asarray(self.rate_scale * mean_of(self.findings.cells.family, linear))


def counted_context_of(
    study: Any,
    findings: CountedFindings,
    data: GroupedData | None = None,
    draws: CountedDraws | None = None,
    rejections: Sequence[Rejection] = (),
    **others: Any,
) -> CountedContext:
    """As `tasks.view.context.context_of`."""
    p = len(findings.terms)
    none = GroupedData(
        np.empty(0), np.empty((0, p - 1)), np.empty(0, dtype=np.int64), findings.labels, findings.terms, np.empty(0)
    )
    rows = none if data is None else data
    return CountedContext(study, findings.rows, findings, rows, draws, rejections=rejections, **others)
