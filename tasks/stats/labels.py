"""Find labels that a person would read as one group, and labels that look like a missing value.

Labels arrive here clean: composed Unicode (NFC), nothing invisible around them. Two labels are alike when they
differ only in what a person overlooks or a spreadsheet changes: case, inner spaces and invisible characters,
leading zeros of a number, a ".0" behind a whole number. Alike labels are reported, and stay separate groups unless
the study joins or pads them. Differences in accents, abbreviations or spelling are not found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.judgement import Judgement, Status
from tasks.stats.records import Integers
from tasks.study.model import Study
from tasks.study.settings import UNSEEN, LabelKind, Labels, clean_label

KINDS: tuple[LabelKind, ...] = ("case", "space", "zeros", "decimals")
MISSING_LIKE = re.compile(
    r"<?na>?|n/a|#n/a|n\.a\.?|nan|null|nil|none|undefined|unknown|missing|\(?blank\)?|empty|no data"
    r"|not (available|known|applicable)|[-–—?.]{1,3}|#(null|ref|value|name|div/0)[!?]|-999?9?"
)

INVISIBLE = re.compile(f"[{UNSEEN}]+")
SPACES = re.compile(r"\s+")
DECIMALS = re.compile(r"([+-]?[0-9]+)(?:\.0+|,0{1,2})")
LEADING_ZEROS = re.compile(r"(?<![0-9])(?<![0-9][.,])0+(?=[0-9])")
DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class LabelCount:
    """One label, the number of its used rows, and the files that contain it, in the order of files."""

    label: str
    n_rows: int
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class AlikeLabels:
    """Two or more labels that differ only in `differ_in`, the label with most rows first."""

    labels: tuple[LabelCount, ...]
    differ_in: tuple[LabelKind, ...]


@dataclass(frozen=True)
class JoinedLabels:
    """Labels that the study's settings joined into one group, called `label`."""

    label: str
    parts: tuple[LabelCount, ...]


@dataclass(frozen=True)
class LabelNotes:
    alike: tuple[AlikeLabels, ...] = ()
    missing_like: tuple[LabelCount, ...] = ()
    joined: tuple[JoinedLabels, ...] = ()


def judge_labels(notes: LabelNotes | None) -> tuple[Judgement, ...]:
    if notes is None:
        return ()
    status: Status = "review" if notes.alike else "pass"
    case = "alike" if notes.alike else "distinct"
    alike = Judgement("alike_labels", status, case, value=len(notes.alike), limit=0)
    if not notes.missing_like:
        return (alike,)
    return alike, Judgement("missing_like_labels", "review", "found", value=len(notes.missing_like), limit=0)


def key(label: str, kinds: Sequence[LabelKind]) -> str:
    """The label with differences of these kinds removed. Labels with equal keys are alike."""
    if "space" in kinds:
        label = SPACES.sub(" ", INVISIBLE.sub("", label)).strip()
    if "decimals" in kinds:
        label = _whole(label)
    if "zeros" in kinds:
        label = LEADING_ZEROS.sub("", label)
    if "case" in kinds:
        label = unicodedata.normalize("NFC", label.casefold())
    return label


def joined_key(label: str, settings: Labels) -> str:
    """A key that is equal for all labels which the study joins into one group."""
    if label in settings.distinct:
        return f"\0{label}"
    return key(padded(label, settings), settings.join)


def padded(label: str, settings: Labels) -> str:
    """The label; if it is all digits, filled with zeros to the width that the study asks for."""
    if settings.pad is None or label in settings.distinct:
        return label
    whole = _whole(label) if "decimals" in settings.join else label
    return whole.zfill(settings.pad) if DIGITS.fullmatch(whole) else label


def spellings(counts: Mapping[str, int], study: Study) -> dict[str, str]:
    """The spelling of each label after alike labels are joined. `counts` holds rows by label, in natural order.

    A joined group is spelt as in `rules.groups`, else as its label with most rows; the first label wins a tie.
    """
    settings = study.labels
    if not settings.join and settings.pad is None:
        return {label: label for label in counts}
    found: dict[str, list[str]] = {}
    for label in counts:
        found.setdefault(joined_key(label, settings), []).append(label)
    allowed = set(study.rules.groups or ())
    best = {
        name: padded(max(labels, key=lambda label: (label in allowed, counts[label])), settings)
        for name, labels in found.items()
    }
    return {label: best[name] for name, labels in found.items() for label in labels}


