"""Lists the published runs of a reports folder (`tasks.disk.layout`) and reads their summaries back.

Run ids sort by time, and after those of the study's earlier runs whatever the clocks say. A folder that cannot be read
is reported, never repaired.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from tasks.disk.layout import LATEST, REJECTED, SUMMARY
from tasks.reports.summary_versions import in_todays_form
from tasks.stats.past.earlier import Question, ReportedVerdict
from tasks.stats.rows.coding import term_of

# These stand at the top of a summary; the fits behind them can be megabytes.
HEAD = {"schema_version", "study", "verdict", "run"}
OVERVIEW = "overview"  # the key after the head; summaries of older versions have none
HEAD_CHARACTERS = 65_536
MOMENT = "%Y%m%dT%H%M%S.%fZ"

log = logging.getLogger("poolwise")


class UnreadableRun(Exception):
    """A run folder without a summary that can be read; says why."""


def new_run_id(started_at: datetime, fingerprint: str) -> str:
    """A folder name that sorts by time to the microsecond and is unique: 20261122T101500.250000Z-1a2b3c."""
    moment = started_at.astimezone(UTC).strftime(MOMENT)
    return f"{moment}-{sha256((fingerprint + secrets.token_hex(8)).encode()).hexdigest()[:6]}"


def newest_run_id(study_folder: Path) -> str:
    """The id that sorts last of all runs that left a report or rejected rows; empty if there is none."""
    rejected = (path.stem for path in (study_folder / REJECTED).glob("*.csv"))
    return max((*(folder.name for folder in run_folders(study_folder)), *rejected), default="")


def now_after(run_id: str) -> datetime:
    """This moment, or the first one after that run began if its machine's clock is ahead of ours."""
    now = datetime.now(UTC)
    try:
        first = datetime.strptime(run_id.partition("-")[0], MOMENT).replace(tzinfo=UTC) + timedelta(microseconds=1)
    except (ValueError, OverflowError):  # a folder that somebody named
        return now
    if first - now > timedelta(minutes=1):
        log.warning("this machine's clock is %s behind that of run %s", first - now, run_id)
    return max(now, first)


def study_folders(reports: Path) -> list[Path]:
    """By name; empty when there is no reports folder yet."""
    return sorted(_folders(reports))


def run_folders(study_folder: Path) -> list[Path]:
    """Published runs, newest first."""
    runs = (path for path in _folders(study_folder) if path.name not in (LATEST, REJECTED))
    return sorted(runs, key=lambda path: path.name, reverse=True)


def _folders(parent: Path) -> Iterator[Path]:
    """Folders proper, whose names can stand in a page and an address."""
    if parent.is_dir():
        with os.scandir(parent) as entries:
            yield from (
                parent / entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and is_name(entry.name)
            )


def is_name(name: str) -> bool:
    """Whether a file or folder may be called so: one step down, not hidden, printable."""
    return name.isprintable() and name[:1] not in ("", ".") and not set(name) & set("/\\:")


def read_summary(run_folder: Path) -> dict[str, Any]:
    """The whole summary. Raises UnreadableRun."""
    try:
        summary = json.loads(_text(run_folder))
    except (ValueError, RecursionError) as error:
        raise UnreadableRun(f"{SUMMARY} is damaged: {error}") from error
    return _checked(summary)


def read_head(run_folder: Path) -> dict[str, Any]:
    """The summary's `HEAD` and, where there is one, its `OVERVIEW`, read without the fits where possible."""
    head = _leading_keys(_text(run_folder, HEAD_CHARACTERS))
    return _checked(head) if head.keys() >= HEAD else read_summary(run_folder)


def read_verdict(run_folder: Path) -> ReportedVerdict:
    """The verdict of a published run. Raises UnreadableRun."""
    try:
        return ReportedVerdict(**read_head(run_folder)["verdict"])
    except TypeError as error:
        raise UnreadableRun(f"{SUMMARY} has another verdict than this Poolwise knows") from error


def question_in(study: dict[str, Any]) -> Question:
    """What was asked, from a summary's `study`: it decides whether runs can be compared. What is missing is empty."""
    units, levels = study.get("predictor_units", {}), study.get("levels", {})
    predictors = [str(name) for name in study.get("predictors", ())]
    return Question(
        outcome=str(study.get("outcome", "")),
        outcome_unit=str(study.get("outcome_unit", "")),
        group=str(study.get("group", "")),
        predictors=tuple(
            term
            for name in predictors
            for term in ([term_of(name, str(level)) for level in levels[name][1:]] if name in levels else [name])
        ),
        predictor_units={str(name): str(unit) for name, unit in units.items()},
        references={str(name): str(found[0]) for name, found in levels.items()},
        family=str(study.get("family", "normal")),
        size=str(study.get("trials") or study.get("exposure") or ""),
    )


def _text(run_folder: Path, characters: int = -1) -> str:
    try:
        with (run_folder / SUMMARY).open(encoding="utf-8") as file:
            return file.read(characters)
    except FileNotFoundError as error:
        raise UnreadableRun(f"{SUMMARY} is missing") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error  # without the path, since readers see this text
        raise UnreadableRun(f"{SUMMARY} cannot be read: {reason}") from error


def _leading_keys(text: str) -> dict[str, Any]:
    """The top-level entries of a JSON object, until the head is complete or the first part of its text ends."""
    decoder, at = json.JSONDecoder(), text.find("{") + 1
    entries: dict[str, Any] = {}
    try:
        while at and not entries.keys() >= HEAD | {OVERVIEW}:
            key, colon = decoder.raw_decode(text, _skip(text, at, ","))
            entries[key], at = decoder.raw_decode(text, _skip(text, colon, ":"))
    except (ValueError, RecursionError):
        pass
    return entries


def _skip(text: str, at: int, separator: str) -> int:
    while text[at : at + 1].isspace() or text[at : at + 1] == separator:
        at += 1
    return at


def _checked(summary: Any) -> dict[str, Any]:
    """In the form of version 2, whichever version it is of. Raises UnreadableRun."""
    current = in_todays_form(summary) if isinstance(summary, dict) else None
    if current is None:
        raise UnreadableRun(f"{SUMMARY} is of no version that this Poolwise reads")
    return current
