"""The REML (or ML) criterion of a linear mixed model in theta, its gradient, and its minimum.

Profiled as in Bates, Mächler, Bolker & Walker (2015), J. Stat. Softw. 67(1), sections 3.4 to 3.6, but
from per-group cross-products: with the relative factor L (q x q, lower), V_j = sigma^2 W_j,
W_j = I + Z_j L L' Z_j', and M_j = L (L' Z_j'Z_j L + I)^-1 L', everything needed is
Z_j' W_j^-1 Z_j, U_j = Z_j' W_j^-1 X_j and v_j = Z_j' W_j^-1 (y_j - X_j beta).

The gradient with respect to L is 2 G L with the symmetric matrix

    G = sum_j  Z_j'W_j^-1 Z_j  -  U_j C^-1 U_j'  -  (N - p) / r^2 v_j v_j',      C = X' W^-1 X,

which is also the gradient with respect to the relative covariance L L'. A minimum on the boundary is
therefore certified by G L = 0 and G positive semidefinite: no direction of variance would help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from tasks.stats.fits.batched_bfgs import minimise
from tasks.stats.fits.batched_reml import factors, theta_gradient
from tasks.stats.fits.closed_form import ClosedForm, closed_form, evaluate
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.small_matrices import inverse_and_log_det, lower_triangle, semidefinite_factor
from tasks.stats.records import Floats

Criterion = Literal["reml", "ml"]

THETA_LIMIT = 1e6  # group SDs in residual SDs: a search ends there
HARDLY_POOLED = 10.0  # group SDs in residual SDs
# Changes of the criterion (a deviance) up to this are ignored: by a Newton step, by setting a tiny variance to 0.
EXPECTED_GAIN_TOLERANCE = 1e-6


@dataclass(frozen=True)
class MixedModel:
    """The sums that the criterion needs. Z repeats the q columns of X whose effect varies by group."""

    ztz: Floats  # (J, q, q)
    ztw: Floats  # (J, q, p + 1) Z'[X y]
    wtw: Floats  # (p + 1, p + 1) [X y]'[X y] over all groups
    n_rows: int
    criterion: Criterion = "reml"

    @property
    def p(self) -> int:
        return self.wtw.shape[0] - 1

    @property
    def q(self) -> int:
        return self.ztz.shape[-1]

    @property
    def df(self) -> int:
        """Rows less the fixed effects for REML, rows for ML."""
        return self.n_rows - (self.p if self.criterion == "reml" else 0)


@dataclass(frozen=True)
class Profile:
    """The criterion at one theta, with what it profiles out."""

    value: float
    covariance_gradient: Floats  # (q, q) G
    theta_gradient: Floats  # (q (q + 1) / 2,)
    fixef: Floats  # (p,)
    unscaled_cov: Floats  # (p, p) C^-1: sigma^2 times this is the covariance of fixef
    sigma: float
    m: Floats  # (J, q, q) M_j: sigma^2 M_j is the conditional covariance of the group effects
    v: Floats  # (J, q) Z_j' W_j^-1 (y_j - X_j beta)


@dataclass(frozen=True)
class Slope:
    """The criterion at one relative covariance."""

    value: float
    covariance_gradient: Floats  # (q, q) G
    spread: Floats  # (q, q) sum of v v' over groups, in sigma^2


@dataclass(frozen=True)
class Search:
    """What a search for the minimum asks of a model. Each theta is evaluated once."""

    q: int
    n_groups: int
    slopes: Callable[[Floats], list[Slope]]  # at factors (B, q, q)
    known: dict[bytes, Slope] = field(default_factory=dict)

    def at(self, theta: Floats) -> Slope:
        return self.at_each(theta[None])[0]

    def at_each(self, thetas: Floats) -> list[Slope]:
        """At thetas (B, q (q + 1) / 2)."""
        keys = [theta.tobytes() for theta in thetas]
        new = [i for i, key in enumerate(keys) if key not in self.known]
        if new:
            found = self.slopes(factors(thetas[new], self.q))
            self.known.update(zip([keys[i] for i in new], found, strict=True))
        return [self.known[key] for key in keys]

    def gradient(self, theta: Floats) -> Floats:
        """(theta.size,)"""
        return _theta_gradient(self.at(theta).covariance_gradient, relative_factor(theta, self.q))


@dataclass(frozen=True)
class Optimum:
    theta: Floats
    profile: Profile
    converged: bool
    gradient_norm: float


def mixed_model(products: ModelCrossProducts, varying: tuple[int, ...], criterion: Criterion = "reml") -> MixedModel:
    columns = list(varying)
    return MixedModel(
        ztz=products.gram[:, columns][:, :, columns],
        ztw=products.gram[:, columns],
        wtw=products.gram.sum(axis=0),
        n_rows=products.n_rows,
        criterion=criterion,
    )


def relative_factor(theta: Floats, q: int) -> Floats:
    """(q, q) lower triangle from theta, filled column by column."""
    factor = np.zeros((q, q))
    factor[lower_triangle(q)] = theta
    return factor


def profile(model: MixedModel, theta: Floats) -> Profile:
    """Evaluate the criterion and its gradient at `theta` (q (q + 1) / 2,)."""
    factor = relative_factor(theta, model.q)
    a_inverse, log_det = inverse_and_log_det(factor.T @ model.ztz @ factor + np.eye(model.q))
    m = factor @ a_inverse @ factor.T
    m_ztw = m @ model.ztw
    u = model.ztw - model.ztz @ m_ztw
    s = model.wtw - _stacked(model.ztw).T @ _stacked(m_ztw)
    p = model.p
    c_inverse = np.linalg.inv(s[:p, :p]).astype(float, copy=False)
    fixef = c_inverse @ s[:p, p]
    r_squared = max(s[p, p] - s[p, :p] @ fixef, np.finfo(float).tiny + 1e-15 * model.wtw[p, p])
    v = u[..., p] - u[..., :p] @ fixef
    value = float(log_det.sum()) + model.df * (1.0 + np.log(2.0 * np.pi * r_squared / model.df))
    g = (model.ztz - model.ztz @ m @ model.ztz).sum(axis=0) - model.df / r_squared * (v.T @ v)
    if model.criterion == "reml":
        value += float(np.linalg.slogdet(s[:p, :p])[1])
        uc = u[..., :p] @ c_inverse
        g -= np.tensordot(uc, u[..., :p], axes=((0, 2), (0, 2)))
    return Profile(value, g, _theta_gradient(g, factor), fixef, c_inverse, float(np.sqrt(r_squared / model.df)), m, v)


def _theta_gradient(covariance_gradient: Floats, factor: Floats) -> Floats:
    return 2.0 * (covariance_gradient @ factor)[lower_triangle(len(factor))]


def fit(model: MixedModel) -> Optimum:
    """Minimise the criterion from interior and boundary starts; a minimum on the boundary is then proved or left."""
    search = _search(model)
    lowest = min(_descend(search, *_starts(search)), key=lambda theta: search.at(theta).value)
    theta, lower = _settle(search, lowest)
    for _ in range(4):
        if lower is None:
            break
        theta, lower = _settle(search, lower)
    best, free = profile(model, theta), _free(search, theta)
    converged = lower is None and _expected_gain(search, theta, free) < EXPECTED_GAIN_TOLERANCE
    return Optimum(theta, best, converged, float(np.abs(best.theta_gradient[free]).max(initial=0.0)))


def fit_near(model: MixedModel, theta: Floats) -> tuple[Floats, Profile]:
    """Theta and profile of the minimum near `theta`, which was fitted to nearly the same rows.

    Not proved to be the lowest minimum.
    """
    search = _search(model)
    theta, lower = _settle(search, *_descend(search, theta))
    if lower is not None:
        theta, _ = _settle(search, lower)
    return theta, profile(model, theta)


def _search(model: MixedModel) -> Search:
    """Closed forms for one or two varying effects, else the profile itself."""
    if model.q > 2:
        at = lower_triangle(model.q)
        return Search(model.q, len(model.ztz), lambda several: [_slope(profile(model, one[at])) for one in several])
    data = closed_form_of(model)
    return Search(model.q, len(model.ztz), lambda several: _slopes(data, several))


def closed_form_of(model: MixedModel) -> ClosedForm:
    """Of a model with one or two varying effects."""
    ztz, ztw = np.moveaxis(model.ztz, 0, -1)[None].copy(), np.moveaxis(model.ztw, 0, -1)[None].copy()
    data = closed_form(ztz, ztw, model.wtw[None], np.array([float(model.df)]))
    return replace(data, restricted=model.criterion == "reml")


def _slopes(data: ClosedForm, several: Floats) -> list[Slope]:
    found = evaluate(data, several)
    return [
        Slope(float(value), gradient, spread)
        for value, gradient, spread in zip(found.value, found.covariance_gradient, found.spread, strict=True)
    ]


def _slope(at: Profile) -> Slope:
    return Slope(at.value, at.covariance_gradient, at.v.T @ at.v / at.sigma**2)


def _settle(search: Search, theta: Floats) -> tuple[Floats, Floats | None]:
    """The minimum at `theta`; and a lower point if it is no minimum after all, else None."""
    theta = _polish(search, _snap_to_boundary(search, theta))
    return theta, _escape(search, theta)


def _stacked(rows: Floats) -> Floats:
    """(J q, k) from (J, q, k)."""
    return rows.reshape(-1, rows.shape[-1])


def _diagonal(q: int) -> np.ndarray:
    rows, columns = lower_triangle(q)
    return rows == columns


def _starts(search: Search) -> list[Floats]:
    """Two interior starts, moderate and from the groups' own estimates, and a boundary start per varying effect."""
    diagonal = _diagonal(search.q).astype(float)
    rows, _ = lower_triangle(search.q)
    boundary = [diagonal * (rows == k) for k in range(search.q)] if search.q > 1 else [0.0 * diagonal]
    return [0.3 * diagonal, _spread_of_groups(search), *boundary]


