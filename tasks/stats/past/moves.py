"""Which groups have moved: each report's increments, gathered as evidence over reports, and what the next one needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.stats.concluded import Concluded
from tasks.stats.counted.findings import CountedFindings
from tasks.stats.counted.links import link_of, mean_of
from tasks.stats.findings import Findings
from tasks.stats.fits.cells import Cells, less, no_rows, of_some_groups
from tasks.stats.fits.cross_products import centre_scaled
from tasks.stats.fits.intervals import Z_95
from tasks.stats.past.counted_increments import CountedIncrements, Slopes, counted_increments
from tasks.stats.past.earlier import PreviousReport
from tasks.stats.past.evidence import EFFECTS, GroupEvidence, Scores, gathered
from tasks.stats.past.increments import EarlierRows, Increments, RowShape, increments
from tasks.stats.records import Floats
from tasks.study.model import Study

SECONDS_A_YEAR = 365.25 * 24 * 3600


@dataclass(frozen=True)
class Moves:
    """The new rows of the K groups that can be compared; K is 0 where the last report's rows are not all there."""

    found: Increments | CountedIncrements
    total: Floats  # (K,) evidence of each; the alarm rings at 1
    rings: NDArray[np.bool_]  # (K,)
    is_plain: NDArray[np.bool_]  # (K,) whether this report's new rows alone show a move beyond the margin, at 95 %
    margin: float  # moves up to this do not matter, in the outcome's unit; of a counted outcome at the overall rate
    n_new_rows: int  # in all groups
    evidence: Mapping[str, GroupEvidence]  # by label, for the next report
    is_comparable: bool = True  # whether the last report's rows are all there
    lost: tuple[str, ...] = ()  # the files that are why they are not, where that is known

    @property
    def lower(self) -> Floats:
        """(K,) 95 % interval of the shift."""
        return self.found.lower

    @property
    def upper(self) -> Floats:
        return self.found.upper


def moves(
    study: Study, previous: PreviousReport, findings: Findings, rows: EarlierRows, *, is_same_question: bool
) -> Moves:
    """Compare the rows that are new since `previous`. Evidence is carried on if the question is the same."""
    margin = study.thresholds.change_margin * float(findings.bayes.sigma_group.mean[0])
    before = dict(previous.evidence) if is_same_question else {}
    found, n_new = _found(previous.run.id, findings, rows, before)
    told = _told(found, found.scores(margin), findings, previous, before)
    is_there, lost = previous.run.id in rows.sums, rows.lost.get(previous.run.id, ())
    return Moves(found, margin=margin, n_new_rows=n_new, is_comparable=is_there, lost=lost, **told)


def counted_moves(
    study: Study, previous: PreviousReport, findings: CountedFindings, rows: EarlierRows, *, is_same_question: bool
) -> Moves:
    """The same of a counted outcome, from cells."""
    margin = study.thresholds.change_margin * float(findings.bayes.sigma_group.mean[0])
    before = dict(previous.evidence) if is_same_question else {}
    since = {label: each.since for label, each in before.items()}
    parts = _cells_before_and_new(previous.run.id, since, rows)
    earlier, added = parts or (no_rows(findings.cells), no_rows(findings.cells))
    found = counted_increments(earlier, added, _slopes(findings), _inflation(findings))
    told = _told(found, found.scores(margin), findings, previous, before)
    lost, n_new = rows.lost.get(previous.run.id, ()), int(added.n_rows.sum())
    at_rate = _at_overall_rate(findings.cells, margin)
    return Moves(found, margin=at_rate, n_new_rows=n_new, is_comparable=parts is not None, lost=lost, **told)


def _told(
    found: Increments | CountedIncrements,
    scores: Scores,
    findings: Concluded,
    previous: PreviousReport,
    before: Mapping[str, GroupEvidence],
) -> dict[str, Any]:
    """What the evidence comes to, and what the next report has to know; groups that are gone are forgotten."""
    labels = [findings.labels[position] for position in found.positions]
    now = gathered(_values(before, labels), scores, _years(previous.run.started_at, findings.run.started_at))
    told = {
        label: GroupEvidence(tuple(values), findings.run.id if rings else _since(before, label))
        for label, values, rings in zip(labels, now.values.tolist(), now.rings.tolist(), strict=True)
    }
    known = set(findings.labels)
    carried = {label: each for label, each in before.items() if label in known}
    is_plain = np.maximum(scores.up, scores.down) > Z_95
    return {"total": now.total, "rings": now.rings, "is_plain": is_plain, "evidence": {**carried, **told}}


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


def _cells_before_and_new(previous_id: str, since: Mapping[str, str], rows: EarlierRows) -> tuple[Cells, Cells] | None:
    """Rows that foretell, and rows that are new; None where the previous report's rows are not all there."""
    earlier = rows.cells.get(previous_id)
    added = less(rows.cells_now, earlier) if rows.cells_now is not None and earlier is not None else None
    if earlier is None or added is None:
        return None
    for run in {each for each in since.values() if each in rows.cells}:
        groups = np.array([j for j, label in enumerate(earlier.labels) if since.get(label) == run], dtype=np.int64)
        later = less(earlier, of_some_groups(rows.cells[run], groups))
        earlier = earlier if later is None else later
    return earlier, added


def _slopes(findings: CountedFindings) -> Slopes:
    """Of the groups, by the plain Bayesian fit of all rows."""
    groups, scale = findings.bayes.groups, findings.scaling.scale
    return Slopes(groups.mean[:, 1:] / scale, groups.sd[:, 1:] / scale)


def _inflation(findings: CountedFindings) -> float:
    """Of the variance of what a group's rows say, where rows clearly vary more than their family says."""
    dispersion = findings.screening.dispersion
    return max(dispersion.inflation, 1.0) if dispersion.is_clear else 1.0


def _at_overall_rate(cells: Cells, margin: float) -> float:
    """By how much the overall probability or rate rises with `margin` on the link's scale."""
    rate = np.array(cells.events.sum() / cells.size.sum())
    return float(mean_of(cells.family, link_of(cells.family, rate) + margin) - rate)


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
