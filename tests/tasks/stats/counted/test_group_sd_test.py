"""The test of a group SD: its statistic is that of two fits, its p-value holds its level and finds what is there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln
from statsmodels.genmod.families import Binomial, Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from tasks.stats.counted import group_sd_test as module
from tasks.stats.counted.group_sd_test import group_sd_test
from tasks.stats.counted.partial_pooling import partial_pooling
from tasks.stats.fits.cells import Family
from tasks.stats.judged.likelihood_ratio_test import judge_likelihood_ratio
from tests.counted_models import simulated_model


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_the_statistic_is_the_deviance_between_two_fits(family: Family) -> None:
    """Without groups by statsmodels, with them by `partial_pooling`."""
    model = simulated_model(family, 1, [5] * 20, (-1.0, 0.3), (0.7,), (1, 9))
    cells, found = model.cells, group_sd_test(model, 1, n_replicates=1)
    if family == "binomial":
        glm = GLM(np.column_stack([cells.events, cells.size - cells.events]), model.design, family=Binomial())
        constant = stats.binom.logpmf(cells.events, cells.size, 0.5).sum() + np.log(2.0) * cells.size.sum()
    else:
        glm = GLM(cells.events, model.design, family=Poisson(), exposure=cells.size)
        constant = (cells.events * np.log(cells.size) - gammaln(cells.events + 1.0)).sum()
    with_groups = partial_pooling(cells, "varying_intercept", (0,)).log_lik - cells.constant
    assert found.statistic == pytest.approx(2 * (with_groups - (glm.fit(tol=1e-12).llf - constant)), abs=1e-4)
    assert (found.null, found.terms) == ("complete_pooling", ("intercept",))


def test_slopes_are_tested_against_the_varying_intercept() -> None:
    model = simulated_model("poisson", 1, [8] * 30, (-1.0, 0.3), (0.5, 0.5), (1, 9))
    found = group_sd_test(model, 1, n_replicates=39)
    fits = [partial_pooling(model.cells, "varying_intercept_slope", varying).log_lik for varying in ((0,), (0, 1))]
    assert found.statistic == pytest.approx(2 * (fits[1] - fits[0]), abs=1e-3)
    assert (found.null, found.terms) == ("varying_intercept", ("x1",))
    assert found.p_value == 1 / 40
    (judgement,) = judge_likelihood_ratio(found)
    assert (judgement.kind, judgement.case) == ("variance_component", "shown")


def test_p_values_are_about_uniform_where_groups_do_not_differ() -> None:
    """Of 30 studies; half or more find no variance at all and have a p-value of 1."""
    each = [simulated_model("binomial", seed, [1] * 12, (-0.5,), (0.0,), (10, 30)) for seed in range(30)]
    p = np.array([group_sd_test(model, 1, n_replicates=19).p_value for model in each])
    at_most = [(p <= level).sum() for level in (0.1, 0.25, 0.4)]
    for count, level in zip(at_most, (0.1, 0.25, 0.4), strict=True):
        assert stats.binomtest(int(count), 30, level).pvalue > 0.01
    assert 0.4 < (p == 1.0).mean() < 0.8


def test_a_spread_that_is_there_is_found() -> None:
    p = [
        group_sd_test(simulated_model("binomial", seed, [1] * 25, (-0.5,), (0.8,), (20, 40)), 1, 39).p_value
        for seed in range(5)
    ]
    assert p == [1 / 40] * 5


def test_with_many_groups_the_mixture_says_the_same_as_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, tau in ((1, 0.0), (2, 0.1), (4, 0.12)):
        model = simulated_model("poisson", seed, [1] * 150, (1.0,), (tau,), (2, 6))
        by_replicates = group_sd_test(model, 1, n_replicates=199)
        monkeypatch.setattr(module, "FEWEST_ASYMPTOTIC", 100)
        asymptotic = group_sd_test(model, 1)
        assert asymptotic.is_asymptotic
        assert not by_replicates.is_asymptotic
        assert asymptotic.statistic == by_replicates.statistic
        assert by_replicates.lower - 0.05 < asymptotic.p_value < by_replicates.upper + 0.05
        assert by_replicates.lower < by_replicates.p_value < by_replicates.upper + 0.01


def test_groups_without_a_cell_and_the_order_of_groups_change_nothing() -> None:
    model = simulated_model("poisson", 3, [3] * 15, (-1.0, 0.3), (0.4,), (1, 9))
    wider = replace(model, cells=replace(model.cells, labels=(*model.cells.labels, "new")))
    one, other = (group_sd_test(each, 1, n_replicates=19) for each in (model, wider))
    assert one.statistic == pytest.approx(other.statistic, abs=1e-6)
    assert one.p_value == other.p_value


def test_many_cells_of_many_groups_are_tested_without_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    model = simulated_model("poisson", 3, [3] * 25, (-1.0, 0.3), (0.4,), (1, 9))
    monkeypatch.setattr(module, "FEWEST_ASYMPTOTIC", 200)
    assert not group_sd_test(model, 1).is_asymptotic
    monkeypatch.setattr(module, "MOST_CELLS", 50)
    assert group_sd_test(model, 1).is_asymptotic
    assert not group_sd_test(model, 1, n_replicates=1).is_asymptotic
