"""Sums of products per group, from one exact pass over the rows: all that a Gaussian fit needs of the data.

With the columns W = [1, predictors, outcome], a group's cross-products are W'W. They add up over files,
chunks and machines, and a change of basis is exact, so rows are read once and every fit costs O(J).
Sums are kept about a fixed offset per column: without it, sums of squares of large, close values
cancel catastrophically.

Two checks of what a fit takes for granted need more: whether the outcome follows a curve, and whether rows resemble the
row before. For them W has the predictors' squares too, and each row is multiplied with the next one of its group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.stats.fits.runs import Runs, blocks, by_group, sums_of_ends, sums_of_products
from tasks.stats.labels import one_spelling
from tasks.stats.records import Floats, GroupedData, Integers, Scaling

SUMS = ("wide", "lag", "ends", "rises")  # what of `CrossProducts` adds up


@dataclass(frozen=True)
class CrossProducts:
    """Additive sums in raw units about `offset`: one of these per file, summed to one per study.

    With k = p - 1 predictors, W = [1, predictors - offset, outcome - offset, squares of the former], m = p + 1 + k.
    """

    labels: tuple[str, ...]  # J
    terms: tuple[str, ...]  # p, "intercept" first
    offset: Floats  # (p,) of the p - 1 predictors, then the outcome
    wide: Floats  # (J, m, m) W'W
    lag: Floats  # (J, m, m) sums of w w_next' over rows that have a next one in their group and chunk
    ends: Floats  # (J, m, m) sums of w w' over the first and over the last row of each group in each chunk
    rises: Floats  # (J,) how many of these next rows have an outcome as large or larger
    categories: tuple[tuple[int, ...], ...] = ()  # positions in `terms` of the 0/1 columns of each category

    @property
    def gram(self) -> Floats:
        """(J, p + 1, p + 1) of [1, predictors, outcome] alone."""
        p = len(self.terms)
        return self.wide[:, : p + 1, : p + 1]

    @property
    def n_rows(self) -> int:
        return round(float(self.wide[:, 0, 0].sum()))


@dataclass(frozen=True)
class WideProducts:
    """`CrossProducts` on the basis that is fitted: [1, centre-scaled predictors, centred outcome, their squares]."""

    gram: Floats  # (J, m, m)
    lag: Floats  # (J, m, m)
    ends: Floats  # (J, m, m)
    rises: Floats  # (J,)

    @property
    def n_pairs(self) -> Floats:
        """(J,) rows that have a next one."""
        return self.lag[:, 0, 0]


@dataclass(frozen=True)
class ModelCrossProducts:
    """Sums on the basis that is fitted: centre-scaled predictors, centred outcome in its own unit.

    `wide` is of the study's own predictors, also where `terms` and `gram` have been given further columns.
    """

    labels: tuple[str, ...]
    terms: tuple[str, ...]
    outcome_center: float
    gram: Floats  # (J, p + 1, p + 1)
    wide: WideProducts
    categories: tuple[tuple[int, ...], ...] = ()  # as of `CrossProducts`

    @property
    def is_level(self) -> NDArray[np.bool_]:
        """(p,) whether a term is a 0/1 column, which is centred and not scaled."""
        return np.isin(np.arange(self.p), [k for category in self.categories for k in category])

    @property
    def n(self) -> Floats:
        """(J,) rows per group."""
        return self.gram[:, 0, 0]

    @property
    def xtx(self) -> Floats:
        """(J, p, p)"""
        return self.gram[:, :-1, :-1]

    @property
    def xty(self) -> Floats:
        """(J, p)"""
        return self.gram[:, :-1, -1]

    @property
    def yty(self) -> Floats:
        """(J,)"""
        return self.gram[:, -1, -1]

    @property
    def n_rows(self) -> int:
        return round(float(self.n.sum()))

    @property
    def p(self) -> int:
        return len(self.terms)


def cross_products(data: GroupedData, offset: Floats | None = None, order: Integers | None = None) -> CrossProducts:
    """Sum the rows of `data` per group, about `offset` (p,) or else about the rows' own means.

    A group's rows follow one another by `order` (N,), by default as they stand.
    """
    if offset is None:
        offset = np.append(data.x.mean(axis=0), data.y.mean())
    offset = np.asarray(offset, dtype=float)
    rows = by_group(data.group_index, data.n_groups, order)
    n = np.bincount(data.group_index, minlength=data.n_groups)
    m, stops = 2 * len(data.terms), np.cumsum(n)
    wide, lag, ends = (np.empty((data.n_groups, m, m)) for _ in range(3))
    rises = np.empty(data.n_groups)
    for groups in blocks(stops):
        here = rows[stops[groups][0] - n[groups][0] : stops[groups][-1]]
        x, y, runs = data.x[here].T, data.y[here], Runs.of(n[groups])
        rises[groups] = runs.sums_of_pairs((y[1:] >= y[:-1]).astype(float))
        columns = np.vstack([x, y]) - offset[:, None]  # contiguous, as all that follows goes by column
        w, place = _with_squares(columns)
        for sums, found in zip((wide, lag, ends), (*sums_of_products(w, runs), sums_of_ends(w, runs)), strict=True):
            sums[groups] = found[:, place[:, None], place]
    return CrossProducts(data.labels, data.terms, offset, wide, lag, ends, rises)


def _with_squares(columns: Floats) -> tuple[Floats, Integers]:
    """The columns (p, N), outcome last, and the squares of those that these are not equal to; and (m,) where W is.

    A 0/1 column is its own square.
    """
    p = len(columns)
    squared = np.flatnonzero(((columns[:-1] != 0.0) & (columns[:-1] != 1.0)).any(axis=1))
    square = np.arange(1, p)
    square[squared] = p + 1 + np.arange(squared.size)
    return np.vstack([columns, columns[squared] ** 2]), np.concatenate([np.arange(p + 1), square])


def add(a: CrossProducts, b: CrossProducts) -> CrossProducts:
    """The cross-products of both sets of rows; groups are matched by label. Exact up to rounding.

    Raises ValueError when the two were made of different terms.
    """
    return total([a, b], a.offset)


def total(parts: Sequence[CrossProducts], offset: Floats | None = None) -> CrossProducts:
    """The cross-products of all parts' rows, about `offset` (p,), by default that of the part with most rows.

    Labels are in order of first appearance. Raises ValueError for parts of different terms.
    """
    largest = max(parts, key=lambda part: part.n_rows)
    offset = largest.offset if offset is None else offset
    position: dict[str, int] = {}
    for part in parts:
        if part.terms != largest.terms:
            raise ValueError(f"cross-products of {largest.terms} and of {part.terms} cannot be added")
        for label in part.labels:
            position.setdefault(label, len(position))
    sums = {name: np.zeros((len(position), *getattr(largest, name).shape[1:])) for name in SUMS}
    for part in parts:
        at, moved = [position[label] for label in part.labels], about(part, offset)
        for name, total_ in sums.items():
            total_[at] += getattr(moved, name)
    return CrossProducts(tuple(position), largest.terms, offset, **sums, categories=largest.categories)


def with_labels(products: CrossProducts, labels: Sequence[str]) -> CrossProducts:
    """The same groups in the order of `labels`."""
    position = {label: j for j, label in enumerate(products.labels)}
    at = [position[label] for label in labels]
    return replace(products, labels=tuple(labels), **_each(lambda sums: sums[at], products))


def among(part: CrossProducts, whole: CrossProducts) -> CrossProducts | None:
    """The part with the labels and the offset of the whole; `None` if a group has more rows than in the whole."""
    position = {label: j for j, label in enumerate(whole.labels)}
    if not position.keys() >= set(part.labels):
        return None
    index = np.array([position[label] for label in part.labels], dtype=np.int64)
    spread = _each(lambda sums: _merged(sums, index, len(whole.labels)), about(part, whole.offset))
    found = replace(whole, **spread)
    return None if (found.gram[:, 0, 0] > whole.gram[:, 0, 0] + 0.5).any() else found


def with_spelling(products: CrossProducts, spelling: Mapping[str, str]) -> CrossProducts:
    """The same rows under the labels' spellings; groups of the same spelling are added up."""
    labels, index = one_spelling(products.labels, spelling)
    if labels == products.labels:
        return products
    return replace(products, labels=labels, **_each(lambda sums: _merged(sums, index, len(labels)), products))


