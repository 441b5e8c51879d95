"""Drafts a `study.toml` for a data file: guesses which columns play which part, and marks every guess.

How the file is read is found as a run finds it; the draft names a setting only where a run could not find it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tasks.disk.natural_order import natural_key
from tasks.disk.user_text import MOST_OF_A_PATH, is_file
from tasks.drafting.columns_seen import Column, FileSeen, see
from tasks.drafting.families import FamilyGuess
from tasks.drafting.guess import Guess, can_be_outcome, guess
from tasks.rows.category_columns import level_texts
from tasks.rows.looks import Look, codes_setting
from tasks.rows.study_files import SUFFIXES
from tasks.stats.rows.extremes import extremes_of
from tasks.stats.rows.missing_codes import missing_codes
from tasks.study.errors import DataRejected, StudyError
from tasks.study.plain_text import brief, listed
from tasks.study.toml_text import toml_key, toml_value


def draft_study(file: Path | str) -> str:
    """The text of a commented `study.toml` that stands beside `file` and validates.

    Raises StudyError if there is no such file, DataRejected if no two columns can be made out in it.
    """
    file = Path(file)
    if not is_file(file) or file.suffix.lower() not in SUFFIXES:
        raise StudyError(
            f"There is no data file at {brief(str(file), MOST_OF_A_PATH)}. Give the path of a file that ends in "
            f"{', '.join(SUFFIXES)}."
        )
    seen = see(file)
    found = guess(seen.columns)
    if found is None:
        raise DataRejected(_no_guess(file, seen.columns))
    return "\n".join(_lines(file, seen, found)) + "\n"


def _lines(file: Path, seen: FileSeen, found: Guess) -> Iterator[str]:
    outcome, group, predictors = found.outcome, found.group, found.predictors
    names = toml_value([column.name for column in predictors])
    yield "# Drafted by `poolwise new`. What follows `guess:` was guessed from the data: check it."
    yield f"title = {toml_value(_title(outcome, group, predictors))}"
    yield f"source = {toml_value(file.name)} # a file in this folder, or several: {toml_value('*' + file.suffix)}"
    numeric = [column for column in predictors if not column.is_category]
    sizes = [found.family.size] if found.family and found.family.size and found.family.is_sure else []
    yield from _how_to_read(seen, (outcome, *numeric, *sizes))
    yield ""
    yield f"outcome = {toml_value(outcome.name)} # guess: numbers, {outcome.n_distinct} different values"
    yield from _family(found.family)
    yield '# outcome_unit = "" # shown beside every estimate'
    yield f"group = {toml_value(group.name)} # guess: {'; '.join(found.reasons)}"
    yield f"predictors = {names} # guess: {_kinds(predictors)}"
    yield from _further("further columns", found.others)
    yield from _further(f"the same throughout each {_on_one_line(group.name)}", found.same_in_groups)
    slopes = toml_value([column.name for column in numeric])
    yield f"# varying = {slopes} # predictors whose slope may differ by group; default: all numbers"
    yield ""
    yield from _units(numeric)
    yield from _references([column for column in predictors if column.is_category])
    yield "[rules]"
    yield "max_rejected_share = 0.05 # when more rows than this are bad, the run stops"
    yield f"# unique = [{toml_value(group.name)}, ...] # columns that together occur once"
    yield ""
    yield "# What is possible, not only what was seen. Rows outside are rejected."
    yield "# [rules.ranges]"
    yield from (_range(column) for column in (outcome, *numeric, *sizes))


def _title(outcome: Column, group: Column, predictors: Sequence[Column]) -> str:
    if not predictors:
        return f"How does {outcome.name} differ by {group.name}?"[:300]
    return f"Does {' or '.join(column.name for column in predictors)} change {outcome.name}?"[:300]


def _how_to_read(seen: FileSeen, columns: Sequence[Column]) -> Iterator[str]:
    """The settings without which these columns could not be read."""
    if seen.encoding:
        yield f"encoding = {toml_value(seen.encoding)} # guess: the file is not UTF-8"
    looks = [column.look for column in columns if column.look]
    thousands = [look for look in looks if look.style and look.style.thousands]
    if thousands and thousands[0].style:
        yield f"thousands = {toml_value(thousands[0].style.thousands)} # guess: {_doubt(thousands[0])}"
    affixes = [*dict.fromkeys(affix for look in looks if look.style for affix in look.style.affixes)]
    if affixes:
        yield f"affixes = {toml_value(affixes)} # guess: taken off and nothing else, so 12 % is read as 12"
    for column in columns:
        if column.look and column.look.codes and not (column.is_truth and column is not columns[0]):
            yield f"{codes_setting(column.name, column.look.codes)} # guess: a number for each of its two words"
    yield from _missing(columns)


def _doubt(look: Look) -> str:
    return f"{look.what}; instead, {look.others}" if look.others else "between groups of three digits"


def _missing(columns: Sequence[Column]) -> Iterator[str]:
    """A comment on codes that may stand for missing values; a draft does not leave rows out by itself."""
    values = [column.values[np.isfinite(column.values)] for column in columns if column.values is not None]
    codes = missing_codes(extremes_of(values), [column.name for column in columns])
    if codes:
        found = "; ".join(f"{_on_one_line(code.column)} is {code.spelled} in {code.n_rows} rows" for code in codes)
        words = toml_value([*dict.fromkeys(code.spelled for code in codes)])
        yield f"# missing = {words} # {found}, far from its other values: if it stands for a missing one"


def _family(found: FamilyGuess | None) -> Iterator[str]:
    """What is counted, and of how much; as a question where the outcome may as well be measured."""
    if found is None:
        return
    mark, word = ("", "guess") if found.is_sure else ("# ", "if it is a count")
    yield f"{mark}family = {toml_value(found.family)} # {word}: {_on_one_line(found.reason)}"
    if found.size is not None:
        why = "its name, and never less than the outcome" if found.family == "binomial" else "its name, and above 0"
        yield f"{mark}{found.size_key} = {toml_value(found.size.name)} # {word}: {why}"
    elif found.family == "poisson":
        yield '# exposure = "" # the column over which it was counted, as in person_years; default: 1 in every row'


def _further(what: str, columns: Sequence[Column]) -> list[str]:
    return [f"# {what}: {toml_value([column.name for column in columns])}"] if columns else []


def _kinds(predictors: Sequence[Column]) -> str:
    kinds = [
        "other columns of numbers" if any(not column.is_category for column in predictors) else "",
        "categories" if any(column.is_category for column in predictors) else "",
    ]
    return ", and ".join(filter(None, kinds)) or "none found"


def _references(categories: Sequence[Column]) -> Iterator[str]:
    """What the levels of each category are compared with, as a run would choose."""
    if not categories:
        return
    yield "[categories]"
    yield "# Each level is compared with the reference. Guess: the one with most rows."
    if codes := [column.name for column in categories if column.has_numbers]:
        yield f"columns = {toml_value(codes)} # guess: some of their values are numbers, as codes"
    for column in categories:
        levels = level_texts(column.text[column.is_filled]).dropna().value_counts()
        first = min(levels.index[levels == levels.max()], key=natural_key)
        others = brief(", ".join(sorted(levels.index)), 80)
        yield f"reference.{toml_key(column.name)} = {toml_value(first)} # of {others}"
    yield ""


def _units(predictors: Sequence[Column]) -> list[str]:
    lines = [f'# {toml_key(column.name)} = ""' for column in predictors]
    return ["# [predictor_units]", *lines, ""] if lines else []


def _range(column: Column) -> str:
    numbers = column.values if column.values is not None else np.zeros(1)
    least, most = np.nanmin(numbers), np.nanmax(numbers)
    return f"# {toml_key(column.name)} = {{ min = {least:.15g}, max = {most:.15g} }} # as seen"


def _on_one_line(name: str) -> str:
    """A column's name as it can stand within a comment."""
    return toml_value(name)[1:-1]


def _no_guess(file: Path, columns: Sequence[Column]) -> str:
    names = listed(column.name for column in columns) or "none"
    lacking = (
        "a column whose values repeat, for the groups, and in which the outcome differs"
        if any(can_be_outcome(column) for column in columns)
        else "a column of numbers that could be the outcome"
    )
    return (
        f"{file.name} seems to lack {lacking} (its columns: {names}). If the columns look wrong, check the file's "
        "first line and its delimiter; if they are right, write the study by hand or name the columns: poolwise run "
        f"{file.name} --outcome Y --group G --predictor X"
    )
