"""Hostile rows of counted outcomes end in a verdict and its reasons, whatever is wrong with them.

Warnings of the core are errors in all tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from tasks.stats.counted.added_terms import counted_model
from tasks.stats.counted.predictors import scaling_of
from tasks.stats.fits.cells import Family, cells_of
from tasks.stats.records import GroupedData
from tests.counted_decided import CountedDecided, decided_counted
from tests.counted_models import study_of

SAMPLER = {"chains": 2, "warmup": 300, "draws": 300}


class Rows(NamedTuple):
    family: Family
    events: np.ndarray
    size: np.ndarray
    group: np.ndarray
    x: np.ndarray


def decided(rows: Rows, varying: tuple[int, ...] = (0,)) -> CountedDecided:
    events, size = rows.events.astype(float), rows.size.astype(float)
    x = rows.x.reshape(events.size, -1).astype(float)
    group = rows.group.astype(np.int64)
    labels = tuple(f"g{j:04d}" for j in range(int(group.max()) + 1))
    terms = ("intercept", *(f"x{k + 1}" for k in range(x.shape[1])))
    data = GroupedData(events, x, group, labels, terms, size)
    cells = cells_of(rows.family, events, size, x, group, labels, terms)
    model = counted_model(cells, scaling_of(cells), varying)
    fields = {"family": rows.family, "sampler": SAMPLER, "varying": [terms[k] for k in varying if k]}
    return decided_counted(data, study_of(model, **fields), model)


def nothing(n: int) -> np.ndarray:
    return np.empty((n, 0))


def no_events_in_most_groups() -> Rows:
    events = np.zeros(200)
    events[::20] = [1, 2, 4, 1, 1, 3, 2, 1, 1, 4]
    return Rows("binomial", events, np.full(200, 30), np.arange(200), nothing(200))


def a_million_beside_groups_of_one() -> Rows:
    rng = np.random.default_rng(3)
    events = np.append(300_000, rng.binomial(1, 0.3, 50))
    return Rows("binomial", events, np.append(1e6, np.ones(50)), np.arange(51), nothing(51))


def two_groups() -> Rows:
    rng = np.random.default_rng(4)
    size = rng.integers(5, 30, 30)
    return Rows("binomial", rng.binomial(size, 0.4), size, np.arange(30) % 2, rng.normal(size=30))


def separated_by_a_predictor() -> Rows:
    x = np.random.default_rng(5).normal(size=400)
    return Rows("binomial", x > 0, np.ones(400), np.arange(400) % 20, x)


def constant_within_groups() -> Rows:
    rng = np.random.default_rng(6)
    x, group = rng.normal(size=40), np.repeat(np.arange(40), 8)
    level = -1 + 0.5 * x + 0.4 * rng.normal(size=40)
    return Rows("binomial", rng.binomial(10, 1 / (1 + np.exp(-level[group]))), np.full(320, 10), group, x[group])


def equal_groups() -> Rows:
    rng = np.random.default_rng(7)
    group = np.repeat(np.arange(40), 5)
    rate = np.exp(0.5 * rng.normal(size=40))[group]
    return Rows("poisson", rng.poisson(rate), np.ones(200), group, rng.normal(size=200))


def huge_counts_of_tiny_exposures() -> Rows:
    rng = np.random.default_rng(8)
    group = np.repeat(np.arange(30), 6)
    rate = 1e9 * np.exp(0.3 * rng.normal(size=30))[group]
    return Rows("poisson", rng.poisson(1e-3 * rate), np.full(180, 1e-3), group, rng.normal(size=180))


def a_level_seen_in_one_group() -> Rows:
    rng = np.random.default_rng(9)
    group, level = np.repeat(np.arange(25), 20), rng.integers(0, 3, 500)
    level[level == 2] = 1
    level[(group == 3) & (np.arange(500) % 2 == 0)] = 2
    x = np.column_stack([level == 1, level == 2])
    rate = 1 / (1 + np.exp(0.5 - 0.6 * (level == 1) - 0.6 * rng.normal(size=25)[group]))
    return Rows("binomial", rng.random(500) < rate, np.ones(500), group, x)


def one_group_has_nothing_but_events() -> Rows:
    rng = np.random.default_rng(10)
    group = np.repeat(np.arange(20), 15)
    rate = 1 / (1 + np.exp(0.4 - 0.7 * rng.normal(size=20)))[group]
    return Rows("binomial", (rng.random(300) < rate) | (group == 7), np.ones(300), group, rng.normal(size=300))


HOSTILE: tuple[Callable[[], Rows], ...] = (
    no_events_in_most_groups,
    a_million_beside_groups_of_one,
    two_groups,
    separated_by_a_predictor,
    constant_within_groups,
    equal_groups,
    huge_counts_of_tiny_exposures,
    a_level_seen_in_one_group,
    one_group_has_nothing_but_events,
)


@pytest.mark.parametrize("rows", HOSTILE, ids=lambda each: each.__name__)
def test_hostile_rows_end_in_a_verdict_with_its_reasons(rows: Callable[[], Rows]) -> None:
    found = decided(rows())
    against = [each for each in found.judgements if each.against]
    assert (found.verdict.status == "trust") == (not against)
    if found.recommended is None:
        assert any(each.against == "every model" for each in against)
        return
    for quoted in (found.recommended.groups, found.recommended.average):
        assert np.isfinite(quoted.estimate).all()
        assert (quoted.lower <= quoted.estimate).all()
        assert (quoted.estimate <= quoted.upper).all()
        assert (quoted.lower[..., 0] >= 0).all()
    if found.weighed.cells.family == "binomial":
        assert (found.recommended.groups.upper[:, 0] <= 1).all()


def test_a_predictor_that_separates_is_answered_by_priors_alone() -> None:
    found = decided(separated_by_a_predictor())
    assert found.verdict.recommended_model == "bayes"
    assert any(each.kind == "separation" and each.status == "review" for each in found.judgements)


def test_a_huge_group_does_not_decide_for_groups_of_one() -> None:
    """One trial leaves a group's probability open, however well that of a million is known."""
    found = decided(a_million_beside_groups_of_one())
    assert found.recommended is not None
    groups = found.recommended.groups
    width = groups.upper[:, 0] - groups.lower[:, 0]
    assert width[0] < 0.01
    assert width[1:].min() > 0.1
