"""Rows that resemble the row before are found, by how much is told, and a sorted file is no order in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from tasks.stats.fits.cross_products import centre_scaled, cross_products, scaling_of
from tasks.stats.fits.mean_structure import Added, mean_structure, refit
from tasks.stats.judged.serial import Serial, judge_serial, most_likely, serial
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, GroupedData, Integers
from tests.datasets import grouped, model_of, simulated
from tests.dense import autoregressive, profiled_deviance
from tests.worlds.simulate import Design, simulate


def found(data: GroupedData, *, order: Integers | None = None, is_named: bool = False, curve: bool = False) -> Serial:
    sums = cross_products(data, order=order)
    products = centre_scaled(sums, scaling_of(sums))
    added = (Added("curve", 1),) if curve else ()
    fit = refit(mean_structure(products, added), tuple(range(products.p)))
    return serial(products, fit, is_named=is_named)


def following(seed: int, rho: float, **design: object) -> GroupedData:
    return simulate(Design(groups=20, rows=(10, 30), serial=rho, **design), (seed,)).data  # type: ignore[arg-type]


def test_the_correlation_is_the_dense_likelihoods() -> None:
    data = simulate(Design(groups=6, rows=(5, 15), serial=0.5), (2,)).data
    products, scaling = model_of(data)

    def deviance(free: Floats) -> float:
        r, sd = np.tanh(free[0]), np.exp(free[1:])
        return profiled_deviance(data, scaling, (0,), np.diag(sd**2), "reml", autoregressive(data, float(r)))

    best = minimize(deviance, [0.2, 0.0], method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-6})
    fit = refit(mean_structure(products), (0,))
    assert most_likely(products, fit) == pytest.approx(np.tanh(best.x[0]), abs=0.006)


@pytest.mark.parametrize("rho", [0.25, 0.6, 0.85])
def test_a_correlation_is_found_and_not_far_off(rho: float) -> None:
    """Groups' means are estimated too, which draws a plain ratio of sums far below the truth."""
    several = [found(following(seed, rho)).correlation for seed in range(5)]
    assert np.mean(several) == pytest.approx(rho, abs=0.06)
    assert found(following(1, rho)).p_value < 1e-4


def test_a_curve_that_is_in_the_fit_is_no_correlation() -> None:
    """Sorted by the predictor, what is left of a curve goes along with its neighbour."""
    data = simulate(Design(groups=12, rows=(20, 40), curve=6.0), (5,)).data
    order = np.argsort(np.argsort(data.x[:, 0]))
    assert found(data, order=order).p_value < 1e-6
    assert found(data, order=order, curve=True).p_value > 0.01


def test_rows_follow_one_another_in_the_order_that_is_named() -> None:
    data, rng = following(3, 0.6), np.random.default_rng(1)
    at = rng.permutation(data.n_rows)
    mixed = replace(data, y=data.y[at], x=data.x[at], group_index=data.group_index[at])
    assert found(mixed).strength == "none"
    named = found(mixed, order=at, is_named=True)
    assert named.correlation == pytest.approx(found(data).correlation, abs=1e-3)
    assert named.strength == "strong"
    assert named.is_named


def test_a_file_that_is_sorted_by_the_outcome_says_nothing_unless_its_order_is_named() -> None:
    data = simulated(2, [20] * 8)
    at = np.lexsort((data.y, data.group_index))
    risen = replace(data, y=data.y[at], x=data.x[at], group_index=data.group_index[at])
    fallen = replace(risen, y=risen.y[::-1], x=risen.x[::-1], group_index=risen.group_index[::-1])
    for rows in (risen, fallen):
        assert found(rows).is_sorted
        assert found(rows).strength == "unknown"
        assert found(rows, is_named=True).strength == "strong"
    assert not found(data).is_sorted


def test_few_pairs_say_nothing() -> None:
    pairs = found(simulated(1, [2] * 19))
    assert (pairs.n_pairs, pairs.strength) == (19, "unknown")
    assert found(simulated(1, [2] * 20)).strength != "unknown"
    alone = found(grouped(np.arange(9.0) ** 2 % 7, [f"g{j}" for j in range(9)]))
    assert (alone.n_pairs, alone.is_sorted, alone.strength) == (0, False, "unknown")


@pytest.mark.parametrize(
    ("correlation", "p_value", "strength"),
    [
        (0.1, 0.001, "none"),
        (0.11, 0.001, "some"),
        (0.3, 0.001, "some"),
        (0.31, 0.001, "strong"),
        (0.5, 0.01, "hinted"),
        (0.5, 0.05, "none"),
    ],
)
def test_strength_and_its_judgement(correlation: float, p_value: float, strength: str) -> None:
    one = Serial(correlation, p_value, 100, is_named=False, is_sorted=False)
    expected = {
        "none": Judgement("serial", "pass", "none", value=correlation, limit=0.1),
        "hinted": Judgement("serial", "pass", "hinted", value=correlation, limit=0.1),
        "some": Judgement("serial", "review", "some", value=correlation, limit=0.1, against="partial_pooling"),
        "strong": Judgement("serial", "fail", "strong", value=correlation, limit=0.3, against="every model"),
    }
    assert one.strength == ("none" if strength == "hinted" else strength)
    assert judge_serial(one) == (expected[strength],)


def test_what_is_unknown_is_told_with_its_reason() -> None:
    few = Serial(0.9, 0.0, 19, is_named=False, is_sorted=False)
    assert judge_serial(few) == (Judgement("serial", "pass", "few pairs", limit=0.1),)
    assert judge_serial(replace(few, n_pairs=50, is_sorted=True)) == (Judgement("serial", "pass", "sorted", limit=0.1),)


def test_effective_share_is_that_of_a_long_series_mean() -> None:
    """The variance of the mean of n rows of unit variance, as n grows: (1 + r) / (1 - r) / n."""
    n, r = 4000, 0.4
    lags = np.arange(1, n)
    of_mean = (1 + 2 * ((1 - lags / n) * r**lags).sum()) / n
    assert Serial(r, 0.0, 50, is_named=True, is_sorted=False).effective_share == pytest.approx(
        1 / (n * of_mean), rel=1e-3
    )