def one_spelling(labels: Sequence[str], spelling: Mapping[str, str]) -> tuple[tuple[str, ...], Integers]:
    """The distinct spellings of `labels`, and for each label the position of its spelling among them."""
    position: dict[str, int] = {}
    index = [position.setdefault(spelling[label], len(position)) for label in labels]
    return tuple(position), np.array(index, dtype=np.int64)


def label_notes(files: Mapping[str, Mapping[str, int]], spelling: Mapping[str, str], study: Study) -> LabelNotes:
    """The labels to report. `files` holds rows by label, for each file's name; `spelling` is in natural order."""
    spelt = list(dict.fromkeys(spelling.values()))
    pairs, missing = alike(spelt, study), missing_like(spelt, study)
    parts: dict[str, list[str]] = {}
    for label, name in spelling.items():
        parts.setdefault(name, []).append(label)
    joined = {name: labels for name, labels in parts.items() if labels != [name]}
    told = {*missing, *(label for labels, _ in pairs for label in labels)}
    counted = _counted(files, {label for name in {*told, *joined} for label in parts[name]})
    of_group = {name: _together(name, [counted[label] for label in parts[name]], files) for name in told}
    return LabelNotes(
        tuple(AlikeLabels(_most_first(of_group[label] for label in labels), kinds) for labels, kinds in pairs),
        tuple(of_group[label] for label in missing),
        tuple(JoinedLabels(name, _most_first(counted[label] for label in labels)) for name, labels in joined.items()),
    )


def _counted(files: Mapping[str, Mapping[str, int]], labels: set[str]) -> dict[str, LabelCount]:
    counts = dict.fromkeys(labels, 0)
    places: dict[str, list[str]] = {label: [] for label in labels}
    for name, rows in files.items():
        for label in labels & rows.keys():
            counts[label] += rows[label]
            places[label].append(name)
    return {label: LabelCount(label, counts[label], tuple(places[label])) for label in labels}


def _together(name: str, parts: Sequence[LabelCount], files: Mapping[str, object]) -> LabelCount:
    places = {place for part in parts for place in part.files}
    return LabelCount(name, sum(part.n_rows for part in parts), tuple(file for file in files if file in places))


def _most_first(counts: Iterable[LabelCount]) -> tuple[LabelCount, ...]:
    return tuple(sorted(counts, key=lambda count: -count.n_rows))


def alike(labels: Sequence[str], study: Study) -> list[tuple[tuple[str, ...], tuple[LabelKind, ...]]]:
    """Sets of alike labels, each with the kinds in which they differ. Sets that the study confirms are left out."""
    settled = {*study.labels.distinct, *(study.rules.groups or ())}
    found: dict[str, list[str]] = {}
    for label in labels:
        found.setdefault(key(label, KINDS), []).append(label)
    return [
        (tuple(group), _differ_in(group))
        for group in found.values()
        if len(group) > 1 and not settled.issuperset(group)
    ]


def missing_like(labels: Sequence[str], study: Study) -> list[str]:
    """Labels that often stand for a missing value, except those that the study confirms."""
    settled = {*study.labels.distinct, *(study.rules.groups or ())}
    return [label for label in labels if MISSING_LIKE.fullmatch(label.casefold()) and label not in settled]


def is_allowed(labels: Sequence[str], study: Study) -> list[bool]:
    """For each label, whether `rules.groups` lists it or a label that the study joins with it."""
    allowed = {joined_key(clean_label(label), study.labels) for label in study.rules.groups or ()}
    return [joined_key(label, study.labels) in allowed for label in labels]


def _whole(label: str) -> str:
    found = DECIMALS.fullmatch(label)
    return found[1] if found else label


def _differ_in(labels: Sequence[str]) -> tuple[LabelKind, ...]:
    """The kinds that must be ignored for the labels to be equal; all kinds if none is needed on its own."""
    needed = tuple(
        kind for kind in KINDS if len({key(label, [each for each in KINDS if each != kind]) for label in labels}) > 1
    )
    return needed or KINDS
