"""Have groups moved since the last report, where outcomes are counted? The twin of `tasks.stats.past.increments`.

Rows' predictors enter as offsets by slopes that are known elsewhere, so that each group has one level before and one in
its new rows. z is the signed root of the likelihood ratio of two levels against one: finite also where one of the parts
has no events, or nothing else. What is gathered of it is divided by its expectation (`tasks.stats.past.count_scores`).

What is told is the new rows' rate less what the earlier rows foretold for the same rows. Its interval joins the
likelihood intervals of both rates by the squares of their arms (Newcombe 1998, Stat. Med. 17, method 10).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tasks.stats.counted.links import link_of, log_likelihood_of, mean_of, variance_of
from tasks.stats.fits.cells import Cells, Family
from tasks.stats.fits.intervals import Z_95
from tasks.stats.past.count_scores import log_expected_of_counts
from tasks.stats.past.evidence import EFFECTS, Scores
from tasks.stats.records import Floats, Integers

FAR = 40.0  # on the link's scale from where a level is likely: as good as infinitely far
MOST_STEPS, LONGEST_STEP, SETTLED = 100, 4.0, 1e-9


@dataclass(frozen=True)
class Slopes:
    """By which rows are made comparable, on the link's scale per raw unit of a predictor."""

    mean: Floats  # (J, p - 1)
    sd: Floats  # (J, p - 1)


@dataclass(frozen=True)
class CountedIncrements:
    """Of the K groups that have new rows and had rows before. Shifts are differences of probabilities or rates."""

    positions: Integers  # (K,) in today's labels
    n_before: Integers  # (K,) rows
    n_new: Integers  # (K,) rows
    shift: Floats  # (K,) rate of the new rows less what the earlier ones foretold
    lower: Floats  # (K,) 95 % interval of the shift
    upper: Floats  # (K,)
    before: Part  # earlier rows
    new: Part
    spread: Floats  # (K,) by what z is too large as it stands: rows that vary more, slopes that are not quite known

    @property
    def se(self) -> Floats:
        """(K,) that of a normal interval of the same width."""
        return (self.upper - self.lower) / (2.0 * Z_95)

    @property
    def df(self) -> Floats:
        """(K,) infinite: the variance follows from the rate."""
        return np.full(self.positions.size, np.inf)

    def scaled(self, by: float) -> CountedIncrements:
        """The same in another unit of rates."""
        return replace(self, shift=by * self.shift, lower=by * self.lower, upper=by * self.upper)

    def scores(self, margin: float) -> Scores:
        """Of a move by more than `margin` on the link's scale."""
        old, new = self.before.likeliest, self.new.likeliest
        best = self.before.log_likelihood(old) + self.new.log_likelihood(new)
        found, expected = [], np.empty((self.positions.size, EFFECTS.size))
        for side in (1.0, -1.0):
            both = joined(self.before, self.new, side * margin)
            gain = best - both.log_likelihood(both.likeliest)
            root = np.sign(new - old - side * margin) * np.sqrt(2.0 * np.maximum(gain, 0.0))
            found.append(side * root / self.spread)
            level, towards = both.likeliest, EFFECTS * side > 0
            ends = self.new.moments(level + side * margin), self.before.moments(level)
            expected[:, towards] = log_expected_of_counts(self.before.family, *ends)[:, towards]
        return Scores(found[0], found[1], expected)


@dataclass(frozen=True)
class Part:
    """Rows of K groups with offsets of their own: what is not known is one level per group."""

    family: Family
    offset: Floats  # (C,) on the link's scale
    events: Floats  # (C,)
    size: Floats  # (C,)
    group: Integers  # (C,)
    n_groups: int

    def of_groups(self, values: Floats) -> Floats:
        """(K,)"""
        return np.bincount(self.group, weights=values, minlength=self.n_groups).astype(float)

    def expected(self, level: Floats) -> Floats:
        """(K,) events at a level (K,)."""
        return self.of_groups(self.size * mean_of(self.family, level[self.group] + self.offset))

    def information(self, level: Floats) -> Floats:
        """(K,) about the level; never 0."""
        rate = mean_of(self.family, level[self.group] + self.offset)
        return self.of_groups(self.size * variance_of(self.family, rate)) + np.finfo(float).tiny

    def log_likelihood(self, level: Floats) -> Floats:
        """(K,) without the constant."""
        return self.of_groups(log_likelihood_of(self.family, self.events, self.size, level[self.group] + self.offset))

    def moments(self, level: Floats) -> tuple[Floats, Floats]:
        """(K,) each: expected events at a level (K,), and their variance."""
        return self.expected(level), self.information(level)

    def rate(self, level: Floats) -> Floats:
        """(K,) events expected by trial or by unit of exposure."""
        return self.expected(level) / self.of_groups(self.size)

    @property
    def middle(self) -> Floats:
        """(K,) a level near the likeliest one, finite also where events are none or all."""
        events, size = self.of_groups(self.events), self.of_groups(self.size)
        offset = self.of_groups(self.size * self.offset) / size
        if self.family == "binomial":
            return link_of(self.family, (events + 0.5) / (size + 1.0)) - offset
        return np.log((events + 0.5) / size) - offset

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """(K,) each: as good as minus and plus infinity."""
        reach = FAR + self.offset.max(initial=0.0) - self.offset.min(initial=0.0)
        return self.middle - reach, self.middle + reach

    @cached_property
    def likeliest(self) -> Floats:
        """(K,) the level of greatest likelihood; a bound where that is infinite."""
        total, (least, most) = self.of_groups(self.events), self.bounds
        all_of = self.of_groups(self.size) if self.family == "binomial" else np.full(self.n_groups, np.inf)
        within = np.clip(total, 0.5 * np.minimum(1.0, all_of), all_of - 0.5 * np.minimum(1.0, all_of))
        level = _root(lambda at: (self.expected(at) - within, self.information(at)), self.middle, least, most)
        return np.select([total == 0.0, total == all_of], [least, most], level)

    def likelihood_interval(self) -> tuple[Floats, Floats]:
        """(K,) each: the levels whose likelihood ratio to the likeliest one is that of a 95 % interval's ends."""
        best = self.likeliest
        top, reach = self.log_likelihood(best), 1.2 * Z_95 / np.sqrt(self.information(self.middle))

        def end(side: float) -> Floats:
            def beyond(at: Floats) -> tuple[Floats, Floats]:
                deviance = 2.0 * (top - self.log_likelihood(side * at)) - Z_95**2
                return deviance, 2.0 * side * (self.expected(side * at) - self.of_groups(self.events))

            far = np.maximum(*(side * bound for bound in self.bounds))
            start = np.clip(side * self.middle + reach, side * best, far)
            return side * np.where(side * best >= far, far, _root(beyond, start, side * best, far))

        return end(-1.0), end(1.0)


