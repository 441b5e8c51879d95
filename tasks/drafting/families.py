"""Guesses whether an outcome is counted: 0 and 1, events of so many trials, or a count over an exposure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.drafting.columns_seen import Column
from tasks.stats.records import Floats
from tasks.study.rates import Family

DISPERSION = (0.2, 20.0)  # variance over mean of a count
LARGE_MEAN = 10.0  # whole numbers of a larger mean may well be measured
EVENT_NAMES = frozenset(
    re.findall(
        r"\w+",
        """event events death deaths died dead success successes bounce bounces bounced infection infections infected
        case cases incidence click clicks conversion conversions converted readmission readmissions readmitted failure
        failures failed hit hits defect defects defective positive positives complaint complaints accident accidents
        passed survived responders relapse relapses error errors""",
    )
)
TRIAL_NAMES = frozenset(
    re.findall(
        r"\w+",
        """trial trials n total totals size admission admissions admitted patient patients discharge discharges
        procedure procedures operations visit visits visitors sessions users impressions attempts tests tested examined
        screened births treated enrolled students sent delivered inspected sample at_risk denominator""",
    )
)
COUNT_NAMES = frozenset(re.findall(r"\w+", "count counts number visits calls seizures ticks goals")) | EVENT_NAMES
MEASURE_NAMES = frozenset(
    re.findall(r"\w+", "time duration length age seconds minutes hours days rate share ratio score price cost weight")
)
EXPOSURE_NAMES = frozenset(
    re.findall(r"\w+", "exposure expected person_years personyears pyears py population pop person days hours km miles")
)


@dataclass(frozen=True)
class FamilyGuess:
    """`is_sure` tells that the draft sets the family, rather than asking whether it is the right one."""

    family: Family
    reason: str
    size: Column | None = None  # trials or exposure
    is_sure: bool = True

    @property
    def size_key(self) -> str:
        return "trials" if self.family == "binomial" else "exposure"


def words_of(name: str) -> set[str]:
    """The words of a column's name in lower case: school and id for `schoolID`, `school_id` and "School ID"."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name) or [name]
    return {part.lower() for part in parts} | {name.lower()}


def family_of(outcome: Column, others: Sequence[Column]) -> FamilyGuess | None:
    """The family of an outcome that looks counted, with its trials or exposure among `others`; None if it does not."""
    y = numbers_of(outcome)
    if not y.size or np.any(y < 0) or np.any(y % 1 != 0):
        return None
    trials = trials_of(outcome, others)
    if set(y.tolist()) == {0.0, 1.0} and (trials is None or not is_called(outcome, EVENT_NAMES)):
        return FamilyGuess("binomial", "it has two values, 0 and 1")
    if trials is not None:
        return FamilyGuess("binomial", f"whole numbers, never above {_on_one_line(trials.name)}", trials)
    return _count(outcome, y, others)


def _on_one_line(name: str) -> str:
    return " ".join(name.split())


def _count(outcome: Column, y: Floats, others: Sequence[Column]) -> FamilyGuess | None:
    dispersion = float(y.var() / y.mean()) if y.mean() > 0 else np.nan
    is_spread_so = bool(DISPERSION[0] <= dispersion <= DISPERSION[1])
    is_named_so = is_called(outcome, COUNT_NAMES) and not is_called(outcome, MEASURE_NAMES)
    if outcome.n_distinct < 3 or not dispersion >= DISPERSION[0] or not (is_spread_so or is_named_so):
        return None
    reason = f"whole numbers, whose variance is {dispersion:.2g} times their mean"
    is_sure = is_named_so or (y.min() == 0 and y.mean() <= LARGE_MEAN)
    exposure = next(_exposures(others), None)
    return FamilyGuess("poisson", f"{reason}{'; its name' if is_named_so else ''}", exposure, is_sure)


def trials_of(outcome: Column, others: Sequence[Column]) -> Column | None:
    """A column of whole numbers that is called like trials and in no row below the outcome."""
    y = outcome.values
    for column in others:
        n = column.values
        if y is None or n is None or column is outcome or not is_called(column, TRIAL_NAMES):
            continue
        both = np.isfinite(y) & np.isfinite(n)
        is_whole = bool(np.all(n[both] % 1 == 0) and np.all(n[both] >= 1))
        if both.any() and is_whole and np.all(y[both] <= n[both]) and np.any(y[both] < n[both]):
            return column
    return None


def _exposures(columns: Sequence[Column]) -> Iterator[Column]:
    """Columns called like an exposure, and above 0 in every row."""
    for column in columns:
        numbers = numbers_of(column)
        if is_called(column, EXPOSURE_NAMES) and numbers.size and np.all(numbers > 0) and np.ptp(numbers) > 0:
            yield column


def numbers_of(column: Column) -> Floats:
    """The column's numbers, without those that are missing; empty if it has none."""
    return np.empty(0) if column.values is None else column.values[np.isfinite(column.values)]


def is_called(column: Column, names: frozenset[str]) -> bool:
    return bool(words_of(column.name) & names)
