"""Odd but valid rows – scales far apart, few rows, singletons, near-copies – are refused in words or fitted."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.rows.structure import require_structure
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import marginal_data
from tasks.stats.fits.cross_products import cross_products
from tasks.stats.judged.simpson import simpson_checks
from tasks.stats.records import GroupedData
from tasks.stats.rows.coding import Coding
from tasks.stats.rows.collinearity import collinearity
from tasks.stats.rows.digest import extremes_of_rows
from tasks.stats.rows.usable_varying import with_usable_varying
from tasks.study.errors import DataRejected
from tests.datasets import grouped, model_of
from tests.posteriors import fits_of, study_of


def hostile(seed: int) -> GroupedData:
    chance = np.random.default_rng(seed)
    n_groups = int(chance.choice([2, 3, 5, 12, 40]))
    group = np.repeat(np.arange(n_groups), chance.integers(1, chance.choice([2, 4, 9, 30]) + 1, n_groups))
    n, p = group.size, int(chance.integers(0, 4))
    x = chance.normal(size=(n, p)) * 10.0 ** chance.integers(-20, 20, size=p)
    y = 10.0 ** chance.integers(-3, 6) * chance.normal(size=n_groups)[group]
    y = y + 10.0 ** chance.integers(-3, 3) * chance.normal(size=n)
    for k in range(p):
        kind = chance.integers(0, 8)
        if kind == 0:
            x[:, k] = chance.random(n) < 0.1
        elif kind == 1:
            x[:, k] = chance.normal(size=n_groups)[group]
        elif kind == 2 and k:
            x[:, k] = 3 * x[:, 0] + x[:, 0].std() * 10.0 ** -chance.integers(0, 9) * chance.normal(size=n)
    kind = chance.integers(0, 8)
    if kind == 0:
        y = np.round(y)
    elif kind == 1:
        y = (y > np.median(y)).astype(float)
    elif kind == 2:
        y[chance.integers(0, n)] = 1e12
    elif kind == 3:
        y = np.where(group < n_groups - 1, 1.0 * group, y)
    return grouped(y * 10.0 ** chance.choice([-45, -30, 0, 30, 45]), [f"g{j:02d}" for j in group], x)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**31))
def test_they_are_refused_in_words_or_fitted(seed: int) -> None:
    data = hostile(seed)
    sums = cross_products(data)
    study = study_of(data)
    try:
        require_structure(sums, data, extremes_of_rows(data, Coding(study.predictors)), study, (), ())
    except DataRejected:
        return
    study = with_usable_varying(study, sums)
    products, scaling = model_of(data)
    fits = fits_of(study, products, scaling)
    assert all(np.isfinite(fit.fixef).all() and np.isfinite(fit.sigma) for fit in fits.partial.values())
    simpson_checks(products, fits.complete)
    collinearity(products)
    inputs = marginal_data(products, (0, *study.varying_columns), resolve_priors(study, scaling), scaling)
    for name, value in inputs.items():
        assert np.isfinite(value).all(), name
