"""Sums that add up over any split of the rows, about any offset, on any basis."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.cross_products import (
    CrossProducts,
    about,
    add,
    centre_scaled,
    change_basis,
    cross_products,
    residual_sum_of_squares,
    scaling_of,
    total,
    whitened,
    with_group_columns,
    with_labels,
    with_spelling,
    with_squares,
)
from tasks.stats.records import Floats, GroupedData, Integers
from tests.datasets import grouped, model_of, simulated, sleepstudy


def rows() -> GroupedData:
    return simulated(1, [1, 4, 2, 9, 3], beta=(3.0, 1.0, -1.0))


def subset(data: GroupedData, chosen: np.ndarray) -> GroupedData:
    """The chosen rows, as a file of its own would give them: with only the labels that it holds."""
    labels = np.array(data.labels)[data.group_index[chosen]]
    return grouped(data.y[chosen], labels, data.x[chosen], data.terms[1:])


def by_label(products: CrossProducts) -> dict[str, Floats]:
    return dict(zip(products.labels, products.gram, strict=True))


def assert_same_rows(a: CrossProducts, b: CrossProducts) -> None:
    a, b = about(a, np.zeros(a.offset.size)), about(b, np.zeros(b.offset.size))
    left, right = by_label(a), by_label(b)
    assert left.keys() == right.keys()
    for label, gram in left.items():
        np.testing.assert_allclose(gram, right[label], rtol=1e-9, atol=1e-9)


def test_they_are_the_sums_of_products_of_the_shifted_columns() -> None:
    data = rows()
    offset = np.array([0.5, -1.0, 2.0])
    made = cross_products(data, offset)
    for j in range(data.n_groups):
        mine = data.group_index == j
        w = np.column_stack([np.ones(mine.sum()), data.x[mine] - offset[:2], data.y[mine] - 2.0])
        np.testing.assert_allclose(made.gram[j], w.T @ w, rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(
    parts=st.lists(st.integers(0, 3), min_size=19, max_size=19),
    order=st.permutations(range(4)),
    offset=st.lists(st.floats(-5, 5), min_size=3, max_size=3),
)
def test_any_split_added_in_any_order_gives_the_whole(parts: list[int], order: list[int], offset: list[float]) -> None:
    """Each part about its own means, some parts without some groups, one about a given offset."""
    data, part = rows(), np.array(parts)
    files = [cross_products(subset(data, np.flatnonzero(part == k))) for k in order if np.any(part == k)]
    files[0] = about(files[0], np.array(offset))
    total = files[0]
    for file in files[1:]:
        total = add(total, file)
    assert_same_rows(total, cross_products(data))
    assert total.gram[:, 0, 0].sum() == pytest.approx(19)


def test_adding_unites_the_groups_of_both_sides() -> None:
    a = cross_products(grouped([1.0, 2.0], ["a", "b"]))
    b = cross_products(grouped([3.0, 5.0, 7.0], ["b", "c", "c"]))
    both = add(a, b)
    assert set(both.labels) == {"a", "b", "c"}
    n = {label: gram[0, 0] for label, gram in by_label(both).items()}
    assert n == pytest.approx({"a": 1, "b": 2, "c": 2})
    assert scaling_of(both).outcome_center == pytest.approx(3.6)


def wide_columns(data: GroupedData, offset: Floats, scale: Floats | None = None) -> Floats:
    """(N, 2 p) the columns whose products are summed: 1, predictors, outcome, the predictors' squares."""
    moved = (np.column_stack([data.x, data.y]) - offset) / (1.0 if scale is None else scale)
    return np.column_stack([np.ones(data.n_rows), moved, moved[:, :-1] ** 2])


def in_pairs(data: GroupedData, w: Floats, order: Integers | None = None) -> tuple[Floats, Floats, Floats, Floats]:
    """wide, lag, ends and rises, group by group and row by row."""
    m, rank = w.shape[1], np.arange(data.n_rows) if order is None else order
    wide, lag, ends = np.zeros((3, data.n_groups, m, m))
    rises = np.zeros(data.n_groups)
    for j in range(data.n_groups):
        mine = np.flatnonzero(data.group_index == j)
        mine = mine[np.argsort(rank[mine])]
        for i in mine:
            wide[j] += np.outer(w[i], w[i])
        for i in (mine[0], mine[-1]):
            ends[j] += np.outer(w[i], w[i])
        for i, k in pairwise(mine):
            lag[j] += np.outer(w[i], w[k])
            rises[j] += data.y[k] >= data.y[i]
    return wide, lag, ends, rises


