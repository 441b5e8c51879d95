"""How often rows of a group are equal by chance: near what honest rows do, and not raised by copies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.records import GroupedData
from tasks.stats.rows.chance_of_equal import Chance, chance_of_equal


def chance(y: np.ndarray, group: np.ndarray, x: np.ndarray | None = None, times: int = 1) -> Chance:
    x = np.empty((y.size, 0)) if x is None else x[:, None]
    data = (np.concatenate([each] * times) for each in (y, x, group))
    labels = tuple(map(str, range(int(group.max()) + 1)))
    return chance_of_equal(GroupedData(*data, labels, ("intercept",)))


RNG = np.random.default_rng(1)
GROUP = RNG.integers(0, 8, 2_000)


@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_of_rounded_values_it_is_about_their_own_rate(decimals: int) -> None:
    found = chance(RNG.normal(3.0 * GROUP, 5.0).round(decimals), GROUP).outcome
    expected = 10.0**-decimals / (2 * np.sqrt(np.pi) * 5.0)
    assert expected / 1.2 < found < 3 * expected


@pytest.mark.parametrize("p", [0.5, 0.1, 0.02])
def test_of_yes_and_no_it_is_about_their_own_rate(p: float) -> None:
    found = chance((RNG.random(2_000) < p).astype(float), GROUP).outcome
    assert found == pytest.approx(p**2 + (1 - p) ** 2, abs=0.03)


def test_copies_do_not_raise_it() -> None:
    rng = np.random.default_rng(3)
    y, x = rng.normal(size=2_000).round(4), rng.normal(size=2_000).round(4)
    once, thrice = chance(y, GROUP, x), chance(y, GROUP, x, times=3)
    assert thrice.row == pytest.approx(once.row, rel=1.0)
    assert thrice.row < 1e-8


def test_columns_multiply_and_a_constant_one_says_nothing() -> None:
    y = RNG.integers(1, 6, 2_000).astype(float)
    assert chance(y, GROUP, RNG.integers(0, 2, 2_000).astype(float)).row == pytest.approx(0.1, rel=0.3)
    assert chance(y, GROUP, np.ones(2_000)).row == pytest.approx(0.2, rel=0.3)


def test_groups_of_their_own_values_are_seen() -> None:
    """All rows of a group are equal, and no two groups': rows of different groups would not tell."""
    assert chance(10.0 * GROUP, GROUP).outcome == pytest.approx(1.0)


def test_few_rows_leave_it_open() -> None:
    assert chance(np.array([1.0]), np.array([0])).row == 1.0
    assert chance(np.array([1.234, 2.345]), np.array([0, 1])).row > 0.1


def test_the_size_of_a_count_tells_rows_apart() -> None:
    rng = np.random.default_rng(2)
    y = (rng.random(2_000) < 0.1).astype(float)
    plain = GroupedData(y, np.empty((2_000, 0)), GROUP, tuple("abcdefgh"), ("intercept",), np.ones(2_000))
    sized = chance_of_equal(replace(plain, size=rng.integers(1, 101, 2_000).astype(float)))
    assert chance_of_equal(plain) == chance_of_equal(replace(plain, size=None))
    assert sized.row == pytest.approx(0.01 * chance_of_equal(plain).row, rel=0.3)
    assert sized.outcome == chance_of_equal(plain).outcome
