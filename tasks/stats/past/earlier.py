"""Earlier runs of a study, and their estimates expressed on today's scale.

Coefficients are for centre-scaled predictors, and centre and scale move with the data: the same slope,
-0.4 s per year, is -5 s per SD of age in one run and -6 in the next. Estimates are therefore put on today's basis
before they are compared. With d = (today's centre - then's) / then's scale and r = today's scale / then's scale,

    slope today = r x slope then          level today = level then + sum over predictors of d x slope then

exact for every draw, hence for means, and for a slope's SD and limits. A level's SD would need the
covariance of level and slopes within each group, which summaries do not hold. It is at most
SD(level) + sum |d| SD(slope) (Minkowski). This bound is used for the SD, and in the same way for the limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tasks.stats.judgement import Status
from tasks.stats.past.evidence import GroupEvidence
from tasks.stats.records import Estimate, Floats, Integers, Scaling, VerdictStatus
from tasks.stats.rows.categories import Category
from tasks.study.model import Study
from tasks.study.run import SourceFile

SAME_CENTER = 1e-9  # of a standard deviation


@dataclass(frozen=True)
class Question:
    """Everything that gives an estimate its meaning. Runs with different questions are not comparable."""

    outcome: str
    outcome_unit: str
    group: str
    predictors: tuple[str, ...]  # a term each: of a category, one for each level but the reference
    predictor_units: Mapping[str, str]
    references: Mapping[str, str] = field(default_factory=dict)  # by category
    family: str = "normal"
    size: str = ""  # the column of trials or exposure; empty if none is named


@dataclass(frozen=True)
class Difference:
    """One way in which two questions differ."""

    what: Literal["outcome", "outcome unit", "family", "size", "group", "predictors", "predictor unit", "reference"]
    then: str  # predictors are separated by commas; empty for none
    now: str
    predictor: str = ""  # the one whose unit or reference differs


@dataclass(frozen=True)
class PastRun:
    """An earlier run's Bayesian group estimates, on its own centre-scaled predictors."""

    id: str
    started_at: str  # ISO 8601, UTC
    status: VerdictStatus
    question: Question
    center: Floats  # (p - 1,)
    scale: Floats  # (p - 1,)
    labels: tuple[str, ...]  # J
    groups: Estimate  # (J, p)
    fixef: Estimate  # (p,)


@dataclass(frozen=True)
class ReportedVerdict:
    """A verdict in the words of its report."""

    status: VerdictStatus
    headline: str
    reason: str
    recommended_model: str  # a path under `fits` in summary.json


@dataclass(frozen=True)
class PreviousReport:
    """The report before this one, as its summary tells it."""

    run: PastRun
    verdict: ReportedVerdict
    checks: Mapping[tuple[str, str], Status]  # by kind and term
    group_sizes: Integers  # (J,)
    n_rows: int
    n_rejected: int
    varying: tuple[str, ...]
    data_sha256: str
    study_sha256: str
    poolwise: str  # version
    engine: str
    files: tuple[SourceFile, ...] = ()
    evidence: Mapping[str, GroupEvidence] = field(default_factory=dict)  # by label: that groups have moved


def question_of(study: Study, categories: Sequence[Category] = ()) -> Question:
    return Question(
        study.outcome,
        study.outcome_unit,
        study.group,
        study.predictors,
        dict(study.predictor_units),
        {each.column: each.reference.name for each in categories},
        study.family,
        study.size_column or "",
    )


