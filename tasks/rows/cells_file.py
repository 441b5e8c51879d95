"""Cells as arrays of the store, each column in the smallest type that holds its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.stats.fits.cells import Cells, Family
from tasks.stats.records import Floats

SMALL = (np.uint8, np.uint16, np.uint32)
COLUMNS = ("group_index", "events", "size", "n_rows")
FAMILIES: tuple[Family, ...] = ("binomial", "poisson")


def packed_cells(cells: Cells | None, sample_size: Floats | None) -> dict[str, np.ndarray]:
    """The arrays of a digest's cells, and the sizes of its sampled rows; none of a measured outcome."""
    if cells is None:
        return {}
    return {
        **{f"cells_{name}": _small(getattr(cells, name)) for name in COLUMNS},
        **{f"cells_x{k}": _small(column) for k, column in enumerate(cells.x.T)},
        "cells_constant": np.array([cells.constant, FAMILIES.index(cells.family)]),
        **({} if sample_size is None else {"sample_size": sample_size}),
    }


def unpacked_cells(found: Mapping[str, np.ndarray], labels: Sequence[str], terms: Sequence[str]) -> Cells | None:
    """The cells in a digest's arrays, with its labels and terms; None if it has none."""
    if "cells_constant" not in found:
        return None
    constant, family = found["cells_constant"].tolist()
    group_index, events, size, n_rows = (found[f"cells_{name}"] for name in COLUMNS)
    columns = [found[f"cells_x{k}"].astype(float) for k in range(len(terms) - 1)]
    return Cells(
        family=FAMILIES[int(family)],
        x=np.column_stack([np.empty((events.size, 0)), *columns]),
        group_index=group_index.astype(np.int64),
        events=events.astype(float),
        size=size.astype(float),
        n_rows=n_rows.astype(np.int64),
        labels=tuple(labels),
        terms=tuple(terms),
        constant=constant,
    )


def _small(values: np.ndarray) -> np.ndarray:
    """The same values in the smallest type of whole numbers that holds them all; as they are if there is none."""
    if not values.size or values.min() < 0:
        return values
    for kind in SMALL:
        if values.max() <= np.iinfo(kind).max and np.array_equal(small := values.astype(kind), values):
            return small
    return values
