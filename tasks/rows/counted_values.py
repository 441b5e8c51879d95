"""What the outcome and the size of a row have to be where the outcome is counted, and what helps where they are not.

Events and trials are whole numbers, and there are no more events than trials; an exposure is above 0. A row that is one
trial has an outcome of 0 or 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pandera

from tasks.stats.records import Floats
from tasks.study.errors import Rejection
from tasks.study.model import Study
from tasks.study.settings import Range

LARGEST_COUNT = 1e15  # thousands of rows of such counts still have an exact sum
NOT_WHOLE = "not a whole number"
NO_EVENT = "neither 0 nor 1"
TOO_MANY_EVENTS = "more events than trials"
NO_EXPOSURE = "not above 0"
TRIALS_LINE, POISSON_LINE = 'trials = "..."', 'family = "poisson"'


def is_zero_or_one(column: str, study: Study) -> bool:
    """Whether a column says of one trial per row whether it was an event."""
    return column == study.outcome and study.family == "binomial" and study.trials is None


def limits_of(column: str, study: Study) -> Range | None:
    """The study's limits of a column, and those that every count has to keep."""
    asked = study.rules.ranges.get(column)
    if column not in _counts(study):
        return asked
    low, high = (0.0 if column == study.outcome else 1.0), LARGEST_COUNT
    if asked is not None:
        low = low if asked.min is None else max(low, asked.min)
        high = high if asked.max is None else min(high, asked.max)
    return Range.model_construct(min=low, max=high)


def count_checks(column: str, study: Study) -> list[pandera.Check]:
    """What values have to be, but for limits. Infinite values pass: another rule rejects them."""
    if is_zero_or_one(column, study):
        return [pandera.Check(lambda values: values.isin([0.0, 1.0]) | np.isinf(values), error=NO_EVENT)]
    if column in _counts(study):
        return [pandera.Check(lambda values: (values == values.round()) | np.isinf(values), error=NOT_WHOLE)]
    if study.exposure is not None and column == study.exposure:
        return [pandera.Check(lambda values: (values > 0) | np.isinf(values), error=NO_EXPOSURE)]
    return []


def _counts(study: Study) -> tuple[str, ...]:
    """The columns of events and of trials."""
    columns = [study.outcome, study.trials] if study.is_counted else []
    return tuple(each for each in columns if each is not None and not is_zero_or_one(each, study))


def too_many_events(parsed: pd.DataFrame, study: Study, failures: pd.DataFrame) -> pd.DataFrame:
    """A line `at`, `column`, `rule` for each row of more events than trials that did not fail in either column."""
    at = np.empty(0, dtype=np.int64)
    if study.trials is not None:
        beyond = np.flatnonzero(parsed[study.outcome] > parsed[study.trials])
        at = np.setdiff1d(beyond, failures["at"][failures["column"].isin([study.outcome, study.trials])])
    return pd.DataFrame({"at": at, "column": study.outcome, "rule": TOO_MANY_EVENTS})


def size_of(good: pd.DataFrame, study: Study) -> Floats | None:
    """(N,) trials or exposure of good rows, 1 where the study names no such column; None of a measured outcome."""
    if not study.is_counted:
        return None
    return np.ones(len(good)) if study.size_column is None else good[study.size_column].to_numpy(dtype=np.float64)


def counted_hint(rejections: Sequence[Rejection], study: Study) -> str:
    """What to do about an outcome that is not counted as the study says; empty if there is nothing to say."""
    rules = {each.rule for each in rejections if each.column == study.outcome}
    if NO_EVENT in rules:
        return (
            "Without trials each row is one trial, and its outcome 0 or 1: if the outcome counts the events of several "
            f"trials, {study.setting(TRIALS_LINE)}, the column that says of how many."
        )
    if TOO_MANY_EVENTS in rules:
        return (
            "Check that outcome and trials are not exchanged; if the outcome can be larger than its trials, it is a "
            f"count over an exposure: {study.setting(POISSON_LINE)}."
        )
    if NOT_WHOLE in rules and study.is_counted:
        return (
            "A rate or a percentage is no count: name the column of the events as the outcome, and beside it that of "
            "the trials or the exposure."
        )
    return ""