def differences(then: Question, now: Question) -> tuple[Difference, ...]:
    """Why estimates of the two questions cannot be compared; empty if they can.

    The order of predictors does not matter. A unit that only one question names is no difference.
    """
    found = []
    if then.outcome != now.outcome:
        found.append(Difference("outcome", then.outcome, now.outcome))
    elif _other_unit(then.outcome_unit, now.outcome_unit):
        found.append(Difference("outcome unit", then.outcome_unit, now.outcome_unit))
    if then.family != now.family:
        found.append(Difference("family", then.family, now.family))
    elif then.size != now.size:
        found.append(Difference("size", then.size, now.size))
    if then.group != now.group:
        found.append(Difference("group", then.group, now.group))
    if set(then.predictors) != set(now.predictors):
        found.append(Difference("predictors", ", ".join(then.predictors), ", ".join(now.predictors)))
    found += [
        Difference("predictor unit", then.predictor_units[name], now.predictor_units[name], name)
        for name in now.predictors
        if _other_unit(then.predictor_units.get(name, ""), now.predictor_units.get(name, ""))
    ]
    found += [
        Difference("reference", then.references[name], reference, name)
        for name, reference in now.references.items()
        if then.references.get(name, reference) != reference
    ]
    return tuple(found)


def _other_unit(then: str, now: str) -> bool:
    return bool(then and now and then != now)


@dataclass(frozen=True)
class Basis:
    """The change from a past run's centre-scaled predictors to today's."""

    columns: Integers  # (p,) the position of each of today's terms in the past run
    ratio: Floats  # (p,) today's scale / the past run's; 1 for the level
    shift: Floats  # (p - 1,) today's centre less the past run's, in the past run's SDs

    @property
    def is_exact(self) -> bool:
        """Whether the level's limits are exact too, because the predictors' means have not moved."""
        return bool((np.abs(self.shift) < SAME_CENTER).all())


def basis(past: PastRun, scaling: Scaling) -> Basis:
    """The change of basis from the past run to `scaling`. Both must have the same predictors, in any order."""
    columns = np.array([past.question.predictors.index(name) for name in scaling.predictors], dtype=np.int64)
    center, scale = past.center[columns], past.scale[columns]
    return Basis(
        columns=np.concatenate(([0], columns + 1)),
        ratio=np.concatenate(([1.0], scaling.scale / scale)),
        shift=(scaling.center - center) / scale,
    )


def on_basis(estimate: Estimate, to: Basis) -> Estimate:
    """The same estimate, shape (..., p), on today's centre-scaled predictors; see the module's docstring."""
    mean, sd = estimate.mean[..., to.columns], estimate.sd[..., to.columns]
    below, above = mean - estimate.lower[..., to.columns], estimate.upper[..., to.columns] - mean
    moved = _shifted(mean, to.shift) * to.ratio
    return Estimate(
        mean=moved,
        sd=_bounded(sd, sd, to.shift) * to.ratio,
        lower=moved - _bounded(below, np.maximum(below, above), to.shift) * to.ratio,
        upper=moved + _bounded(above, np.maximum(below, above), to.shift) * to.ratio,
    )


def _shifted(mean: Floats, shift: Floats) -> Floats:
    level = mean[..., :1] + (mean[..., 1:] * shift).sum(axis=-1, keepdims=True)
    return np.concatenate([level, mean[..., 1:]], axis=-1)


def _bounded(spread: Floats, widest: Floats, shift: Floats) -> Floats:
    """Spreads after the shift; the level's is an upper bound."""
    level = spread[..., :1] + (widest[..., 1:] * np.abs(shift)).sum(axis=-1, keepdims=True)
    return np.concatenate([level, spread[..., 1:]], axis=-1)


def aligned(past: PastRun, labels: tuple[str, ...]) -> tuple[Integers, Integers]:
    """Positions in `labels` of the groups that the past run had too, and their positions in that run."""
    then = {label: position for position, label in enumerate(past.labels)}
    here = [position for position, label in enumerate(labels) if label in then]
    return np.array(here, dtype=np.int64), np.array([then[labels[j]] for j in here], dtype=np.int64)


def taken(estimate: Estimate, positions: Integers) -> Estimate:
    """The estimates of the groups at these positions."""
    return Estimate(*(part[positions] for part in (estimate.mean, estimate.sd, estimate.lower, estimate.upper)))
