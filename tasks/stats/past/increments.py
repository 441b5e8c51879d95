"""Have groups moved since the last report? Each group's new rows beside what its earlier rows foretold.

On data that only grow, estimates then and now share nearly all rows, and their difference says little: what is new is
in the increment. With n earlier rows of a group about the means (x, y), and m new ones about (x', y'), it is

    shift = (y' - y) - (x' - x) b        variance = s^2 (1/m + 1/n) + (x' - x) V (x' - x)

`b` are the group's slopes from the earlier rows, partially pooled, and V is the covariance of their errors; s^2 is the
group's variance (`tasks.stats.past.row_spread`). Levels are the groups' own, not pulled towards others', and slopes are
those within groups: a group far from the others is then no news, however few its earlier rows. Without predictors
these are the recursive residuals of Brown, Durbin & Evans (1975), J. R. Stat. Soc. B 37(2): independent over reports.
All comes from sums (`tasks.stats.fits.cross_products`), as the new rows' are the difference of two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from tasks.stats.fits.cells import Cells
from tasks.stats.fits.cross_products import CrossProducts
from tasks.stats.past.evidence import Scores, log_expected_by_cumulants, normal_score
from tasks.stats.past.row_spread import RowSpread, row_spread
from tasks.stats.records import Floats, Integers

UNSEEN = 1e-6  # of a predictor's SD: a move in a direction in which earlier rows never differed cannot be foretold
TINY = 1e-10


@dataclass(frozen=True)
class EarlierRows:
    """Sums of the rows that earlier runs had, by run id, with the labels and the offset of `now`, today's.

    There are sums of the runs whose rows are all among today's. `lost` names those files of the others that are gone or
    no longer begin as they did. Of a counted outcome there are cells beside the sums, of the same runs.
    """

    now: CrossProducts
    sums: Mapping[str, CrossProducts]
    lost: Mapping[str, tuple[str, ...]]
    cells_now: Cells | None = None  # None if the outcome is measured
    cells: Mapping[str, Cells] = field(default_factory=dict)


@dataclass(frozen=True)
class Increments:
    """Of the K groups that have new rows and had rows before. Shifts are in the outcome's unit."""

    positions: Integers  # (K,) in today's labels
    n_before: Integers  # (K,)
    n_new: Integers  # (K,)
    shift: Floats  # (K,) mean of the new rows less what the earlier ones foretold
    se: Floats  # (K,)
    df: Floats  # (K,) Student's
    skewness: Floats  # (K,) of the shift
    kurtosis: Floats  # (K,) of the shift, excess

    @property
    def half_width(self) -> Floats:
        """(K,) of the 95 % interval of the shift."""
        return np.asarray(stdtrit(self.df, 0.975) * self.se)

    @property
    def lower(self) -> Floats:
        """(K,) 95 % interval of the shift, Student's."""
        return self.shift - self.half_width

    @property
    def upper(self) -> Floats:
        return self.shift + self.half_width

    def scores(self, margin: float) -> Scores:
        """Of a move by more than `margin`: standard normal where it is exactly that."""
        up, down = (normal_score((sign * self.shift - margin) / self.se, self.df) for sign in (1.0, -1.0))
        return Scores(up, down, log_expected_by_cumulants(self.skewness, self.kurtosis))


@dataclass(frozen=True)
class RowShape:
    """Of the rows about their groups' lines; 0 for normal ones."""

    skewness: float = 0.0
    kurtosis: float = 0.0  # excess


NORMAL = RowShape()


