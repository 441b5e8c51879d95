"""The intervals to quote."""

from __future__ import annotations

import numpy as np

from tests.counted_decided import decided_counted
from tests.counted_worlds import simulate
from tests.worlds.counted import COUNTED_CHOSEN, counted_study


def test_quoted_intervals_are_partial_poolings_widened() -> None:
    """Slopes are quoted on the scale on which they are estimated; of the rest, coverage in `make worlds` tells."""
    world = next(one for one in COUNTED_CHOSEN if one.name == "0/1 rows")
    made = simulate(world.design, 2)
    found = decided_counted(made.data, counted_study(world), made.model((0, 1)))
    quoted, own, by = found.recommended, found.weighed.estimates, found.weighed.widening
    assert quoted is not None
    assert quoted.model == "partial_pooling.varying_intercept_slope"
    assert by.max() > 1.01
    wider = (quoted.groups.upper - quoted.groups.lower)[:, 1] / (own.upper - own.lower)[:, 1]
    np.testing.assert_allclose(wider, by[1], rtol=1e-3)
    se = max(found.weighed.fits.fullest.se[1], found.weighed.bayes.fixef.sd[1])
    assert (quoted.average.upper - quoted.average.lower)[1] >= 2 * 1.959 * se
