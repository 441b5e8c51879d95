"""Predictions of rows left out are those of models refitted to the other rows, summed by group size."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tasks.stats.fits.cross_products import with_group_columns
from tasks.stats.fits.reml import fit, mixed_model
from tasks.stats.judged import size_calibration as module
from tasks.stats.judged.size_calibration import FittedModel, SizeBin, calibration_by_size
from tasks.stats.records import GroupedData
from tests.datasets import grouped, model_of, simulated, with_size_trend


def models_of(data: GroupedData) -> tuple[FittedModel, FittedModel]:
    products, _ = model_of(data)
    extended = with_group_columns(products, ("log n",), (np.log(products.n) - np.log(products.n).mean())[:, None])
    first, second = (FittedModel(p, (0,), fit(mixed_model(p, (0,))).theta) for p in (products, extended))
    return first, second


def calibrated(data: GroupedData, sample: GroupedData | None = None) -> tuple[SizeBin, ...]:
    return calibration_by_size(sample or data, *models_of(data), model_of(data)[1], seed=3)


def test_errors_are_those_of_dense_predictions_from_the_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many folds as rows: each row is predicted alone, by generalised least squares on all others."""
    data = simulated(2, [1, 2, 3, 5, 4, 9, 2, 6], sigma=2.0)
    monkeypatch.setattr(module, "FOLDS", data.n_rows)
    plain, _ = models_of(data)
    x = np.column_stack([np.ones(data.n_rows), data.x])
    same = data.group_index[:, None] == data.group_index
    cov = np.eye(data.n_rows) + plain.theta[0] ** 2 * same
    errors = np.empty(data.n_rows)
    for i in range(data.n_rows):
        rest = np.arange(data.n_rows) != i
        inverse = np.linalg.inv(cov[np.ix_(rest, rest)])
        beta = np.linalg.solve(x[rest].T @ inverse @ x[rest], x[rest].T @ inverse @ data.y[rest])
        errors[i] = data.y[i] - x[i] @ beta - cov[i, rest] @ inverse @ (data.y[rest] - x[rest] @ beta)
    sizes = np.bincount(data.group_index)[data.group_index]
    for one in calibrated(data):
        rows = (sizes >= one.smallest) & (sizes <= one.largest)
        assert one.n_rows == rows.sum()
        assert one.plain.mean == pytest.approx(errors[rows].mean(), rel=1e-6)


def test_bins_share_out_all_groups_and_keep_equal_sizes_together() -> None:
    data = with_size_trend(1, 0.0, 80)
    bins = calibrated(data)
    assert 3 <= len(bins) <= 5
    assert sum(one.n_groups for one in bins) == 80
    assert sum(one.n_rows for one in bins) == data.n_rows
    assert all(a.largest < b.smallest for a, b in pairwise(bins))


def test_a_size_trend_shows_in_small_groups_and_goes_with_size_in_the_model() -> None:
    small = calibrated(with_size_trend(2, 1.5, 400))[0]
    assert small.plain.upper < 0
    assert small.with_size.lower < 0 < small.with_size.upper
    assert abs(small.with_size.mean) < abs(small.plain.mean) / 2


def test_intervals_cover_zero_about_as_often_as_they_say_without_a_trend() -> None:
    ends = [one.plain for seed in range(12) for one in calibrated(with_size_trend(200 + seed, 0.0, 40))]
    share = np.mean([one.lower <= 0 <= one.upper for one in ends])
    assert share >= 0.85


def test_clusters_of_equal_rows_have_the_standard_error_of_their_means() -> None:
    sums, n = np.array([2.0, -1.0, 4.0, 3.0]), np.full(4, 2.0)
    found = module._mean_error(sums, n)
    means = sums / n
    assert (found.mean, found.se) == pytest.approx((means.mean(), means.std(ddof=1) / 2))


def test_a_bin_of_one_group_has_no_standard_error() -> None:
    found = module._mean_error(np.array([2.0]), np.array([4.0]))
    assert found.mean == 0.5
    assert np.isnan([found.se, found.lower, found.upper]).all()


def test_of_a_sample_only_its_rows_are_predicted_from_all_others() -> None:
    data = with_size_trend(4, 1.0, 40)
    kept = np.random.default_rng(1).random(data.n_rows) < 0.5
    sample = replace(data, y=data.y[kept], x=data.x[kept], group_index=data.group_index[kept])
    bins = calibrated(data, sample)
    assert sum(one.n_rows for one in bins) == kept.sum()
    whole = calibrated(data)
    assert [(one.smallest, one.largest) for one in bins] == [(one.smallest, one.largest) for one in whole]
    for some, every in zip(bins, whole, strict=True):
        assert some.plain.mean == pytest.approx(every.plain.mean, abs=4 * some.plain.se)


def test_the_same_seed_gives_the_same_numbers() -> None:
    data = with_size_trend(5, 0.5, 25)
    assert calibrated(data) == calibrated(data)


def test_a_group_with_all_rows_left_out_is_predicted_from_the_average() -> None:
    data = grouped([5.0, 6.0, 7.0, 9.0, 4.0, 5.5, 6.5, 30.0], ["a", "a", "a", "b", "b", "c", "c", "d"])
    bins = calibrated(data)
    assert np.isfinite([one.plain.mean for one in bins]).all()
    assert bins[0].plain.mean > 0
