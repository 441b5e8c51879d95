"""What a counted outcome's model lacks is found where it is lacking, and not where it is not."""

from __future__ import annotations

from dataclasses import replace

import glmm
import numpy as np
import pytest
from scipy import stats

from tasks.stats.counted.added_terms import counted_model, own_model, with_cells
from tasks.stats.counted.missing_terms import missing_terms, with_missing
from tasks.stats.counted.partial_pooling import partial_pooling_of
from tasks.stats.counted.predictors import scaling_of
from tasks.stats.fits.cells import Family
from tasks.stats.fits.mean_structure import Added
from tasks.stats.judged.missing_terms import MissingTerm
from tests.counted_data import counted
from tests.counted_models import simulated_model
from tests.counted_worlds import Made, World, fit_of, simulate

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")
CURVE, CONTEXT, SIZE = Added("curve", 1), Added("context", 1), Added("size")


def found(made: Made, varying: tuple[int, ...] = (0,)) -> dict[Added, MissingTerm]:
    model = made.model(varying)
    return {one.added: one for one in missing_terms(model, fit_of(model), 0.5)}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("added", "truth"), [(CURVE, {"curve": 0.3}), (CONTEXT, {"context": 1.0}), (SIZE, {"per_doubling": 0.5})]
)
def test_a_missing_term_is_found_with_its_size(family: Family, added: Added, truth: dict[str, float]) -> None:
    world = World(family, rows=(5, 60), **truth)  # type: ignore[arg-type]
    (value,), several = truth.values(), [simulate(world, seed) for seed in range(10)]
    ones = [found(made)[added] for made in several]
    assert np.mean([one.is_missing for one in ones]) >= 0.8
    scale = np.array([scaling_of(made.cells).scale[0] for made in several])
    expected = value * scale ** {"curve": 2, "context": 1, "size": 0}[added.kind]
    distance = (np.array([one.coef for one in ones]) - expected) / [one.se for one in ones]
    assert abs(np.mean(distance)) < 1.3


@pytest.mark.parametrize("family", FAMILIES)
def test_regular_worlds_lack_little(family: Family) -> None:
    world = World(family)
    several = [one for seed in range(20) for one in found(simulate(world, seed)).values()]
    assert stats.binom.sf(sum(one.is_clear for one in several) - 1, len(several), 0.02) > 0.01
    p_values = [one.p_value for one in several]
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_likelihoods_with_the_term_are_glmms(family: Family) -> None:
    made = simulate(World(family, groups=30, context=0.5), 3)
    model, data = made.model(), made.data
    frame = {"y": data.y, "g": np.array([data.labels[j] for j in data.group_index], dtype=object)}
    for added in (CURVE, CONTEXT, SIZE):
        wide = counted_model(model.cells, model.scaling, (0,), (added,))
        rows = with_cells(wide, model.cells).design
        fit = partial_pooling_of(wide, "varying_intercept", start=fit_of(model))
        columns = {"x": rows[:, 1], "added": rows[:, 2]}
        # Every row has a predictor of its own: cells are rows, in the order of their groups.
        order = np.lexsort((data.x[:, 0], data.group_index))
        theirs = glmm.fit(
            {**{name: values[order] for name, values in frame.items()}, **columns},
            "y ~ x + added + (1 | g)",
            family,
            nagq=25,
        )
        assert fit.log_lik == pytest.approx(theirs.loglik, abs=1e-4)
        np.testing.assert_allclose(fit.fixef, theirs.beta, atol=2e-3 * fit.se.min())
        gain = fit.log_lik - fit_of(model).log_lik
        one = found(made)[added]
        if added == CURVE:  # its gain is divided by how far cells vary more than their family says: here by chance
            assert 0.98 < 2 * gain / stats.norm.isf(one.p_value / 2) ** 2 < 1.3
        else:
            assert one.p_value == pytest.approx(2 * stats.t.sf(np.sqrt(2 * gain), 28), rel=0.02)
        assert one.coef == pytest.approx(fit.fixef[2], abs=0.02 * one.se)
        assert one.explained == pytest.approx(1 - np.exp(-2 * gain / data.n_rows), rel=0.02)


