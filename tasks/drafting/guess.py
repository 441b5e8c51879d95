"""Guesses which columns are the groups, the outcome and the predictors: from names, values, and how they split.

Every pair of a grouping and an outcome gets a score. A grouping scores for its name, for names rather than
measurements, for many values of several rows each, for rows that stand together, and for an outcome that differs
between its values beyond chance. An outcome scores for its name and for varying freely; it may not be the same
throughout each group. Scores are plain weights, set by trying them on published data sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from tasks.drafting.columns_seen import MOST_LEVELS, NUMERIC_SHARE, Column
from tasks.drafting.families import EVENT_NAMES, FamilyGuess, family_of, is_called, trials_of, words_of
from tasks.stats.records import Floats, Integers
from tasks.study.settings import RESERVED_COLUMNS, RESERVED_TERMS

MOST_COLUMNS = 60  # looked at
MOST_PREDICTORS = 3
FEW_GROUPS = 5
CHANCE = 0.01
SAME = 1e-10  # share of variation that is left
SAME_THING = 1e-6  # the same of a column that another says, but for rounding
MOST_MISSING = 0.05  # of the rows, in all
MANY = 20  # different whole numbers that may be labels
SURE = 1e-6
GROUP_NAMES = frozenset(
    re.findall(
        r"\w+",
        """id code nr subject subj patient person participant respondent individual animal pig cow rat litter herd flock
        brood group grp county region district state country city site center centre school class classroom teacher
        student pupil hospital ward clinic practice physician store shop branch firm company team batch lot plate plot
        block tree colony family household village cluster unit location station replicate population lecturer machine
        lab""",
    )
)
COVARIATE_NAMES = frozenset(
    re.findall(
        r"\w+",
        """age sex gender female male minority race year month week day days time period visit wave hour date dose treat
        treatment trt arm condition feed diet temp temperature size height recipe urban rural type kind level intake
        start baseline x z mean avg education educ income mode semester quarter nutrient order trial session rack""",
    )
)
OUTCOME_NAMES = frozenset(
    re.findall(
        r"\w+",
        """y outcome response resp result score target yield weight reaction rt strength diameter angle achievement
        mathach normexam exam rating bounce duration stay los cost sales invest incidence ticks fruits growth use died
        death event success correct pass passed value""",
    )
)


@dataclass(frozen=True)
class Guess:
    """Columns by the parts they may play. `same_in_groups`: numbers and categories that never vary within a group."""

    outcome: Column
    group: Column
    predictors: tuple[Column, ...]
    others: tuple[Column, ...]
    same_in_groups: tuple[Column, ...]
    reasons: tuple[str, ...]  # for the group
    family: FamilyGuess | None = None  # None if the outcome looks measured


@dataclass(frozen=True)
class Split:
    """How a grouping splits an outcome."""

    icc: float  # share of variance between groups, by analysis of variance
    p_value: float  # of no difference at all
    is_constant_within: bool


def guess(columns: Sequence[Column]) -> Guess | None:
    """The pair of group and outcome with the best score, and predictors; None if no column can be one of the two."""
    usable = [column for column in columns[:MOST_COLUMNS] if _is_usable(column)]
    groups = [column for column in usable if _can_be_group(column)]
    outcomes = [column for column in usable if can_be_outcome(column)]
    scored = [
        (_of_group(group, split) + _of_outcome(outcome, group, split, len(columns)), group, outcome, split)
        for group in groups
        for outcome in outcomes
        if outcome is not group
        for split in [split_of(group.codes, _numbers(outcome))]
        if not split.is_constant_within
    ]
    if not scored:
        return _one_row_each(usable)
    _, group, outcome, split = max(scored, key=lambda each: each[0])
    if (events := _events_of(outcome, outcomes)) and events is not group:
        outcome, split = events, split_of(group.codes, _numbers(events))
    outcome = next(column for column in outcomes if column is outcome or _follows_from(column, [outcome]))
    return _with_predictors(outcome, group, usable, tuple(_reasons(group, split)))


def _events_of(outcome: Column, outcomes: Sequence[Column]) -> Column | None:
    """The column whose trials the outcome seems to be; None if it is an outcome of its own."""
    if is_called(outcome, EVENT_NAMES):
        return None
    return next((each for each in outcomes if is_called(each, EVENT_NAMES) and trials_of(each, [outcome])), None)


def _one_row_each(usable: Sequence[Column]) -> Guess | None:
    """Events of trials with a row for each group: the trials tell how large chance is, where no group repeats."""
    groups = [column for column in usable if column.values is None and column.n_distinct == column.n_filled]
    events = [column for column in usable if is_called(column, EVENT_NAMES) and trials_of(column, usable)]
    if not groups or not events:
        return None
    group = max(groups, key=lambda column: bool(words_of(column.name) & GROUP_NAMES))
    return _with_predictors(events[0], group, usable, (f"{group.n_distinct} different values, a row each",))


def _with_predictors(outcome: Column, group: Column, usable: Sequence[Column], reasons: tuple[str, ...]) -> Guess:
    family = family_of(outcome, [column for column in usable if column not in (outcome, group)])
    taken = (group, outcome, family.size if family else None)
    rest = [column for column in usable if column not in taken and _is_measured(column, outcome)]
    same = [column for column in rest if split_of(group.codes, column.measure).is_constant_within]
    if group.n_distinct == group.n_filled:
        same = []
    free = sorted((column for column in rest if column not in same), key=_plain_numbers_first)
    chosen = list(_predictors(free, outcome, group))
    others = tuple(column for column in free if column not in chosen and not _is_identifier(column))
    return Guess(outcome, group, tuple(chosen), others, tuple(same), reasons, family)


def can_be_outcome(column: Column) -> bool:
    """Whether the column holds numbers that are no dates and no identifiers."""
    return _is_usable(column) and column.values is not None and not _is_date(column) and not _is_identifier(column)


def split_of(codes: Integers, y: Floats) -> Split:
    """How the groups `codes` (n,) split y (n,); rows without group or outcome are left out."""
    is_used = (codes >= 0) & np.isfinite(y)
    codes, y = np.unique(codes[is_used], return_inverse=True)[1], y[is_used]
    if not y.size:
        return Split(0.0, 1.0, True)
    y = y - y.mean()
    n = np.bincount(codes).astype(float)
    between = float((np.bincount(codes, weights=y) ** 2 / n).sum())
    total, df_between, df_within = float(y @ y), n.size - 1, y.size - n.size
    within = max(total - between, 0.0)
    if df_within < 1 or df_between < 1 or within <= SAME * total:
        return Split(1.0, 0.0 if df_within > 0 else 1.0, True)
    ms_between, ms_within = between / df_between, within / df_within
    typical = (y.size - (n**2).sum() / y.size) / df_between
    icc = (ms_between - ms_within) / (ms_between + (typical - 1.0) * ms_within)
    return Split(icc, float(fdtrc(df_between, df_within, ms_between / ms_within)), False)


def _numbers(column: Column) -> Floats:
    return column.values if column.values is not None else np.empty(0)


def _is_usable(column: Column) -> bool:
    is_free = column.name not in ("", *RESERVED_COLUMNS, *RESERVED_TERMS) and len(column.name) <= 200
    return is_free and column.n_distinct > 1 and not _is_row_number(column)


def _is_date(column: Column) -> bool:
    return column.look is not None and bool(column.look.date_format)


def _is_measured(column: Column, outcome: Column) -> bool:
    """Whether it is a category, or its numbers are amounts and no labels: the outcome does not jump between them."""
    if column.is_category:
        return not words_of(column.name) & GROUP_NAMES
    if column.values is None or _is_date(column) or words_of(column.name) & GROUP_NAMES:
        return False
    if not _is_whole(column) or column.n_distinct < MANY or words_of(column.name) & COVARIATE_NAMES:
        return True
    y = _filled(_numbers(outcome))
    return split_of(column.codes, y - _fitted(y, [_filled(column.values)])).p_value > SURE


def _plain_numbers_first(column: Column) -> int:
    return 2 * column.is_category + (column.look is not None)


def _is_row_number(column: Column) -> bool:
    """Whether its values go up by 1 from row to row."""
    numbers = column.values
    return numbers is not None and _is_whole(column) and bool(np.all(np.diff(numbers) == 1))


def _is_whole(column: Column) -> bool:
    numbers = column.values
    return numbers is not None and bool(np.all(numbers[np.isfinite(numbers)] % 1 == 0))


def _is_identifier(column: Column) -> bool:
    """Whether every row has a different whole number or name, or the column is called an id or number."""
    is_unique = column.n_distinct == column.n_filled
    is_called_so = bool(words_of(column.name) & {"id", "nr", "no", "code", "index", "number"})
    return (is_unique and _is_whole(column) and _is_spread_like_a_count(column)) or is_called_so


def _is_spread_like_a_count(column: Column) -> bool:
    """Whether its whole numbers, sorted, leave hardly a gap, as 1 to n in any order."""
    numbers = _numbers(column)
    return bool(np.ptp(numbers[np.isfinite(numbers)]) < 2 * column.n_filled)


def _can_be_group(column: Column) -> bool:
    is_text = column.values is None and (not _is_nearly_a_number(column) or bool(words_of(column.name) & GROUP_NAMES))
    is_label = is_text or column.look is not None or _is_whole(column)
    is_date = column.look is not None and bool(column.look.date_format or column.look.style)
    return is_label and not is_date and 2 * column.n_distinct <= column.n_filled


def _of_group(column: Column, split: Split) -> float:
    words, n = words_of(column.name), column.n_distinct
    score = 3.0 * bool(words & GROUP_NAMES) - 3.0 * bool(words & COVARIATE_NAMES)
    score += 1.0 if column.values is None else -1.5 * (not words & GROUP_NAMES)
    score += min(np.log10(n), 2.0) if n >= FEW_GROUPS else -4.0 + 0.5 * n
    score += 1.5 * _stands_together(column) - 1.0 * (column.n_filled < 3 * n)
    return score + 2.0 * max(split.icc, 0.0) - 3.0 * (split.p_value > CHANCE)


def _is_nearly_a_number(column: Column) -> bool:
    """Whether its values are digits and signs that were not read as numbers, such as (1,5) or 12,34,000."""
    return bool(column.text[column.is_filled].str.fullmatch(r"[^\w]*\d[^A-Za-z]*").mean() > NUMERIC_SHARE)


def _of_outcome(column: Column, group: Column, split: Split, n_columns: int) -> float:
    words, n = words_of(column.name), max(column.n_filled, 2)
    score = 3.0 * bool(words & (OUTCOME_NAMES | EVENT_NAMES)) - 3.0 * bool(words & COVARIATE_NAMES)
    score += 0.5 * (column.position == 0) + 0.3 * (column.position == n_columns - 1)
    score += 1.0 * (not _is_whole(column)) + 2.0 * np.log(column.n_distinct) / np.log(n)
    score -= 2.0 * (column.n_distinct == 2) + 3.0 * bool(words & GROUP_NAMES)
    score -= 3.0 * _is_designed(column, group) + 2.0 * (split.icc > 0.99)
    return score - 0.5 * (column.n_filled < column.text.size)


def _stands_together(column: Column) -> bool:
    """Whether the rows of each value follow one another."""
    return int((np.diff(column.codes) != 0).sum()) + 1 == column.n_distinct


def _is_designed(column: Column, group: Column) -> bool:
    """Whether a few values are spread over all groups alike, as times and doses are."""
    n, j = column.n_distinct, group.n_distinct
    if not 2 <= n <= 50 or n * j > 1_000_000:
        return False
    is_used = (column.codes >= 0) & (group.codes >= 0)
    table = np.bincount(group.codes[is_used] * n + column.codes[is_used], minlength=n * j).reshape(j, n)
    return bool((table == table[:, :1]).mean() > 0.8)


def _predictors(columns: Sequence[Column], outcome: Column, group: Column) -> Iterator[Column]:
    """The first MOST_PREDICTORS that are no identifiers, do not repeat one another, and are hardly ever missing."""
    said = [outcome]
    is_whole = np.isfinite(_numbers(outcome)) & (group.codes >= 0)
    least = min((1 - MOST_MISSING) * is_whole.size, float(is_whole.sum()))
    for column in columns:
        stays_whole = is_whole & np.isfinite(column.measure)
        is_new = not _is_identifier(column) and not _follows_from(column, said)
        is_new = is_new and not any(_says_the_same(column, other) for other in said[1:])
        is_new = is_new and not (column.is_category and _tells(column, outcome))
        if len(said) <= MOST_PREDICTORS and is_new and float(stays_whole.sum()) >= least:
            is_whole = stays_whole
            said.append(column)
            yield column


def _follows_from(column: Column, others: Sequence[Column]) -> bool:
    numbers = _filled(column.measure)
    left = numbers - _fitted(numbers, [_filled(other.measure) for other in others])
    return bool(left @ left <= SAME_THING * (numbers @ numbers))


def _tells(category: Column, outcome: Column) -> bool:
    """Whether the outcome is the same throughout each level."""
    return split_of(category.codes, _numbers(outcome)).is_constant_within


def _says_the_same(column: Column, other: Column) -> bool:
    """Whether one of two columns, of which one is a category, tells the other: each of its levels has one value."""
    if not (column.is_category or other.is_category):
        return False
    few = [each.n_distinct for each in (column, other) if each.n_distinct <= MOST_LEVELS]
    pairs = np.unique(np.column_stack([column.codes, other.codes]), axis=0)
    n_pairs = int((pairs >= 0).all(axis=1).sum())
    return n_pairs in few


def _fitted(numbers: Floats, others: Sequence[Floats]) -> Floats:
    design = np.column_stack(others)
    return np.asarray(design @ np.linalg.lstsq(design, numbers, rcond=None)[0], dtype=np.float64)


def _filled(numbers: Floats) -> Floats:
    """(n,) the values in standard deviations from their mean; 0 where one is missing."""
    is_known = np.isfinite(numbers)
    centred = np.where(is_known, numbers - numbers[is_known].mean(), 0.0)
    return np.asarray(centred / (centred.std() or 1.0), dtype=np.float64)


def _reasons(group: Column, split: Split) -> Iterator[str]:
    yield f"{group.n_distinct} different values, about {group.n_filled / group.n_distinct:.0f} rows each"
    if words_of(group.name) & GROUP_NAMES:
        yield "its name"
    if split.p_value <= CHANCE:
        yield f"{max(split.icc, 0.0):.0%} of the outcome's variance lies between its values"