def _spread_of_groups(search: Search) -> Floats:
    """The theta of hardly pooled group effects. From there, the search finds a minimum due to outlying groups."""
    at = search.at(HARDLY_POOLED * _diagonal(search.q))
    return semidefinite_factor(HARDLY_POOLED**4 * at.spread / search.n_groups)[lower_triangle(search.q)]


def _descend(search: Search, *starts: Floats) -> list[Floats]:
    """The thetas that BFGS reaches from each start, with no negative element on the diagonal.

    It needs no bounds: the criterion is an even function of each column of the factor.
    """

    def objective(thetas: Floats, _: np.ndarray) -> tuple[Floats, Floats]:
        try:
            found = search.at_each(thetas)
        except np.linalg.LinAlgError:
            found = [_at_or_nowhere(search, theta) for theta in thetas]
        gradient = theta_gradient(np.array([at.covariance_gradient for at in found]), factors(thetas, search.q))
        return np.array([at.value for at in found]), gradient

    reached, _ = minimise(objective, np.array(starts), tolerance=1e-8, farthest=THETA_LIMIT, is_race=True)
    return [_unsigned(theta, search.q) for theta in reached]


def _at_or_nowhere(search: Search, theta: Floats) -> Slope:
    """The criterion is infinite, and flat, so far out that rounding leaves nothing of the fixed effects."""
    try:
        return search.at(theta)
    except np.linalg.LinAlgError:
        return Slope(np.inf, *np.zeros((2, search.q, search.q)))


