"""What the mean lacks is found where it is lacking, and weighed by what it would move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, t

from tasks.stats.fits.mean_structure import Added, fitted, mean_structure, refit
from tasks.stats.judged.implied_coverage import ImpliedCoverage
from tasks.stats.judged.missing_terms import CHANCE, MissingTerm, judge_missing, missing_terms, with_missing
from tasks.stats.judged.size_trend import judge_size_trend
from tasks.stats.judgement import Judgement
from tasks.stats.records import GroupedData
from tests.datasets import dyestuff, grouped, model_of, simulated, sleepstudy, with_size_trend
from tests.posteriors import fits_of, study_of
from tests.worlds.simulate import Design, simulate

TERMS = ("intercept", "x1")
SIZES = np.array([4, 9, 5, 7, 12])


def of(data: GroupedData, span_limit: float = 0.5) -> dict[Added, MissingTerm]:
    products, scaling = model_of(data)
    fullest = fits_of(study_of(data), products, scaling).fullest
    return {one.added: one for one in missing_terms(products, fullest, span_limit)}


def made(kind: str = "curve", **fields: object) -> MissingTerm:
    """A term that is clear and moves nothing."""
    plain = MissingTerm(
        added=Added(kind, 0 if kind == "size" else 1),  # type: ignore[arg-type]
        coef=1.0,
        se=0.2,
        df=20.0,
        p_value=0.0001,
        share_moved=0.0,
        implied=ImpliedCoverage(np.array([0.95, 0.95]), 0.95),
        explained=0.0,
        span=0.0,
        span_limit=0.5,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def test_the_test_is_walds_in_the_mixed_model_with_the_term() -> None:
    data = simulate(Design(groups=9, rows=(3, 20)), (3,)).data
    products, _ = model_of(data)
    for added, one in of(data).items():
        fit = refit(mean_structure(products, (added,)), (0, 1))
        column = 2
        se = fit.at.sigma * np.sqrt(fit.at.unscaled_cov[column, column])
        assert one.coef == pytest.approx(fit.at.fixef[column], abs=2e-3 * se)
        assert one.se == pytest.approx(se, rel=2e-3)
        assert one.df == (data.n_rows - 9 * 2 - 1 if added.kind == "curve" else 9 - 2)
        assert one.p_value == pytest.approx(2 * t.sf(abs(one.coef) / one.se, one.df), rel=1e-9)
        assert one.half_width == pytest.approx(t.ppf(0.975, one.df) * one.se)


def test_what_would_move_is_told_against_the_plain_intervals() -> None:
    """Shares, implied coverage and explained variance, written out from the two fits."""
    data = simulate(Design(curve=1.5), (3,)).data
    products, scaling = model_of(data)
    one = of(data)[Added("curve", 1)]
    theta = fits_of(study_of(data), products, scaling).fullest.theta
    plain, curved = (
        fitted(mean_structure(products), (0, 1), theta),
        refit(mean_structure(products, (one.added,)), (0, 1)),
    )
    half = norm.ppf(0.975) * plain.se
    moved = (np.abs(curved.coef - plain.coef) >= half / 2).any(axis=1)
    upper, lower = ((plain.coef + sign * half - curved.coef) / curved.se for sign in (1, -1))
    assert one.share_moved == pytest.approx(moved.mean())
    np.testing.assert_allclose(one.implied.terms, (norm.cdf(upper) - norm.cdf(lower)).mean(axis=0), atol=2e-3)
    assert one.explained == pytest.approx(1 - (curved.at.sigma / plain.at.sigma) ** 2, abs=1e-3)


def test_each_is_found_where_it_is_and_has_the_size_that_it_has() -> None:
    """Three standard errors to both sides of what was simulated; squares are of predictors per SD."""
    curve, context, size = Added("curve", 1), Added("context", 1), Added("size")
    for seed in range(3):
        data = simulate(Design(groups=40, curve=1.5), (seed,)).data
        one = of(data)[curve]
        assert one.is_missing
        assert one.coef == pytest.approx(1.5 * data.x.var(), abs=3 * one.se)
        data = simulate(Design(groups=60, context=6.0, rows=(3, 12), level_sd=1.0, sigma=6.0), (seed,)).data
        one = of(data)[context]
        assert one.is_missing
        assert one.coef == pytest.approx(6.0 * data.x.std(), abs=3 * one.se)
        one = of(with_size_trend(seed, 1.5))[size]
        assert one.is_missing
        assert one.coef == pytest.approx(1.5, abs=3 * one.se)


def test_span_is_the_large_groups_difference_from_small_ones_in_group_sds() -> None:
    data = with_size_trend(2, 1.5)
    one = of(data)[Added("size")]
    products, scaling = model_of(data)
    small, large = np.quantile(np.bincount(data.group_index), [0.1, 0.9])
    levels = fits_of(study_of(data), products, scaling).fullest.coef[:, 0]
    assert one.span == pytest.approx(one.coef * np.log2(large / small) / levels.std(), rel=1e-6)


def test_what_data_cannot_tell_is_not_looked_at() -> None:
    equal = {added.kind for added in of(simulated(1, [9] * 8))}
    few = {added.kind for added in of(simulated(1, [5, 9, 20, 14]))}
    assert equal == {"context", "curve"}
    assert few == {"curve"}
    assert of(dyestuff()) == {}
    # Each subject was seen on the same days: the means of days do not differ.
    assert {added.kind for added in of(sleepstudy())} == {"curve"}
    data = simulated(1, [9, 5, 7, 12, 8, 4])
    of_groups = grouped(data.y, [data.labels[j] for j in data.group_index], data.group_index**1.5)
    assert {added.kind for added in of(of_groups)} == {"size"}
    binary = grouped(data.y, [data.labels[j] for j in data.group_index], data.x > 0)
    assert {added.kind for added in of(binary)} == {"size", "context"}


def test_units_carry_over() -> None:
    data = simulate(Design(curve=1.0, context=2.0), (4,)).data
    other = replace(data, y=1000 + 60 * data.y, x=7 - 3 * data.x)
    for added, one in of(data).items():
        turned = of(other)[added]
        sign = -1 if added.kind == "context" else 1
        assert turned.coef == pytest.approx(60 * sign * one.coef, rel=2e-3, abs=0.06 * one.se)
        assert turned.p_value == pytest.approx(one.p_value, rel=0.02)
        assert turned.share_moved == one.share_moved
        assert turned.span == pytest.approx(one.span, rel=2e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("fields", "is_material"),
    [
        ({}, False),
        ({"explained": 0.021}, True),
        ({"explained": 0.019}, False),
        ({"kind": "context", "explained": 0.5}, False),
        ({"share_moved": 0.051}, True),
        ({"share_moved": 0.049}, False),
        ({"implied": ImpliedCoverage(np.array([0.95, 0.939]), 0.95)}, True),
        ({"implied": ImpliedCoverage(np.array([0.941, 0.95]), 0.931)}, False),
        ({"implied": ImpliedCoverage(np.array([0.95, 0.95]), 0.929)}, True),
        ({"kind": "size", "span": 0.5}, True),
        ({"kind": "size", "span": 0.49}, False),
        ({"span": 0.9}, False),
    ],
)
def test_what_is_material(fields: dict[str, object], is_material: bool) -> None:
    one = made(**fields)  # type: ignore[arg-type]
    assert one.is_material is is_material
    assert one.is_missing is is_material
    assert not replace(one, p_value=0.011).is_missing


def test_one_judgement_per_context_and_curve() -> None:
    against = "partial_pooling"
    found = [made("size"), made("curve", explained=0.1), made("context"), made("curve", p_value=0.03)]
    assert judge_missing([*found, made("curve", p_value=0.06)], TERMS) == (
        Judgement("curve", "review", "missing", "x1", 0.0001, CHANCE, against=against),
        Judgement("context", "pass", "little", "x1", 0.0001, CHANCE),
        Judgement("curve", "pass", "hinted", "x1", 0.03, CHANCE),
        Judgement("curve", "pass", "none", "x1", 0.06, CHANCE),
    )


def test_the_judgement_of_size() -> None:
    kind = "size_trend"
    clear = made("size", span=1.0)
    assert judge_size_trend(clear, SIZES) == (Judgement(kind, "review", "clear", value=1.0, against="partial_pooling"),)
    assert judge_size_trend(replace(clear, span=0.1), SIZES) == (Judgement(kind, "pass", "little", value=1.0),)
    assert judge_size_trend(replace(clear, p_value=0.03), SIZES) == (Judgement(kind, "pass", "hinted", value=1.0),)
    assert judge_size_trend(replace(clear, p_value=0.06), SIZES) == (Judgement(kind, "pass", "none", value=1.0),)
    assert judge_size_trend(None, SIZES[:4]) == (Judgement(kind, "pass", "few groups"),)
    assert judge_size_trend(None, np.full(8, 5)) == (Judgement(kind, "pass", "one size"),)
    assert judge_size_trend(None, SIZES) == (Judgement(kind, "pass", "told by predictor"),)


def test_the_fit_has_what_is_missing_and_no_more() -> None:
    products, _ = model_of(simulate(Design(groups=9, rows=(3, 20)), (3,)).data)
    found = [made("size"), made("context", share_moved=0.2), made("curve", explained=0.1)]
    fit = with_missing(products, (0, 1), found)
    assert fit.structure.added == (Added("curve", 1), Added("context", 1))
    assert with_missing(products, (0, 1), [made("size")]).structure.added == ()


def test_terms_that_cannot_be_told_from_the_others_are_left_out() -> None:
    """A predictor's mean in the group that goes with log size exactly."""
    data = simulated(1, [4, 8, 16, 32, 64])
    n = np.bincount(data.group_index)
    x = data.x[:, 0] - (np.bincount(data.group_index, data.x[:, 0]) / n)[data.group_index]
    twin = replace(data, x=(x + np.log2(n)[data.group_index])[:, None])
    found = [made("size", span=1.0), made("context", share_moved=0.2)]
    assert with_missing(model_of(twin)[0], (0, 1), found).structure.added == (Added("size"),)
    assert len(with_missing(model_of(data)[0], (0, 1), found).structure.added) == 2


def test_a_size_that_only_a_singular_fit_finds_clear_is_not_missing() -> None:
    """Eight groups of 277 to 336 rows, whose slopes hardly differ: the fullest fit's standard error is too small."""
    rng = np.random.default_rng(5)
    index, x = rng.integers(0, 8, 2400), rng.normal(size=2400).round(4)
    y = (rng.normal(size=8)[index] + x + rng.normal(size=2400)).round(4)
    data = grouped(y, index, x)
    size = of(data)[Added("size")]
    assert abs(size.coef) > 4.0 * size.se  # 1 % with 6 degrees of freedom is 3.7
    assert 0.01 < size.p_value < 0.1
    assert not size.is_missing
