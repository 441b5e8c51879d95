"""Models of counted outcomes for tests of their posteriors, from known truths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.stats.counted.links import mean_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.predictors import scaling_of
from tasks.stats.fits.cells import Cells, Family, cells_of
from tasks.stats.fits.mean_structure import Added
from tasks.stats.records import Scaling
from tasks.study.model import Study
from tests.counted_data import counted


def model_of(cells: Cells, varying: tuple[int, ...] = (0,), added: tuple[Added, ...] = ()) -> CountedModel:
    """The last columns of the cells are those that were added."""
    found, own = scaling_of(cells), len(cells.terms) - 1 - len(added)
    center, scale = found.center.copy(), found.scale.copy()
    center[own:], scale[own:] = 0.0, 1.0
    return CountedModel(cells, Scaling(cells.terms[1:], center, scale, 0.0, 1.0), varying, added)


def simulated_model(
    family: Family,
    seed: int,
    rows: Sequence[int],
    beta: Sequence[float],
    sd: Sequence[float],
    size: tuple[int, int] = (1, 6),
) -> CountedModel:
    """Groups of so many rows; the first len(sd) effects vary, independently of each other."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(rows)), rows)
    x = np.round(rng.standard_normal((group.size, len(beta) - 1)), 1)
    z = np.column_stack([np.ones(group.size), x])
    effects = rng.standard_normal((len(rows), len(sd))) * sd
    sizes = rng.integers(*size, group.size).astype(float)
    mean = mean_of(family, z @ np.asarray(beta) + (z[:, : len(sd)] * effects[group]).sum(axis=1))
    events = rng.binomial(sizes.astype(int), mean) if family == "binomial" else rng.poisson(sizes * mean)
    return model_of(counted(family, events, sizes, group, x), tuple(range(len(sd))))


def with_size(family: Family, seed: int, n_groups: int) -> CountedModel:
    """One row a group, whose rate falls with its size: log2 of the size is an added term, after a slope of its own."""
    rng = np.random.default_rng(seed)
    sizes = np.round(2.0 ** rng.uniform(1, 7, n_groups))
    column = np.log2(sizes) - np.log2(sizes).mean()
    x = np.column_stack([np.round(rng.standard_normal(n_groups), 1), column])
    mean = mean_of(family, -1.0 + x @ np.array([0.4, -0.3]) + 0.5 * rng.standard_normal(n_groups))
    events = rng.binomial(sizes.astype(int), mean) if family == "binomial" else rng.poisson(sizes * mean)
    labels = [f"g{j:03d}" for j in range(n_groups)]
    terms = ("intercept", "x1", "log2 trials")
    cells = cells_of(family, events.astype(float), sizes, x, np.arange(n_groups), labels, terms)
    return model_of(cells, (0,), (Added("size"),))


def study_of(model: CountedModel, **fields: object) -> Study:
    """A study of the model's own predictors, in which everything is as it is by default."""
    own = model.cells.terms[1 : model.n_own]
    return Study.model_validate(
        {"name": "test", "title": "Test", "outcome": "y", "group": "g", "predictors": own, **fields}
    )