def _unsigned(theta: Floats, q: int) -> Floats:
    """The same covariance, from a factor with no negative element on the diagonal."""
    _, columns = lower_triangle(q)
    return theta * np.where(theta[_diagonal(q)] < 0, -1.0, 1.0)[columns]


def _snap_to_boundary(search: Search, theta: Floats) -> Floats:
    """Theta with almost no variance in a direction set to none, if the criterion hardly rises; else `theta`."""
    factor = relative_factor(theta, search.q)
    snapped = semidefinite_factor(factor @ factor.T, tolerance=1e-6)[lower_triangle(search.q)]
    allowed = search.at(theta).value + EXPECTED_GAIN_TOLERANCE
    return snapped if search.at(snapped).value <= allowed else theta


def _free(search: Search, theta: Floats) -> np.ndarray:
    """(theta.size,) whether a small step may change an element of theta: not in a column that is wholly 0."""
    _, columns = lower_triangle(search.q)
    return np.array([np.any(theta[columns == c] != 0.0) for c in columns])


def _hessian(search: Search, theta: Floats, free: np.ndarray) -> Floats:
    steps = np.eye(theta.size)[free] * 1e-5 * np.maximum(1.0, np.abs(theta[free]))[:, None]
    search.at_each(np.concatenate([theta + steps, theta - steps]))
    rows = [(search.gradient(theta + s) - search.gradient(theta - s))[free] / (2 * s.sum()) for s in steps]
    return (np.array(rows) + np.array(rows).T) / 2.0


