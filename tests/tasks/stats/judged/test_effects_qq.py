"""The Q-Q plot of the groups' effects: normal ones stay in their band, an outlier leaves it, sizes do not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.judged.effects_qq import effects_qq
from tasks.stats.records import PartialPooling
from tests.datasets import grouped, model_of


def fitted(effects: np.ndarray, sizes: np.ndarray, seed: int) -> PartialPooling:
    rng, labels = np.random.default_rng(seed), np.repeat(np.arange(effects.size), sizes)
    data = grouped(10 + effects[labels] + rng.standard_normal(labels.size), labels, rng.standard_normal(labels.size))
    products, scaling = model_of(data)
    return partial_pooling(products, scaling, "varying_intercept", (0,))


def test_normal_effects_of_groups_of_any_size_are_standard_normal() -> None:
    shares, spread = [], []
    for seed in range(40):
        rng = np.random.default_rng(100 + seed)
        found = effects_qq(fitted(rng.normal(0, 2, 40), rng.integers(2, 40, 40), seed), 0)
        assert found is not None
        shares.append(found.n_outside > 0)
        spread.append(found.effect.std())
    assert np.mean(shares) <= 0.15
    assert 0.9 < np.mean(spread) < 1.1


def test_a_group_far_off_leaves_the_band() -> None:
    effects = np.random.default_rng(3).normal(0, 1, 30)
    effects[7] = 9.0
    found = effects_qq(fitted(effects, np.full(30, 20), 3), 0)
    assert found is not None
    assert found.n_outside >= 1
    assert found.groups[-1] == sorted(map(str, range(30))).index("7")  # labels are texts


def test_nothing_is_drawn_where_groups_do_not_differ() -> None:
    fit = fitted(np.random.default_rng(1).normal(0, 1, 10), np.full(10, 5), 1)
    assert effects_qq(replace(fit, cov=np.zeros((1, 1))), 0) is None
