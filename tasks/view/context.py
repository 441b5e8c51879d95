"""What every section of the report reads: the run's records, and names and units for its terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasks.stats.records import Findings, Floats, GroupedData, PosteriorDraws, Rejection
from tasks.stats.study import Study
from tasks.view import numbers, text
from tasks.view.figures.style import MODELS

MODEL_NAMES = {
    "complete_pooling": "complete pooling",
    "no_pooling": "no pooling",
    "partial_pooling": "partial pooling",
    "partial_pooling.varying_intercept": "partial pooling with varying intercepts",
    "partial_pooling.varying_slope": "partial pooling with varying slopes",
    "partial_pooling.varying_intercept_slope": "partial pooling with varying intercepts and slopes",
    "bayes": "the Bayesian partial-pooling model",
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
class Context:
    study: Study
    findings: Findings
    data: GroupedData  # all rows, or a random sample of them
    draws: PosteriorDraws | None
    rejections: Sequence[Rejection]
    study_text: str = ""

    @property
    def outcome(self) -> str:
        return text.readable(self.study.outcome)

    @property
    def unit(self) -> str:
        return text.clean(self.study.outcome_unit)

    @property
    def group(self) -> str:
        return text.readable(self.study.group)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Group labels as shown, J."""
        return tuple(text.label(label) for label in self.findings.labels)

    def named(self, group: int) -> str:
        """A group in a sentence: a bare number would read as an amount."""
        label = self.labels[group]
        return f"{self.group} {label}" if label.isdecimal() else label

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """Terms as shown, p."""
        return tuple(text.readable(term) for term in self.findings.terms)

    @property
    def varying(self) -> tuple[int, ...]:
        """Positions of the terms that differ by group."""
        return self.findings.fullest.varying

    @property
    def n_groups(self) -> int:
        return self.findings.run.n_groups

    def predictor_unit(self, term: int) -> str:
        """One raw unit of a predictor, in words: `year`, or `unit of age`."""
        name = self.findings.terms[term]
        return text.singular(self.given_unit(term)) or f"unit of {text.readable(name)}"

    def given_unit(self, term: int) -> str:
        """A predictor's unit as the study gives it; empty when it does not."""
        return text.clean(self.study.predictor_units.get(self.findings.terms[term], ""))

    def one_more(self, term: int) -> str:
        """`one more year of age`; `one more day` where unit and predictor say the same."""
        name, unit = self.terms[term], text.singular(self.given_unit(term))
        if not unit:
            return f"one unit more of {name}"
        return f"one more {unit}" if text.singular(name.lower()) == unit.lower() else f"one more {unit} of {name}"

    def term_name(self, term: int) -> str:
        return "level" if term == 0 else f"effect of {self.terms[term]}"

    def term_title(self, term: int) -> str:
        return text.sentence_case(self.term_name(term))

    def term_unit(self, term: int) -> str:
        """Unit of a coefficient as fitted: on the centre-scaled predictor."""
        return self.unit if term == 0 else f"{self.unit or 'units'} per SD of {self.terms[term]}"

    def raw_unit(self, term: int) -> str:
        """Unit of a coefficient per raw unit of its predictor, as readers think of it."""
        return f"{self.unit or 'units'} per {self.predictor_unit(term)}" if term else self.unit

    def raw_scale(self, term: int) -> float:
        """One SD of a predictor in its raw units; a slope divided by it is per one raw unit. 1 for the level."""
        return float(self.findings.scaling.scale[term - 1]) if term else 1.0

    def raw_center(self, term: int) -> float:
        return float(self.findings.scaling.center[term - 1])

    @property
    def level_note(self) -> str:
        """Where the level of a group is read off."""
        if len(self.terms) == 1:
            return "The level is a group’s expected outcome."
        scaling = self.findings.scaling
        means = [
            f"{text.readable(name)} {numbers.estimate(center, scale / 10)}"
            for name, center, scale in zip(scaling.predictors, scaling.center, scaling.scale, strict=True)
        ]
        return f"The level is a group’s expected outcome at the average of the predictors ({', '.join(means)})."

    @cached_property
    def bands(self) -> tuple[Bands, ...]:
        """No pooling, partial pooling (fullest), Bayes."""
        none, part, bayes = self.findings.no_pooling, self.findings.fullest, self.findings.bayes.groups
        return (
            Bands("no_pooling", MODELS["no_pooling"].label, none.coef, none.se, none.lower, none.upper),
            Bands("partial_pooling", MODELS["partial_pooling"].label, part.coef, part.coef_se, part.lower, part.upper),
            Bands("bayes", MODELS["bayes"].label, bayes.mean, bayes.sd, bayes.lower, bayes.upper),
        )

    @cached_property
    def recommended(self) -> Bands:
        """Group estimates of the recommended model; Bayes where that model has none of its own."""
        path = self.findings.verdict.recommended_model
        flavour = path.removeprefix("partial_pooling.")
        for name, fit in self.findings.partial.items():
            if flavour == name:
                return Bands("partial_pooling", MODEL_NAMES[path], fit.coef, fit.coef_se, fit.lower, fit.upper)
        return self.bands[0] if path == "no_pooling" else self.bands[2]

    @property
    def recommended_mark(self) -> str:
        """The recommended model's name in tables and legends."""
        return MODELS[self.recommended.model].label

    @cached_property
    def overall(self) -> Floats:
        """(p,) the recommended model's estimates for the average group."""
        flavour = self.findings.verdict.recommended_model.removeprefix("partial_pooling.")
        for name, fit in self.findings.partial.items():
            if flavour == name:
                return fit.fixef
        return self.findings.bayes.fixef.mean

    @cached_property
    def group_draws(self) -> Floats | None:
        """(S, J, p) draws of the groups' coefficients, chain after chain; None where a report has none."""
        if self.draws is None or self.draws.group_coef.shape[2] != self.n_groups:
            return None
        return self.draws.group_coef.reshape(-1, *self.draws.group_coef.shape[2:])

    @property
    def sample_note(self) -> str:
        """Of which rows a figure or check of single rows is made; empty when it is of all."""
        shown, total = self.data.n_rows, self.findings.run.n_rows
        return f"Of a random {shown:,} of {total:,} rows." if shown < total else ""

    @cached_property
    def has_rows(self) -> np.ndarray:
        """(J,) whether there are rows of a group to show: in a sample some groups may have none."""
        return np.bincount(self.data.group_index, minlength=self.n_groups) > 0

    def rows_of(self, group: int) -> np.ndarray:
        """Positions of a group's rows."""
        ends = self._row_ends
        return self._row_order[(ends[group - 1] if group else 0) : ends[group]]

    @cached_property
    def _row_order(self) -> np.ndarray:
        return np.argsort(self.data.group_index, kind="stable")

    @cached_property
    def _row_ends(self) -> np.ndarray:
        return np.cumsum(np.bincount(self.data.group_index, minlength=self.n_groups))
