"""The test of a variance: small p where groups differ, p uniform where they do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f as f_of
from scipy.stats import kstest

from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.judged.likelihood_ratio_test import LikelihoodRatioTest, judge_likelihood_ratio, likelihood_ratio_test
from tasks.stats.records import GroupedData
from tests import datasets
from tests.datasets import model_of, simulated


def found_in(data: GroupedData, seed: int = 1, n_replicates: int | None = None) -> LikelihoodRatioTest:
    products, scaling = model_of(data)
    fits = {
        flavour: partial_pooling(products, scaling, flavour, varying)
        for flavour, varying in flavours(tuple(range(1, products.p))).items()
    }
    return likelihood_ratio_test(products, fits, seed, n_replicates)


def test_slopes_that_differ_are_found() -> None:
    """lme4: REML criterion of sleepstudy 1786.465 with varying intercepts, 1743.628 with slopes too."""
    found = found_in(datasets.sleepstudy())
    assert (found.terms, found.null) == (("Days",), "varying_intercept")
    assert found.statistic == pytest.approx(1786.465 - 1743.628, abs=2e-3)
    assert found.p_value == 1 / (found.n_replicates + 1)


def test_batches_that_do_not_differ() -> None:
    found = found_in(datasets.dyestuff2())
    assert (found.terms, found.null) == (("intercept",), "complete_pooling")
    assert (found.statistic, found.p_value) == (0.0, 1.0)
    assert 0.4 < found.share_zero < 0.7


def test_p_value_of_dyestuff_is_that_of_the_exact_f_test() -> None:
    """In a balanced one-way layout the statistic is monotone in F, so p is that of F with 5 and 24 df."""
    data = datasets.dyestuff()
    means = np.array([data.y[data.group_index == j].mean() for j in range(6)])
    within = sum(((data.y[data.group_index == j] - means[j]) ** 2).sum() for j in range(6)) / 24
    f = 5 * means.var(ddof=1) / within
    found = found_in(data, n_replicates=4000)
    assert found.p_value == pytest.approx(f_of.sf(f, 5, 24), abs=0.004)


def test_p_of_an_intercept_is_uniform_under_the_null_up_to_where_the_statistic_is_0() -> None:
    found = np.array([found_in(simulated(seed, [6] * 10, (10.0,), (0.0,)), seed, 79).p_value for seed in range(60)])
    below = found[found < 0.4]
    assert 0.2 < below.size / found.size < 0.6
    assert kstest(below / 0.4, "uniform").pvalue > 0.01


def test_p_of_slopes_is_about_uniform_under_the_null() -> None:
    """Not exactly: the spread of the intercepts, which the replicates need, is itself estimated."""
    found = [found_in(simulated(seed, [6] * 10, sd=(3.0,)), seed, 59).p_value for seed in range(40)]
    assert kstest(found, "uniform").pvalue > 0.01


def test_check_says_what_was_found_and_never_fails() -> None:
    clear, unclear = (
        judge_likelihood_ratio(found_in(data))[0] for data in (datasets.sleepstudy(), datasets.dyestuff2())
    )
    assert {clear.status, unclear.status} == {"pass"}
    assert (clear.case, unclear.case) == ("shown", "not shown")
