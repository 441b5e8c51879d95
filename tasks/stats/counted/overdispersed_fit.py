"""Maximum likelihood of overdispersed rows with group effects, by adaptive quadrature: is there overdispersion?

The twin of `tasks.stats.counted.partial_pooling` for rows of `tasks.stats.counted.overdispersed`. Nodes lie about each
group's mode with the spread of its expected information; scores are those of Fisher's identity, exact but for what the
rule leaves. The search, BFGS in the fixed effects, theta and log dispersion, starts from the fit without dispersion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtrc

from tasks.stats.counted.design import Basis, Design, basis_of, design_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.overdispersed import derivatives, log_density, weight
from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling_of
from tasks.stats.counted.quadrature import POINTS, Rule, rule
from tasks.stats.fits.batched_bfgs import minimise
from tasks.stats.fits.cells import Cells, constant_of
from tasks.stats.fits.reml import relative_factor
from tasks.stats.fits.small_matrices import inverse_and_log_det, inverse_root, lower_triangle
from tasks.stats.records import Floats

LOG_DISPERSION = (-25.0, 10.0)  # farther out nothing changes
NONE = -12.0  # a log dispersion that is none
TRIED = (-8.0, -6.0, -4.0, -2.5, -1.0)  # log dispersions that none is compared with
EXPECTED_GAIN, ARRIVED = 1e-8, 1e-4  # in the log likelihood: at which the search ends, and with which it has arrived
START = -1.5  # log dispersion
LEAST_SD = 0.1  # of group effects, where a search starts: at 0 it would stay
LONGEST_STEP = 5.0  # in the linear predictor of any of a group's rows
MOST_STEPS = 40
TOLERANCE = 1e-9  # of a group's log joint density: what the next step is expected to gain
ROUNDING = 1e-12  # relative: by how much the density may seem to fall
OFF_MODE = 300.0  # log weights above this are of absurd parameters, where no mode was reached
CHUNK = 100_000  # nodes times rows at once


@dataclass(frozen=True)
class OverdispersedFit:
    """On the link scale, as `CountedPartialPooling`; the dispersion is `tasks.stats.counted.overdispersed`'s."""

    fixef: Floats  # (p,) NaN for aliased terms
    theta: Floats  # (q (q + 1) / 2,)
    cov: Floats  # (q, q)
    dispersion: float
    log_lik: float
    log_lik_without: float  # of the same rows without overdispersion
    conditional_mode: Floats  # (J, q)
    conditional_cov: Floats  # (J, q, q) by expected information
    is_converged: bool

    @property
    def p_value(self) -> float:
        """Likelihood ratio on the boundary: half of it is at 0, half chi-squared (Self & Liang 1987, *JASA* 82)."""
        gain = self.log_lik - self.log_lik_without
        return float(0.5 * chdtrc(1.0, 2.0 * gain)) if gain > 0 else 1.0


def overdispersed_fit(
    model: CountedModel, start: CountedPartialPooling | None = None, points: int | None = None
) -> OverdispersedFit:
    """Fit a model, each of whose cells is taken for one row; `start` is a fit of the same terms and varying effects.

    25 points for one varying effect, 9 by 9 for two, unless `points` are given; one for more.
    """
    points = points or POINTS.get(len(model.varying), 1)
    model = replace(model, cells=_as_rows(model.cells))
    without = partial_pooling_of(model, "varying_intercept", start=start, points=points)
    basis = basis_of(model.design, model.cells.n_rows)
    design = design_of(model.cells, basis, np.ascontiguousarray(model.design[:, list(model.varying)].T))
    search = _Search(design, rule(design.q, points), np.zeros((design.q, design.n_groups)))
    if without.is_converged and _is_none_best(search, _start(basis, without, 0.0)):
        return _without(without)
    at, value, is_converged = _searched(search, _start(basis, without, LEAST_SD))
    if not value > without.log_lik or at[-1] <= NONE:
        return _without(without)
    fixed, theta = at[: design.m], at[design.m : -1]
    factor, modes = relative_factor(theta, design.q), search.modes_of(at)
    mode, cov = np.zeros((model.cells.n_groups, design.q)), np.tile(factor @ factor.T, (model.cells.n_groups, 1, 1))
    has_rows = np.unique(model.cells.group_index)
    mode[has_rows], cov[has_rows] = modes.u.T @ factor.T, factor @ modes.inverse @ factor.T
    return OverdispersedFit(
        fixef=basis.to_scaled @ fixed,
        theta=theta,
        cov=factor @ factor.T,
        dispersion=_dispersion(at),
        log_lik=value,
        log_lik_without=without.log_lik,
        conditional_mode=mode,
        conditional_cov=cov,
        is_converged=without.is_converged and is_converged,
    )


