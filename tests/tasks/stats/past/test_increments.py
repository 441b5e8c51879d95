"""What earlier rows foretell of new ones is what the rows themselves would, one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.stats.fits.cross_products import cross_products
from tasks.stats.past.increments import RowShape, increments
from tasks.stats.past.row_spread import RowSpread, row_spread
from tasks.stats.records import Floats, GroupedData, Integers

SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Rows:
    y: Floats
    x: Floats  # (N, q)
    group: Integers
    n_groups: int

    @property
    def gram(self) -> Floats:
        """Cross-products about 0."""
        labels = tuple(str(j) for j in range(self.n_groups))
        terms = ("intercept", *(f"x{k}" for k in range(self.x.shape[1])))
        data = GroupedData(self.y, self.x, self.group, labels, terms)
        return cross_products(data, np.zeros(len(terms))).gram


def rows(rng: np.random.Generator, sizes: list[int], q: int) -> Rows:
    group = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=(group.size, q)) + rng.normal(size=(len(sizes), q))[group]
    y = 5.0 * rng.normal(size=len(sizes))[group] + x.sum(axis=1) + rng.normal(size=group.size)
    return Rows(y, x, group, len(sizes))


def foretold(old: Rows, new: Rows, variance: Floats, cov: Floats) -> tuple[Floats, Floats]:
    """Shifts and their variances by Henderson's mixed-model equations on all earlier rows.

    Unknown are every group's level and the average slopes, which are fixed, and each group's own part of the slopes.
    """
    j, q = old.n_groups, old.x.shape[1]

    def design(each: Rows) -> Floats:
        own = np.zeros((each.y.size, j, q))
        own[np.arange(each.y.size), each.group] = each.x
        return np.hstack([np.eye(j)[each.group], each.x, own.reshape(each.y.size, j * q)])

    prior = np.zeros((j + q + j * q,) * 2)
    prior[j + q :, j + q :] = np.kron(np.eye(j), np.linalg.inv(cov)) if q else 0.0
    z = design(old)
    inverse = np.linalg.inv(z.T @ (z / variance[old.group, None]) + prior)
    coef = inverse @ z.T @ (old.y / variance[old.group])
    n = np.bincount(new.group, minlength=j)
    mean = np.array([design(new)[new.group == g].mean(axis=0) for g in range(j)])
    observed = np.bincount(new.group, weights=new.y, minlength=j) / n
    return observed - mean @ coef, np.einsum("ji,ik,jk->j", mean, inverse, mean) + variance / n


@settings(deadline=None)
@given(SEEDS, st.integers(0, 2), st.booleans())
def test_sums_give_what_the_rows_give(seed: int, q: int, is_heavy: bool) -> None:
    rng = np.random.default_rng(seed)
    old = rows(rng, rng.integers(1, 9, 6).tolist(), q)
    new = rows(rng, rng.integers(1, 5, 6).tolist(), q)
    root = rng.normal(size=(q, q)) + np.eye(q)
    cov, shape = root @ root.T + 0.1 * np.eye(q), RowShape(0.0, 3.0 * is_heavy)
    found = increments(old.gram, new.gram, cov, shape)
    if not found.positions.size:  # no group has a degree of freedom
        return
    spread = spread_of(old, shape.kurtosis)
    shift, expected = foretold(old, new, spread.variance, cov)
    assert found.df == pytest.approx(spread.df)
    assert found.positions.tolist() == list(range(6))
    assert found.shift == pytest.approx(shift, rel=1e-6, abs=1e-6)
    assert found.se**2 == pytest.approx(expected, rel=1e-6)


def spread_of(each: Rows, kurtosis: float) -> RowSpread:
    """From each group's own least-squares line through its rows."""
    squares, df = np.zeros(each.n_groups), np.zeros(each.n_groups)
    for g in range(each.n_groups):
        z = np.column_stack([np.ones((each.group == g).sum()), each.x[each.group == g]])
        left = each.y[each.group == g] - z @ np.linalg.lstsq(z, each.y[each.group == g], rcond=None)[0]
        df[g] = len(z) - np.linalg.matrix_rank(z)
        squares[g] = (left @ left) * (df[g] > 0)
    return row_spread(squares, df, kurtosis)


