"""The extended model's scores beside the plain one's, on the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.bayes.stan_data import design_matrix
from tests.posteriors import sampled


def test_a_curve_that_is_fitted_foretells_new_rows_better() -> None:
    have = sampled("curved")
    scores, plain = have.findings.answer_scores, have.bayes.loo
    assert scores is not None
    assert scores.loo is not None
    assert scores.difference == pytest.approx(scores.loo.elpd_loo - plain.elpd_loo)
    paired = scores.loo.pointwise - plain.pointwise
    assert scores.difference_se == pytest.approx(np.sqrt(paired.size) * paired.std(ddof=1))
    assert scores.is_clear
    assert scores.difference > 0
    assert plain.pointwise.sum() == pytest.approx(plain.elpd_loo)


def test_the_error_on_its_own_rows_is_that_of_its_lines() -> None:
    have = sampled("curved")
    scores, fit = have.findings.answer_scores, have.findings.answer
    assert scores is not None
    assert fit is not None
    x = design_matrix(have.data, have.scaling)
    squares = fit.fixef.mean[2] * x[:, 1] ** 2
    coef = fit.groups.mean.copy()
    index = have.data.group_index
    residual = have.data.y - (coef[index, 0] + coef[index, 1] * x[:, 1] + squares)
    assert scores.rmse == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-6)


def test_where_nothing_was_found_there_are_no_scores() -> None:
    assert sampled("sleepstudy").findings.answer_scores is None
