"""New rows of a counted outcome beside earlier ones: against likelihood ratios of other programs, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binom, chi2_contingency, poisson

from tasks.stats.fits.cells import Cells, Family, added, cells_of, less
from tasks.stats.past.counted_increments import CountedIncrements, Slopes, counted_increments
from tasks.stats.records import Floats, Integers
from tests.weekly_reports import COUNTED_DESIGNS, GROUPS, WEEKS, one_year

SEEDS = st.integers(0, 2**32 - 1)
NO_SLOPES = Slopes(np.empty((1, 0)), np.empty((1, 0)))
FAMILIES: tuple[Family, ...] = ("binomial", "poisson")


def cells(family: Family, events: list[float] | Floats, size: list[float] | Floats, x: Floats | None = None) -> Cells:
    """Of one group."""
    n = len(events)
    values = np.empty((n, 0)) if x is None else x.reshape(n, -1)
    terms = ("intercept", *(f"x{k}" for k in range(values.shape[1])))
    group: Integers = np.zeros(n, dtype=np.int64)
    return cells_of(family, np.asarray(events, float), np.asarray(size, float), values, group, ["g"], terms)


def two(family: Family, before: tuple[float, float], new: tuple[float, float]) -> CountedIncrements:
    """Events of trials or exposure, before and in the new rows."""
    return counted_increments(cells(family, [before[0]], [before[1]]), cells(family, [new[0]], [new[1]]), NO_SLOPES)


@pytest.mark.parametrize(("before", "new"), [((40, 400), (9, 60)), ((40, 400), (1, 60)), ((3, 90), (2, 5))])
def test_without_predictors_the_score_is_the_signed_root_of_g_squared(before, new) -> None:
    table = [[before[0], before[1] - before[0]], [new[0], new[1] - new[0]]]
    g_squared = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    scores = two("binomial", before, new).scores(0.0)
    sign = np.sign(new[0] / new[1] - before[0] / before[1])
    assert scores.up == pytest.approx(sign * np.sqrt(g_squared), rel=1e-6)
    assert scores.down == pytest.approx(-scores.up)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("margin", [0.0, 0.4])
def test_with_predictors_and_a_margin_it_is_that_of_regressions_with_offsets(family: Family, margin: float) -> None:
    rng = np.random.default_rng(3)
    x, is_new, slope = np.round(rng.normal(size=80), 1), np.arange(80) >= 55, 0.7
    size = rng.integers(2, 9, 80).astype(float)
    eta = -0.5 + slope * x + 0.9 * is_new
    events = (
        rng.binomial(size.astype(int), 1 / (1 + np.exp(-eta)))
        if family == "binomial"
        else rng.poisson(size * np.exp(eta))
    )
    parts = [cells(family, events[part].astype(float), size[part], x[part]) for part in (~is_new, is_new)]
    found = counted_increments(*parts, Slopes(np.array([[slope]]), np.zeros((1, 1))))

    def deviance(design: Floats, offset: Floats) -> float:
        if family == "poisson":
            return sm.GLM(events, design, sm.families.Poisson(), offset=offset + np.log(size)).fit(tol=1e-12).deviance
        return (
            sm.GLM(np.column_stack([events, size - events]), design, sm.families.Binomial(), offset=offset)
            .fit(tol=1e-12)
            .deviance
        )

    both = np.column_stack([np.ones(80), is_new])
    gain = deviance(both[:, :1], slope * x + margin * is_new) - deviance(both, slope * x)
    assert found.scores(margin).up == pytest.approx(np.sqrt(gain), rel=1e-4)
    below = deviance(both[:, :1], slope * x - margin * is_new) - deviance(both, slope * x)
    assert found.scores(margin).down == pytest.approx(-np.sqrt(below), rel=1e-4)


def test_rates_are_told_with_the_arms_of_their_likelihood_intervals() -> None:
    found = two("binomial", (12, 200), (9, 50))

    def ends(events: int, size: int) -> list[float]:
        rate = events / size
        ratio = lambda p: 2 * (binom.logpmf(events, size, rate) - binom.logpmf(events, size, p)) - 3.841459  # noqa: E731
        return [brentq(ratio, 1e-9, rate), brentq(ratio, rate, 1 - 1e-9)]

    old, new = ends(12, 200), ends(9, 50)
    assert found.shift == pytest.approx(0.18 - 0.06)
    assert found.lower == pytest.approx(0.12 - np.hypot(0.18 - new[0], old[1] - 0.06), abs=1e-5)
    assert found.upper == pytest.approx(0.12 + np.hypot(new[1] - 0.18, 0.06 - old[0]), abs=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("before", [(0.0, 30.0), (15.0, 30.0), (30.0, 30.0)])
@pytest.mark.parametrize("new", [(0.0, 5.0), (2.0, 5.0), (5.0, 5.0)])
def test_events_that_are_none_or_all_leave_everything_finite(family: Family, before, new) -> None:
    found = two(family, before, new)
    scores = found.scores(0.3)
    told = np.concatenate([found.shift, found.lower, found.upper, found.se, scores.up, scores.down])
    assert np.isfinite(told).all()
    assert found.lower <= found.shift <= found.upper
    assert found.se > 0
    assert found.shift == pytest.approx(new[0] / new[1] - before[0] / before[1], abs=1e-9)


def test_a_first_event_after_a_long_time_without_any() -> None:
    """Two Poisson counts, 0 before: given their sum, the new one is binomial, and its deviance is 2 log(1 + e)."""
    scores = two("poisson", (0, 90), (1, 10)).scores(0.0)
    assert scores.up == pytest.approx(np.sqrt(2 * np.log(10.0)), rel=1e-6)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_what_is_counted_as_an_event_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 40, 2)
    events = rng.binomial(sizes, rng.uniform())
    (old, new), margin = zip(events.tolist(), sizes.tolist(), strict=True), 0.2
    one = two("binomial", old, new)
    other = two("binomial", (old[1] - old[0], old[1]), (new[1] - new[0], new[1]))
    assert other.shift == pytest.approx(-one.shift, abs=1e-9)
    assert other.lower == pytest.approx(-one.upper, abs=1e-6)
    assert other.scores(margin).up == pytest.approx(one.scores(margin).down, abs=1e-6)


def test_slopes_that_are_not_quite_known_count_where_the_mix_of_cases_moves() -> None:
    x = np.array([0.0, 1.0])
    old, new = cells("poisson", [30, 30], [10.0, 10.0], x), cells("poisson", [40], [10.0], x[1:])
    sure, unsure = (counted_increments(old, new, Slopes(np.zeros((1, 1)), np.full((1, 1), sd))) for sd in (0.0, 0.5))
    variance = 1 / 60 + 1 / 40  # of the logarithms of two rates, nearly
    expected = np.sqrt(1 + 0.5**2 * 0.5**2 / variance)
    assert sure.scores(0.0).up / unsure.scores(0.0).up == pytest.approx(expected, rel=0.02)
    assert unsure.se > sure.se
    same_mix = counted_increments(old, old, Slopes(np.zeros((1, 1)), np.full((1, 1), 0.5)))
    assert same_mix.spread == pytest.approx(1.0)


def test_groups_without_new_or_without_earlier_rows_are_left_out() -> None:
    labels, one = ["a", "b", "c"], np.ones(2)
    old = cells_of("binomial", one, 5 * one, np.empty((2, 0)), np.array([0, 1]), labels, ("intercept",))
    new = cells_of("binomial", one, 5 * one, np.empty((2, 0)), np.array([1, 2]), labels, ("intercept",))
    found = counted_increments(old, new, Slopes(np.empty((3, 0)), np.empty((3, 0))))
    assert (found.positions.tolist(), found.n_before.tolist(), found.n_new.tolist()) == ([1], [1], [1])


@pytest.mark.parametrize("family", FAMILIES)
def test_intervals_of_rare_events_hold_a_shift_of_nothing(family: Family) -> None:
    """4 events expected before and 2 in the new rows: exact coverage, summed over all outcomes."""
    counts = np.arange(25)
    if family == "binomial":
        chance = np.outer(binom.pmf(counts, 80, 0.05), binom.pmf(counts, 40, 0.05))
    else:
        chance = np.outer(poisson.pmf(counts, 4), poisson.pmf(counts, 2))
    old, new = (each.ravel().astype(float) for each in np.meshgrid(counts, counts, indexing="ij"))
    group, none, labels = np.arange(old.size), np.empty((old.size, 0)), [str(j) for j in range(old.size)]
    parts = [
        cells_of(family, events, np.full(old.size, size), none, group, labels, ("intercept",))
        for events, size in ((old, 80.0), (new, 40.0))
    ]
    found = counted_increments(*parts, Slopes(none, none))
    holds = (found.lower <= 0) & (found.upper >= 0)
    assert 0.92 < chance.ravel()[holds].sum() < 0.985


@pytest.mark.parametrize("family", FAMILIES)
def test_new_cells_are_todays_less_the_earlier_ones(family: Family) -> None:
    rng = np.random.default_rng(5)
    n, x = 300, np.round(rng.normal(size=(300, 2)))
    group, events, size = (
        rng.integers(0, 7, n),
        rng.integers(0, 2, n).astype(float),
        rng.integers(1, 4, n).astype(float),
    )

    def of(rows: slice) -> Cells:
        return cells_of(
            family, events[rows], size[rows], x[rows], group[rows], [str(j) for j in range(7)], ("intercept", "a", "b")
        )

    whole, part, rest = of(slice(None)), of(slice(200)), of(slice(200, None))
    found = less(whole, part)
    assert found is not None
    for name in ("x", "group_index", "events", "size", "n_rows"):
        np.testing.assert_array_equal(getattr(found, name), getattr(rest, name))
    assert found.constant == pytest.approx(rest.constant)
    assert less(part, whole) is None
    assert added([part, found]).n_rows.sum() == n


@pytest.mark.parametrize("number", [0, 6], ids=lambda number: COUNTED_DESIGNS[number].name)
def test_over_years_of_weekly_reports_alarms_are_rare_until_a_group_moves(number: int) -> None:
    """At most one false alarm a year is promised, over all 50 groups; a move by two SDs is seen."""
    design, years = COUNTED_DESIGNS[number], 4
    still = [one_year(design, np.random.default_rng([number, year]), moves=False) for year in range(years)]
    assert all(year.shape == (WEEKS, GROUPS) for year in still)
    assert sum(year.sum() for year in still) <= years
    moved = one_year(design, np.random.default_rng([number, 99]), moves=True)
    assert moved[WEEKS // 2 :, 0].any()