def _as_rows(cells: Cells) -> Cells:
    """With the constant of the cells: that of their rows, of 0 or 1 perhaps, is of another likelihood."""
    return replace(cells, constant=constant_of(cells.family, cells.events, cells.size))


def log_likelihood_and_score(
    model: CountedModel, fixef: Floats, theta: Floats, dispersion: float
) -> tuple[float, Floats]:
    """The log likelihood, and its derivative in `fixef`, `theta` and log dispersion; of terms that are not aliased."""
    x = model.design
    design = design_of(
        model.cells, Basis(x, np.eye(x.shape[1]), np.zeros(x.shape[1], dtype=bool)), x[:, list(model.varying)].T.copy()
    )
    search = _Search(design, rule(design.q, POINTS.get(design.q, 1)), np.zeros((design.q, design.n_groups)))
    return search.at(np.concatenate([fixef, theta, [np.log(dispersion)]]))


def _is_none_best(search: _Search, start: Floats) -> bool:
    """Whether the likelihood falls from no dispersion on, and is lower at all TRIED, all else being best without.

    At no dispersion, its slope is also that of the likelihood with all else at its best.
    """
    value, score = search.at(np.append(start[:-1], NONE))
    return score[-1] <= 0.0 and all(search.at(np.append(start[:-1], tried))[0] <= value for tried in TRIED)


def _without(fit: CountedPartialPooling) -> OverdispersedFit:
    return OverdispersedFit(
        fixef=fit.fixef,
        theta=fit.theta,
        cov=fit.cov,
        dispersion=0.0,
        log_lik=fit.log_lik,
        log_lik_without=fit.log_lik,
        conditional_mode=fit.conditional_mode,
        conditional_cov=fit.conditional_cov,
        is_converged=fit.is_converged,
    )


def _start(basis: Basis, fit: CountedPartialPooling, least_sd: float) -> Floats:
    kept = ~basis.is_aliased
    rows, columns = lower_triangle(fit.cov.shape[0])
    theta = np.where(rows == columns, np.maximum(fit.theta, least_sd), fit.theta)
    return np.concatenate([np.linalg.solve(basis.to_scaled[kept], fit.fixef[kept]), theta, [START]])


def _dispersion(parameters: Floats) -> float:
    return float(np.exp(np.clip(parameters[-1], *LOG_DISPERSION)))


def _searched(search: _Search, start: Floats) -> tuple[Floats, float, bool]:
    """Parameters, log likelihood, and whether the search arrived."""

    def falling(several: Floats, _: np.ndarray) -> tuple[Floats, Floats]:
        found = [search.at(parameters) for parameters in several]
        return np.array([-value for value, _ in found]), np.array([-score for _, score in found])

    reached, promised = minimise(falling, start[None], EXPECTED_GAIN)
    return reached[0], search.at(reached[0])[0], bool(promised[0] <= ARRIVED)


@dataclass(frozen=True)
class _Modes:
    u: Floats  # (q, J)
    inverse: Floats  # (J, q, q) of the expected curvature
    root: Floats  # (J, q, q)
    log_det: Floats  # (J,)


