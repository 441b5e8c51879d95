"""Ways on after a singular fit of a counted outcome, each of them run: the twin of `tasks.stats.judged.remedies`.

- intercept: levels alone vary.
- drop: one of the effects no longer varies (Barr, Levy, Scheepers & Tily 2013 warn of leaving out what may be there).
- complete: no effect varies; standard errors are clustered by group, which is what is left of the differences.

All are by quadrature, of the same rows with the same fixed effects, so that likelihoods and AIC can be compared; an AIC
counts variances and covariances as parameters, on the boundary or not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tasks.stats.counted.glm import complete_rates
from tasks.stats.counted.group_estimates import group_estimates
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling_of
from tasks.stats.fits.intervals import Z_95
from tasks.stats.records import Flavour, Floats

RouteName = Literal["singular_fit", "intercept", "drop", "complete"]


@dataclass(frozen=True)
class CountedRoute:
    """The estimates of every group on one way, on the link scale; intervals are 1.96 standard errors to both sides."""

    name: RouteName
    term: str  # that no longer varies, on the way "drop"; else ""
    varying: tuple[int, ...]
    coef: Floats  # (J, p) as `tasks.stats.counted.group_estimates` describes a group
    lower: Floats  # (J, p)
    upper: Floats  # (J, p)
    sigma_group: Floats  # (q,) of the singular fit's varying effects; NaN where one no longer varies
    log_lik: float
    n_parameters: int
    is_singular: bool
    is_converged: bool

    @property
    def aic(self) -> float:
        return 2.0 * self.n_parameters - 2.0 * self.log_lik


@dataclass(frozen=True)
class CountedRemedies:
    """`routes` begins with the singular fit itself and ends with complete pooling."""

    varying: tuple[int, ...]  # q, of the singular fit
    routes: tuple[CountedRoute, ...]

    @property
    def lowest_aic(self) -> int:
        """The position of the route with the lowest AIC, among those that converged."""
        return int(np.argmin([route.aic if route.is_converged else np.inf for route in self.routes]))

    @property
    def spread(self) -> Floats:
        """(q,) largest difference of a group's estimate between any two routes."""
        several = np.array([route.coef[:, list(self.varying)] for route in self.routes if route.is_converged])
        return np.asarray(np.ptp(several, axis=0).max(axis=0))


def counted_remedies(
    model: CountedModel, fit: CountedPartialPooling, singular_tolerance: float = 1e-4
) -> CountedRemedies | None:
    """Every way on if the `fit` of `model` is singular, else None."""
    if not fit.is_singular:
        return None
    routes = [_of_fit("singular_fit", "", model, fit, fit.varying)]
    if fit.varying != (0,):
        routes.append(_refitted("intercept", "", model, (0,), fit.varying, singular_tolerance))
    for k in fit.varying:
        rest = tuple(other for other in fit.varying if other != k)
        if rest and rest != (0,):
            routes.append(_refitted("drop", model.cells.terms[k], model, rest, fit.varying, singular_tolerance))
    routes.append(_complete(model, fit.varying))
    return CountedRemedies(fit.varying, tuple(routes))


def _refitted(
    name: RouteName, term: str, model: CountedModel, varying: tuple[int, ...], of: tuple[int, ...], tolerance: float
) -> CountedRoute:
    other = replace(model, varying=varying)
    return _of_fit(name, term, other, partial_pooling_of(other, _flavour(varying), tolerance), of)


def _flavour(varying: tuple[int, ...]) -> Flavour:
    if varying == (0,):
        return "varying_intercept"
    return "varying_intercept_slope" if 0 in varying else "varying_slope"


def _of_fit(
    name: RouteName, term: str, model: CountedModel, fit: CountedPartialPooling, of: tuple[int, ...]
) -> CountedRoute:
    coef, se = group_estimates(model, fit)
    sd = dict(zip(fit.varying, fit.sigma_group, strict=True))
    return CountedRoute(
        name=name,
        term=term,
        varying=fit.varying,
        coef=coef,
        lower=coef - Z_95 * se,
        upper=coef + Z_95 * se,
        sigma_group=np.array([sd.get(k, np.nan) for k in of]),
        log_lik=fit.log_lik,
        n_parameters=fit.n_parameters,
        is_singular=fit.is_singular,
        is_converged=fit.is_converged,
    )


def _complete(model: CountedModel, of: tuple[int, ...]) -> CountedRoute:
    """NaN where the regression has no estimates."""
    fit, p = complete_rates(model.cells, model.scaling), model.n_own
    contrast = np.tile(np.eye(len(fit.coef))[:p], (model.cells.n_groups, 1, 1))
    contrast[:, 0, p:] = model.group_values
    coef = contrast @ fit.coef
    half = Z_95 * np.sqrt(np.einsum("jka,ab,jkb->jk", contrast, fit.robust_cov, contrast, optimize=True))
    return CountedRoute(
        name="complete",
        term="",
        varying=(),
        coef=coef,
        lower=coef - half,
        upper=coef + half,
        sigma_group=np.full(len(of), np.nan),
        log_lik=fit.log_likelihood,
        n_parameters=len(fit.coef),
        is_singular=False,
        is_converged=not fit.problem,
    )
