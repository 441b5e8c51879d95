"""What likelihood ratios of few events are expected to be, against sums over all that could have been counted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, hypergeom, nchypergeom_fisher

from tasks.stats.past.count_scores import log_expected_of_counts
from tasks.stats.past.counted_increments import Slopes, counted_increments
from tasks.stats.past.evidence import EFFECTS, log_ratio
from tasks.stats.records import Floats
from tests.counted_data import counted


def scores_of_all(family, new: Floats, old: Floats, new_size: float, old_size: float, margin: float = 0.0):
    """Of one group for each number of new events."""
    group = np.arange(new.size)
    parts = [
        counted(family, events, np.full(events.size, size), group)
        for events, size in ((old, old_size), (new, new_size))
    ]
    nothing = np.empty((new.size, 0))
    return counted_increments(parts[0], parts[1], Slopes(nothing, nothing)).scores(margin)


@pytest.mark.parametrize("margin", [0.0, 0.5])
@pytest.mark.parametrize(("total", "new_size", "old_size"), [(2, 10, 130), (9, 20, 60), (70, 40, 50), (6, 7, 3)])
def test_of_trials_the_new_events_are_hypergeometric_given_all(total, new_size, old_size, margin) -> None:
    new = np.arange(max(0, total - old_size), min(total, new_size) + 1).astype(float)
    found = scores_of_all("binomial", new, total - new, new_size, old_size, margin)
    up, down = (
        nchypergeom_fisher(new_size + old_size, total, new_size, np.exp(shift)).pmf(new) for shift in (margin, -margin)
    )
    if not margin:
        assert up == pytest.approx(hypergeom(new_size + old_size, total, new_size).pmf(new))
    ups, downs = np.exp(log_ratio(found.up[:, None])), np.exp(log_ratio(found.down[:, None]))
    expected = np.where(EFFECTS > 0, up @ ups, down @ downs)
    for row in found.log_expected:
        assert np.exp(row) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("total", "new_size", "old_size"), [(1, 1.0, 9.0), (12, 3.5, 20.0), (3000, 40.0, 100.0)])
def test_of_counts_they_are_binomial_given_all(total, new_size, old_size) -> None:
    new = np.arange(total + 1.0)
    found = scores_of_all("poisson", new, total - new, new_size, old_size)
    chance = binom(total, new_size / (new_size + old_size)).pmf(new)
    ratios = np.exp(log_ratio(np.where(EFFECTS > 0, found.up[:, None], found.down[:, None])))
    assert np.exp(found.log_expected[0]) == pytest.approx(chance @ ratios, rel=2e-3)


def test_of_many_events_nothing_is_taken_off() -> None:
    rate = np.array([1e6])
    assert log_expected_of_counts("poisson", (rate, rate), (rate, rate)) == pytest.approx(0.0, abs=0.005)


@pytest.mark.parametrize("events", [0.0, 1.0])
def test_where_only_one_thing_was_possible_nothing_is_learnt(events: float) -> None:
    """No events at all, or only events."""
    new, old = events * np.full(1, 4.0), events * np.full(1, 9.0)
    found = scores_of_all("binomial", new, old, 4.0, 9.0)
    ratios = log_ratio(np.where(EFFECTS > 0, found.up[:, None], found.down[:, None]))
    assert ratios - found.log_expected == pytest.approx(0.0, abs=1e-6)


def test_many_groups_are_told_as_each_alone() -> None:
    rng = np.random.default_rng(2)
    means = rng.uniform(0.1, 30, (2, 4100))
    moments = [(np.rint(each), np.rint(each) * 0.8) for each in means]
    whole = log_expected_of_counts("binomial", *moments)
    assert whole.shape == (4100, EFFECTS.size)
    for at in (0, 2000, 4099):
        alone = log_expected_of_counts("binomial", *((mean[at : at + 1], var[at : at + 1]) for mean, var in moments))
        assert whole[at] == pytest.approx(alone[0])