def assert_are(products: CrossProducts, expected: tuple[Floats, Floats, Floats, Floats]) -> None:
    for name, sums in zip(("wide", "lag", "ends", "rises"), expected, strict=True):
        np.testing.assert_allclose(getattr(products, name), sums, rtol=1e-9, atol=1e-9, err_msg=name)


def shuffled_rows() -> tuple[GroupedData, Integers]:
    """Rows of groups in among each other, and the order in which they follow one another, which is not theirs."""
    data, rng = rows(), np.random.default_rng(5)
    at = rng.permutation(data.n_rows)
    data = replace(data, y=np.round(data.y[at]), x=data.x[at], group_index=data.group_index[at])
    return data, rng.permutation(data.n_rows)


@pytest.mark.parametrize("is_ordered", [False, True])
def test_squares_and_neighbours_are_those_of_the_rows(is_ordered: bool) -> None:
    """Outcomes are rounded, so that some next rows are equal: these count as rises."""
    data, order = shuffled_rows()
    offset = np.array([0.5, -1.0, 2.0])
    made = cross_products(data, offset, order if is_ordered else None)
    assert_are(made, in_pairs(data, wide_columns(data, offset), order if is_ordered else None))
    assert made.lag[:, 0, 0].tolist() == [0, 3, 1, 8, 2]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_columns_of_levels_are_counted_as_they_would_be_summed(seed: int) -> None:
    """Two categories, a 0/1 column that goes with neither, a number that is 0 or 1 in some groups, and an outcome."""
    rng = np.random.default_rng(seed)
    n, n_groups = int(rng.integers(8, 90)), 8
    one, other = np.eye(3)[rng.integers(0, 3, n)], np.eye(4)[rng.integers(0, 4, n)][:, 1:]
    group = rng.permutation(np.append(np.arange(n_groups), rng.integers(0, n_groups, n - n_groups)))
    number = np.where(group < 4, rng.integers(0, 2, n), rng.normal(size=n))
    x = np.column_stack([one[:, :2], number, other, rng.integers(0, 2, n), one[:, 2:]])
    terms = ("intercept", *(f"x{k}" for k in range(x.shape[1])))
    data = GroupedData(rng.normal(size=n), x, group, tuple(map(str, range(n_groups))), terms)
    offset = np.append(np.zeros(x.shape[1]), 0.3)
    assert_are(cross_products(data, offset), in_pairs(data, wide_columns(data, offset), None))


def test_another_offset_is_exact_for_squares_and_neighbours() -> None:
    data, order = shuffled_rows()
    offset = np.array([-2.0, 0.25, 11.0])
    moved = about(cross_products(data, order=order), offset)
    assert_are(moved, in_pairs(data, wide_columns(data, offset), order))


