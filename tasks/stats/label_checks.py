"""What the labels of the groups give reason to look at, in words."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence

from tasks.stats.labels import DIGITS, INVISIBLE, KIND_WORDS, AlikeLabels, JoinedLabels, LabelCount, LabelNotes
from tasks.stats.records import Check
from tasks.stats.study import LabelKind, Study

MOST_NAMED = 2
MOST_FILES = 2
LONGEST = 40


def check_labels(notes: LabelNotes | None, study: Study) -> tuple[Check, ...]:
    if notes is None:
        return ()
    missing_like = [_missing_like(notes.missing_like, study)] if notes.missing_like else []
    return (_alike(notes.alike, notes.joined, study), *missing_like)


def shown(label: str) -> str:
    """A label in quotes, with what cannot be seen spelt out: “St[U+00A0]Helens”, “St[2 spaces]Helens”."""
    label = label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"
    label = re.sub(r"  +", lambda run: f"[{len(run[0])} spaces]", label)
    seen = "".join(f"[U+{ord(c):04X}]" if INVISIBLE.match(c) or _is_odd_space(c) else c for c in label)
    return f"“{seen}”"


def differ_in(kinds: Iterable[LabelKind]) -> str:
    return _listed([KIND_WORDS[kind] for kind in kinds])


def _alike(found: Sequence[AlikeLabels], joined: Sequence[JoinedLabels], study: Study) -> Check:
    done = f" {_joined(joined)}" if joined else ""
    if not found:
        message = f"No two labels differ only in capitals, spaces, leading zeros or a trailing “.0”.{done}"
        return Check("alike_labels", "pass", 0, 0, message, "")
    kinds = [kind for kind in KIND_WORDS if any(kind in each.differ_in for each in found)]
    examples = "; ".join(_listed([_counted(label) for label in each.labels]) for each in found[:MOST_NAMED])
    rest = f"; and {len(found) - MOST_NAMED:,} more such sets" if len(found) > MOST_NAMED else ""
    groups = "One group may be" if len(found) == 1 else f"{len(found):,} groups may be"
    return Check(
        "alike_labels",
        "review",
        len(found),
        0,
        f"{groups} counted as several, under labels that differ only in {differ_in(kinds)}: {examples}{rest}.{done}",
        _advice(found, kinds, study),
    )


def _advice(found: Sequence[AlikeLabels], kinds: Sequence[LabelKind], study: Study) -> str:
    labels = [[each.label for each in one.labels] for one in found]
    join = study.setting(f"labels.join = {_list([*study.labels.join, *kinds])}")
    are_digits = kinds == ["zeros"] and all(DIGITS.fullmatch(label) for one in labels for label in one)
    pad = f" (or {study.setting(f'labels.pad = {max(len(label) for one in labels for label in one)}')})"
    distinct = study.setting(f"labels.distinct = {_list([*study.labels.distinct, *labels[0]])}")
    others = ", and so with the others" if len(found) > 1 else ""
    first = _listed([shown(label) for label in labels[0]])
    return f"If {first} are one group, {join}{pad if are_digits else ''}; if not, {distinct}{others}."


def _joined(joined: Sequence[JoinedLabels]) -> str:
    n = sum(len(each.parts) for each in joined)
    labels = "1 label is" if n == 1 else f"{n:,} labels are"
    return f"{labels} written as {len(joined):,}, as the study asks under [labels]."


def _missing_like(found: Sequence[LabelCount], study: Study) -> Check:
    named = _listed([_counted(label) for label in found[: MOST_NAMED + 1]])
    rest = f", and {len(found) - MOST_NAMED - 1:,} more" if len(found) > MOST_NAMED + 1 else ""
    labels = [each.label for each in found]
    missing = study.setting(f"missing = {_list([*study.missing, *labels])}")
    distinct = study.setting(f"labels.distinct = {_list([*study.labels.distinct, *labels])}")
    if len(found) == 1:
        message = f"A group is called {named}. That often stands for a missing value; here it is a group like others."
        if_none, if_some = "If it is no group", "If it is one"
    else:
        message = f"{len(found):,} groups are called {named}{rest}. Such names often stand for a missing value."
        if_none, if_some = "If they are no groups", "If they are"
    advice = f"{if_none}, {missing}, which rejects such rows. {if_some}, as NA is Namibia, {distinct}."
    return Check("missing_like_labels", "review", len(found), 0, message, advice)


def _counted(label: LabelCount) -> str:
    rows = "1 row" if label.n_rows == 1 else f"{label.n_rows:,} rows"
    rest = len(label.files) - MOST_FILES
    more = f" and {rest:,} more files" if rest > 1 else f" and {label.files[-1]}" if rest == 1 else ""
    files = ", ".join(label.files[:MOST_FILES]) if more else _listed(label.files)
    return f"{shown(label.label)} ({rows} in {files}{more})"


def _list(labels: Iterable[str]) -> str:
    """As it is typed in TOML."""
    return json.dumps(list(dict.fromkeys(labels)), ensure_ascii=False)


def _is_odd_space(character: str) -> bool:
    return character != " " and (character.isspace() or unicodedata.category(character) in ("Zs", "Cf", "Cc"))


def _listed(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
