"""Predictors are scaled over rows, and the basis of the search is orthonormal over rows whatever they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.stats.counted.design import basis_of, design_of, every, parts
from tasks.stats.counted.predictors import centre_scaled, scaling_of
from tests.counted_designs import CountedRows, simulated


def coarse(seed: int) -> CountedRows:
    """Rows with few distinct predictors, so that cells have several rows."""
    rows = simulated("binomial", seed, [20] * 6, (0.2, 0.5, -0.4), most=3)
    return replace(rows, x=np.round(rows.x))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_cells_have_the_means_and_sds_of_their_rows(seed: int) -> None:
    rows = coarse(seed)
    scaling = scaling_of(rows.cells())
    assert rows.cells().events.size < rows.events.size
    np.testing.assert_allclose(scaling.center, rows.x.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(scaling.scale, rows.x.std(axis=0, ddof=1), rtol=1e-12)


def test_the_basis_is_orthonormal_over_rows_and_spans_the_predictors() -> None:
    cells = coarse(3).cells()
    x = centre_scaled(cells, scaling_of(cells))
    basis = basis_of(x, cells.n_rows)
    share = cells.n_rows / cells.n_rows.sum()
    np.testing.assert_allclose(basis.columns.T @ (share[:, None] * basis.columns), np.eye(3), atol=1e-13)
    np.testing.assert_allclose(x @ basis.to_scaled, basis.columns, atol=1e-13)
    np.testing.assert_allclose(basis.columns[:, 0], 1.0, rtol=1e-14)


@pytest.mark.parametrize("noise", [0.0, 1e-10, 1e-5])
def test_a_combination_of_earlier_predictors_is_aliased_and_a_near_one_is_not(noise: float) -> None:
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(200), rng.normal(size=(200, 2))])
    x = np.column_stack([x, x[:, 1] - 2 * x[:, 2] + noise * rng.normal(size=200), rng.normal(size=200)])
    basis = basis_of(x, np.ones(200, dtype=int))
    assert basis.is_aliased.tolist() == [False, False, False, noise < 1e-7, False]
    gram = basis.columns.T @ basis.columns / 200
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-9)
    assert np.isnan(basis.to_scaled[3]).all() == (noise < 1e-7)


def test_a_constant_predictor_is_aliased() -> None:
    rows = coarse(1)
    cells = replace(rows, x=np.column_stack([rows.x[:, 0], np.ones(len(rows.x))])).cells()
    basis = basis_of(centre_scaled(cells, scaling_of(cells)), cells.n_rows)
    assert basis.is_aliased.tolist() == [False, False, True]


@pytest.mark.parametrize("most_cells", [1, 7, 40, 10_000])
def test_parts_are_the_whole_cut_between_groups(most_cells: int) -> None:
    cells = simulated("poisson", 2, [1, 9, 3, 12, 1, 5, 8], (0.1, 0.4)).cells()
    x = centre_scaled(cells, scaling_of(cells))
    design = design_of(cells, basis_of(x, cells.n_rows), x.T)
    pieces = list(parts(design, most_cells))
    for name in ("basis", "events", "size"):
        joined = np.concatenate([getattr(piece, name) for _, piece in pieces])
        np.testing.assert_array_equal(joined, getattr(design, name))
    sums = np.concatenate([piece.sums(piece.events) for _, piece in pieces])
    np.testing.assert_array_equal(sums, design.sums(design.events))
    assert [groups.start for groups, _ in pieces[1:]] == [groups.stop for groups, _ in pieces[:-1]]


def test_every_third_group_has_all_of_its_cells() -> None:
    cells = simulated("poisson", 2, [1, 9, 3, 12, 1, 5, 8], (0.1, 0.4)).cells()
    x = centre_scaled(cells, scaling_of(cells))
    design = design_of(cells, basis_of(x, cells.n_rows), x.T)
    thinned = every(design, 3)
    np.testing.assert_array_equal(thinned.sums(thinned.events), design.sums(design.events)[::3])
    np.testing.assert_array_equal(np.bincount(thinned.group), [1, 12, 8])


def test_groups_without_a_cell_are_left_out() -> None:
    rows = coarse(5)
    cells = replace(rows.cells(), labels=tuple("abcdefgh"))
    x = centre_scaled(cells, scaling_of(cells))
    assert design_of(cells, basis_of(x, cells.n_rows), x.T).n_groups == 6