@dataclass(frozen=True)
class _Search:
    design: Design
    rule: Rule
    modes: Floats  # (q, J), overwritten

    def at(self, parameters: Floats) -> tuple[float, Floats]:
        """Log likelihood and score."""
        design, phi = self.design, _dispersion(parameters)
        base, a = self._linear(parameters)
        modes = self.modes_of(parameters)
        top = self._joint(base, a, modes.u, phi)
        total, of_eta = np.zeros(design.n_groups), np.zeros(design.events.size)
        of_u, of_dispersion = np.zeros((design.q, design.events.size)), np.zeros(design.events.size)
        step = max(1, CHUNK // design.events.size)
        for first in range(0, self.rule.n_points, step):
            nodes, log_weights = self.rule.nodes[first : first + step], self.rule.log_weights[first : first + step]
            u = modes.u + np.einsum("jab,kb->kaj", modes.root, nodes)
            spread = design.spread(u)
            eta = base + np.einsum("ac,kac->kc", a, spread)
            relative = self._joint_of(eta, u, phi) + log_weights[:, None] - top
            weights = np.exp(np.minimum(relative, OFF_MODE))
            by_eta, by_dispersion = derivatives(design.family, design.events, design.size, eta, phi)
            share = design.spread(weights)
            total += weights.sum(axis=0)
            of_eta += (share * by_eta).sum(axis=0)
            of_u += (share * by_eta * np.moveaxis(spread, 1, 0)).sum(axis=1)
            of_dispersion += (share * by_dispersion).sum(axis=0)
        value = float((top - 0.5 * modes.log_det + np.log(total)).sum())
        each = design.spread(total)
        rows, columns = lower_triangle(design.q)
        of_theta = ((design.z / each) @ of_u.T)[rows, columns]
        return value, np.concatenate([design.basis.T @ (of_eta / each), of_theta, [(of_dispersion / each).sum()]])

    def modes_of(self, parameters: Floats) -> _Modes:
        """By scoring from where the last parameters had theirs; a group whose step lowers its density takes half."""
        design, phi = self.design, _dispersion(parameters)
        base, a = self._linear(parameters)
        u, value = np.zeros_like(self.modes), self._joint(base, a, np.zeros_like(self.modes), phi)
        step = self.modes.copy()
        for _ in range(MOST_STEPS):
            tried = self._joint(base, a, u + step, phi)
            is_higher = tried >= value - ROUNDING * (1.0 + np.abs(value))
            u, value = np.where(is_higher, u + step, u), np.where(is_higher, tried, value)
            scoring, expected_gain = self._scoring(base, a, u, phi)
            step = np.where(is_higher, scoring, step / 2.0)
            if np.all(np.where(is_higher, expected_gain, np.abs(step).max(axis=0)) <= TOLERANCE):
                break
        self.modes[:] = u
        curvature = np.eye(design.q) + self._information(base, a, u, phi)
        inverse, log_det = inverse_and_log_det(curvature)
        return _Modes(u, inverse, inverse_root(curvature, inverse), log_det)

    def _linear(self, parameters: Floats) -> tuple[Floats, Floats]:
        """The linear predictor is base (C,) and a'u, with a (q, C)."""
        m = self.design.m
        return self.design.basis @ parameters[:m], relative_factor(parameters[m:-1], self.design.q).T @ self.design.z

    def _joint(self, base: Floats, a: Floats, u: Floats, phi: float) -> Floats:
        """(J,) log joint density of rows and effects u (q, J)."""
        return self._joint_of(base + (a * self.design.spread(u)).sum(axis=0), u, phi)

    def _joint_of(self, eta: Floats, u: Floats, phi: float) -> Floats:
        """(…, J) from eta (…, C) and u (…, q, J)."""
        design = self.design
        value = design.sums(log_density(design.family, design.events, design.size, eta, phi))
        return np.asarray(value - 0.5 * (u**2).sum(axis=-2))

    def _information(self, base: Floats, a: Floats, u: Floats, phi: float) -> Floats:
        """(J, q, q)"""
        design = self.design
        w = weight(design.family, design.size, base + (a * design.spread(u)).sum(axis=0), phi)
        return np.moveaxis(design.sums(w * a[:, None] * a), -1, 0)

    def _scoring(self, base: Floats, a: Floats, u: Floats, phi: float) -> tuple[Floats, Floats]:
        """(q, J) steps, which move no row's linear predictor by more than LONGEST_STEP; (J,) what they should gain."""
        design = self.design
        eta = base + (a * design.spread(u)).sum(axis=0)
        by_eta = derivatives(design.family, design.events, design.size, eta, phi)[0]
        gradient = design.sums(by_eta * a) - u
        inverse = inverse_and_log_det(np.eye(design.q) + self._information(base, a, u, phi))[0]
        step = np.einsum("jab,bj->aj", inverse, gradient)
        moved = np.abs((a * design.spread(step)).sum(axis=0))
        farthest = moved if design.is_cell_per_group else np.maximum.reduceat(moved, design.first)
        return step * (LONGEST_STEP / np.maximum(farthest, LONGEST_STEP)), 0.5 * (step * gradient).sum(axis=0)
