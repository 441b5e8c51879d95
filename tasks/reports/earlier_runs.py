"""Reads from their summaries what a study's earlier reports said.

A summary can be megabytes, nearly all of it fits that are not needed here. It has one line per top-level key, so the
lines needed are found in the file's bytes and decoded alone. Where one is not found, the whole file is read.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import numpy as np

from tasks.disk.layout import SUMMARY
from tasks.reports.run_folders import UnreadableRun, is_name, question_in, read_head, read_summary, run_folders
from tasks.stats.concluded import Concluded
from tasks.stats.judgement import Status
from tasks.stats.past.earlier import PastRun, PreviousReport, ReportedVerdict, question_of
from tasks.stats.past.evidence import EFFECTS, GroupEvidence
from tasks.stats.past.over_time import History, history_of
from tasks.stats.records import Estimate, Floats, VerdictStatus
from tasks.study.model import Study
from tasks.study.plain_text import shown
from tasks.study.run import SourceFile

RUN_LIMIT = 30
VERDICT_LIMIT = 365
ESTIMATE = ("mean", "sd", "lower", "upper")
LINES = ("terms", "scaling")
# Quotes within JSON texts are escaped, so these bytes can only be the key "bayes" followed by the key "engine".
BAYES = b'"bayes": {"engine": '
DAMAGE = (KeyError, TypeError, ValueError, AttributeError)


def read_previous(reports: Path, study_name: str) -> PreviousReport | None:
    """The study's newest report that can be read, or None if there is none."""
    for folder in run_folders(reports / study_name):
        with suppress(UnreadableRun):
            return previous_report(read_summary(folder))
    return None


def previous_report(summary: Mapping[str, Any]) -> PreviousReport:
    """The parts of a whole summary that the next report is compared with. Raises UnreadableRun."""
    try:
        run, fits = summary["run"], summary["fits"]
        past = _past_run(summary, fits["bayes"])
        return PreviousReport(
            run=past,
            verdict=ReportedVerdict(**summary["verdict"]),
            checks={(check["kind"], check["term"]): _check_status(check["status"]) for check in summary["checks"]},
            group_sizes=np.array([fits["no_pooling"]["groups"][label]["n"] for label in past.labels], dtype=np.int64),
            n_rows=int(run["n_rows"]),
            n_rejected=int(run["n_rejected"]),
            varying=tuple(summary["study"]["varying"]),
            data_sha256=str(run["data_sha256"]),
            study_sha256=str(run["study_sha256"]),
            poolwise=str(run["versions"].get("poolwise", "")),
            engine=str(run["engine"]),
            files=tuple(map(_source_file, run["files"])),
            evidence=_evidence(summary.get("changes")),
        )
    except DAMAGE as error:
        raise UnreadableRun(_lacking(error)) from error


def files_of(reports: Path, study_name: str, run_id: str) -> tuple[SourceFile, ...]:
    """The files of an earlier run; empty if it cannot be read."""
    if not is_name(run_id):
        return ()
    try:
        return tuple(map(_source_file, read_head(reports / study_name / run_id)["run"]["files"]))
    except (UnreadableRun, *DAMAGE):
        return ()


def _source_file(told: Mapping[str, Any]) -> SourceFile:
    """A file as a summary tells of it; older ones do not tell its size."""
    counts = {name: int(told.get(name, 0)) for name in ("n_rows", "n_rejected", "n_copies", "n_bytes")}
    return SourceFile(str(told["name"]), str(told["sha256"]), set_aside=str(told.get("set_aside", "")), **counts)


def _evidence(changes: Mapping[str, Any] | None) -> dict[str, GroupEvidence]:
    """That groups have moved, by label; empty for a first report and for one of a Poolwise that gathered none."""
    increments = (changes or {}).get("increments") or {}
    found = {label: _group_evidence(told) for label, told in increments.get("evidence", {}).items()}
    return {label: each for label, each in found.items() if len(each.values) == EFFECTS.size}


def _group_evidence(told: Mapping[str, Any]) -> GroupEvidence:
    return GroupEvidence(tuple(float(value or 0.0) for value in told["values"]), str(told["since"]))


