"""Earlier reports of a factory's case, as their summaries would tell them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tasks.reports.earlier_runs import previous_report
from tasks.stats.findings import Findings
from tasks.stats.fits.cross_products import cross_products
from tasks.stats.judged.recommended import recommended
from tasks.stats.past.changes import compare
from tasks.stats.past.earlier import PastRun, PreviousReport, question_of
from tasks.stats.past.increments import EarlierRows
from tasks.stats.past.over_time import history_of
from tasks.stats.records import Estimate, Verdict
from tasks.view.document import summary_json, summary_of
from tests.factories import Case

EARLIER_ID = "20261101T080000Z-000000"


def summary(case: Case) -> dict[str, Any]:
    """As read back from a run folder."""
    return json.loads(summary_json(summary_of(case.context)))


def earlier(case: Case) -> PreviousReport:
    return previous_report(summary(renamed(case, EARLIER_ID, "2026-11-01T08:00:00+00:00")))


def renamed(case: Case, run_id: str, started_at: str) -> Case:
    return replace(
        case, findings=replace(case.findings, run=replace(case.findings.run, id=run_id, started_at=started_at))
    )


def with_verdict(case: Case, **changed: str) -> Case:
    """The same report, had the verdict been another; the numbers to quote follow it."""
    found = case.findings
    verdict: Verdict = replace(found.verdict, **changed)
    numbers = None
    if verdict.status != "none":
        numbers = recommended(
            verdict.recommended_model, found.fullest, found.bootstrap, found.plain_bayes, found.answer
        )
    return replace(case, findings=replace(found, verdict=verdict, recommended=numbers))


def moved(case: Case, label: str, term: int, by: float) -> Case:
    """The same report, had one group's Bayesian estimate been elsewhere."""
    shift = np.zeros_like(case.findings.bayes.groups.mean)
    shift[case.findings.labels.index(label), term] = by
    return replace(case, findings=_with_groups(case.findings, _shifted(case.findings.bayes.groups, shift)))


def _shifted(estimate: Estimate, by: np.ndarray) -> Estimate:
    return Estimate(estimate.mean + by, estimate.sd, estimate.lower + by, estimate.upper + by)


def _with_groups(findings: Findings, groups: Estimate) -> Findings:
    return replace(findings, bayes=replace(findings.bayes, groups=groups))


def without_group(case: Case, label: str) -> PreviousReport:
    """The earlier report, had it lacked a group."""
    told = summary(case)
    for fit in (told["fits"]["bayes"], told["fits"]["no_pooling"]):
        del fit["groups"][label]
    return previous_report(told)


def grown(case: Case, label: str = "", by: float = 0.0, n_new: int = 12) -> EarlierRows:
    """The rows, had half of each group's, `n_new` at most, come since the earlier report: those of `label` higher."""
    data = case.data
    seen = np.arange(data.n_rows) - np.searchsorted(data.group_index, data.group_index)
    is_new = seen < np.minimum(np.bincount(data.group_index)[data.group_index] // 2, n_new)
    moved_rows = is_new & (np.array([*data.labels, ""])[data.group_index] == label)
    now = cross_products(replace(data, y=data.y + by * moved_rows))
    old = replace(data, y=data.y[~is_new], x=data.x[~is_new], group_index=data.group_index[~is_new])
    return EarlierRows(now, {EARLIER_ID: cross_products(old, now.offset)}, {})


def looked_back(
    case: Case, previous: PreviousReport, past: tuple[PastRun, ...] = (), rows: EarlierRows | None = None
) -> Case:
    """The case with what changed since `previous`, and a history over `past`, oldest first."""
    changes = compare(case.study, previous, case.findings, rows or grown(case, n_new=0))
    verdicts = [run.status for run in past]
    history = history_of(question_of(case.study), past, case.findings, verdicts, ())
    return replace(case, changes=changes, history=history)


def write_run(reports: Path, case: Case, run_id: str, started_at: str) -> Path:
    """A published run, as far as history is concerned."""
    folder = reports / case.study.name / run_id
    folder.mkdir(parents=True)
    written = renamed(case, run_id, started_at)
    (folder / "summary.json").write_text(summary_json(summary_of(written.context)), encoding="utf-8")
    return folder
