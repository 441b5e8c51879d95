"""How a study's key estimates changed over its newest runs: numbers, words and a small picture of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tasks.stats.past.earlier import Question, differences
from tasks.stats.records import VerdictStatus
from tasks.view.catalogue.sparkline import Sparkline, sparkline
from tasks.view.words import numbers, text

RUNS = 20
MOST_TRENDS = 6
FEWEST_POINTS = 2
NORMAL_95 = 3.92  # the width of a 95 % interval in standard deviations


@dataclass(frozen=True)
class KeyEstimate:
    """One of a run's `overview.estimates`, in raw units."""

    kind: str  # level, slope, group_sd, icc or median_ratio
    term: str
    unit: str
    value: float | None  # the posterior mean of a level or slope, the median of an SD, of the ICC or of a ratio
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class RunEstimates:
    """A run's key estimates, and the question it answered."""

    run_id: str
    day: str  # 2026-11-22
    status: VerdictStatus
    question: Question
    estimates: tuple[KeyEstimate, ...] = field(default=())


@dataclass(frozen=True)
class Trend:
    """One estimate over comparable runs, oldest first; `None` where a run has none."""

    kind: str
    term: str
    unit: str
    run_ids: tuple[str, ...]
    days: tuple[str, ...]
    statuses: tuple[VerdictStatus, ...]
    value: tuple[float | None, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]

    @property
    def label(self) -> str:
        term = text.readable(self.term)
        if self.kind == "group_sd":
            return "Spread of groups’ levels" if self.term == "intercept" else f"Spread of groups’ effects of {term}"
        names = {
            "level": "Level of the average group",
            "icc": "Share of variation between groups",
            "median_ratio": f"Median {self.unit} of two groups",
        }
        return names.get(self.kind, f"Effect of {term}")

    @property
    def now(self) -> str:
        """The newest estimate with its unit and interval: `0.07 s per year (−0.01 to 0.16)`."""
        return f"{self.newest} {self.interval}".rstrip()

    @property
    def newest(self) -> str:
        told = self._told(self.value[-1])
        has_unit = self.unit and self.kind != "median_ratio"  # whose name says it
        return numbers.with_unit(told, text.label(self.unit, 40)) if has_unit else told

    @property
    def interval(self) -> str:
        """Of the newest estimate, in brackets; empty where it has none."""
        low, high = self._told(self.lower[-1]), self._told(self.upper[-1])
        return f"({low} to {high})" if numbers.MISSING not in (low, high) else ""

    @property
    def alternative(self) -> str:
        """What the picture shows, in words; empty without one."""
        known = [value for value in self.value if value is not None]
        if self.picture is None:
            return ""
        return (
            f"{self.label} over {len(self.value)} runs, {self.days[0]} to {self.days[-1]}: from {self._told(known[0])} "
            f"to {self.now}, 95 % interval in brackets; lowest {self._told(min(known))}, highest "
            f"{self._told(max(known))}.{self._failed}"
        )

    @cached_property
    def picture(self) -> Sparkline | None:
        """None with fewer than two estimates: a single dot says nothing."""
        if sum(value is not None for value in self.value) < FEWEST_POINTS:
            return None
        return sparkline(self.value, self.lower, self.upper, [status == "none" for status in self.statuses])

    @property
    def _failed(self) -> str:
        n_failed = self.statuses.count("none")
        return f" In {numbers.plural(n_failed, 'run')} no model could be trusted." if n_failed else ""

    def _told(self, value: float | None) -> str:
        if value is None:
            return numbers.MISSING
        return numbers.percent(value) if self.kind == "icc" else numbers.fixed(value, self._decimals)

    @cached_property
    def _decimals(self) -> int:
        """Decimal places that the newest interval supports."""
        low, high = self.lower[-1], self.upper[-1]
        return numbers.decimals_for((high - low) / NORMAL_95 if low is not None and high is not None else 0.0)


def trends_of(runs: Sequence[RunEstimates]) -> tuple[Trend, ...]:
    """A trend per estimate of the newest run, over the newest `RUNS` that asked the same; `runs` newest first."""
    if not runs:
        return ()
    newest = runs[0]
    same = [run for run in runs[:RUNS] if run.estimates and not differences(run.question, newest.question)][::-1]
    return tuple(_trend(estimate, same) for estimate in newest.estimates)


def _trend(newest: KeyEstimate, runs: Sequence[RunEstimates]) -> Trend:
    found = [_found(newest, run) for run in runs]
    return Trend(
        kind=newest.kind,
        term=newest.term,
        unit=newest.unit,
        run_ids=tuple(run.run_id for run in runs),
        days=tuple(run.day for run in runs),
        statuses=tuple(run.status for run in runs),
        value=tuple(estimate.value for estimate in found),
        lower=tuple(estimate.lower for estimate in found),
        upper=tuple(estimate.upper for estimate in found),
    )


def _found(wanted: KeyEstimate, run: RunEstimates) -> KeyEstimate:
    asked = (wanted.kind, wanted.term, wanted.unit)  # rates may have been shown per another number
    same = (each for each in run.estimates if (each.kind, each.term, each.unit) == asked)
    return next(same, KeyEstimate(wanted.kind, wanted.term, wanted.unit, None, None, None))