def test_what_data_cannot_tell_is_not_looked_at() -> None:
    rng = np.random.default_rng(2)
    group, x = np.repeat(np.arange(8), 9), rng.standard_normal(72)
    y = rng.poisson(2.0, 72)

    def kinds(x: np.ndarray, group: np.ndarray = group) -> set[str]:
        cells = counted("poisson", y[: group.size], None, group, x[: group.size])
        model = counted_model(cells, scaling_of(cells), (0,))
        return {one.added.kind for one in missing_terms(model, fit_of(model), 0.5)}

    assert kinds(x) == {"context", "curve"}
    assert kinds(x, np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3])) == {"curve"}
    uneven = np.repeat(np.arange(8), [3, 9, 15, 5, 13, 6, 12, 9])
    assert kinds(x, uneven) == {"context", "curve", "size"}
    assert kinds((x > 0).astype(float), uneven) == {"context", "size"}
    assert kinds(uneven**1.5, uneven) == {"size"}
    assert kinds(np.tile(np.arange(9.0), 8)) == {"curve"}


def test_without_a_maximum_nothing_is_looked_at() -> None:
    cells = counted("binomial", [0, 0, 1, 1] * 6, None, np.repeat(np.arange(6), 4), [1.0, 2, 3, 4] * 6)
    model = counted_model(cells, scaling_of(cells), (0,))
    assert missing_terms(model, fit_of(model), 0.5) == ()


def test_columns_are_squares_means_of_trials_and_doublings() -> None:
    cells = counted("binomial", [1, 2, 3, 0], [1, 3, 8, 4], list("aabb"), [1.0, 5, 2, 6])
    scaling = scaling_of(cells)
    model = counted_model(cells, scaling, (0,), (SIZE, CONTEXT, CURVE))
    assert model.added == (CURVE, SIZE, CONTEXT)
    assert model.cells.terms == ("intercept", "x1", "x1²", "log2 trials", "x1, group mean")
    scaled = (cells.x[:, 0] - scaling.center) / scaling.scale
    np.testing.assert_allclose(model.design[:, 2], scaled**2)
    half = np.log2(12 / 4) / 2
    np.testing.assert_allclose(model.design[:, 3], [-half, -half, half, half])
    means = [(scaled[0] + 3 * scaled[1]) / 4, (8 * scaled[2] + 4 * scaled[3]) / 12]
    np.testing.assert_allclose(model.design[:, 4], np.repeat(means, 2))
    np.testing.assert_allclose(model.group_values, np.column_stack([np.zeros(2), [-half, half], means]))
    assert counted_model(counted("poisson", [1, 2], [1, 2], list("ab")), scaling, (0,), (SIZE,)).cells.terms[-1] == (
        "log2 exposure"
    )
    assert own_model(model).cells.terms == cells.terms
    np.testing.assert_array_equal(own_model(model).cells.x, cells.x)
    np.testing.assert_array_equal(with_cells(model, cells).design, model.design)


def test_the_model_has_what_is_missing_and_no_more() -> None:
    made = simulate(World(groups=20), 1)
    model = made.model()
    ones = list(found(made).values())
    missing = [replace(one, p_value=0.001, share_moved=1.0 if one.added != SIZE else 0.0, span=0.0) for one in ones]
    missing = [replace(one, implied=replace(one.implied, terms=np.full(2, 0.95), smallest=0.95)) for one in missing]
    assert with_missing(model, missing).added == (CURVE, CONTEXT)
    assert with_missing(model, ones[:0]).added == ()


def test_a_size_that_only_the_fullest_fit_finds_clear_is_tested_with_levels_alone_too() -> None:
    made = simulate(World("binomial", groups=30, rows=(8, 60), slope_sd=0.4, per_doubling=0.6), 5)
    size = found(made, (0, 1))[SIZE]
    alone = found(made, (0,))[SIZE]
    assert size.p_value < 0.01
    assert size.p_value >= alone.p_value * (1 - 1e-6)


def test_few_points_say_the_same_where_groups_have_many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    model = simulated_model("poisson", 1, [3, 4, 5, 6] * 10, (0.5, 0.3), (0.8,), (3, 9))
    fit = partial_pooling_of(model, "varying_intercept")
    few = missing_terms(model, fit, 1.0)
    monkeypatch.setattr("tasks.stats.counted.missing_terms.MANY", np.inf)
    more = missing_terms(model, fit, 1.0)
    found = [one.p_value for one in few]
    assert found != [one.p_value for one in more]
    np.testing.assert_allclose(found, [one.p_value for one in more], rtol=1e-4)
