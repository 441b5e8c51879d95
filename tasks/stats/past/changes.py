"""What changed since the previous report: rows, groups, estimates, checks and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

import numpy as np

from tasks.stats.concluded import Concluded
from tasks.stats.counted.findings import CountedFindings
from tasks.stats.findings import Findings
from tasks.stats.judgement import Judgement, Status
from tasks.stats.past.earlier import (
    Difference,
    PreviousReport,
    ReportedVerdict,
    aligned,
    basis,
    differences,
    on_basis,
    question_of,
    taken,
)
from tasks.stats.past.increments import EarlierRows
from tasks.stats.past.moves import Moves, counted_moves, moves
from tasks.stats.records import Estimate, Floats, Integers, Verdict, VerdictStatus
from tasks.study.model import Study

T = TypeVar("T")
CheckKey: TypeAlias = tuple[str, str]  # kind, and term; the term is empty if the kind does not judge each
Direction = Literal["better", "worse", "same"]
RANK: dict[VerdictStatus, int] = {"trust": 0, "use": 1, "none": 2}


@dataclass(frozen=True)
class ThenNow(Generic[T]):
    then: T
    now: T

    @property
    def is_same(self) -> bool:
        return self.then == self.now


@dataclass(frozen=True)
class VerdictChange:
    direction: Direction
    status: ThenNow[VerdictStatus]
    recommended_model: ThenNow[str]
    headline_then: str


@dataclass(frozen=True)
class CheckChange:
    """A check whose status has changed; a status is None if the check was not made in that run."""

    kind: str
    term: str
    then: Status | None
    now: Status | None

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.term}" if self.term else self.kind


@dataclass(frozen=True)
class EstimateChanges:
    """Bayesian estimates of the K groups in both reports, both on today's centre-scaled predictors.

    `shift` is (now - then) / sqrt(sd_then^2 + sd_now^2): by it groups are put in order. As reports share rows, it is no
    test of whether a group moved; `tasks.stats.past.moves` is.
    """

    labels: tuple[str, ...]  # K, in today's order
    positions: Integers  # (K,) in today's labels
    n: ThenNow[Integers]  # (K,) rows
    groups: ThenNow[Estimate]  # (K, p)
    fixef: ThenNow[Estimate]  # (p,)
    shift: Floats  # (K, p)
    level_is_exact: bool  # if not, the level's limits in `then` are the widest they can be
    level_widening: float  # the most that a level's interval in `then` is wider than reported: 0.04 = 4 %

    def movers(self, term: int, limit: int, first: Integers | None = None) -> Integers:
        """Positions of up to `limit` of the K groups, the largest absolute `shift` first.

        Of the level, groups at the positions `first` in today's labels come before all others.
        """
        size = np.nan_to_num(np.abs(self.shift[:, term]), nan=-1.0)
        if first is not None and term == 0:
            size[np.isin(self.positions, first)] += np.nanmax(size, initial=0.0) + 1.0
        return np.argsort(-size, kind="stable")[:limit]


@dataclass(frozen=True)
class Changes:
    """`not_comparable` says why there are no `estimates`; it is empty when there are."""

    previous_id: str
    previous_started_at: str
    causes: tuple[str, ...]  # which of "data", "study", "program", "engine" changed
    rows: ThenNow[int]
    n_groups: ThenNow[int]
    rejected: ThenNow[int]
    groups_added: tuple[str, ...]
    groups_gone: tuple[str, ...]
    varying: ThenNow[tuple[str, ...]]
    not_comparable: tuple[Difference, ...]
    estimates: EstimateChanges | None
    verdict: VerdictChange
    checks: tuple[CheckChange, ...]
    moves: Moves | None = None  # None where rows were not compared


def compare(study: Study, previous: PreviousReport, findings: Concluded, rows: EarlierRows | None = None) -> Changes:
    """Compare this run's findings with the previous report. Estimates only if the question is the same.

    `rows` are sums of today's rows and of those that the previous report had: whether groups moved is told from them.
    """
    run, then = findings.run, previous.run
    reasons = differences(then.question, question_of(study, findings.rows.categories))
    return Changes(
        previous_id=then.id,
        previous_started_at=then.started_at,
        causes=_causes(previous, findings),
        rows=ThenNow(previous.n_rows, run.n_rows),
        n_groups=ThenNow(len(then.labels), run.n_groups),
        rejected=ThenNow(previous.n_rejected, run.n_rejected),
        groups_added=_without(findings.labels, then.labels),
        groups_gone=_without(then.labels, findings.labels),
        varying=ThenNow(previous.varying, study.varying),
        not_comparable=reasons,
        estimates=None if reasons else _estimates(previous, findings),
        verdict=_verdict(previous.verdict, findings.verdict),
        checks=_checks(previous.checks, findings.judgements),
        moves=None if rows is None else _moves(study, previous, findings, rows, is_same_question=not reasons),
    )


def _moves(
    study: Study, previous: PreviousReport, findings: Concluded, rows: EarlierRows, *, is_same_question: bool
) -> Moves | None:
    if isinstance(findings, Findings):
        return moves(study, previous, findings, rows, is_same_question=is_same_question)
    if isinstance(findings, CountedFindings):
        return counted_moves(study, previous, findings, rows, is_same_question=is_same_question)
    return None


def direction(then: ReportedVerdict, now: Verdict) -> Direction:
    """By status: trust is better than use, use better than none."""
    before, after = RANK[then.status], RANK[now.status]
    return "same" if before == after else "worse" if after > before else "better"


def _causes(previous: PreviousReport, findings: Concluded) -> tuple[str, ...]:
    run = findings.run
    same = {
        "data": previous.data_sha256 == run.data_sha256,
        "study": previous.study_sha256 == run.study_sha256,
        "program": previous.poolwise == run.versions.get("poolwise", ""),
        "engine": previous.engine == run.engine,
    }
    return tuple(name for name, is_same in same.items() if not is_same)


def _without(labels: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    known = set(others)
    return tuple(label for label in labels if label not in known)


def _estimates(previous: PreviousReport, findings: Concluded) -> EstimateChanges:
    here, there = aligned(previous.run, findings.labels)
    to = basis(previous.run, findings.scaling)
    reported = taken(previous.run.groups, there)
    then, now = on_basis(reported, to), taken(findings.bayes.groups, here)
    return EstimateChanges(
        labels=tuple(findings.labels[position] for position in here),
        positions=here,
        n=ThenNow(previous.group_sizes[there], findings.group_sizes[here]),
        groups=ThenNow(then, now),
        fixef=ThenNow(on_basis(previous.run.fixef, to), findings.bayes.fixef),
        shift=_shift(then, now),
        level_is_exact=to.is_exact,
        level_widening=_widening(reported, then),
    )


def _shift(then: Estimate, now: Estimate) -> Floats:
    spread = np.hypot(then.sd, now.sd)
    return np.divide(now.mean - then.mean, spread, out=np.full_like(spread, np.nan), where=spread > 0)


def _widening(reported: Estimate, converted: Estimate) -> float:
    """The largest growth of a level's interval in the change of basis, as a share; 0 without groups."""
    before, after = ((each.upper - each.lower)[:, 0] for each in (reported, converted))
    grown = after[before > 0] / before[before > 0] - 1.0
    return max(float(grown.max()), 0.0) if grown.size else 0.0


def _verdict(then: ReportedVerdict, now: Verdict) -> VerdictChange:
    return VerdictChange(
        direction=direction(then, now),
        status=ThenNow(then.status, now.status),
        recommended_model=ThenNow(then.recommended_model, now.recommended_model),
        headline_then=then.headline,
    )


def _checks(then: Mapping[CheckKey, Status], judgements: Sequence[Judgement]) -> tuple[CheckChange, ...]:
    """The checks whose status changed: today's in their order, then those that are no longer made."""
    now: dict[CheckKey, Status] = {(each.kind, each.term): each.status for each in judgements}
    pairs = ((key, then.get(key), now.get(key)) for key in dict.fromkeys([*now, *then]))
    return tuple(CheckChange(key[0], key[1], before, after) for key, before, after in pairs if before != after)
