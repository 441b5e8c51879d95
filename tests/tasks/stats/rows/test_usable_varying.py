"""A predictor of one value per group is left fixed; any other varies as the study says."""

from __future__ import annotations

import numpy as np

from tasks.stats.fits.cross_products import cross_products
from tasks.stats.records import GroupedData
from tasks.stats.rows.usable_varying import group_level, group_level_terms, with_usable_varying
from tests.datasets import grouped, model_of
from tests.posteriors import study_of


def rows(rounding: float = 0.0) -> GroupedData:
    """x1 varies within groups, x2 does not but for `rounding`; x3 does in one group only."""
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(8), 10)
    size = rng.normal(1000, 200, 8)[group]
    last = np.where(group == 7, rng.normal(size=80), 1.0 * group)
    x = np.column_stack([rng.normal(size=80), size * (1 + rounding * rng.normal(size=80)), last])
    return grouped(rng.normal(size=80) + group, [f"g{j}" for j in group], x)


def test_a_predictor_of_groups_is_told_by_its_sums() -> None:
    for data in (rows(), rows(1e-12)):
        assert group_level(cross_products(data)) == ("x2",)
        assert group_level_terms(model_of(data)[0]) == ("x2",)
    assert group_level(cross_products(rows(1e-3))) == ()


def test_it_is_left_fixed_by_default_and_when_it_was_named() -> None:
    data = rows()
    for asked in ({}, {"varying": ("x1", "x2", "x3")}):
        study = study_of(data, **asked)
        assert study.varying == ("x1", "x2", "x3")
        usable = with_usable_varying(study, cross_products(data))
        assert usable.varying == ("x1", "x3")
        assert usable.varying_columns == (1, 3)
    assert with_usable_varying(study_of(data, varying=("x2",)), cross_products(data)).varying == ()


def test_where_all_can_vary_the_study_is_as_it_was() -> None:
    data = rows(1e-3)
    study = study_of(data)
    assert with_usable_varying(study, cross_products(data)) is study
    bare = study_of(data, varying=("x1",))
    assert with_usable_varying(bare, cross_products(data)) is bare