def read_history(reports: Path, study: Study, findings: Concluded, limit: int = RUN_LIMIT) -> History:
    """Estimates of the newest `limit` runs, this one included, and verdicts of VERDICT_LIMIT; names damaged runs."""
    past: list[PastRun] = []
    verdicts: list[VerdictStatus] = []
    unreadable: list[str] = []
    for folder in run_folders(reports / study.name)[: VERDICT_LIMIT - 1]:
        try:
            if len(past) < limit - 1:
                past.append(read_past_run(folder))
                verdicts.append(past[-1].status)
            else:
                verdicts.append(_verdict_status(read_head(folder)["verdict"]["status"]))
        except UnreadableRun as error:
            unreadable.append(f"{folder.name}: {error}")
        except DAMAGE as error:
            unreadable.append(f"{folder.name}: {_lacking(error)}")
    return history_of(question_of(study, findings.rows.categories), past[::-1], findings, verdicts[::-1], unreadable)


def read_past_run(folder: Path) -> PastRun:
    """A published run's group estimates. Raises UnreadableRun."""
    try:
        parts = _parts_of(folder / SUMMARY)
        if parts is None:
            summary = read_summary(folder)
            return _past_run(summary, summary["fits"]["bayes"])
        return _past_run(read_head(folder) | parts, parts["bayes"])
    except DAMAGE as error:
        raise UnreadableRun(_lacking(error)) from error


def _parts_of(path: Path) -> dict[str, Any] | None:
    """The lines in LINES and the Bayesian fit, each decoded alone; None if one of them is not found."""
    with (
        suppress(OSError, ValueError),
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        starts = {key: content.find(f'\n"{key}": '.encode()) for key in LINES}
        starts["bayes"] = content.rfind(BAYES)
        return None if min(starts.values()) < 0 else {key: _value(content, at) for key, at in starts.items()}
    return None


def _value(content: mmap.mmap, at: int) -> Any:
    """The JSON value of the key at this offset; it ends within its line."""
    start = content.find(b": ", at) + 2
    end = content.find(b"\n", start)
    return json.JSONDecoder().raw_decode(content[start : end if end > 0 else len(content)].decode("utf-8"))[0]


def _past_run(head: Mapping[str, Any], bayes: Mapping[str, Any]) -> PastRun:
    study, scaling, run = head["study"], head["scaling"], head["run"]
    question = question_in(study)
    terms = ("intercept", *question.predictors)
    if tuple(head["terms"]) != terms:
        raise ValueError("its terms are not those of its study")
    groups = bayes["groups"]
    return PastRun(
        id=str(run["id"]),
        started_at=str(run["started_at"]),
        status=_verdict_status(head["verdict"]["status"]),
        question=question,
        center=np.array([scaling[name]["center"] for name in question.predictors], dtype=float),
        scale=np.array([scaling[name]["scale"] for name in question.predictors], dtype=float),
        labels=tuple(groups),
        groups=_estimate(list(groups.values()), len(terms)),
        fixef=_estimate([bayes["fixef"]], len(terms), single=True),
    )


def _estimate(entries: Sequence[Mapping[str, Any]], p: int, single: bool = False) -> Estimate:
    """An estimate of shape (len(entries), p), or (p,) for a single one; null becomes NaN."""
    values: Floats = np.array([[entry[part] for part in ESTIMATE] for entry in entries], dtype=float)
    if values.shape != (len(entries), len(ESTIMATE), p):
        raise ValueError("its estimates are not one per term")
    return Estimate(*(values[0] if single else values.swapaxes(0, 1)))


def _verdict_status(value: object) -> VerdictStatus:
    """The status itself. Raises ValueError if it is none."""
    for status in get_args(VerdictStatus):
        if value == status:
            return status
    raise ValueError(f"{shown(value)} is no verdict")


def _check_status(value: object) -> Status:
    """The status itself. Raises ValueError if it is none."""
    for status in get_args(Status):
        if value == status:
            return status
    raise ValueError(f"{shown(value)} is no status")


def _lacking(error: Exception) -> str:
    """The message for a summary in which something is missing or wrong."""
    what = f"{shown(error.args[0])} is missing" if isinstance(error, KeyError) and error.args else str(error)
    return f"{SUMMARY} lacks what a comparison needs: {what}"
