"""Key estimates per group over a study's newest runs, all on today's scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.concluded import Concluded
from tasks.stats.past.earlier import PastRun, Question, aligned, basis, differences, on_basis
from tasks.stats.records import Estimate, Floats, Integers, VerdictStatus

GROUP_LIMIT = 12


@dataclass(frozen=True)
class RunPoint:
    id: str
    started_at: str  # ISO 8601, UTC
    status: VerdictStatus


@dataclass(frozen=True)
class History:
    """R runs, oldest first, today's last. G of today's groups; NaN if a run did not have the group."""

    runs: tuple[RunPoint, ...]  # R
    labels: tuple[str, ...]  # G, in today's order
    positions: Integers  # (G,) in today's labels
    n_groups: int  # today's, of which G are kept
    groups: Estimate  # (R, G, p)
    verdicts: tuple[VerdictStatus, ...]  # of every run looked at, oldest first; may reach back further than `runs`
    n_not_comparable: int  # runs left out because they asked another question
    unreadable: tuple[str, ...]  # "run id: reason"


def history_of(
    question: Question,
    past: Sequence[PastRun],
    findings: Concluded,
    earlier_verdicts: Sequence[VerdictStatus],
    unreadable: Sequence[str],
    limit: int = GROUP_LIMIT,
) -> History:
    """The history of comparable runs. `past` and `earlier_verdicts` are oldest first, without today's run.

    Of more than `limit` groups, those whose estimates moved most over the runs are kept. A group's move is the
    range of its means divided by the mean width of its intervals, the largest over terms.
    """
    comparable = [run for run in past if not differences(run.question, question)]
    stacked = _stacked(comparable, findings)
    kept = _most_moved(stacked, limit)
    today = RunPoint(findings.run.id, findings.run.started_at, findings.verdict.status)
    return History(
        runs=(*(RunPoint(run.id, run.started_at, run.status) for run in comparable), today),
        labels=tuple(findings.labels[position] for position in kept),
        positions=kept,
        n_groups=len(findings.labels),
        groups=Estimate(*(part[:, kept] for part in _parts(stacked))),
        verdicts=(*earlier_verdicts, findings.verdict.status),
        n_not_comparable=len(past) - len(comparable),
        unreadable=tuple(unreadable),
    )


def _parts(estimate: Estimate) -> tuple[Floats, Floats, Floats, Floats]:
    return estimate.mean, estimate.sd, estimate.lower, estimate.upper


def _stacked(past: Sequence[PastRun], findings: Concluded) -> Estimate:
    """(R, J, p)"""
    runs = [*(_on_today(run, findings) for run in past), findings.bayes.groups]
    return Estimate(*(np.stack(part) for part in zip(*map(_parts, runs), strict=True)))


def _on_today(run: PastRun, findings: Concluded) -> Estimate:
    here, there = aligned(run, findings.labels)
    converted = on_basis(run.groups, basis(run, findings.scaling))

    def placed(part: Floats) -> Floats:
        whole = np.full((len(findings.labels), part.shape[-1]), np.nan)
        whole[here] = part[there]
        return whole

    return Estimate(*map(placed, _parts(converted)))


def _most_moved(runs: Estimate, limit: int) -> Integers:
    """Positions of at most `limit` groups, those that moved most, in today's order."""
    n_groups = runs.mean.shape[1]
    if n_groups <= limit:
        return np.arange(n_groups)
    known = np.isfinite(runs.mean)
    highest = np.where(known, runs.mean, -np.inf).max(axis=0)
    lowest = np.where(known, runs.mean, np.inf).min(axis=0)
    width = np.where(known, runs.upper - runs.lower, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    moved = np.divide(highest - lowest, width, out=np.zeros_like(width), where=width > 0).max(axis=1)
    return np.sort(np.argsort(-moved, kind="stable")[:limit])
