"""Rows become cells, and cells of parts the cells of the whole, with the same likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.stats.fits import cells as cells_module
from tasks.stats.fits.cells import Cells, Family, added, added_among, cells_of, no_cells, relabelled

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


values = st.sampled_from([0.0, -0.0, 1.0, 0.5, -3.25, 1e-300, 1e300, 2.0**53])


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.lists(values, min_size=3, max_size=3)), min_size=1, max_size=40),
    st.sampled_from([1, 30, 2**62]),
)
def test_cells_are_the_distinct_rows_in_order(rows: list[tuple[int, list[float]]], largest_key: int) -> None:
    group, x = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells_module, "LARGEST_KEY", largest_key)
        found = cells_of("poisson", np.arange(len(rows), dtype=float), np.ones(len(rows)), x, group, "abcd", "1xyz")
    wanted: dict[tuple[float, ...], list[int]] = {}
    for i, (of, at) in enumerate(rows):
        wanted.setdefault((of, *(each + 0.0 for each in at)), []).append(i)
    assert [(of, *at) for of, at in zip(found.group_index, found.x.tolist(), strict=True)] == sorted(wanted)
    assert found.events.tolist() == [float(sum(wanted[key])) for key in sorted(wanted)]
    assert found.n_rows.tolist() == [len(wanted[key]) for key in sorted(wanted)]
    assert not np.signbit(found.x[found.x == 0]).any()


def test_groups_that_become_one_are_merged_and_others_keep_their_rows() -> None:
    whole = of("binomial", rows("binomial", 200, 1))
    merged = relabelled(whole, "xy", np.array([0, 1, 0, 1]))
    assert merged.labels == ("x", "y")
    for name in ("events", "size", "n_rows"):
        sums = whole.of_groups(getattr(whole, name))
        np.testing.assert_array_equal(merged.of_groups(getattr(merged, name)), [sums[0] + sums[2], sums[1] + sums[3]])
    assert merged.events.size == len({(j % 2, *x) for j, x in zip(whole.group_index, whole.x.tolist(), strict=True)})
    wider = added_among([whole], "dzcba")
    assert wider.labels == tuple("dzcba")
    np.testing.assert_array_equal(wider.of_groups(wider.events)[[4, 3, 2, 0]], whole.of_groups(whole.events))
    nothing = no_cells("binomial", TERMS)
    assert added_among([nothing, whole], "abcd").events.tolist() == whole.events.tolist()


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
