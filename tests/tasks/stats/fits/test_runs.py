"""Rows are sorted by group and summed in blocks: nothing of it shows in the sums."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.fits.cross_products import cross_products
from tasks.stats.fits.runs import BLOCK_ROWS, blocks, by_group
from tasks.stats.records import GroupedData


@pytest.mark.parametrize("is_ordered", [False, True])
def test_rows_stand_by_group_and_by_order_within(is_ordered: bool) -> None:
    rng = np.random.default_rng(1)
    index = rng.integers(0, 7, 200)
    order = rng.integers(0, 20, 200) if is_ordered else None
    rank = np.arange(200) if order is None else order
    np.testing.assert_array_equal(by_group(index, 7, order), np.lexsort((rank, index)))
    np.testing.assert_array_equal(by_group(np.sort(index), 7, None), np.arange(200))


def test_blocks_are_of_whole_groups_and_leave_none_out() -> None:
    n = np.array([0, 5, BLOCK_ROWS, 0, 3 * BLOCK_ROWS, 1, 0, 0])
    found = blocks(np.cumsum(n))
    assert [j for block in found for j in range(8)[block]] == list(range(8))
    assert len(found) > 2


def test_sums_over_many_blocks_with_groups_of_no_rows() -> None:
    rng = np.random.default_rng(2)
    n, n_groups = 3 * BLOCK_ROWS, 50
    index = rng.integers(0, n_groups - 2, n)  # the last two have no rows
    index[index == 10] = 11
    x, y = rng.standard_normal((n, 2)), rng.standard_normal(n)
    data = GroupedData(y, x, index, tuple(map(str, range(n_groups))), ("intercept", "a", "b"))
    found = cross_products(data, np.zeros(3))
    w = np.column_stack([np.ones(n), x, y, x**2])
    for j in (0, 10, 11, 30, n_groups - 1):
        own = w[index == j]
        np.testing.assert_allclose(found.wide[j], own.T @ own, rtol=1e-10, atol=1e-9)
        np.testing.assert_allclose(found.lag[j], own[:-1].T @ own[1:], rtol=1e-10, atol=1e-9)
        np.testing.assert_allclose(found.ends[j], own[:1].T @ own[:1] + own[-1:].T @ own[-1:], atol=1e-12)
        assert found.rises[j] == (own[1:, 3] >= own[:-1, 3]).sum()