def _each(of: Callable[[Floats], Floats], products: CrossProducts) -> dict[str, Any]:
    """What `of` makes of each of the sums, by name."""
    return {name: of(getattr(products, name)) for name in SUMS}


def _merged(sums: Floats, index: Integers, n_groups: int) -> Floats:
    """Sums (J, ...) of the groups added up by `index` (J,)."""
    out = np.zeros((n_groups, *sums.shape[1:]))
    np.add.at(out, index, sums)
    return out


def about(products: CrossProducts, offset: Floats) -> CrossProducts:
    """The same rows' cross-products about another offset (p,)."""
    if np.array_equal(products.offset, offset):
        return products
    basis = _wide_basis(products.offset - offset)
    wide, lag, ends = (change_basis(sums, basis) for sums in (products.wide, products.lag, products.ends))
    return replace(products, offset=offset, wide=wide, lag=lag, ends=ends)


def _wide_basis(shift: Floats, scale: Floats | None = None) -> Floats:
    """(m, m) the basis that adds `shift` (p,) to the predictors and the outcome, then divides by `scale` (p,)."""
    p = shift.size
    scale = np.ones(p) if scale is None else scale
    k, columns, squares = np.arange(p - 1), np.arange(1, p + 1), np.arange(p + 1, 2 * p)
    basis = np.zeros((2 * p, 2 * p))
    basis[0, 0] = 1.0
    basis[columns, columns] = 1.0 / scale
    basis[0, columns] = shift / scale
    basis[squares, squares] = 1.0 / scale[k] ** 2
    basis[columns[k], squares] = 2.0 * shift[k] / scale[k] ** 2
    basis[0, squares] = (shift[k] / scale[k]) ** 2
    return basis


