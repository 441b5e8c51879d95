"""What is wrong with a counted outcome's model is found where it is wrong, and seldom where nothing is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import expit

from tasks.stats.counted.answer import answer_model
from tasks.stats.counted.screening import (
    CountedAnswer,
    CountedScreening,
    judge_calibration,
    judge_counted_screening,
    screen_counted,
)
from tasks.stats.fits.cells import Family
from tasks.stats.fits.mean_structure import Added
from tasks.stats.judgement import Judgement
from tasks.stats.records import GroupedData
from tasks.study.settings import Thresholds
from tests.counted_worlds import Made, World, fit_of, simulate

COUNTS = World("poisson", groups=30, rows=(5, 20), trials=(1, 3))
EVENTS = World("binomial", groups=30, rows=(5, 20), trials=(2, 9))
SINGLE = World("binomial", groups=30, rows=(5, 20))


def screened(made: Made, varying: tuple[int, ...] = (0,), data: GroupedData | None = None) -> CountedScreening:
    model = made.model(varying)
    return screen_counted(model, data or made.data, fit_of(model), Thresholds(), 1)


def judged(found: CountedScreening) -> dict[str, Judgement]:
    return {each.name: each for each in judge_counted_screening(found, ("intercept", "x1"))}


@cache
def of_world(world: World, n: int = 4) -> list[CountedScreening]:
    return [screened(simulate(world, seed)) for seed in range(n)]


def alarms(several: list[CountedScreening]) -> Counter[str]:
    return Counter(each.kind for found in several for each in judged(found).values() if each.status != "pass")


@pytest.mark.parametrize("world", [COUNTS, EVENTS, SINGLE], ids=["counts", "events", "single"])
def test_regular_worlds_give_few_alarms_and_no_answer_is_needed(world: World) -> None:
    several = of_world(world, 6)
    assert all(number <= 2 for number in alarms(several).values())
    assert sum(found.answer.is_needed or found.is_hopeless for found in several) <= 2
    quarters = [quarter.z for found in several for quarter in found.by_size]
    assert np.mean(np.abs(quarters) < 1.96) > 0.85


@pytest.mark.parametrize("world", [COUNTS, EVENTS], ids=["counts", "events"])
def test_rows_that_vary_more_are_answered_by_overdispersion_alone(world: World) -> None:
    several = of_world(replace(world, dispersion=0.5))
    assert sum(found.answer == CountedAnswer((), is_overdispersed=True) for found in several) >= 3
    assert sum(found.is_hopeless for found in several) <= 1
    found = several[0].dispersion
    assert found.unit == "rows"
    assert found.pearson is not None
    assert found.pearson.p_value < 0.01
    assert found.likelihood is not None
    assert found.likelihood.dispersion == pytest.approx(0.5, abs=0.25)
    one = judged(several[0])["overdispersion"]
    assert (one.status, one.case, one.against) == ("review", "rows", "partial_pooling")
    assert one.value == found.inflation > 1.1


def test_zeros_that_overdispersion_explains_are_no_finding_of_their_own() -> None:
    several = of_world(replace(COUNTS, dispersion=1.0))
    zeros = [found.zeros for found in several if found.zeros is not None]
    assert sum(one.is_clear for one in zeros) >= 3
    assert sum(one.is_inflated for one in zeros) <= 1
    explained = next(found for found in several if found.zeros and found.zeros.is_clear and not found.zeros.is_inflated)
    one = judged(explained)["zeros"]
    assert (one.status, one.case, one.against) == ("pass", "explained", "")


@pytest.mark.parametrize("world", [COUNTS, EVENTS], ids=["counts", "events"])
def test_zeros_beyond_that_leave_no_model(world: World) -> None:
    several = of_world(replace(world, level=0.8, zeros=0.25, trials=(1, 3) if world is COUNTS else (8, 14)))
    assert sum(found.is_hopeless for found in several) >= 3
    one = judged(several[0])["zeros"]
    assert (one.status, one.case, one.against) == ("fail", "inflated", "every model")
    assert one.value is not None
    assert one.value > 1.2


@pytest.mark.parametrize("world", [COUNTS, EVENTS], ids=["counts", "events"])
def test_rows_that_follow_one_another_leave_no_model(world: World) -> None:
    several = of_world(replace(world, serial=0.8))
    assert sum(found.is_hopeless for found in several) >= 3
    one = judged(several[0])["serial"]
    assert one.status in ("review", "fail")
    assert one.against == "every model"
    made = simulate(replace(world, serial=0.8), 0)
    order = np.random.default_rng(3).permutation(made.data.n_rows)
    data = made.data
    mixed = replace(data, y=data.y[order], x=data.x[order], group_index=data.group_index[order], size=data.size[order])
    assert judged(screened(made, data=mixed))["serial"].status == "pass"


def test_the_order_of_a_sample_cannot_be_told_and_a_sorted_file_says_nothing() -> None:
    made = simulate(COUNTS, 3)
    data = made.data
    kept = np.arange(data.n_rows) % 3 > 0
    part = replace(data, y=data.y[kept], x=data.x[kept], group_index=data.group_index[kept], size=data.size[kept])
    found = screened(made, data=part)
    assert found.serial is None
    assert judged(found)["serial"] == Judgement("serial", "pass", "sample")
    order = np.lexsort((data.y / data.size, data.group_index))
    risen = replace(data, y=data.y[order], x=data.x[order], group_index=data.group_index[order], size=data.size[order])
    assert judged(screened(made, data=risen))["serial"].case == "sorted"
    named = screen_counted(made.model(), risen, fit_of(made.model()), Thresholds(), 1, order_is_named=True)
    assert named.serial is not None
    assert named.serial.strength == "strong"


@pytest.mark.parametrize("world", [COUNTS, SINGLE], ids=["counts", "single"])
def test_small_groups_that_differ_are_miscalibrated_until_size_is_in_the_model(world: World) -> None:
    several = of_world(replace(world, groups=60, rows=(4, 60), per_doubling=0.6))
    found = [one for one in several if Added("size") in one.answer.added]
    assert len(found) >= 3
    before = np.mean([one.by_size[0].z for one in found])
    after = np.mean([one.by_size_answered[0].z for one in found])
    assert before < -2.0
    assert abs(after) < 1.0
    assert found[0].by_size[0].ratio < found[0].by_size[0].band[0]
    one = judged(found[0])["size_trend"]
    assert (one.status, one.case, one.against) == ("review", "clear", "partial_pooling")
    assert found[0].size is not None
    assert one.value == found[0].size.coef


def test_a_curve_is_found_and_leaves_nothing_else() -> None:
    several = of_world(replace(COUNTS, curve=0.15))
    assert sum(Added("curve", 1) in found.answer.added for found in several) >= 3
    assert sum(found.answer.is_overdispersed or found.is_hopeless for found in several) <= 1
    one = judged(several[0])["curve_x1"]
    assert (one.status, one.case, one.against) == ("review", "missing", "partial_pooling")


def test_single_trials_vary_no_more_than_they_must_but_their_cells_may() -> None:
    found = of_world(SINGLE)[0]
    assert found.dispersion.unit == "none"
    assert found.zeros is None
    assert judged(found)["overdispersion"].case == "not told"
    rng = np.random.default_rng(5)
    group, x = np.repeat(np.arange(20), 80), np.tile(np.repeat(np.arange(4.0), 20), 20)
    own = 0.9 * rng.standard_normal((20, 4))[group, x.astype(int)]
    y = (rng.uniform(size=1600) < expit(-0.5 + 0.3 * x + own)).astype(float)
    labels = tuple(f"g{j:02d}" for j in range(20))
    data = GroupedData(y, x[:, None], group, labels, ("intercept", "x1"), np.ones(1600))
    of_cells = screened(Made(data, np.zeros((20, 2)), "binomial", World("binomial")))
    assert of_cells.dispersion.unit == "cells"
    assert of_cells.dispersion.is_overdispersed
    assert judged(of_cells)["overdispersion"].case == "cells"


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_groups_far_out_are_named_by_their_place(family: Family) -> None:
    made = simulate(World(family, groups=30, rows=(30, 40), trials=(3, 6), level_sd=0.3), 2)
    data, far = made.data, 17
    rng = np.random.default_rng(1)
    rows = data.group_index == far
    y = data.y.copy()
    y[rows] = rng.binomial(data.size[rows].astype(int), 0.9) if family == "binomial" else rng.poisson(20, rows.sum())
    found = screened(replace(made, data=replace(data, y=y)))
    assert found.effects[0].outlying == (far,)
    one = judged(found)["group_effects_intercept"]
    assert (one.status, one.case, one.against) == ("review", "outlying", "")


def test_groups_of_few_events_say_nothing_of_their_shape() -> None:
    assert screened(simulate(World("poisson", groups=30, rows=(2, 4), level=-2.0), 1)).effects == ()


def test_strange_data_are_screened_all_the_same() -> None:
    rng = np.random.default_rng(6)
    group, x = np.repeat(np.arange(6), 5), rng.standard_normal(30)
    labels, terms = tuple("abcdefgh"), ("intercept", "x1")
    separated = GroupedData((x > 0).astype(float), x[:, None], group, labels, terms, np.ones(30))
    nothing = GroupedData(np.zeros(30), x[:, None], group, labels, terms, np.full(30, 3.0))
    alone = GroupedData(rng.poisson(2.0, 30) * 1.0, x[:, None], np.zeros(30, dtype=int), labels[:1], terms, np.ones(30))
    cases: list[tuple[Family, GroupedData]] = [
        ("binomial", separated),
        ("poisson", nothing),
        ("binomial", nothing),
        ("poisson", alone),
    ]
    for family, data in cases:
        found = screened(Made(data, np.zeros((8, 2)), family, World(family)))
        assert not found.answer.added
        assert not found.is_hopeless
        judged(found)


def test_levels_and_slopes_are_screened_together() -> None:
    found = screened(simulate(replace(COUNTS, slope_sd=0.4, rows=(15, 25)), 2), (0, 1))
    assert [one.term for one in found.effects] == ["intercept", "x1"]
    assert not found.is_hopeless


def test_answers() -> None:
    assert not CountedAnswer().is_needed
    assert CountedAnswer((Added("size"),)).is_needed
    assert CountedAnswer(is_overdispersed=True).is_needed
    assert CountedAnswer((Added("size"),), is_overdispersed=True).is_possible


def test_the_model_that_answers_is_on_rows_where_these_vary_more() -> None:
    made = simulate(replace(COUNTS, dispersion=0.5, per_doubling=1.0), 0)
    found = screened(made)
    model = answer_model(found, made.data, 1)
    assert model.added == found.answer.added == (Added("size"),)
    assert model.is_overdispersed
    assert model.cells.events.size == made.data.n_rows
    np.testing.assert_allclose(model.group_values, found.model.group_values)
    plain = of_world(COUNTS)[0]
    assert answer_model(plain, made.data, 1) is plain.model
    on_cells = replace(found, dispersion=replace(found.dispersion, unit="cells"))
    np.testing.assert_array_equal(answer_model(on_cells, made.data, 1).cells.events, found.model.cells.events)
    assert answer_model(on_cells, made.data, 1).is_overdispersed


def test_the_judgement_of_calibration() -> None:
    found = of_world(COUNTS)[0].calibration
    inside = replace(found, observed=found.predicted)
    assert judge_calibration(inside) == (Judgement("calibration", "pass", "inside"),)
    outside = replace(found, observed=found.upper_simultaneous * 1.01)
    assert judge_calibration(outside) == (Judgement("calibration", "review", "outside"),)