def joined(before: Part, new: Part, shift: float) -> Part:
    """Both, were the new level `shift` above the earlier one."""
    offset = np.concatenate([before.offset, new.offset + shift])
    events, size, group = (
        np.concatenate([getattr(part, name) for part in (before, new)]) for name in ("events", "size", "group")
    )
    return Part(before.family, offset, events, size, group, before.n_groups)


def counted_increments(earlier: Cells, added: Cells, slopes: Slopes, inflation: float = 1.0) -> CountedIncrements:
    """The new rows beside what the earlier ones foretold. Both have the same groups and terms.

    `inflation` is by how much the variance of what a group's rows say exceeds what the family makes it.
    """
    n_before, n_new = (
        np.rint(cells.of_groups(cells.n_rows.astype(float))).astype(np.int64) for cells in (earlier, added)
    )
    kept = np.flatnonzero((n_before > 0) & (n_new > 0))
    before, new = (_part(cells, slopes, kept) for cells in (earlier, added))
    unsure = _unsure(earlier, added, slopes)[kept]
    own = 1.0 / before.information(before.middle) + 1.0 / new.information(new.middle)
    spread = np.sqrt(inflation + unsure / own)
    old, foretold = before.likeliest, [new.rate(end) for end in before.likelihood_interval()]
    seen, ends = new.rate(new.likeliest), [new.rate(end) for end in new.likelihood_interval()]
    told = new.rate(old)
    shift = seen - told
    return CountedIncrements(
        positions=kept,
        n_before=n_before[kept],
        n_new=n_new[kept],
        shift=shift,
        lower=shift - spread * np.hypot(seen - ends[0], foretold[1] - told),
        upper=shift + spread * np.hypot(ends[1] - seen, told - foretold[0]),
        before=before,
        new=new,
        spread=spread,
    )


def _rows(cells: Cells) -> Integers:
    """(J,)"""
    return np.rint(cells.of_groups(cells.n_rows.astype(float))).astype(np.int64)


def _part(cells: Cells, slopes: Slopes, kept: Integers) -> Part:
    place = np.full(cells.n_groups, -1)
    place[kept] = np.arange(kept.size)
    group = place[cells.group_index]
    at = np.flatnonzero(group >= 0)
    offset = (cells.x[at] * slopes.mean[cells.group_index[at]]).sum(axis=1)
    return Part(cells.family, offset, cells.events[at], cells.size[at], group[at], kept.size)


def _unsure(earlier: Cells, added: Cells, slopes: Slopes) -> Floats:
    """(J,) variance, on the link's scale, that slopes not quite known give a shift where the predictors' means move."""
    moved = _means(added) - _means(earlier)
    return np.asarray((moved**2 * slopes.sd**2).sum(axis=1))


def _means(cells: Cells) -> Floats:
    """(J, p - 1) of the predictors, by trial or unit of exposure; 0 of a group without rows."""
    size = cells.of_groups(cells.size)
    size = np.where(size > 0, size, 1.0)
    columns = [cells.of_groups(cells.size * column) / size for column in cells.x.T]
    return np.column_stack(columns) if columns else np.empty((cells.n_groups, 0))


def _root(of: Callable[[Floats], tuple[Floats, Floats]], start: Floats, least: Floats, most: Floats) -> Floats:
    """(K,) where a rising function is 0: Newton's method, and halving where that leaves what is known to hold it."""
    at, low, high = start, least, most
    for _ in range(MOST_STEPS):
        value, slope = of(at)
        low, high = np.where(value <= 0, at, low), np.where(value >= 0, at, high)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            step = at - np.clip(value / slope, -LONGEST_STEP, LONGEST_STEP)
        following = np.where((step > low) & (step < high), step, (low + high) / 2.0)
        if np.all(np.abs(following - at) <= SETTLED):
            return following
        at = following
    return at
