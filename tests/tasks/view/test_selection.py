import numpy as np

from tasks.view.selection import notable_groups, rule, thin

RNG = np.random.default_rng(1)


def test_few_groups_are_all_shown_without_a_rule():
    assert notable_groups(np.ones(8, int), np.zeros(8), 24).tolist() == list(range(8))
    assert rule(8, 8) == ""


def test_of_many_groups_the_smallest_largest_and_extreme_are_shown():
    sizes, level = RNG.permutation(1000) + 1, RNG.normal(size=1000)
    chosen = notable_groups(sizes, level, 24)
    assert chosen.size == np.unique(chosen).size == 24
    assert {sizes.argmin(), sizes.argmax(), level.argmin(), level.argmax()} <= set(chosen)
    assert set(np.argsort(sizes)[:5]) <= set(chosen)
    assert "24 of 1,000" in rule(chosen.size, 1000)


def test_thinning_keeps_both_ends_and_the_order():
    values = RNG.normal(size=5000)
    kept = thin(values, 120)
    assert kept.size == np.unique(kept).size == 120
    assert values[kept[0]] == values.min()
    assert values[kept[-1]] == values.max()
    assert (np.diff(values[kept]) >= 0).all()
