"""Rows become cells, and cells of parts the cells of the whole, with the same likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.stats.counted.cells import Cells, Family, added, cells_of

TERMS = ("intercept", "x", "z")


def rows(family: Family, n: int, seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 5, n).astype(float)
    events = rng.binomial(size.astype(int), 0.3) if family == "binomial" else rng.poisson(0.7 * size)
    return events.astype(float), size, rng.integers(0, 3, (n, 2)).astype(float), rng.integers(0, 4, n)


def of(family: Family, parts: tuple[np.ndarray, ...]) -> Cells:
    return cells_of(family, *parts, labels="abcd", terms=TERMS)


@settings(max_examples=40)
@given(st.sampled_from(["binomial", "poisson"]), st.integers(2, 200), st.integers(0, 1000), st.floats(0, 1))
def test_cells_of_parts_add_up_to_those_of_all_rows(family: Family, n: int, seed: int, share: float) -> None:
    every = rows(family, n, seed)
    cut = int(np.clip(share * n, 1, n - 1))
    whole, parts = of(family, every), [of(family, tuple(part[:cut] for part in every))]
    parts.append(of(family, tuple(part[cut:] for part in every)))
    together = added(parts)
    for name in ("x", "group_index", "events", "size", "n_rows"):
        np.testing.assert_array_equal(getattr(together, name), getattr(whole, name))
    assert together.constant == pytest.approx(whole.constant, rel=1e-12, abs=1e-9)
    assert whole.events.sum() == every[0].sum()
    assert whole.n_rows.sum() == n


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_the_likelihood_of_cells_is_that_of_their_rows(family: Family) -> None:
    events, size, x, group = rows(family, 300, 3)
    cells = of(family, (events, size, x, group))

    def rate(at: np.ndarray, groups: np.ndarray) -> np.ndarray:
        return 0.1 + 0.1 * at[:, 0] + 0.05 * at[:, 1] + 0.02 * groups

    p, cell_p = rate(x, group), rate(cells.x, cells.group_index)
    if family == "binomial":
        wanted = stats.binom.logpmf(events, size, p).sum()
        found = (cells.events * np.log(cell_p) + (cells.size - cells.events) * np.log1p(-cell_p)).sum()
    else:
        wanted = stats.poisson.logpmf(events, size * p).sum()
        found = (cells.events * np.log(cell_p) - cells.size * cell_p).sum()
    assert found + cells.constant == pytest.approx(wanted, rel=1e-12)
