"""Are predictions of rows left out biased, and does the bias depend on the size of the group?

The rows are dealt into FOLDS parts at random. Each part is predicted by partial pooling from all other rows (of its
own groups too), with the relative spread of the groups as fitted to all rows. Only sums per group are needed, so a
part costs O(J). Rows of one group share its estimate, so errors are averaged with group-clustered standard errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from tasks.stats.fits.cross_products import ModelCrossProducts, centre_scaled, cross_products, with_group_columns
from tasks.stats.fits.reml import mixed_model, profile, relative_factor
from tasks.stats.records import Floats, GroupedData, Integers, Scaling

FOLDS = 10
MOST_BINS, FEWEST_IN_BIN = 5, 4


@dataclass(frozen=True)
class MeanError:
    """Observed less predicted, mean over the rows of a bin, in the outcome's unit; 95 % t interval over groups."""

    mean: float
    se: float
    lower: float
    upper: float


@dataclass(frozen=True)
class SizeBin:
    """Groups of `smallest` to `largest` rows."""

    smallest: int
    largest: int
    n_groups: int  # with rows among those predicted
    n_rows: int  # predicted
    plain: MeanError
    with_size: MeanError  # with log n_j in the model


@dataclass(frozen=True)
class FittedModel:
    """A mixed model of all rows, and its optimum."""

    products: ModelCrossProducts
    varying: tuple[int, ...]
    theta: Floats


def calibration_by_size(
    data: GroupedData, plain: FittedModel, with_size: FittedModel, scaling: Scaling, seed: int
) -> tuple[SizeBin, ...]:
    """Up to MOST_BINS bins with about equal numbers of groups, smallest groups first.

    `data` are all rows or a sample. Both models are of all rows; `with_size` is `plain` with group-level columns last.
    """
    first = plain.products.p
    columns = _group_columns(with_size.products, first)
    folds = list(_folds(data, scaling, seed))
    beside = [with_group_columns(fold, with_size.products.terms[first:], columns) for fold in folds]
    errors = (_errors(plain, folds), _errors(with_size, beside))
    n_looked_at = np.bincount(data.group_index, minlength=data.n_groups).astype(float)
    sizes = np.rint(plain.products.n).astype(np.int64)
    bins = (np.flatnonzero(bin_ & (n_looked_at > 0)) for bin_ in _bins(sizes))
    return tuple(_summed(groups, sizes, n_looked_at, *errors) for groups in bins if groups.size)


def _folds(data: GroupedData, scaling: Scaling, seed: int) -> Iterator[ModelCrossProducts]:
    part = np.random.default_rng(seed).permutation(data.n_rows) % FOLDS
    offset = np.append(scaling.center, scaling.outcome_center)
    for k in range(FOLDS):
        rows = part == k
        if rows.any():
            some = replace(data, y=data.y[rows], x=data.x[rows], group_index=data.group_index[rows])
            yield centre_scaled(cross_products(some, offset), scaling)


def _group_columns(products: ModelCrossProducts, first: int) -> Floats:
    """(J, k) values of the columns from `first` on, which are constant in a group."""
    return products.gram[:, 0, first : products.p] / products.n[:, None]


def _errors(fitted: FittedModel, folds: list[ModelCrossProducts]) -> Floats:
    """(J,) sums of observed less predicted over each group's rows, each row predicted while left out."""
    products, varying = fitted.products, fitted.varying
    factor = relative_factor(fitted.theta, len(varying))
    total = np.zeros(len(products.labels))
    for fold in folds:
        rest = replace(products, gram=products.gram - fold.gram)
        at = profile(mixed_model(rest, varying), fitted.theta)
        coef = np.tile(at.fixef, (len(total), 1))
        coef[:, list(varying)] += at.v @ (factor @ factor.T)
        total += fold.gram[:, 0, -1] - (fold.gram[:, 0, :-1] * coef).sum(axis=1)
    return total


def _bins(sizes: Integers) -> Iterator[np.ndarray]:
    """(J,) masks of groups of similar size: equal sizes stay together."""
    n_bins = int(np.clip(sizes.size // FEWEST_IN_BIN, 2, MOST_BINS))
    edges = np.unique(np.quantile(sizes, np.arange(1, n_bins) / n_bins, method="lower"))
    place = np.searchsorted(edges, sizes, side="left")
    return (place == k for k in range(edges.size + 1))


def _summed(groups: Integers, sizes: Integers, n: Floats, plain: Floats, with_size: Floats) -> SizeBin:
    return SizeBin(
        smallest=int(sizes[groups].min()),
        largest=int(sizes[groups].max()),
        n_groups=groups.size,
        n_rows=int(n[groups].sum()),
        plain=_mean_error(plain[groups], n[groups]),
        with_size=_mean_error(with_size[groups], n[groups]),
    )


def _mean_error(sums: Floats, n: Floats) -> MeanError:
    """The mean error as a ratio of sums over groups, with its standard error (NaN for one group) by linearisation.

    Cochran (1977), *Sampling Techniques*.
    """
    mean, df = float(sums.sum() / n.sum()), sums.size - 1
    if df == 0:
        return MeanError(mean, np.nan, np.nan, np.nan)
    se = float(np.sqrt((df + 1) / df * ((sums - mean * n) ** 2).sum()) / n.sum())
    half = float(stdtrit(df, 0.975)) * se
    return MeanError(mean, se, mean - half, mean + half)
