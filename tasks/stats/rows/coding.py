"""Which columns a study's predictors become: a number stays one column, a category has a 0/1 column for each level.

Which levels there are is known only when all files have been read. So each file's sums hold a column for every level
that it has itself, and files are added up on the columns of them all: a level that a file lacks is a column of zeros.
At the end the reference's column is left out (treatment contrasts), and each other level is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np

from tasks.stats.fits.cells import Cells
from tasks.stats.fits.cross_products import SUMS, CrossProducts
from tasks.stats.records import Floats, Integers

Levels = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Coding:
    """`levels` are, by predictor, those of the categories that have columns; other predictors are numbers."""

    predictors: tuple[str, ...]
    levels: Levels = field(default_factory=dict)

    @property
    def columns(self) -> tuple[tuple[str, str | None], ...]:
        """The predictor and the level of each column, p - 1 in all; None for a number."""
        return tuple((name, level) for name in self.predictors for level in self.levels.get(name, (None,)))

    @property
    def terms(self) -> tuple[str, ...]:
        """(p,) intercept first."""
        return ("intercept", *(name if level is None else term_of(name, level) for name, level in self.columns))

    @property
    def is_level(self) -> np.ndarray:
        """(p - 1,) whether a column is 0/1."""
        return np.array([level is not None for _, level in self.columns], dtype=bool)

    @property
    def categories(self) -> tuple[tuple[int, ...], ...]:
        """For each category, the positions of its columns among the terms."""
        of = [name for name, _ in self.columns]
        return tuple(tuple(at for at, name in enumerate(of, 1) if name == each) for each in self.levels)

    def positions(self, wider: Coding) -> Integers:
        """(p - 1,) where each of the columns stands in another coding; -1 if it has none."""
        at = {column: position for position, column in enumerate(wider.columns)}
        return np.array([at.get(column, -1) for column in self.columns], dtype=np.int64)


def term_of(column: str, level: str) -> str:
    return f"{column}: {level}"


def joined(codings: Iterable[Coding]) -> Coding:
    """The coding with the levels of all of these, which agree on what is a category; levels in order of their text."""
    return reduce(_with_levels_of, codings)


def _with_levels_of(one: Coding, other: Coding) -> Coding:
    if one.levels == other.levels:
        return one
    names = [name for name in one.predictors if name in one.levels or name in other.levels]
    return replace(
        one, levels={name: tuple(sorted({*one.levels.get(name, ()), *other.levels.get(name, ())})) for name in names}
    )


def recoded_rows(x: Floats, then: Coding, now: Coding) -> Floats:
    """(n, p' - 1) the same rows in another coding: of columns that they lack they have 0."""
    if then.columns == now.columns:
        return x
    at = then.positions(now)
    found = np.zeros((len(x), len(now.columns)))
    found[:, at[at >= 0]] = x[:, at >= 0]
    return found


def recoded_cells(cells: Cells, then: Coding, now: Coding) -> Cells:
    """The same rows' cells in another coding; adding them up puts them in its order."""
    return replace(cells, x=recoded_rows(cells.x, then, now), terms=now.terms)


def recoded(products: CrossProducts, then: Coding, now: Coding) -> CrossProducts:
    """The same rows' sums in another coding. Exact, as columns of levels are summed about 0."""
    if then.columns == now.columns:
        return replace(products, categories=now.categories)
    k, wider = len(then.columns), len(now.columns)
    at = then.positions(now)
    kept = np.flatnonzero(at >= 0)
    # W is ones, predictors, outcome, squares of the predictors.
    old = np.concatenate(([0], 1 + kept, [k + 1], k + 2 + kept))
    new = np.concatenate(([0], 1 + at[kept], [wider + 1], wider + 2 + at[kept]))
    offset = np.zeros(wider + 1)
    offset[at[kept]], offset[-1] = products.offset[kept], products.offset[-1]
    sums = {name: getattr(products, name) for name in SUMS}
    for name in ("wide", "lag", "ends"):
        spread = np.zeros((len(products.labels), 2 * (wider + 1), 2 * (wider + 1)))
        spread[:, new[:, None], new] = sums[name][:, old[:, None], old]
        sums[name] = spread
    return CrossProducts(products.labels, now.terms, offset, **sums, categories=now.categories)