@given(SEEDS)
def test_while_nothing_moves_z_is_standard_normal_and_reports_are_independent(seed: int) -> None:
    rng, j = np.random.default_rng(seed), 3000
    parts = [rows(rng, [n] * j, 0) for n in (5, 2, 3)]
    levels = 20.0 * rng.normal(size=j)
    grams = [Rows(rng.normal(size=each.y.size) + levels[each.group], each.x, each.group, j).gram for each in parts]
    none = np.zeros((0, 0))
    first = increments(grams[0], grams[1], none).scores(0.0).up
    second = increments(grams[0] + grams[1], grams[2], none).scores(0.0).up
    for z in (first, second):
        assert abs(z.mean()) < 5 / np.sqrt(j)
        assert z.std() == pytest.approx(1.0, abs=5 / np.sqrt(2 * j))
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(j)


def test_with_slopes_z_is_standard_normal_too() -> None:
    rng, j = np.random.default_rng(5), 4000
    slopes, levels = 1.0 + 0.5 * rng.normal(size=j), 20.0 * rng.normal(size=j)
    grams = []
    for n in (6, 3):
        group = np.repeat(np.arange(j), n)
        x = rng.normal(size=group.size) + 0.1 * levels[group] + (n == 3)
        y = levels[group] + slopes[group] * x + 2.0 * rng.normal(size=group.size)
        grams.append(Rows(y, x[:, None], group, j).gram)
    z = increments(*grams, np.array([[0.25]])).scores(0.0).up
    assert abs(z.mean()) < 4 / np.sqrt(j)
    assert z.std() == pytest.approx(1.0, abs=0.04)


@given(SEEDS)
def test_the_order_in_which_files_came_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    files = [rows(rng, rng.integers(0, 6, 5).tolist(), 1).gram for _ in range(6)]
    new = rows(rng, [3] * 5, 1).gram
    cov = np.array([[0.3]])
    one, other = (increments(sum(files[i] for i in order), new, cov) for order in (range(6), rng.permutation(6)))
    assert one.positions.tolist() == other.positions.tolist()
    assert one.shift == pytest.approx(other.shift, rel=1e-8, abs=1e-8)
    assert one.se == pytest.approx(other.se, rel=1e-8)


def test_groups_without_earlier_or_new_rows_are_left_out_and_so_is_what_nothing_foretells() -> None:
    rng = np.random.default_rng(1)
    old, new = rows(rng, [4, 0, 5, 6], 1), rows(rng, [2, 3, 0, 1], 1)
    cov = np.array([[0.3]])
    assert increments(old.gram, new.gram, cov).positions.tolist() == [0, 3]
    constant = Rows(old.y, old.group[:, None].astype(float), old.group, 4)
    moved = Rows(new.y, new.group[:, None] + (new.group == 3)[:, None].astype(float), new.group, 4)
    assert increments(constant.gram, moved.gram, 0.0 * cov).positions.tolist() == [0]


def test_one_earlier_row_a_group_foretells_nothing_as_their_spread_is_not_known() -> None:
    rng = np.random.default_rng(2)
    assert not increments(rows(rng, [1] * 5, 0).gram, rows(rng, [3] * 5, 0).gram, np.zeros((0, 0))).positions.size


def test_the_interval_is_students_and_a_margin_is_taken_off_on_both_sides() -> None:
    rng = np.random.default_rng(3)
    found = increments(rows(rng, [3], 0).gram, rows(rng, [3], 0).gram, np.zeros((0, 0)))
    assert found.df.tolist() == [2.0]
    assert found.half_width / found.se == pytest.approx(4.302653, abs=1e-5)
    assert found.scores(0.0).up == pytest.approx(-found.scores(0.0).down)
    assert (found.scores(1.0).up < found.scores(0.0).up).all()
    assert found.scores(float(found.shift[0])).up == pytest.approx(0.0, abs=1e-12)
