"""Models of counted outcomes with added terms: size, context and curve, as columns of the cells.

A group's size is its number of trials, or its exposure. A predictor's mean in a group is over these too, so that it
does not depend on how rows were added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tasks.stats.counted.model import CountedModel
from tasks.stats.fits.cells import Cells
from tasks.stats.fits.mean_structure import Added
from tasks.stats.records import Floats, Scaling


def counted_model(
    cells: Cells,
    scaling: Scaling,
    varying: tuple[int, ...],
    added: Sequence[Added] = (),
    is_overdispersed: bool = False,
) -> CountedModel:
    """`cells` and `scaling` are of the study's own terms. Squares come first, then columns constant in a group."""
    ordered = (*(each for each in added if each.kind == "curve"), *(each for each in added if each.kind != "curve"))
    scaled = (cells.x - scaling.center) / scaling.scale
    columns = [_column(cells, scaled, each) for each in ordered]
    return _with_columns(cells, scaling, varying, ordered, columns, is_overdispersed)


def own_model(model: CountedModel) -> CountedModel:
    """The same without its added terms."""
    p, cells, scaling = model.n_own, model.cells, model.scaling
    own = replace(cells, x=cells.x[:, : p - 1], terms=cells.terms[:p])
    of_own = Scaling(scaling.predictors[: p - 1], scaling.center[: p - 1], scaling.scale[: p - 1], 0.0, 1.0)
    return CountedModel(own, of_own, model.varying, (), model.is_overdispersed)


def with_cells(model: CountedModel, cells: Cells, is_overdispersed: bool = False) -> CountedModel:
    """The model on other cells of the same groups and the study's own terms, such as its rows or some of them.

    Sizes and contexts of groups stay those of the model.
    """
    scaling = own_model(model).scaling
    scaled, values = (cells.x - scaling.center) / scaling.scale, model.group_values[cells.group_index]
    columns = [
        scaled[:, each.column - 1] ** 2 if each.kind == "curve" else values[:, at]
        for at, each in enumerate(model.added)
    ]
    return _with_columns(cells, scaling, model.varying, model.added, columns, is_overdispersed)


def group_sizes(cells: Cells) -> Floats:
    """(J,) trials or exposure."""
    return cells.of_groups(cells.size)


def _with_columns(
    cells: Cells,
    scaling: Scaling,
    varying: tuple[int, ...],
    added: tuple[Added, ...],
    columns: Sequence[Floats],
    is_overdispersed: bool,
) -> CountedModel:
    names, n = tuple(_name(cells, each) for each in added), len(added)
    wide = replace(cells, x=np.column_stack([cells.x, *columns]), terms=(*cells.terms, *names))
    center, scale = np.append(scaling.center, np.zeros(n)), np.append(scaling.scale, np.ones(n))
    return CountedModel(wide, Scaling(wide.terms[1:], center, scale, 0.0, 1.0), varying, added, is_overdispersed)


def _column(cells: Cells, scaled: Floats, added: Added) -> Floats:
    """(C,)"""
    if added.kind == "curve":
        return np.asarray(scaled[:, added.column - 1] ** 2)
    sizes = group_sizes(cells)
    if added.kind == "size":
        doublings = np.log2(np.where(sizes > 0, sizes, 1.0))
        values = doublings - doublings[sizes > 0].mean()
    else:
        values = cells.of_groups(cells.size * scaled[:, added.column - 1]) / np.where(sizes > 0, sizes, 1.0)
    return np.asarray(values[cells.group_index])


def _name(cells: Cells, added: Added) -> str:
    if added.kind == "size":
        return "log2 trials" if cells.family == "binomial" else "log2 exposure"
    name = cells.terms[added.column]
    return f"{name}²" if added.kind == "curve" else f"{name}, group mean"
