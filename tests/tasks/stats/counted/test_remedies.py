"""Every way on after a singular fit: which there are, and that each is the fit that it says it is."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from tasks.stats.counted.added_terms import counted_model
from tasks.stats.counted.group_estimates import group_estimates
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import partial_pooling
from tasks.stats.counted.predictors import scaling_of
from tasks.stats.counted.remedies import CountedRemedies, counted_remedies
from tasks.stats.fits.mean_structure import Added
from tests.counted_designs import CountedRows, simulated
from tests.counted_worlds import fit_of


def model_of(rows: CountedRows, varying: tuple[int, ...], added: tuple[Added, ...] = ()) -> CountedModel:
    cells = rows.cells()
    return counted_model(cells, scaling_of(cells), varying, added)


def remedies_of(model: CountedModel) -> CountedRemedies:
    found = counted_remedies(model, fit_of(model))
    assert found is not None
    return found


def test_a_regular_fit_needs_none() -> None:
    model = model_of(simulated("poisson", 3, [20] * 20, sd=(0.8, 0.5)), (0, 1))
    assert counted_remedies(model, fit_of(model)) is None


def test_ways_on_from_levels_and_slopes() -> None:
    rows = simulated("binomial", 5, [12] * 15, (-0.5, 0.6), (0.6, 0.0))
    model = model_of(rows, (0, 1))
    found = remedies_of(model)
    assert [(route.name, route.varying) for route in found.routes] == [
        ("singular_fit", (0, 1)),
        ("intercept", (0,)),
        ("drop", (1,)),
        ("complete", ()),
    ]
    singular, levels, slopes, complete = found.routes
    assert singular.is_singular
    assert slopes.term == "intercept"
    plain = partial_pooling(rows.cells(), "varying_intercept", (0,))
    assert levels.log_lik == pytest.approx(plain.log_lik, abs=1e-8)
    assert levels.aic == pytest.approx(2 * 3 - 2 * plain.log_lik)
    assert singular.aic == pytest.approx(2 * 5 - 2 * fit_of(model).log_lik)
    np.testing.assert_allclose(levels.sigma_group, [plain.sigma_group[0], np.nan])
    coef, se = group_estimates(model_of(rows, (0,)), plain)
    np.testing.assert_allclose(levels.coef, coef, atol=1e-8)
    np.testing.assert_allclose(levels.upper - levels.lower, 2 * 1.959964 * se, rtol=1e-5)
    assert singular.log_lik >= max(levels.log_lik, slopes.log_lik) - 1e-6
    assert levels.log_lik >= complete.log_lik - 1e-6
    assert found.routes[found.lowest_aic].aic == min(route.aic for route in found.routes)
    several = np.array([route.coef for route in found.routes])
    np.testing.assert_allclose(found.spread, (several.max(axis=0) - several.min(axis=0)).max(axis=0))


def test_each_predictor_can_be_the_one_that_no_longer_varies() -> None:
    rows = simulated("poisson", 4, [15] * 12, (-0.5, 0.6, -0.2), (0.6, 0.0, 0.3))
    model = model_of(rows, (0, 1, 2))
    dropped = {route.term: route.varying for route in remedies_of(model).routes if route.name == "drop"}
    assert dropped == {"intercept": (1, 2), "x1": (0, 2), "x2": (0, 1)}


def test_levels_alone_leave_complete_pooling_which_is_statsmodels() -> None:
    rows = simulated("poisson", 4, [20] * 20, (0.3, 0.5), (0.0,), most=4)
    model = model_of(rows, (0,))
    singular, complete = remedies_of(model).routes
    assert (singular.name, complete.name) == ("singular_fit", "complete")
    assert singular.log_lik == pytest.approx(complete.log_lik, abs=1e-8)
    np.testing.assert_allclose(singular.coef, complete.coef, atol=1e-5)
    x = np.column_stack([np.ones(400), (rows.x - model.scaling.center) / model.scaling.scale])
    fit = GLM(rows.events, x, family=Poisson(), exposure=rows.size).fit()
    robust = GLM(rows.events, x, family=Poisson(), exposure=rows.size).fit(
        cov_type="cluster", cov_kwds={"groups": rows.group, "use_correction": True, "df_correction": False}
    )
    assert complete.log_lik == pytest.approx(fit.llf)
    assert complete.aic == pytest.approx(fit.aic)
    np.testing.assert_allclose(complete.coef, np.tile(fit.params, (20, 1)), rtol=1e-6)
    half = (complete.upper - complete.lower)[0] / 2
    np.testing.assert_allclose(half / 1.959964, robust.bse, rtol=0.01)


def test_added_terms_stay_on_every_way() -> None:
    rows = simulated("poisson", 4, list(range(10, 30)), (0.3, 0.5), (0.0,))
    model = model_of(rows, (0,), (Added("curve", 1), Added("size")))
    singular, complete = remedies_of(model).routes
    np.testing.assert_allclose(singular.coef, complete.coef, atol=1e-5)
    assert np.ptp(complete.coef[:, 0]) > 0
    assert complete.n_parameters == 4


def test_a_separated_regression_has_no_estimates_and_is_never_the_lowest() -> None:
    y, x = np.tile([0.0, 0, 1, 1], 6), np.tile([1.0, 2, 3, 4], 6)
    rows = CountedRows("binomial", y, np.ones(24), x[:, None], np.repeat(np.arange(6), 4))
    model = model_of(rows, (0,))
    found = counted_remedies(model, fit_of(model))
    if found is not None:
        assert not found.routes[-1].is_converged
        assert np.isnan(found.routes[-1].coef).all()
