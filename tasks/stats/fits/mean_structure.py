"""The mean of a model: the study's own terms, and terms that were found missing.

- size: log2 of a group's number of rows, about its mean over the groups.
- context: a predictor's mean in the group (Mundlak 1978), so that the predictor's own coefficient is the slope within
  groups and this one's the between-group slope less that.
- curve: a centre-scaled predictor's square, common to all groups, so that the predictor's own coefficient is the slope
  where all rows' mean lies.

All of them come from the sums, without the rows. Whatever was added, a group is described by the same p numbers: its
expected outcome where the study's predictors have the means of all rows, and the slopes there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tasks.stats.fits.cross_products import ModelCrossProducts, whitened, with_group_columns, with_squares
from tasks.stats.fits.pooling import has_full_rank
from tasks.stats.fits.reml import MixedModel, Profile, fit, fit_near, mixed_model, profile
from tasks.stats.records import Floats, GroupedData, Scaling

AddedKind = Literal["size", "context", "curve"]


@dataclass(frozen=True, order=True)
class Added:
    """A term beyond the study's: its kind, and the position of its predictor among the study's terms (size: 0)."""

    kind: AddedKind
    column: int = 0


@dataclass(frozen=True)
class MeanStructure:
    """Sums with the added terms' columns: squares first, then columns that are constant within a group."""

    added: tuple[Added, ...]  # in the order of their columns
    products: ModelCrossProducts
    group_values: Floats  # (J, g) of the last g columns
    n_own: int  # p, the study's own terms
    n: Floats  # (J,) rows
    serial: float = 0.0  # the serial correlation that was taken from the rows of `products`

    @property
    def n_rows(self) -> int:
        return round(float(self.n.sum()))

    @property
    def squared(self) -> tuple[int, ...]:
        return tuple(each.column for each in self.added if each.kind == "curve")

    @property
    def is_estimable(self) -> bool:
        """Whether the data can tell all terms apart."""
        return bool(has_full_rank(self.products.xtx.sum(axis=0)[None])[0])


def mean_structure(products: ModelCrossProducts, added: Sequence[Added] = (), serial: float = 0.0) -> MeanStructure:
    """The structure with these terms; `products` are those of the study's own.

    With `serial`, rows of a group follow one another with that correlation: `cross_products.whitened` says how.
    """
    squared = tuple(each for each in added if each.kind == "curve")
    constant = tuple(each for each in added if each.kind != "curve")
    values = np.column_stack(
        [np.empty((len(products.labels), 0)), *(_group_values(products, each) for each in constant)]
    )
    sums = whitened(products, serial) if serial else products
    if squared:
        sums = with_squares(sums, [each.column for each in squared])
    if constant:
        sums = with_group_columns(sums, tuple(_name(products, each) for each in constant), values)
    return MeanStructure((*squared, *constant), sums, values, products.p, products.n, serial)


def _group_values(products: ModelCrossProducts, added: Added) -> Floats:
    """(J,) values of a term that is constant within a group."""
    if added.kind == "size":
        return np.asarray(np.log2(products.n) - np.log2(products.n).mean())
    return np.asarray(products.gram[:, 0, added.column] / products.n)


def _name(products: ModelCrossProducts, added: Added) -> str:
    return "log2 rows" if added.kind == "size" else f"{products.terms[added.column]}, group mean"


def with_terms(data: GroupedData, scaling: Scaling, structure: MeanStructure) -> tuple[GroupedData, Scaling]:
    """The same rows with the added terms as further predictors, and their scaling: as they are."""
    n_added = len(structure.added)
    if not n_added:
        return data, scaling
    scaled = (data.x - scaling.center) / scaling.scale
    squares = scaled[:, [k - 1 for k in structure.squared]] ** 2
    x = np.column_stack([data.x, squares, structure.group_values[data.group_index]])
    terms = structure.products.terms
    wide = Scaling(
        terms[1:],
        np.append(scaling.center, np.zeros(n_added)),
        np.append(scaling.scale, np.ones(n_added)),
        scaling.outcome_center,
        scaling.outcome_scale,
    )
    return GroupedData(data.y, x, data.group_index, data.labels, terms), wide


@dataclass(frozen=True)
class Fitted:
    """A REML fit of a mean structure, with what it says of every group, intercepts in the outcome's unit."""

    structure: MeanStructure
    varying: tuple[int, ...]
    model: MixedModel
    at: Profile
    theta: Floats
    coef: Floats  # (J, p) level and slopes, as the module says
    se: Floats  # (J, p) joint standard errors

    @property
    def residual_weights(self) -> Floats:
        """(J, m) the weights with which the columns of `CrossProducts` add up to a group's residuals."""
        own = self.structure.n_own
        weights = np.zeros((len(self.coef), 2 * own))
        weights[:, :own] = -self.coef
        weights[:, 0] += self.structure.products.outcome_center
        weights[:, own] = 1.0
        for at, column in enumerate(self.structure.squared):
            weights[:, own + column] = -self.at.fixef[own + at]
        return weights

    @property
    def residual_sd(self) -> Floats:
        """(J,) SD of each group's residuals about their own mean; NaN below two rows."""
        w, gram, n = self.residual_weights, self.structure.products.wide.gram, self.structure.n
        total = np.einsum("jk,jk->j", gram[:, 0], w)
        square = np.einsum("ji,jik,jk->j", w, gram, w, optimize=True)
        variance = np.maximum(square - total**2 / n, 0.0) / np.maximum(n - 1.0, 1.0)
        return np.where(n > 1.5, np.sqrt(variance), np.nan)


def refit(structure: MeanStructure, varying: tuple[int, ...]) -> Fitted:
    """The REML fit."""
    return fitted(structure, varying, fit(model_of(structure, varying)).theta)


def refit_near(structure: MeanStructure, varying: tuple[int, ...], theta: Floats) -> Fitted:
    """The REML fit, searched for from `theta` only."""
    return fitted(structure, varying, fit_near(model_of(structure, varying), theta)[0])


def model_of(structure: MeanStructure, varying: tuple[int, ...]) -> MixedModel:
    return replace(mixed_model(structure.products, varying), n_rows=structure.n_rows)


def fitted(structure: MeanStructure, varying: tuple[int, ...], theta: Floats) -> Fitted:
    """The fit at `theta`, which is taken for the optimum.

    With c_jk = e_k, and the group's own values of the added columns for the level, the estimate is
    c_jk'beta + b_jk and the variance of its error sigma^2 [k' C^-1 k + (M_j)_kk], k = c_jk - (M_j Z_j'X_j)_k, as in
    `tasks.stats.fits.intervals.joint_se`.
    """
    model = model_of(structure, varying)
    at = profile(model, theta)
    n_groups, p, own = len(structure.products.labels), structure.products.p, structure.n_own
    contrast = np.tile(np.eye(p)[:own], (n_groups, 1, 1))
    contrast[:, 0, p - structure.group_values.shape[1] :] = structure.group_values
    moved = at.m @ model.ztw
    effect = np.zeros((n_groups, own, p + 1))
    effect[:, list(varying)] = moved
    coef = contrast @ at.fixef + effect[..., -1] - effect[..., :-1] @ at.fixef
    coef[:, 0] += structure.products.outcome_center
    keep = contrast - effect[..., :-1]
    variance = np.einsum("jka,ab,jkb->jk", keep, at.unscaled_cov, keep, optimize=True)
    variance[:, list(varying)] += np.diagonal(at.m, axis1=1, axis2=2)
    return Fitted(structure, varying, model, at, theta, coef, at.sigma * np.sqrt(np.maximum(variance, 0.0)))