def change_basis(gram: Floats, basis: Floats) -> Floats:
    """W'W (J, k, k) of the columns W @ basis (k, m): basis' W'W basis, (J, m, m)."""
    return basis.T @ gram @ basis


def scaling_of(products: CrossProducts) -> Scaling:
    """Means and standard deviations of all rows together, in raw units.

    The scale of a category's 0/1 columns is 1: their coefficients are differences between levels, which nobody reads
    per SD.
    """
    total = products.gram.sum(axis=0)
    n = total[0, 0]
    mean = total[0, 1:] / n
    variance = (np.diag(total)[1:] - n * mean**2) / (n - 1)
    center, scale = products.offset + mean, np.sqrt(np.maximum(variance, 0.0))
    scale[[k - 1 for category in products.categories for k in category]] = 1.0
    return Scaling(products.terms[1:], center[:-1], scale[:-1], float(center[-1]), float(scale[-1]))


def centre_scaled(products: CrossProducts, scaling: Scaling) -> ModelCrossProducts:
    """The basis that is fitted: (x - center) / scale, and the outcome less its mean.

    Raises ValueError when a predictor or the outcome is constant.
    """
    if not np.all(np.append(scaling.scale, scaling.outcome_scale) > 0):
        raise ValueError("a constant column cannot be centre-scaled")
    center = np.append(scaling.center, scaling.outcome_center)
    basis = _wide_basis(products.offset - center, np.append(scaling.scale, 1.0))
    wide, p = change_basis(products.wide, basis), len(products.terms)
    return ModelCrossProducts(
        products.labels,
        products.terms,
        scaling.outcome_center,
        np.ascontiguousarray(wide[:, : p + 1, : p + 1]),
        WideProducts(wide, change_basis(products.lag, basis), change_basis(products.ends, basis), products.rises),
        products.categories,
    )


def whitened(products: ModelCrossProducts, correlation: float) -> ModelCrossProducts:
    """The sums of rows from which a first-order serial correlation has been taken: Prais & Winsten (1954).

    With w_i - r w_(i - 1) in place of a row, and w_1 sqrt(1 - r^2) in place of a first one, rows are independent; the
    residual SD is then that of the innovations. `products` must not have further columns yet.
    """
    r, p, wide = correlation, products.p, products.wide
    own = slice(p + 1)
    gram = (1.0 + r**2) * wide.gram - r**2 * wide.ends - r * (wide.lag + np.swapaxes(wide.lag, 1, 2))
    return replace(products, gram=np.ascontiguousarray(gram[:, own, own]), wide=replace(wide, gram=gram))


def with_squares(products: ModelCrossProducts, predictors: Sequence[int]) -> ModelCrossProducts:
    """Add the squares of these of the study's centre-scaled predictors (positions in `terms`), before the outcome.

    `products` must not have further columns yet.
    """
    p = products.p
    kept = [*range(p), *(p + k for k in predictors), p]
    names = tuple(f"{products.terms[k]}²" for k in predictors)
    return replace(products, terms=(*products.terms, *names), gram=products.wide.gram[:, kept][:, :, kept])


def with_group_columns(products: ModelCrossProducts, names: tuple[str, ...], values: Floats) -> ModelCrossProducts:
    """Add predictors that are constant within a group: `values` (J, k), placed before the outcome.

    Exact, and without the rows: within group j the new column is values[j] times the column of ones.
    """
    p = products.p
    old = [*range(p), p + len(names)]
    basis = np.zeros((values.shape[0], p + 1, p + 1 + len(names)))
    basis[:, range(p + 1), old] = 1.0
    basis[:, 0, p : p + len(names)] = values
    gram = np.swapaxes(basis, 1, 2) @ products.gram @ basis
    return replace(products, terms=(*products.terms, *names), gram=gram)


def residual_sum_of_squares(products: ModelCrossProducts, coef: Floats) -> Floats:
    """(J,) residual sums of squares of the coefficients `coef`, (J, p) or (p,).

    Intercepts are relative to the outcome's mean.
    """
    coef = np.broadcast_to(coef, (len(products.labels), products.p))
    w = np.concatenate([-coef, np.ones((len(coef), 1))], axis=1)
    return np.maximum(np.einsum("ji,jik,jk->j", w, products.gram, w), 0.0)
