"""Says which settings would read the rows that were rejected.

For each column, the rejected values of the first file that has any are looked at. A setting is advised only if it reads
nearly all of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from tasks.rows.counted_values import counted_hint
from tasks.rows.looks import NEARLY_ALL, Look, codes_setting, date_setting, look_of
from tasks.rows.numbers import NumberStyle, parse_numbers
from tasks.study.advice import to_set
from tasks.study.errors import Rejection
from tasks.study.model import Study
from tasks.study.plain_text import brief, shown
from tasks.study.toml_text import toml_value

NOT_A_NUMBER, NOT_A_DATE = "not a number", "not a date"
DENSE_ROWS = 5  # at least this many failing rows, with hardly a good one between them, count as the whole column
MOST_COLUMNS = 3
FORM = "A number is a sign (+ or -), digits with at most one decimal mark, and an exponent such as e-5."


def hint(rejections: Sequence[Rejection], study: Study) -> str:
    """What the rejected values look like and what would read them; begins with a space, or is empty."""
    repeated = [each for each in rejections if each.rule == NOT_A_NUMBER and each.value.strip() == each.column]
    columns = list(_by_column([each for each in rejections if each not in repeated]).items())[:MOST_COLUMNS]
    looks = {column: (found, look) for column, found in columns if (look := _look(found, study))}
    said = [_said(column, found[0], look, study) for column, (found, look) in looks.items()]
    if repeated:
        said.append(f"Row {repeated[0].row} of {repeated[0].file} repeats the column names: delete it.")
    said += _style([look for _, look in looks.values() if look.style], study)
    if not said and any(each.rule == NOT_A_NUMBER and re.search(r"\d", each.value) for each in rejections):
        said.append(FORM)
    counted = filter(None, [counted_hint(rejections, study)])
    return "".join(f" {each}" for each in [*said, *_whole_rows(rejections, study), *counted])


def _by_column(rejections: Sequence[Rejection]) -> dict[str, list[Rejection]]:
    """For each column its rejections in the first file that has any."""
    found: dict[str, list[Rejection]] = defaultdict(list)
    for each in rejections:
        if each.rule in (NOT_A_NUMBER, NOT_A_DATE) and each.file == found.get(each.column, [each])[0].file:
            found[each.column].append(each)
    return found


def _look(found: Sequence[Rejection], study: Study) -> Look | None:
    values = [each.value for each in found]
    rows = [each.row for each in found]
    is_all = len(rows) >= DENSE_ROWS and len(rows) >= NEARLY_ALL * (max(rows) - min(rows) + 1)
    base = NumberStyle(study.decimal or ".", study.thousands or "", study.affixes)
    is_read = np.isfinite(parse_numbers(pd.Series(values, dtype="str"), base)).mean() >= NEARLY_ALL
    if is_read:  # `base` reads these, yet they failed: the column has the other mark
        base = replace(base, decimal="," if base.decimal == "." else ".")
    look = look_of(values, is_all, base, is_mark_known=bool(is_read))
    has_new_affix = look is not None and look.style is not None and look.style.affixes != base.affixes
    return replace(look, is_partial=True) if look and has_new_affix and not is_all else look


def _said(column: str, first: Rejection, look: Look, study: Study) -> str:
    place = f"{shown(first.value, 40)} in column {brief(column)} of {first.file}, row {first.row}"
    found = f"{place} looks like {look.what}"
    if look.date_format:
        other = f", or {look.others}" if look.others else ""
        return f"{found}: to read it as days, {to_set(study, [date_setting(column, look.date_format)])}{other}."
    if look.codes:
        codes = {**study.codes.get(column, {}), **look.codes}
        if len(look.codes) == 2:
            return f"{found}: to read it as a number, {to_set(study, [codes_setting(column, codes)])}."
        names = toml_value([*study.categories.columns, column])
        return (
            f"{found}, one of {', '.join(look.codes)}: if they have an order, give each its number, as in "
            f"{codes_setting(column, codes)}; if not, {to_set(study, [f'categories.columns = {names}'])}."
        )
    if look.missing:
        return f"{found}: if it is one, {to_set(study, [f'missing = {toml_value([*study.missing, *look.missing])}'])}."
    if look.style and not look.style.thousands and look.style.affixes == study.affixes:
        line = f"decimal = {toml_value(look.style.decimal)}"
        advice = to_set(study, [line])
        return f"{found}: if all its numbers have it, {advice}; if only some have, write these as the others are."
    if not look.style:
        return f"{found}: make it a number in the data, for example of hours."
    return f"{found}."


def _style(looks: Sequence[Look], study: Study) -> list[str]:
    """One sentence for all columns, as these settings hold for the whole study."""
    lines = _style_lines([look.style for look in looks if look.style], study)
    if not lines:
        return []
    other = next((study.setting(look.others) for look in looks if look.style and look.others), "")
    conditions = [
        f", or {other} instead if it means the fraction" if other else "",
        ", if the values without it are in the same unit" if any(look.is_partial for look in looks) else "",
        "; 12 % is then read as 12" if any("%" in line for line in lines) else "",
    ]
    return [f"{_sentence(to_set(study, lines))}{''.join(conditions)}."]


def _style_lines(styles: Sequence[NumberStyle], study: Study) -> list[str]:
    """The settings for this style that the study does not have yet."""
    thousands = next((style.thousands for style in styles if style.thousands != (study.thousands or "")), "")
    affixes = [*dict.fromkeys(affix for style in styles for affix in style.affixes if affix not in study.affixes)]
    lines = [f"thousands = {toml_value(thousands)}"] if thousands else []
    if thousands and study.decimal == thousands:
        lines.append(f"decimal = {toml_value(',' if thousands == '.' else '.')}")
    if affixes:
        lines.append(f"affixes = {toml_value([*study.affixes, *affixes])}")
    return lines


def _whole_rows(rejections: Sequence[Rejection], study: Study) -> list[str]:
    """A likely cause of rows that are wrong as a whole."""
    rules = {each.rule.split(" ", 1)[1] if each.rule[:1].isdigit() else each.rule for each in rejections}
    said = []
    if "begins like a comment" in rules:
        said.append(
            f"{_sentence(to_set(study, ['comment = ' + toml_value('#')]))} if lines that begin with # are comments."
        )
    if rules & {"field more than the header", "fields more than the header"}:
        said.append(
            "A delimiter inside a value needs double quotes around the value; where numbers have a decimal comma, the "
            "delimiter has to be another character."
        )
    return said


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
