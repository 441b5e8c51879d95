"""One world, many simulations: what the verdict was, and how often the intervals that it recommends held the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.weighed import CountedRecommended
from tasks.stats.judged.recommended import Recommended, WithInterval
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, Integers, Verdict, VerdictStatus
from tasks.study.errors import SamplingFailed
from tests.posteriors import decided, study_of
from tests.worlds.counted import CountedWorld, counted_trial
from tests.worlds.simulate import simulate
from tests.worlds.worlds import World

AnyWorld = World | CountedWorld

SMALLEST = 0.25  # share of the groups, those with fewest rows
PROMISED = (0.92, 0.98)  # of 95 % intervals
PROMISED_SMALLEST = 0.90
WANTED = 0.90  # share of `trust` in good worlds, and of `none` where the promise cannot be kept


@dataclass(frozen=True)
class Trial:
    """One simulation. Coverage is NaN where no model is recommended, or where there is no slope."""

    status: VerdictStatus
    model: str
    reasons: tuple[str, ...]  # kinds of the judgements that speak against partial pooling or every model
    levels: float
    slopes: float
    smallest: float  # levels of the smallest groups


def trial(world: AnyWorld, seed: tuple[int, ...]) -> Trial:
    """Simulate, report, and compare with the truth."""
    if isinstance(world, CountedWorld):
        try:
            one = counted_trial(world, seed)
        except SamplingFailed:
            return Trial("none", "", ("not sampled",), np.nan, np.nan, np.nan)
        made = one.decided
        return _trial(made.judgements, made.verdict, made.recommended, one.truth, one.sizes)
    simulated = simulate(world.design, seed)
    truth, sizes = np.column_stack([simulated.level, simulated.slope]), np.bincount(simulated.data.group_index)
    return _trial(*decided(simulated.data, study_of(simulated.data)), truth, sizes)


def _trial(
    judgements: tuple[Judgement, ...],
    drawn: Verdict,
    numbers: Recommended | CountedRecommended | None,
    truth: Floats,
    sizes: Floats | Integers,
) -> Trial:
    reasons = tuple(one.kind for one in judgements if one.against)
    if numbers is None:
        return Trial("none", "", reasons, np.nan, np.nan, np.nan)
    return Trial(drawn.status, drawn.recommended_model, reasons, *_coverage(numbers.groups, truth, sizes))


def _coverage(quoted: WithInterval, truth: Floats, sizes: Floats | Integers) -> tuple[float, float, float]:
    held = (quoted.lower <= truth) & (truth <= quoted.upper)
    small = sizes <= np.sort(sizes)[max(int(SMALLEST * sizes.size) - 1, 0)]
    slopes = float(held[:, 1:].mean()) if held.shape[1] > 1 else np.nan
    return float(held[:, 0].mean()), slopes, float(held[small, 0].mean())


@dataclass(frozen=True)
class Share:
    """A mean over simulations and its Monte Carlo standard error; NaN over none."""

    value: float
    se: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Share:
        kept = np.array([value for value in values if np.isfinite(value)])
        if not kept.size:
            return cls(np.nan, np.nan)
        return cls(float(kept.mean()), float(kept.std(ddof=1) / np.sqrt(kept.size)) if kept.size > 1 else np.nan)


@dataclass(frozen=True)
class Result:
    """What came of a world. Coverage is that of the recommended intervals, where a model is recommended."""

    world: AnyWorld
    trials: tuple[Trial, ...]

    def share(self, status: VerdictStatus) -> float:
        return sum(one.status == status for one in self.trials) / len(self.trials)

    def covered(self, what: str) -> Share:
        return Share.of(getattr(one, what) for one in self.trials)

    def models(self) -> list[tuple[str, int]]:
        return Counter(one.model for one in self.trials if one.model).most_common()

    def reasons(self) -> list[tuple[str, int]]:
        return Counter(kind for one in self.trials for kind in set(one.reasons)).most_common()

    @property
    def misses(self) -> tuple[str, ...]:
        """What of the promise is not kept, in words."""
        missed = [*self._misses_of_coverage()] if self.share("none") <= 1 - 1 / len(self.trials) else []
        if self.world.kind == "good" and self.share("trust") < WANTED:
            missed.append(f"trust {self.share('trust'):.0%}")
        return () if self.share("none") >= WANTED and self.world.kind != "good" else tuple(missed)

    @property
    def _chance(self) -> float:
        """Two standard errors of the coverage of a slope that all groups have in common: one a simulation."""
        is_common = isinstance(self.world, CountedWorld) and not self.world.varies
        return 2.0 * float(np.sqrt(0.95 * 0.05 / len(self.trials))) if is_common else 0.0

    def _misses_of_coverage(self) -> Iterable[str]:
        low, high = PROMISED
        for what in ("levels", "slopes"):
            held, margin = self.covered(what).value, self._chance if what == "slopes" else 0.0
            if not (np.isnan(held) or low - margin <= held <= high + margin):
                yield f"{what} {held:.1%}"
        if self.covered("smallest").value < PROMISED_SMALLEST:
            yield f"smallest quarter {self.covered('smallest').value:.1%}"


HEAD = ("world", "kind", "trust", "use", "none", "levels", "slopes", "smallest quarter", "promise")


def heading() -> str:
    """The first two lines of a Markdown table of results."""
    return f"{_row(HEAD)}\n{_row(('---',) * len(HEAD))}"


def line(result: Result) -> str:
    """A result's line of that table. Coverage in percent, with its Monte Carlo standard error."""
    shares = (f"{result.share(status):.0%}" for status in ("trust", "use", "none"))
    covered = (_in_percent(result.covered(what)) for what in ("levels", "slopes", "smallest"))
    missed = "; ".join(result.misses)
    kept = f"not kept: {missed}" if missed else "kept"
    return _row((result.world.name, result.world.kind, *shares, *covered, kept))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _in_percent(share: Share) -> str:
    if np.isnan(share.value):
        return "–"
    return f"{100 * share.value:.1f}" + ("" if np.isnan(share.se) else f" ± {100 * share.se:.1f}")