def increments(earlier: Floats, added: Floats, slope_cov: Floats, shape: RowShape = NORMAL) -> Increments:
    """The new rows beside what the earlier ones foretold, from the groups' cross-products (J, p + 1, p + 1) of both.

    `slope_cov` (p - 1, p - 1) is the covariance of slopes between groups: 0 where all groups share one. Groups for
    which the earlier rows foretell nothing are left out. Predictors are centre-scaled.
    """
    old, new = _Moments.of(earlier), _Moments.of(added)
    squares, df = old.residual()
    spread = row_spread(squares, df, shape.kurtosis)
    moved = new.mean - old.mean
    slopes, cov, is_seen = _slopes(old, spread, slope_cov, moved[:, :-1])
    shift = moved[:, -1] - (moved[:, :-1] * slopes).sum(axis=1)
    of_means = 1.0 / new.n + 1.0 / old.n
    variance = spread.variance * of_means + np.einsum("ji,jik,jk->j", moved[:, :-1], cov, moved[:, :-1])
    kept = np.flatnonzero(old.is_there & new.is_there & is_seen & (variance > 0))
    return Increments(
        positions=kept,
        n_before=old.n[kept].round().astype(np.int64),
        n_new=new.n[kept].round().astype(np.int64),
        shift=shift[kept],
        se=np.sqrt(variance[kept]),
        df=spread.df[kept],
        skewness=shape.skewness * ((new.n**-2 - old.n**-2) / of_means**1.5)[kept],
        kurtosis=shape.kurtosis * ((new.n**-3 + old.n**-3) / of_means**2)[kept],
    )


@dataclass(frozen=True)
class _Moments:
    """Per group: rows, means of predictors and outcome, and sums of products about these. n is 1 where it was 0."""

    is_there: NDArray[np.bool_]  # (J,)
    n: Floats  # (J,)
    mean: Floats  # (J, p)
    about: Floats  # (J, p, p)

    @classmethod
    def of(cls, gram: Floats) -> _Moments:
        is_there = gram[:, 0, 0] > 0.5
        n = np.where(is_there, gram[:, 0, 0], 1.0)
        mean = np.where(is_there[:, None], gram[:, 0, 1:] / n[:, None], 0.0)
        about = gram[:, 1:, 1:] - n[:, None, None] * mean[:, :, None] * mean[:, None, :]
        return cls(is_there, n, mean, np.where(is_there[:, None, None], about, 0.0))

    @property
    def xx(self) -> Floats:
        return self.about[:, :-1, :-1]

    @property
    def xy(self) -> Floats:
        return self.about[:, :-1, -1]

    def residual(self) -> tuple[Floats, Floats]:
        """(J,) sums of squares about each group's own least-squares line, and their degrees of freedom."""
        inverse, rank = _pseudo_inverse(self.xx, self.n)
        explained = np.einsum("ji,jik,jk->j", self.xy, inverse, self.xy)
        df = np.where(self.is_there, self.n - 1.0 - rank, 0.0)
        squares = np.maximum(self.about[:, -1, -1] - explained, 0.0)
        return np.where(df >= 0.5, squares, 0.0), df


def _pseudo_inverse(a: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Inverses of positive semidefinite `a` (J, q, q) where it is not 0 beside `size` (J,), and their ranks."""
    values, vectors = np.linalg.eigh(a)
    is_there = values > TINY * np.maximum(size, 1.0)[:, None]
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=is_there)
    return (vectors * inverse[:, None, :]) @ np.swapaxes(vectors, 1, 2), is_there.sum(axis=1).astype(float)


def _slopes(old: _Moments, spread: RowSpread, cov: Floats, moved: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Each group's slopes (J, q), the covariance of their errors (J, q, q), and whether `moved` (J, q) can be foretold.

    Best linear unbiased prediction from sums about the groups' own means. With weights W = (S cov + s^2)^-1 S, the
    average slopes have the covariance C = (sum W)^-1, and a group's error has cov - cov W cov + A C A', A = 1 - cov W.
    """
    one = np.eye(cov.shape[0])
    rows = np.where(spread.variance > 0, spread.variance, 1.0)
    inner = np.linalg.inv(old.xx @ cov + rows[:, None, None] * one)
    weight = inner @ old.xx
    total = weight.sum(axis=0)
    common, _ = _pseudo_inverse(total[None], np.array([float((old.n / rows).sum())]))
    average = common[0] @ np.einsum("jik,jk->i", inner, old.xy)
    own = old.xy - np.einsum("jik,k->ji", old.xx, average)
    slopes = average + np.einsum("il,jlk,jk->ji", cov, inner, own)
    pulled = one - cov @ weight
    errors = cov - cov @ weight @ cov + pulled @ common[0] @ np.swapaxes(pulled, 1, 2)
    lost = moved - moved @ (common[0] @ total).T
    return slopes, errors, np.asarray((np.abs(lost) <= UNSEEN).all(axis=1))
