"""Groups far out and two clusters of groups are found, and seldom where there are none."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from tasks.stats.fits.mean_structure import Fitted, mean_structure, refit
from tasks.stats.judged.effect_shape import EffectShape, effect_shapes, judge_effect_shapes
from tests.datasets import model_of
from tests.worlds.simulate import Design, simulate


def fitted(design: Design, seed: int) -> Fitted:
    products, _ = model_of(simulate(design, (5, seed)).data)
    return refit(mean_structure(products), tuple(range(products.p)))


def shapes_of(design: Design, seed: int) -> tuple[EffectShape, ...]:
    return effect_shapes(fitted(design, seed), seed)


@pytest.mark.parametrize(
    ("design", "case", "least"),
    [
        (Design(groups=24, level_sd=1.0, clusters=5.0), "clusters", 18),
        (Design(groups=30, outlier=30.0), "outlying", 18),
    ],
)
def test_what_there_is_is_found(design: Design, case: str, least: int) -> None:
    found = [judge_effect_shapes(shapes_of(design, seed))[0] for seed in range(20)]
    assert sum(one.case == case for one in found) >= least
    assert {one.status for one in found if one.case == case} == {"review"}
    assert {one.against for one in found} == {""}


def test_the_group_that_was_moved_is_the_one_that_is_named() -> None:
    found = [shapes_of(Design(groups=30, outlier=30.0), seed)[0] for seed in range(20)]
    named = [one.outlying for one in found if one.outlying]
    assert all(groups[0] == 29 for groups in named)
    assert all(len(groups) <= 2 for groups in named)


@pytest.mark.parametrize("design", [Design(slope_sd=2.0), Design(groups=40, rows=(2, 30), slope_sd=2.0)])
def test_false_alarms_are_rare(design: Design) -> None:
    """Two tests at 1 % for each of two effects, 60 simulations: 2.4 are expected, 9 or more in one run of 3,000."""
    found = Counter(one.case for seed in range(60) for one in judge_effect_shapes(shapes_of(design, seed)))
    assert found["normal"] > 0
    assert found["outlying"] + found["clusters"] < 9


def test_modes_are_standard_whatever_a_group_is_shrunk_by() -> None:
    """Groups of 2 to 60 rows: about standard normal together, and small groups no narrower than large ones."""
    fits = [fitted(Design(groups=60, rows=(2, 60), slope_sd=1.5), seed) for seed in range(10)]
    levels = [(one.structure.n, effect_shapes(one, 1)[0].standardised) for one in fits]
    n, z = (np.concatenate([pair[k] for pair in levels]) for k in range(2))
    assert z.std() == pytest.approx(1.0, abs=0.06)
    assert stats.kstest(z, "norm").pvalue > 0.001
    assert z[n < 6].std() == pytest.approx(z[n > 30].std(), rel=0.15)


def test_there_is_no_judgement_of_few_groups_or_of_an_effect_that_does_not_vary() -> None:
    assert shapes_of(Design(groups=9), 1) == ()
    singular = next(
        one
        for one in (shapes_of(Design(groups=12, slope_sd=0.0), seed) for seed in range(30))
        if [each.term for each in one] == ["intercept"]
    )
    assert judge_effect_shapes(singular)[0].term == "intercept"
