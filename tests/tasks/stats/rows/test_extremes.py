"""The outermost values of rows, the same however the rows are split."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tasks.stats.rows.extremes import KEPT, Extremes, added, extremes_of, no_extremes

column = st.lists(st.one_of(st.integers(-6, 6).map(float), st.floats(allow_nan=False, allow_infinity=False)))


def as_lists(found: Extremes) -> list[list[object]]:
    return [np.where(np.isnan(each), 0.25, each).tolist() for each in vars(found).values()]


@given(st.lists(column, min_size=1, max_size=5))
def test_parts_add_up_to_the_whole(parts: list[list[float]]) -> None:
    found = added([no_extremes(1), *(extremes_of([np.array(part)]) for part in parts)])
    whole = np.array([value for part in parts for value in part])
    assert as_lists(found) == as_lists(extremes_of([whole]))
    distinct, n = np.unique(whole, return_counts=True)
    k = min(KEPT, distinct.size)
    assert found.low[0, :k].tolist() == distinct[:k].tolist()
    assert found.n_high[0, :k].tolist() == n[::-1][:k].tolist()
    assert found.is_constant[0] == (distinct.size < 2)
