"""Each world of known truth is seen for what it is, good ones for good, and false alarms are as rare as is said."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import kstest

from tasks.stats.bayes.answer import Answer
from tasks.stats.fits.mean_structure import Added
from tasks.stats.judged.screening import Screening, judge_screening, screen
from tasks.stats.records import Floats
from tasks.study.settings import Thresholds
from tests.datasets import model_of
from tests.posteriors import fits_of, study_of
from tests.worlds.simulate import Design, simulate
from tests.worlds.worlds import CHOSEN, HELD_BACK, World

WORLDS = {world.name: world for world in (*CHOSEN, *HELD_BACK)}
GOOD = [world.name for world in WORLDS.values() if world.kind == "good"]
SEEDS = (1, 2, 3)
SIZE, CONTEXT, CURVE = Added("size"), Added("context", 1), Added("curve", 1)


@cache
def seen(world: World, seed: int) -> Screening:
    data = simulate(world.design, (seed,)).data
    products, scaling = model_of(data)
    fullest = fits_of(study_of(data), products, scaling).fullest
    return screen(data, products, scaling, fullest, Thresholds(), seed)


def answers(name: str) -> list[Answer]:
    return [seen(WORLDS[name], seed).answer for seed in SEEDS]


def against(name: str) -> list[set[str]]:
    """Kinds of judgements that speak against every model, one set a seed."""
    found = [judge_screening(seen(WORLDS[name], seed), ("intercept", "x1")) for seed in SEEDS]
    return [{one.kind for one in judged if one.against == "every model"} for judged in found]


@pytest.mark.parametrize("name", GOOD)
def test_good_worlds_need_no_answer(name: str) -> None:
    """With nine tests at 1 % each, one false alarm in three may be."""
    found = [seen(WORLDS[name], seed) for seed in SEEDS]
    assert sum(one.answer.is_needed for one in found) <= 1
    assert not any(one.is_hopeless for one in found)


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("curve", {CURVE}),
        ("strong curve", {CURVE}),
        ("weak curve", {CURVE}),
        ("small groups worse", {SIZE}),
        ("small hospitals worse", {SIZE}),
        ("context, 50 groups", {CONTEXT}),
        ("size and context", {SIZE, CONTEXT}),
        ("curve and unequal spread", {CURVE}),
    ],
)
def test_what_the_mean_lacks_is_what_the_answer_adds(name: str, added: set[Added]) -> None:
    assert [set(one.added) for one in answers(name)] == [added] * len(SEEDS)


@pytest.mark.parametrize("name", ["unequal spread", "unequal spread .5", "curve and unequal spread"])
def test_unequal_spread_is_answered_by_spreads(name: str) -> None:
    assert {(one.is_unequal, one.is_heavy, one.program) for one in answers(name)} == {
        (True, False, "partial_pooling_spreads")
    }


@pytest.mark.parametrize("name", ["heavy tails", "t with 3 df"])
def test_heavy_tails_are_answered_by_student_rows(name: str) -> None:
    assert {(one.is_unequal, one.is_heavy, one.program) for one in answers(name)} == {
        (False, True, "partial_pooling_student")
    }


def test_a_weak_serial_correlation_is_taken_from_the_rows() -> None:
    for seed in SEEDS:
        found = seen(WORLDS["serial correlation .15"], seed)
        assert found.serial.strength == "some"
        assert found.answer.serial == found.serial.correlation == found.fit.structure.serial > 0.1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("serial correlation .8", "serial"),
        ("serial correlation .6", "serial"),
        ("yes or no", "outcome_kind"),
        ("yes or no, 40 groups", "outcome_kind"),
        ("counts", "outcome_kind"),
        ("counts, 30 groups", "outcome_kind"),
    ],
)
def test_what_no_model_here_answers_speaks_against_every_one(name: str, kind: str) -> None:
    assert all(kind in kinds for kinds in against(name))
    assert all(seen(WORLDS[name], seed).is_hopeless for seed in SEEDS)


def test_rows_that_lie_far_out_and_follow_one_another_have_no_model_here() -> None:
    found = seen(WORLDS["heavy tails"], SEEDS[0])
    assert found.answer.is_possible
    assert not found.is_hopeless
    both = replace(found, answer=replace(found.answer, serial=0.2))
    assert not both.answer.is_possible
    assert both.is_hopeless


@pytest.mark.parametrize("name", ["exponential rows", "log-normal rows", "log-normal .7"])
def test_lopsided_rows_ask_for_a_look_and_for_no_other_model(name: str) -> None:
    """Skewed rows can look as if they scattered more where more is expected: one in three may."""
    assert sum(seen(WORLDS[name], seed).is_hopeless for seed in SEEDS) <= 1
    for seed in SEEDS:
        found = seen(WORLDS[name], seed)
        skew = [one for one in judge_screening(found, ("intercept", "x1")) if one.kind == "row_shape"]
        assert [(one.status, one.case, one.against) for one in skew] == [("review", "skewed", "")]
        assert not found.answer.is_heavy


@pytest.mark.parametrize("name", ["regular", "curve", "unequal spread", "small groups worse"])
def test_what_can_be_answered_speaks_against_no_model(name: str) -> None:
    assert against(name) == [set()] * len(SEEDS)


N_NULL = 200


@cache
def by_chance() -> dict[str, Floats]:
    """p-values of every test where the plain model is right."""
    found = defaultdict[str, list[float]](list)
    for number in range(N_NULL):
        one = seen(World("null", "good", Design(groups=20, rows=(5, 30))), 7000 + number)
        for term in one.missing:
            found[term.added.kind].append(term.p_value)
        found["serial"].append(one.serial.p_value)
        found["skewness"].append(one.shape.skewness_p)
        found["kurtosis"].append(one.shape.kurtosis_p)
    return {kind: np.array(values) for kind, values in found.items()}


@pytest.mark.parametrize("kind", ["size", "context", "curve", "serial", "skewness", "kurtosis"])
def test_false_alarms_are_as_rare_as_the_p_value_says(kind: str) -> None:
    """A rate twice or half as high is 20 or 5 of 200 at 5 %, 80 or 20 at 20 %."""
    p_values = by_chance()[kind]
    assert p_values.size == N_NULL
    assert (p_values < 0.05).sum() <= 19
    assert 25 <= (p_values < 0.2).sum() <= 58
    assert kstest(p_values, "uniform").pvalue > 1e-3


def test_where_nothing_is_missing_hardly_anything_is_answered() -> None:
    null = World("null", "good", Design(groups=20, rows=(5, 30)))
    needed = sum(seen(null, 7000 + number).answer.is_needed for number in range(N_NULL))
    assert needed <= 0.07 * N_NULL
