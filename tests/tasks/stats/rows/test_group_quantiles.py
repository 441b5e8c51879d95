import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.stats.rows.group_quantiles import group_quantiles

PROBABILITIES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1e6, 1e6)), min_size=1, max_size=60))
def test_each_group_has_the_quantiles_that_numpy_finds_for_its_rows_alone(rows):
    index, values = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = group_quantiles(values, index, 6, PROBABILITIES)
    for group in range(6):
        own = values[index == group]
        expected = np.quantile(own, PROBABILITIES) if own.size else np.full(5, np.nan)
        np.testing.assert_allclose(found[group], expected, atol=1e-6)