def _newton_step(search: Search, theta: Floats, free: np.ndarray) -> Floats | None:
    """(theta.size,) the step; None if the curvature is not that of a minimum."""
    hessian = _hessian(search, theta, free)
    if np.linalg.eigvalsh(hessian)[0] <= 0:
        return None
    step = np.zeros_like(theta)
    step[free] = -np.linalg.solve(hessian, search.gradient(theta)[free])
    return step


def _polish(search: Search, theta: Floats) -> Floats:
    """Theta after a few Newton steps in its free elements, as L-BFGS-B stops early where the criterion is flat."""
    free, value = _free(search, theta), search.at(theta).value
    for _ in range(5):
        step = _newton_step(search, theta, free) if free.any() else None
        if step is None or np.abs(step).max() < 1e-10:
            break
        candidate = theta + step
        if np.any(candidate[_diagonal(search.q)] < 0):
            break
        lower = search.at(candidate).value
        if lower > value + 1e-9:
            break
        theta, value = candidate, lower
        if np.abs(step).max() < 1e-5:  # the next one would be about this squared
            break
    return theta


def _expected_gain(search: Search, theta: Floats, free: np.ndarray) -> float:
    if not free.any():
        return 0.0
    step = _newton_step(search, theta, free)
    return np.inf if step is None else float(-0.5 * step @ search.gradient(theta))


def _escape(search: Search, theta: Floats) -> Floats | None:
    """A lower point, reached by adding variance in some direction; None at a minimum, on the boundary or not."""
    start = _escape_direction(search, theta)
    if start is None:
        return None
    (lower,) = _descend(search, start)
    gain = search.at(theta).value - search.at(lower).value
    return lower if gain > EXPECTED_GAIN_TOLERANCE else None


def _escape_direction(search: Search, theta: Floats) -> Floats | None:
    """A start just inside the boundary with a lower criterion, by added variance in some direction; None if there is
    none."""
    factor = relative_factor(theta, search.q)
    covariance = factor @ factor.T
    at = search.at(theta)
    values, vectors = np.linalg.eigh(at.covariance_gradient)
    if values[0] >= -1e-6 * max(1.0, np.abs(values).max()):
        return None
    direction = np.outer(vectors[:, 0], vectors[:, 0]) + 1e-10 * np.eye(search.q)
    largest = 0.01 * max(0.1, float(np.trace(covariance)))
    for size in largest * 10.0 ** -np.arange(7.0):
        inside = semidefinite_factor(covariance + size * direction)[lower_triangle(search.q)]
        if search.at(inside).value < at.value:
            return inside
    return None
