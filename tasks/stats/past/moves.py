"""Which groups have moved: each report's increments, gathered as evidence over reports, and what the next one needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from tasks.stats.findings import Findings
from tasks.stats.fits.cross_products import centre_scaled
from tasks.stats.past.earlier import PreviousReport
from tasks.stats.past.evidence import EFFECTS, GroupEvidence, gathered
from tasks.stats.past.increments import EarlierRows, Increments, RowShape, increments
from tasks.stats.records import Floats
from tasks.study.model import Study

SECONDS_A_YEAR = 365.25 * 24 * 3600


@dataclass(frozen=True)
class Moves:
    """The new rows of the K groups that can be compared; K is 0 where the last report's rows are not all there."""

    found: Increments
    total: Floats  # (K,) evidence of each; the alarm rings at 1
    rings: NDArray[np.bool_]  # (K,)
    margin: float  # moves up to this do not matter, in the outcome's unit
    n_new_rows: int  # in all groups
    evidence: Mapping[str, GroupEvidence]  # by label, for the next report
    is_comparable: bool = True  # whether the last report's rows are all there
    lost: tuple[str, ...] = ()  # the files that are why they are not, where that is known

    @property
    def lower(self) -> Floats:
        """(K,) 95 % interval of the shift, Student's."""
        return self.found.shift - self.found.half_width

    @property
    def upper(self) -> Floats:
        return self.found.shift + self.found.half_width

    @property
    def is_plain(self) -> NDArray[np.bool_]:
        """(K,) whether this report's new rows alone show a move beyond the margin, at 95 %."""
        return np.asarray((self.lower > self.margin) | (self.upper < -self.margin))


def moves(
    study: Study, previous: PreviousReport, findings: Findings, rows: EarlierRows, *, is_same_question: bool
) -> Moves:
    """Compare the rows that are new since `previous`. Evidence is carried on if the question is the same."""
    margin = study.thresholds.change_margin * float(findings.bayes.sigma_group.mean[0])
    before = dict(previous.evidence) if is_same_question else {}
    previous_id = previous.run.id
    found, n_new = _found(previous_id, findings, rows, before)
    labels = [findings.labels[position] for position in found.positions]
    years = _years(previous.run.started_at, findings.run.started_at)
    now = gathered(_values(before, labels), found.scores(margin), years)
    told = {
        label: GroupEvidence(tuple(values), findings.run.id if rings else _since(before, label))
        for label, values, rings in zip(labels, now.values.tolist(), now.rings.tolist(), strict=True)
    }
    known = set(findings.labels)
    carried = {label: each for label, each in before.items() if label in known}
    is_there, lost = previous_id in rows.sums, rows.lost.get(previous_id, ())
    return Moves(found, now.total, now.rings, margin, n_new, {**carried, **told}, is_there, lost)


def _found(
    previous_id: str, findings: Findings, rows: EarlierRows, before: Mapping[str, GroupEvidence]
) -> tuple[Increments, int]:
    """The increments, and the number of new rows; nothing where the previous report's rows are not all there."""
    scaling, slope_cov, qq = findings.scaling, _slope_cov(findings), findings.assumptions.qq
    shape = RowShape(*np.nan_to_num([qq.skewness, qq.kurtosis - 3.0]).tolist())
    now = centre_scaled(rows.now, scaling).gram
    sums = {run: centre_scaled(each, scaling).gram for run, each in rows.sums.items()}
    earlier = sums.get(previous_id)
    if earlier is None:
        nothing = np.zeros_like(now)
        return increments(nothing, nothing, slope_cov, shape), 0
    added, base = now - earlier, earlier.copy()
    for j, label in enumerate(findings.labels):
        since = sums.get(_since(before, label))
        if since is not None:
            base[j] -= since[j]
    return increments(base, added, slope_cov, shape), round(float(added[:, 0, 0].sum()))


def _slope_cov(findings: Findings) -> Floats:
    """(p - 1, p - 1) covariance of slopes between groups by the Bayesian fit, whose SDs never collapse to 0."""
    varying, bayes = list(findings.fullest.varying), findings.bayes
    whole = np.zeros((len(findings.terms), len(findings.terms)))
    correlation = np.nan_to_num(bayes.correlation.mean)
    np.fill_diagonal(correlation, 1.0)
    whole[np.ix_(varying, varying)] = np.outer(bayes.sigma_group.mean, bayes.sigma_group.mean) * correlation
    return whole[1:, 1:]


def _since(before: Mapping[str, GroupEvidence], label: str) -> str:
    return before[label].since if label in before else ""


def _values(before: Mapping[str, GroupEvidence], labels: Sequence[str]) -> Floats:
    nothing = (0.0,) * EFFECTS.size
    found = [before[label].values if label in before else nothing for label in labels]
    return np.array(found, dtype=float).reshape(len(labels), EFFECTS.size)


def _years(then: str, now: str) -> float:
    """Years from one moment to the other; 0 if one of them is no time."""
    try:
        moments = [datetime.fromisoformat(each) for each in (then, now)]
    except ValueError:
        return 0.0
    first, second = (each.replace(tzinfo=each.tzinfo or UTC) for each in moments)
    return max((second - first).total_seconds(), 0.0) / SECONDS_A_YEAR
