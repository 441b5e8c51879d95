"""Labels of groups that call for a look, in words."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence

from tasks.stats.judgement import Judgement
from tasks.stats.labels import DIGITS, INVISIBLE, AlikeLabels, JoinedLabels, LabelCount, LabelNotes
from tasks.study.settings import LabelKind
from tasks.view.row_context import RowContext
from tasks.view.topic import Case, CheckSpec

MOST_NAMED = 2
MOST_FILES = 2
LONGEST = 40
KIND_WORDS: dict[LabelKind, str] = {
    "case": "capitals",
    "space": "spaces or invisible characters",
    "zeros": "leading zeros",
    "decimals": "a trailing “.0”",
}


def shown(label: str) -> str:
    """A label in quotes, with invisible characters spelt out: “St[U+00A0]Helens”, “St[2 spaces]Helens”."""
    label = label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"
    label = re.sub(r"  +", lambda run: f"[{len(run[0])} spaces]", label)
    seen = "".join(f"[U+{ord(c):04X}]" if INVISIBLE.match(c) or _is_odd_space(c) else c for c in label)
    return f"“{seen}”"


def differ_in(kinds: Iterable[LabelKind]) -> str:
    return _listed([KIND_WORDS[kind] for kind in kinds])


def _notes(context: RowContext) -> LabelNotes:
    assert context.rows.notes.labels is not None
    return context.rows.notes.labels


def _kinds(found: Sequence[AlikeLabels]) -> list[LabelKind]:
    return [kind for kind in KIND_WORDS if any(kind in each.differ_in for each in found)]


def _distinct(context: RowContext, judged: Judgement) -> str:
    told = "No two labels differ only in capitals, spaces, leading zeros or a trailing “.0”."
    return f"{told}{_joined(_notes(context).joined)}"


def _alike(context: RowContext, judged: Judgement) -> str:
    found = _notes(context).alike
    examples = "; ".join(_listed([_counted(label) for label in each.labels]) for each in found[:MOST_NAMED])
    rest = f"; and {len(found) - MOST_NAMED:,} more such sets" if len(found) > MOST_NAMED else ""
    groups = "One group may be" if len(found) == 1 else f"{len(found):,} groups may be"
    return (
        f"{groups} counted as several, under labels that differ only in {differ_in(_kinds(found))}: "
        f"{examples}{rest}.{_joined(_notes(context).joined)}"
    )


def _join_or_not(context: RowContext, judged: Judgement) -> str:
    found, study = _notes(context).alike, context.study
    kinds = _kinds(found)
    labels = [[each.label for each in one.labels] for one in found]
    join = study.setting(f"labels.join = {_list([*study.labels.join, *kinds])}")
    are_digits = kinds == ["zeros"] and all(DIGITS.fullmatch(label) for one in labels for label in one)
    pad = f" (or {study.setting(f'labels.pad = {max(len(label) for one in labels for label in one)}')})"
    distinct = study.setting(f"labels.distinct = {_list([*study.labels.distinct, *labels[0]])}")
    others = ", and so with the others" if len(found) > 1 else ""
    first = _listed([shown(label) for label in labels[0]])
    return f"If {first} are one group, {join}{pad if are_digits else ''}; if not, {distinct}{others}."


def _joined(joined: Sequence[JoinedLabels]) -> str:
    """How many labels the study's settings joined; empty if none."""
    if not joined:
        return ""
    n = sum(len(each.parts) for each in joined)
    labels = "1 label is" if n == 1 else f"{n:,} labels are"
    return f" {labels} written as {len(joined):,}, as the study asks under [labels]."


def _missing_like(context: RowContext, judged: Judgement) -> str:
    found = _notes(context).missing_like
    named = _listed([_counted(label) for label in found[: MOST_NAMED + 1]])
    rest = f", and {len(found) - MOST_NAMED - 1:,} more" if len(found) > MOST_NAMED + 1 else ""
    if len(found) == 1:
        return f"A group is called {named}. That often stands for a missing value; here it is a group like others."
    return f"{len(found):,} groups are called {named}{rest}. Such names often stand for a missing value."


def _missing_or_not(context: RowContext, judged: Judgement) -> str:
    study, labels = context.study, [each.label for each in _notes(context).missing_like]
    missing = study.setting(f"missing = {_list([*study.missing, *labels])}")
    distinct = study.setting(f"labels.distinct = {_list([*study.labels.distinct, *labels])}")
    if_none, if_some = (
        ("If it is no group", "If it is one") if len(labels) == 1 else ("If they are no groups", "If they are")
    )
    return f"{if_none}, {missing}, which rejects such rows. {if_some}, as NA is Namibia, {distinct}."


def _counted(label: LabelCount) -> str:
    rows = "1 row" if label.n_rows == 1 else f"{label.n_rows:,} rows"
    rest = len(label.files) - MOST_FILES
    more = f" and {rest:,} more files" if rest > 1 else f" and {label.files[-1]}" if rest == 1 else ""
    files = ", ".join(label.files[:MOST_FILES]) if more else _listed(label.files)
    return f"{shown(label.label)} ({rows} in {files}{more})"


def _list(labels: Iterable[str]) -> str:
    """The labels as a list in TOML."""
    return json.dumps(list(dict.fromkeys(labels)), ensure_ascii=False)


def _is_odd_space(character: str) -> bool:
    return character != " " and (character.isspace() or unicodedata.category(character) in ("Zs", "Cf", "Cc"))


def _listed(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


LABELS: tuple[CheckSpec[RowContext], ...] = (
    CheckSpec(
        kind="alike_labels",
        title="Labels that look alike",
        measure="sets of such labels: {value}",
        cases={
            "distinct": Case(_distinct),
            "alike": Case(
                _alike,
                _join_or_not,
                "See whether labels that look alike are one group: the health card says how to join them.",
            ),
        },
    ),
    CheckSpec(
        kind="missing_like_labels",
        title="Groups called NA or the like",
        measure="such labels: {value}",
        cases={
            "found": Case(
                _missing_like, _missing_or_not, "See whether a group that is called like a missing value is one."
            )
        },
    ),
)
