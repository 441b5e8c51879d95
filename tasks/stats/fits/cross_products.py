"""Sums of products per group, from one exact pass over the rows: all that a Gaussian fit needs of the data.

With the columns W = [1, predictors, outcome], a group's cross-products are W'W. They add up over files,
chunks and machines, and a change of basis is exact, so rows are read once and every fit costs O(J).
Sums are kept about a fixed offset per column: without it, sums of squares of large, close values
cancel catastrophically.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.labels import one_spelling
from tasks.stats.records import Floats, GroupedData, Scaling


@dataclass(frozen=True)
class CrossProducts:
    """Additive sums in raw units about `offset`: one of these per file, summed to one per study."""

    labels: tuple[str, ...]  # J
    terms: tuple[str, ...]  # p, "intercept" first
    offset: Floats  # (p,) of the p - 1 predictors, then the outcome
    gram: Floats  # (J, p + 1, p + 1) W'W, W = [1, predictors - offset, outcome - offset]

    @property
    def n_rows(self) -> int:
        return round(float(self.gram[:, 0, 0].sum()))


@dataclass(frozen=True)
class ModelCrossProducts:
    """Sums on the basis that is fitted: centre-scaled predictors, centred outcome in its own unit."""

    labels: tuple[str, ...]
    terms: tuple[str, ...]
    outcome_center: float
    gram: Floats  # (J, p + 1, p + 1)

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


def cross_products(data: GroupedData, offset: Floats | None = None) -> CrossProducts:
    """Sum the rows of `data` per group, about `offset` (p,) or else about the rows' own means."""
    columns = np.column_stack([data.x, data.y])
    offset = columns.mean(axis=0) if offset is None else np.asarray(offset, dtype=float)
    columns = columns - offset
    w = [np.ones(data.n_rows), *columns.T]
    gram = np.empty((data.n_groups, len(w), len(w)))
    for i, left in enumerate(w):
        for k, right in enumerate(w[: i + 1]):
            sums = np.bincount(data.group_index, weights=left * right, minlength=data.n_groups)
            gram[:, i, k] = gram[:, k, i] = sums
    return CrossProducts(data.labels, data.terms, offset, gram)


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
    gram = np.zeros((len(position), *largest.gram.shape[1:]))
    for part in parts:
        gram[[position[label] for label in part.labels]] += about(part, offset).gram
    return CrossProducts(tuple(position), largest.terms, offset, gram)


def with_labels(products: CrossProducts, labels: Sequence[str]) -> CrossProducts:
    """The same groups in the order of `labels`."""
    position = {label: j for j, label in enumerate(products.labels)}
    return replace(products, labels=tuple(labels), gram=products.gram[[position[label] for label in labels]])


def among(part: CrossProducts, whole: CrossProducts) -> CrossProducts | None:
    """The part with the labels and the offset of the whole; `None` if a group has more rows than in the whole."""
    position = {label: j for j, label in enumerate(whole.labels)}
    if not position.keys() >= set(part.labels):
        return None
    gram = np.zeros_like(whole.gram)
    gram[[position[label] for label in part.labels]] = about(part, whole.offset).gram
    if (gram[:, 0, 0] > whole.gram[:, 0, 0] + 0.5).any():
        return None
    return replace(whole, gram=gram)


def with_spelling(products: CrossProducts, spelling: Mapping[str, str]) -> CrossProducts:
    """The same rows under the labels' spellings; groups of the same spelling are added up."""
    labels, index = one_spelling(products.labels, spelling)
    if labels == products.labels:
        return products
    gram = np.zeros((len(labels), *products.gram.shape[1:]))
    np.add.at(gram, index, products.gram)
    return replace(products, labels=labels, gram=gram)


def about(products: CrossProducts, offset: Floats) -> CrossProducts:
    """The same rows' cross-products about another offset (p,)."""
    basis = np.eye(products.offset.size + 1)
    basis[0, 1:] = products.offset - offset
    return replace(products, offset=offset, gram=change_basis(products.gram, basis))


def change_basis(gram: Floats, basis: Floats) -> Floats:
    """W'W (J, k, k) of the columns W @ basis (k, m): basis' W'W basis, (J, m, m)."""
    return basis.T @ gram @ basis


def scaling_of(products: CrossProducts) -> Scaling:
    """Means and standard deviations of all rows together, in raw units."""
    total = products.gram.sum(axis=0)
    n = total[0, 0]
    mean = total[0, 1:] / n
    variance = (np.diag(total)[1:] - n * mean**2) / (n - 1)
    center, scale = products.offset + mean, np.sqrt(np.maximum(variance, 0.0))
    return Scaling(products.terms[1:], center[:-1], scale[:-1], float(center[-1]), float(scale[-1]))


def centre_scaled(products: CrossProducts, scaling: Scaling) -> ModelCrossProducts:
    """The basis that is fitted: (x - center) / scale, and the outcome less its mean.

    Raises ValueError when a predictor or the outcome is constant.
    """
    if not np.all(np.append(scaling.scale, scaling.outcome_scale) > 0):
        raise ValueError("a constant column cannot be centre-scaled")
    basis = np.diag(np.concatenate(([1.0], 1.0 / scaling.scale, [1.0])))
    center = np.append(scaling.center, scaling.outcome_center)
    basis[0, 1:] = (products.offset - center) * np.append(1.0 / scaling.scale, 1.0)
    return ModelCrossProducts(
        products.labels, products.terms, scaling.outcome_center, change_basis(products.gram, basis)
    )


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
