"""Five ways on after a singular fit, each of them run (Bolker's GLMM FAQ; Bates et al. 2015, arXiv:1506.04967).

- drop: leave out the variance that the data do not show (Barr, Levy, Scheepers & Tily 2013 warn of it).
- uncorrelated: keep every variance, leave out the correlations; it can be singular too.
- penalised: a prior that is 0 at a variance of 0 and flat far from it keeps the estimate off the boundary:
  gamma(2, rate -> 0) on an SD (Chung, Rabe-Hesketh, Dorie, Gelman & Liu 2013, Psychometrika 78), and for a
  matrix Wishart(q + 2, scale -> infinity) (Chung, Gelman, Rabe-Hesketh, Liu & Dorie 2015, J. Educ. Behav. Stat.
  40), so that the REML criterion gets -log|Sigma|.
- bootstrap: keep the fit, and take its uncertainty from data sets drawn from it.
- bayes: keep every variance with all its uncertainty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tasks.stats.fits.batched_bfgs import Objective, minimise
from tasks.stats.fits.batched_reml import Batch, batch_of, factors, natural_scale, profiles, snapped, theta_gradient
from tasks.stats.fits.bootstrap import Bootstrap
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.intervals import Z_95, excludes_zero, joint_se
from tasks.stats.fits.partial_pooling import group_estimates
from tasks.stats.fits.reml import mixed_model, profile
from tasks.stats.fits.singularity import is_singular
from tasks.stats.fits.small_matrices import lower_triangle
from tasks.stats.records import BayesFit, CompletePooling, Flavour, Floats, PartialPooling

RouteName = Literal["singular_fit", "drop", "uncorrelated", "penalised", "bootstrap", "bayes"]
# Searches start with group SDs of these multiples of the SD of an average group's own estimate.
STARTS = (0.3, 1.0, 3.0, 10.0)
FEWEST_PENALISED = 3  # groups


@dataclass(frozen=True)
class Estimated:
    """A fit by another criterion: the relative factor and the residual SD at its minimum."""

    factor: Floats  # (q, q) lower
    sigma: float

    @property
    def cov(self) -> Floats:
        return self.sigma**2 * self.factor @ self.factor.T


@dataclass(frozen=True)
class Route:
    """The estimates of every group on one route. `sigma_group` is NaN for a term that does not vary on this route.

    Intervals: joint ones for fits, prediction intervals for the bootstrap, posterior ones for Bayes.
    """

    name: RouteName
    model: str  # which fit it is, as a path under `fits` in summary.json; "" for one made here
    coef: Floats  # (J, p)
    lower: Floats  # (J, p)
    upper: Floats  # (J, p)
    sigma_group: Floats  # (q,)
    sigma_group_lower: Floats  # (q,) NaN where the route gives no interval
    sigma_group_upper: Floats  # (q,)
    sigma: float
    is_singular: bool | None  # None for Bayes, which estimates no single value


@dataclass(frozen=True)
class Remedies:
    """`routes` begins with the singular fit itself and ends with Bayes; the q varying terms are those of that fit."""

    varying: tuple[int, ...]  # q
    routes: tuple[Route, ...]
    median_width: Floats  # (routes, q) of the groups' intervals
    largest_change: Floats  # (routes, q) of a group's estimate against the singular fit
    changed_most: np.ndarray  # (routes, q) position of the group with the largest change
    spread: Floats  # (q,) largest difference of a group's estimate between any two routes
    spread_group: np.ndarray  # (q,) position of the group with this difference
    spread_share: Floats  # (q,) `spread` relative to the width of that group's Bayesian interval
    divided: tuple[np.ndarray, ...]  # (q,) groups whose slope excludes 0 on some of the ways on only; none for levels
    n_replicates: int
    n_singular_replicates: int


def remedies(
    products: ModelCrossProducts,
    complete: CompletePooling,
    partial: Mapping[Flavour, PartialPooling],
    bayes: BayesFit,
    replicated: Bootstrap,
    singular_tolerance: float = 1e-4,
) -> Remedies | None:
    """Every route if the fullest fit is singular, else None. `replicated` is the bootstrap of the fullest fit."""
    fullest = list(partial.values())[-1]
    if not fullest.is_singular:
        return None
    routes = (
        _of_fit("singular_fit", fullest, fullest.varying),
        _dropped(complete, partial, fullest.varying, len(products.labels)),
        *_refitted(products, fullest, singular_tolerance),
        _bootstrapped(fullest, replicated),
        _of_bayes(bayes),
    )
    return _compared(fullest, routes, replicated)


def _compared(fullest: PartialPooling, routes: tuple[Route, ...], replicated: Bootstrap) -> Remedies:
    columns = list(fullest.varying)
    coef = np.array([route.coef[:, columns] for route in routes])
    width = np.array([(route.upper - route.lower)[:, columns] for route in routes])
    change, spread = np.abs(coef - coef[0]), np.ptp(coef, axis=0)
    farthest, each = spread.argmax(axis=0), np.arange(len(columns))
    return Remedies(
        varying=fullest.varying,
        routes=routes,
        median_width=np.median(width, axis=1),
        largest_change=change.max(axis=1),
        changed_most=change.argmax(axis=1),
        spread=spread[farthest, each],
        spread_group=farthest,
        spread_share=(spread / width[-1])[farthest, each],
        divided=tuple(_divided(routes[1:], term) for term in fullest.varying),
        n_replicates=replicated.n_replicates,
        n_singular_replicates=replicated.n_singular,
    )


def _divided(routes: Sequence[Route], term: int) -> np.ndarray:
    if term == 0:
        return np.array([], dtype=np.int64)
    said = [excludes_zero(route.lower[:, term], route.upper[:, term]) for route in routes]
    return np.flatnonzero(np.ptp(said, axis=0))


def _of_fit(name: RouteName, fit: PartialPooling, varying: tuple[int, ...]) -> Route:
    sd = dict(zip(fit.varying, fit.sigma_group, strict=True))
    sigma_group = np.array([sd.get(k, np.nan) for k in varying])
    none = np.full(len(varying), np.nan)
    path = f"partial_pooling.{fit.flavour}"
    return Route(name, path, fit.coef, fit.lower, fit.upper, sigma_group, none, none, fit.sigma, fit.is_singular)


def _dropped(
    complete: CompletePooling, partial: Mapping[Flavour, PartialPooling], varying: tuple[int, ...], n_groups: int
) -> Route:
    """The simpler fit that is regular and describes the rows best; complete pooling if there is no simpler fit.

    All have the same fixed effects, so their REML criteria can be compared.
    """
    simpler = list(partial.values())[:-1]
    if simpler:
        best = min(simpler, key=lambda fit: (fit.is_singular, fit.criterion_value_scaled))
        return _of_fit("drop", best, varying)
    coef, lower, upper = (np.tile(row, (n_groups, 1)) for row in (complete.coef, complete.lower, complete.upper))
    none = np.full(len(varying), np.nan)
    return Route("drop", "complete_pooling", coef, lower, upper, none, none, none, complete.sigma, False)


def _refitted(products: ModelCrossProducts, fullest: PartialPooling, tolerance: float) -> tuple[Route, ...]:
    """The uncorrelated fit, if at least two terms vary, and the penalised fit, if there are enough rows and groups.

    With two groups the penalised criterion falls for ever as the spread grows.
    """
    q, routes = len(fullest.varying), list[tuple[RouteName, Estimated]]()
    if q > 1:
        routes.append(("uncorrelated", uncorrelated_fit(products, fullest.varying)))
    if products.n_rows - products.p > q and len(products.labels) >= FEWEST_PENALISED:
        routes.append(("penalised", penalised_fit(products, fullest.varying)))
    return tuple(_estimated(name, products, fullest.varying, fit, tolerance) for name, fit in routes)


def _estimated(
    name: RouteName, products: ModelCrossProducts, varying: tuple[int, ...], fit: Estimated, tolerance: float
) -> Route:
    model = mixed_model(products, varying)
    at = profile(model, fit.factor[lower_triangle(model.q)])
    coef = group_estimates(at, fit.factor, varying)
    coef[:, 0] += products.outcome_center
    half = Z_95 * joint_se(fit.sigma, at.m, model.ztw[..., :-1], at.unscaled_cov, varying)
    sd, none = np.sqrt(np.diag(fit.cov)), np.full(model.q, np.nan)
    singular = is_singular(fit.factor, tolerance)
    return Route(name, "", coef, coef - half, coef + half, sd, none, none, fit.sigma, singular)


def _bootstrapped(fit: PartialPooling, found: Bootstrap) -> Route:
    return Route(
        "bootstrap",
        f"partial_pooling.{fit.flavour}",
        fit.coef,
        found.lower,
        found.upper,
        fit.sigma_group,
        found.sigma_group_lower,
        found.sigma_group_upper,
        fit.sigma,
        fit.is_singular,
    )


def _of_bayes(fit: BayesFit) -> Route:
    groups, sd = fit.groups, fit.sigma_group
    return Route(
        "bayes",
        "bayes",
        groups.mean,
        groups.lower,
        groups.upper,
        sd.median,
        sd.lower,
        sd.upper,
        float(fit.sigma.median),
        None,
    )


def uncorrelated_fit(products: ModelCrossProducts, varying: tuple[int, ...]) -> Estimated:
    """REML with a diagonal covariance of the group effects; an SD of 0 is reachable."""
    batch, q = batch_of(products, varying), len(varying)
    scale, diagonal = natural_scale(batch)[0], np.arange(q)

    def objective(x: Floats, which: np.ndarray) -> tuple[Floats, Floats]:
        factor = (x * scale)[:, :, None] * np.eye(q)
        at = profiles(batch, factor)
        return at.value, scale * 2.0 * (at.covariance_gradient @ factor)[:, diagonal, diagonal]

    starts = np.array([[size] * q for size in STARTS])
    best = _lowest(objective, starts)
    factor = snapped(batch, np.diag(best * scale)[None])
    return Estimated(factor[0], float(profiles(batch, factor).sigma[0]))


def penalised_fit(products: ModelCrossProducts, varying: tuple[int, ...]) -> Estimated:
    """The maximum of the restricted likelihood times |Sigma|^(1/2): never on the boundary.

    At the maximum, sigma^2 = r^2 / (N' - q), where N' = rows less fixed effects, r^2 = N' times REML's profiled
    variance.
    """
    batch, q = batch_of(products, varying), len(varying)
    rows, columns = lower_triangle(q)
    scale = natural_scale(batch)[0, rows]

    def objective(x: Floats, which: np.ndarray) -> tuple[Floats, Floats]:
        value, gradient = _penalised(batch, factors(x * scale, q))
        return value, scale * gradient

    starts = np.array([size * (rows == columns) for size in STARTS])
    factor = factors((_lowest(objective, starts) * scale)[None], q)
    sigma = float(profiles(batch, factor).sigma[0] * np.sqrt(batch.df[0] / (batch.df[0] - q)))
    signs = np.sign(np.diagonal(factor[0]))
    return Estimated(factor[0] * signs, sigma)


def _penalised(batch: Batch, factor: Floats) -> tuple[Floats, Floats]:
    """Criterion (B,) - log|Sigma| with sigma profiled out, up to a constant, and its gradient by theta."""
    at, df, q = profiles(batch, factor), batch.df, batch.q
    rows, columns = lower_triangle(q)
    diagonal = np.diagonal(factor, axis1=1, axis2=2)
    value = at.value - 2.0 * q * np.log(at.sigma) - 2.0 * np.log(np.abs(diagonal)).sum(axis=1)
    g = at.covariance_gradient + (q / (df * at.sigma**2))[:, None, None] * at.vtv
    gradient = theta_gradient(g, factor)
    gradient[:, rows == columns] -= 2.0 / diagonal
    return value, gradient


def _lowest(objective: Objective, starts: Floats) -> Floats:
    """The best minimum reached from any of the starts (B, k)."""
    x, _ = minimise(objective, starts)
    return x[int(np.argmin(objective(x, np.arange(len(x)))[0]))]
