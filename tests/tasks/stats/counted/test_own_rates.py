"""No pooling of counted outcomes: closed forms, R's and statsmodels' fits, one group at a time, and gaps."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from tasks.stats.counted import regressions
from tasks.stats.counted.own_rates import OwnFits, own_fits, own_rates
from tasks.stats.counted.predictors import centre_scaled, scaling_of
from tasks.stats.counted.separation import separated_terms, sides_of
from tasks.stats.fits.cells import Cells, Family
from tests.counted_data import cattle, counted, simulated_counts


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def fits(cells: Cells) -> OwnFits:
    return own_fits(cells, scaling_of(cells))


def test_cattle_by_herd_as_in_r() -> None:
    """R 4.2.2, lme4's cbpp: binom.test of a herd's sums; glm on its rows, z = scale(period) of all rows."""
    cells = cattle()
    rates, found = own_rates(cells), fits(cells)
    intervals = {
        "1": (0.108396638984, 0.384511677303),
        "2": (0.0271513603956, 0.1810119111098),
        "3": (0.0866989639583, 0.2661358089408),
        "12": (0.0218637368299, 0.2735151978924),
    }
    for label, wanted in intervals.items():
        at = cells.labels.index(label)
        np.testing.assert_allclose([rates.lower[at], rates.upper[at]], wanted, rtol=1e-9)
    fitted = {
        "3": ([-1.914854837468, -0.900774302236], [0.399136194731, 0.380737009757]),
        "5": ([-3.08489398960, -1.32780496201], [0.713590938134, 0.708186511388]),
        "7": ([-1.246556193454, -0.830918360584], [0.460846160414, 0.452711153328]),
        "10": ([-3.031552549997, 0.251572760034], [0.529882511319, 0.514158052859]),
    }
    for label, (coef, se) in fitted.items():
        at = cells.labels.index(label)
        np.testing.assert_allclose(found.coef[at], coef, rtol=1e-8)
        np.testing.assert_allclose(found.se[at], se, rtol=1e-7)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_fits_are_those_of_statsmodels_one_group_at_a_time(family: Family) -> None:
    cells = simulated_counts(family, 3, [40, 60, 90, 300, 25], (-0.8, 0.6, -0.4), tau=0.6)
    x, found = centre_scaled(cells, scaling_of(cells)), fits(cells)
    assert found.gap == ("",) * 5
    for j in range(5):
        at = cells.group_index == j
        if family == "binomial":
            both = np.column_stack([cells.events, cells.size - cells.events])[at]
            other = sm.GLM(both, x[at], family=sm.families.Binomial()).fit(tol=1e-12)
        else:
            other = sm.GLM(cells.events[at], x[at], family=sm.families.Poisson(), exposure=cells.size[at]).fit(
                tol=1e-12
            )
        np.testing.assert_allclose(found.coef[j], other.params, atol=1e-7)
        np.testing.assert_allclose(found.se[j], other.bse, rtol=1e-6)
        np.testing.assert_allclose(np.column_stack([found.lower[j], found.upper[j]]), other.conf_int(), atol=1e-6)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_without_predictors_fits_are_the_rates(family: Family) -> None:
    cells = simulated_counts(family, 7, [1, 2, 3, 4, 8, 30] * 5, (-0.8,), tau=1.0)
    rates, found = own_rates(cells), fits(cells)
    assert found.gap == rates.gap
    assert {"", "no events"} <= set(rates.gap)
    np.testing.assert_allclose(found.coef[:, 0], rates.link, atol=1e-9)
    np.testing.assert_allclose(found.se[:, 0], rates.link_se, rtol=1e-7)
    np.testing.assert_allclose(rates.rate, cells.of_groups(cells.events) / cells.of_groups(cells.size))
    assert ((rates.lower <= rates.rate) & (rates.rate <= rates.upper)).all()


def test_groups_of_none_or_all_have_an_interval_and_no_estimate() -> None:
    cells = counted("binomial", [0, 0, 1, 1, 0, 1], [5, 5, 1, 1, 3, 3], list("aabbcc"))
    rates = own_rates(cells)
    assert rates.gap == ("no events", "all events", "")
    assert rates.rate.tolist() == pytest.approx([0.0, 1.0, 1 / 6])
    assert np.isnan(rates.link).tolist() == [True, True, False]
    assert rates.upper[0] == pytest.approx(1 - 0.025 ** (1 / 10))
    assert rates.lower[1] == pytest.approx(0.025 ** (1 / 2))
    assert (rates.lower[0], rates.upper[1]) == (0.0, 1.0)


def test_of_counts_as_many_as_the_exposure_is_no_gap() -> None:
    assert own_rates(counted("poisson", [3, 0], [3, 2], list("ab"))).gap == ("", "no events")


def test_a_group_without_rows_has_no_rate() -> None:
    cells = replace(counted("binomial", [0, 1, 1, 0], group=list("aabb")), labels=("a", "b", "c"))
    rates, found = own_rates(cells), fits(cells)
    assert rates.gap == found.gap == ("", "", "no rows")
    assert np.isnan(rates.rate[2])
    assert (rates.lower[2], rates.upper[2]) == (0.0, 1.0)


def test_each_gap_has_its_reason() -> None:
    rows = {
        "fine": ([0, 1, 0, 1, 1], [0, 1, 2, 3, 4]),
        "none": ([0, 0, 0], [0, 1, 2]),
        "all": ([1, 1, 1], [0, 1, 2]),
        "one cell": ([0, 1], [2, 2]),
        "split": ([0, 0, 1, 1], [0, 1, 2, 3]),
        "half split": ([0, 0, 1, 1], [0, 1, 1, 3]),
    }
    group = np.repeat(list(rows), [len(events) for events, _ in rows.values()])
    events, x = (np.concatenate([part[k] for part in rows.values()]) for k in (0, 1))
    cells = counted("binomial", events, None, group, x)
    gap = dict(zip(cells.labels, fits(cells).gap, strict=True))
    assert gap == {
        "fine": "",
        "none": "no events",
        "all": "all events",
        "one cell": "few rows",
        "split": "separated",
        "half split": "separated",
    }
    assert fits(cells).is_fitted.sum() == 1
    two = np.column_stack([[1.0, 2, 3, 4], [2.0, 4, 6, 8]])
    assert own_fits(
        counted("poisson", [1, 2, 0, 1], x=two), scaling_of(counted("poisson", [1, 2, 0, 1], x=two))
    ).gap == ("no spread",)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["binomial", "poisson"]), st.integers(0, 100_000), st.integers(1, 2))
def test_a_group_has_a_fit_unless_a_linear_program_says_that_it_cannot(family: Family, seed: int, k: int) -> None:
    """All groups of full rank, many of them separated; where there is a fit, its score is 0."""
    cells = simulated_counts(family, seed, [6] * 30, (-0.5, *([0.8] * k)), tau=0.5, size=(1, 3))
    x, found = centre_scaled(cells, scaling_of(cells)), fits(cells)
    sides = sides_of(family, cells.events, cells.size)
    for j, gap in enumerate(found.gap):
        at = cells.group_index == j
        if gap in ("few rows", "no spread"):
            continue
        assert (gap != "") == bool(separated_terms(x[at], sides[at]))
        assert gap != "not converged"
        if gap == "":
            eta = x[at] @ found.coef[j]
            mean = 1 / (1 + np.exp(-eta)) if family == "binomial" else np.exp(eta)
            score = x[at].T @ (cells.events[at] - cells.size[at] * mean)
            assert np.abs(score * found.se[j]).max() < 1e-6


def test_other_groups_do_not_matter() -> None:
    cells = simulated_counts("binomial", 9, [30] * 8, (-0.5, 0.5), tau=0.5)
    scaling, keep = scaling_of(cells), cells.group_index < 3
    some = replace(
        cells,
        **{name: getattr(cells, name)[keep] for name in ("x", "group_index", "events", "size", "n_rows")},
        labels=cells.labels[:3],
    )
    np.testing.assert_allclose(own_fits(some, scaling).coef, own_fits(cells, scaling).coef[:3], rtol=1e-7)


def test_exact_intervals_hold_simulated_rates() -> None:
    rng = np.random.default_rng(8)
    truth, size = rng.uniform(0.01, 0.4, 4000), rng.integers(1, 60, 4000)
    found = own_rates(counted("binomial", rng.binomial(size, truth), size, np.arange(4000)))
    assert ((found.lower <= truth) & (truth <= found.upper)).mean() > 0.95
    found = own_rates(counted("poisson", rng.poisson(size * truth), size, np.arange(4000)))
    assert ((found.lower <= truth) & (truth <= found.upper)).mean() > 0.95


@pytest.mark.parametrize(
    ("events", "size", "x"),
    [
        # Steps have to be halved;
        (
            [0, 10, 996, 1, 96, 138, 956, 10000],
            [1, 10, 1000, 1, 100, 1000, 1000, 10000],
            [[-0.1, 1.1], [-0.8, -4.1], [-0.7, -0.6], [0.4, -0.8], [-0.9, 0.4], [-0.2, 2.6], [-0.8, 1.2], [-0.7, -4.8]],
        ),
        # to be shortened;
        ([100, 96, 86, 3, 0], [100, 100, 100, 10, 10000], [-5.3, -2.2, -0.7, 0.2, 29.0]),
        # to grow longer, as the far cell lies at -2,000.
        ([8423, 45, 10, 26, 0], [20000, 1000, 100, 1000, 1], [-1.1, 0.4, 0.8, 2.1, 341.8]),
    ],
)
def test_hard_searches_get_to_the_maximum(events, size, x) -> None:
    """Where the score is 0, and the linear program finds nothing that separates."""
    cells = counted("binomial", events, size, x=np.array(x))
    found, design = fits(cells), centre_scaled(cells, scaling_of(cells))
    assert found.gap == ("",)
    assert separated_terms(design, sides_of("binomial", cells.events, cells.size)) == ()
    score = design.T @ (cells.events - cells.size * expit(design @ found.coef[0]))
    assert np.abs(score * found.se[0]).max() < 1e-5


def test_a_search_that_is_cut_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regressions, "MOST_ITERATIONS", 1)
    cells = counted("binomial", [0, 1, 0, 1, 1, 0, 0, 1, 1], None, list("aaaaabbbb"), [0.0, 1, 2, 3, 4, 0, 1, 2, 3])
    assert fits(cells).gap == ("not converged", "separated")