def test_the_fitted_basis_holds_for_squares_and_neighbours() -> None:
    data, order = shuffled_rows()
    products = cross_products(data, order=order)
    scaling = scaling_of(products)
    made = centre_scaled(products, scaling).wide
    center = np.append(scaling.center, scaling.outcome_center)
    wide, lag, ends, rises = in_pairs(data, wide_columns(data, center, np.append(scaling.scale, 1.0)), order)
    np.testing.assert_allclose(made.gram, wide, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(made.lag, lag, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(made.ends, ends, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(made.rises, rises)
    np.testing.assert_array_equal(made.n_pairs, [0, 3, 1, 8, 2])


@settings(deadline=None, max_examples=30)
@given(
    chunk_of_group=st.lists(st.integers(0, 2), min_size=5, max_size=5),
    order=st.permutations(range(3)),
    offset=st.lists(st.floats(-5, 5), min_size=3, max_size=3),
)
def test_chunks_of_whole_groups_add_up_to_the_whole(
    chunk_of_group: list[int], order: list[int], offset: list[float]
) -> None:
    data, _ = shuffled_rows()
    chunk = np.array(chunk_of_group)[data.group_index]
    parts = [cross_products(subset(data, np.flatnonzero(chunk == k))) for k in order if np.any(chunk == k)]
    whole = with_labels(total(parts, np.array(offset)), data.labels)
    assert_are(whole, in_pairs(data, wide_columns(data, np.array(offset))))


def test_a_group_in_two_chunks_has_two_first_rows_and_one_pair_less() -> None:
    data = grouped([1.0, 4.0, 2.0, 6.0, 6.0], ["a"] * 5)
    whole = cross_products(data, np.zeros(1))
    halves = total([cross_products(subset(data, at), np.zeros(1)) for at in (np.arange(3), np.arange(3, 5))])
    np.testing.assert_allclose(halves.wide, whole.wide)
    assert whole.lag[0, 1, 1] == 1 * 4 + 4 * 2 + 2 * 6 + 6 * 6
    assert halves.lag[0, 1, 1] == 1 * 4 + 4 * 2 + 6 * 6
    assert whole.ends[0, 1, 1] == 1 + 36
    assert halves.ends[0, 1, 1] == 1 + 4 + 36 + 36
    assert (whole.rises[0], halves.rises[0]) == (3, 2)


def test_groups_of_one_spelling_are_added_up() -> None:
    products = cross_products(rows(), np.zeros(3))
    first, second, *others = products.labels
    spelt = with_spelling(products, {label: first if label == second else label for label in products.labels})
    assert spelt.labels == (first, *others)
    for name in ("wide", "lag", "ends", "rises"):
        sums = getattr(products, name)
        np.testing.assert_array_equal(getattr(spelt, name)[0], sums[0] + sums[1])
        np.testing.assert_array_equal(getattr(spelt, name)[1:], sums[2:])


def test_squares_are_those_of_the_fitted_predictors() -> None:
    data = rows()
    products, scaling = model_of(data)
    made = with_squares(products, (2, 1))
    x = design_matrix(data, scaling)
    w = np.column_stack([x, x[:, 2] ** 2, x[:, 1] ** 2, data.y - data.y.mean()])
    assert made.terms == ("intercept", "x1", "x2", "x2²", "x1²")
    for j in range(data.n_groups):
        mine = w[data.group_index == j]
        np.testing.assert_allclose(made.gram[j], mine.T @ mine, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("correlation", [0.3, -0.4, 0.95])
def test_whitened_sums_are_those_of_rows_from_which_the_row_before_was_taken(correlation: float) -> None:
    """Row by row, the first one of a group times sqrt(1 - r^2); a group of one row too."""
    data = rows()
    products, scaling = model_of(data)
    squares = design_matrix(data, scaling)[:, 1:] ** 2
    w = np.column_stack([design_matrix(data, scaling), data.y - data.y.mean(), squares])
    made = whitened(products, correlation)
    for j in range(data.n_groups):
        mine = w[data.group_index == j]
        fresh = np.vstack([np.sqrt(1 - correlation**2) * mine[:1], mine[1:] - correlation * mine[:-1]])
        np.testing.assert_allclose(made.wide.gram[j], fresh.T @ fresh, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(made.gram, made.wide.gram[:, :4, :4])


def test_different_terms_do_not_add_up() -> None:
    a = cross_products(grouped([1.0, 2.0], ["a", "b"], np.array([1.0, 2.0]), ["age"]))
    with pytest.raises(ValueError, match="age"):
        add(a, cross_products(grouped([1.0, 2.0], ["a", "b"], np.array([1.0, 2.0]), ["height"])))


def test_permuted_rows_give_the_same_sums() -> None:
    data = rows()
    order = np.random.default_rng(0).permutation(data.n_rows)
    shuffled = replace(data, y=data.y[order], x=data.x[order], group_index=data.group_index[order])
    np.testing.assert_allclose(cross_products(shuffled).gram, cross_products(data).gram, rtol=1e-12, atol=1e-12)


def test_scaling_is_the_mean_and_sample_standard_deviation() -> None:
    data = rows()
    scaling = scaling_of(cross_products(data, np.array([1.0, 2.0, 3.0])))
    np.testing.assert_allclose(scaling.center, data.x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaling.scale, data.x.std(axis=0, ddof=1), rtol=1e-12)
    assert scaling.outcome_center == pytest.approx(data.y.mean(), rel=1e-13)
    assert scaling.outcome_scale == pytest.approx(data.y.std(ddof=1), rel=1e-12)


@pytest.mark.parametrize("offset", [1e6, 1e9, -1e9])
def test_large_close_values_do_not_cancel(offset: float) -> None:
    """Plain sums of squares of values near 1e9 with a spread of 1 keep no correct digit of it."""
    data = simulated(3, [20] * 10)
    moved = replace(data, y=data.y + offset, x=data.x + offset)
    expected, scaling = scaling_of(cross_products(data)), scaling_of(cross_products(moved))
    np.testing.assert_allclose(scaling.scale, expected.scale, rtol=1e-6)
    assert scaling.outcome_scale == pytest.approx(expected.outcome_scale, rel=1e-6)
    np.testing.assert_allclose(model_of(moved)[0].gram, model_of(data)[0].gram, rtol=1e-5, atol=1e-4)


def test_the_fitted_basis_is_centre_scaled_predictors_and_a_centred_outcome() -> None:
    data = rows()
    products, scaling = model_of(data)
    w = np.column_stack([design_matrix(data, scaling), data.y - data.y.mean()])
    for j in range(data.n_groups):
        mine = w[data.group_index == j]
        np.testing.assert_allclose(products.gram[j], mine.T @ mine, rtol=1e-10, atol=1e-10)
    assert (products.p, products.n_rows) == (3, 19)
    np.testing.assert_allclose(products.n, [1, 4, 2, 9, 3])
    np.testing.assert_allclose(products.xtx.sum(axis=0)[1, 1], 18.0)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_change_of_basis_equals_changing_the_columns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    w, basis = rng.standard_normal((7, 4)), rng.standard_normal((4, 3))
    np.testing.assert_allclose(
        change_basis((w.T @ w)[None], basis)[0], (w @ basis).T @ (w @ basis), rtol=1e-9, atol=1e-9
    )


def test_group_columns_equal_those_made_from_rows() -> None:
    data = rows()
    products, scaling = model_of(data)
    values = np.random.default_rng(2).standard_normal((data.n_groups, 2))
    extended = with_group_columns(products, ("size", "place"), values)
    assert extended.terms == ("intercept", "x1", "x2", "size", "place")
    columns = [design_matrix(data, scaling), values[data.group_index], data.y - data.y.mean()]
    w = np.column_stack(columns)
    for j in range(data.n_groups):
        mine = w[data.group_index == j]
        np.testing.assert_allclose(extended.gram[j], mine.T @ mine, rtol=1e-10, atol=1e-10)


def test_residual_sum_of_squares_equals_that_of_the_rows() -> None:
    data = rows()
    products, scaling = model_of(data)
    coef = np.random.default_rng(4).standard_normal((data.n_groups, 3))
    residual = data.y - data.y.mean() - (design_matrix(data, scaling) * coef[data.group_index]).sum(axis=1)
    expected = np.bincount(data.group_index, residual**2)
    np.testing.assert_allclose(residual_sum_of_squares(products, coef), expected, rtol=1e-10)
    shared = residual_sum_of_squares(products, coef[0]).sum()
    all_rows = data.y - data.y.mean() - design_matrix(data, scaling) @ coef[0]
    assert shared == pytest.approx(all_rows @ all_rows)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6 / 3])
def test_constant_columns_are_refused(constant: float) -> None:
    labels = ["a", "b", "c"] * 7
    for data in (
        grouped(np.full(21, constant), labels, np.arange(21.0)),
        grouped(np.arange(21.0), labels, np.full(21, constant)),
    ):
        products = cross_products(data)
        with pytest.raises(ValueError, match="constant"):
            centre_scaled(products, scaling_of(products))


def test_coefficients_go_back_to_raw_units() -> None:
    """Sleepstudy by least squares: 251.405 ms at day 0 and 10.467 ms a day (R 4.3, lm)."""
    data = sleepstudy()
    products, scaling = model_of(data)
    coef = np.linalg.solve(products.xtx.sum(axis=0), products.xty.sum(axis=0))
    coef[0] += products.outcome_center
    np.testing.assert_allclose(scaling.to_raw @ coef, [251.40510, 10.46729], atol=1e-4)
