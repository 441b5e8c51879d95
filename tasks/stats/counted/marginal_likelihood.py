"""The log likelihood with the group effects integrated out by adaptive quadrature, and its score.

At the nodes u_k = mode + root zeta_k, a group's likelihood is |root| sum_k w_k exp(h(u_k)). The score is that of
Fisher's identity, the expectation of the score given u under the weights of the nodes, and what the nodes' own moves
add to it: nothing for an exact integral, little for a good rule, and for the Laplace approximation the change of the
curvature. So the score is exactly that of the value, with any number of points. It needs no derivative per parameter:
if the curvature changes by dH, then d root = - root P(S), with P the lower triangle, its diagonal halved, of
S = root' dH root.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.design import Design
from tasks.stats.counted.group_modes import Linear, Modes, linear_of, modes_of
from tasks.stats.counted.outcomes import cumulant_and_rate, weight_and_change
from tasks.stats.counted.quadrature import Rule
from tasks.stats.fits.small_matrices import lower_triangle
from tasks.stats.records import Floats

VALUES_AT_ONCE = 20_000  # nodes times cells: arrays that stay in a cache
CELLS_AT_ONCE = 10_000  # of a piece of the design
GAIN_TOLERANCE = 1e-3  # of modes, in the log density: with several nodes, some a little off the mode are as good
OFF_MODE = 300.0  # log weights above this are of absurd parameters, where no mode was reached


@dataclass(frozen=True)
class Evaluated:
    """The log likelihood, without `Cells.constant`, at one set of parameters."""

    value: float
    score: Floats  # (m + q (q + 1) / 2,) in the fixed effects, then in theta, column-major
    modes: Modes


@dataclass(frozen=True)
class _Integral:
    """Each group's integral relative to |root| exp(h(mode)), and expectations under the nodes' weights."""

    total: Floats  # (J,)
    zeta: Floats  # (q, J)
    zeta_zeta: Floats  # (q, q, J)
    rate: Floats  # (C,)
    rate_zeta: Floats  # (q, C)


def evaluate(design: Design, rule: Rule, fixed: Floats, factor: Floats, start: Floats) -> Evaluated:
    """At fixed effects (m,) on the basis and the lower factor (q, q); modes are searched from `start` (q, J)."""
    linear = linear_of(design, fixed, factor)
    modes = modes_of(design, linear, start)
    integral = _integral(design, rule, linear, modes)
    value = float((modes.value - 0.5 * modes.log_det + np.log(integral.total)).sum())
    return Evaluated(value, _score(design, linear, modes, integral), modes)


def by_group(
    design: Design, rule: Rule, linear: Linear, start: Floats, gain_tolerance: float = GAIN_TOLERANCE
) -> Floats:
    """(J,) log likelihoods of the groups, without a score. Modes are searched from `start` (q, J)."""
    modes = modes_of(design, linear, start, gain_tolerance)
    total = np.zeros(design.n_groups)
    for at in node_chunks(design, rule):
        total += weights_and_rates(design, rule, linear, modes, at)[0].sum(axis=0)
    return np.asarray(modes.value - 0.5 * modes.log_det + np.log(total))


def covariance_score_of(design: Design, rule: Rule, fixed: Floats, factor: Floats, start: Floats) -> Floats:
    """(q, q) the derivative of the log likelihood in the covariance of the group effects, also where it is singular.

    Half the sum over groups of E[(Z'r)(Z'r)' - Z'WZ], with residuals r and weights W given the group effects, as the
    normal density's derivative in its covariance is half its second derivative. With few points it is approximate.
    """
    linear = linear_of(design, fixed, factor)
    modes = modes_of(design, linear, start)
    q, total = design.q, np.zeros(design.n_groups)
    sums = np.zeros((q, q, design.n_groups))
    for at in node_chunks(design, rule):
        weights, rate = weights_and_rates(design, rule, linear, modes, at)
        residual = design.events - design.size * rate
        weight = design.size * weight_and_change(design.family, rate)[0]
        of_z = [design.sums(residual * z) for z in design.z]
        for i, k in np.ndindex(q, q):
            sums[i, k] += (weights * (of_z[i] * of_z[k] - design.sums(weight * design.z[i] * design.z[k]))).sum(axis=0)
        total += weights.sum(axis=0)
    return np.asarray(0.5 * (sums / total).sum(axis=-1))


def weights_and_rates(design: Design, rule: Rule, linear: Linear, modes: Modes, at: slice) -> tuple[Floats, Floats]:
    """Of some nodes, exp(h(u) - h(mode)) w (K, J) and rates (K, C)."""
    u = modes.u + np.einsum("jab,kb->kaj", modes.root, rule.nodes[at])
    cumulant, rate = cumulant_and_rate(design.family, linear.eta(design.spread(u)))
    relative = linear.log_joint(u, design.sums(design.size * cumulant))
    relative += rule.log_weights[at, None] - modes.value
    return np.exp(np.minimum(relative, OFF_MODE)), rate


def node_chunks(design: Design, rule: Rule) -> list[slice]:
    """The nodes that are computed at once."""
    step = max(1, VALUES_AT_ONCE // design.events.size)
    return [slice(start, start + step) for start in range(0, rule.n_points, step)]


def _integral(design: Design, rule: Rule, linear: Linear, modes: Modes) -> _Integral:
    q = design.q
    of_groups, of_cells = np.zeros((1 + q + q * q, design.n_groups)), np.zeros((1 + q, design.events.size))
    zeta = rule.nodes
    powers = np.column_stack([np.ones(len(zeta)), zeta, (zeta[:, :, None] * zeta[:, None]).reshape(-1, q * q)])
    for at in node_chunks(design, rule):
        weights, rate = weights_and_rates(design, rule, linear, modes, at)
        of_groups += powers[at].T @ weights
        of_cells += powers[at, : 1 + q].T @ (rate * design.spread(weights))
    of_cells /= design.spread(of_groups[0])
    total = of_groups[0].copy()
    of_groups /= total
    squares = of_groups[1 + q :].reshape(q, q, -1)
    return _Integral(total, of_groups[1 : 1 + q], squares, of_cells[0], of_cells[1:])


def _score(design: Design, linear: Linear, modes: Modes, integral: _Integral) -> Floats:
    """Fisher's identity, and what the moves of the modes and of the roots add: cell by cell, then summed up."""
    a, spread, root = linear.a, design.spread, np.moveaxis(modes.root, 0, -1)
    residual = design.events - design.size * integral.rate
    residual_zeta = design.events * spread(integral.zeta) - design.size * integral.rate_zeta
    of_u = spread(modes.u) * residual + np.einsum("abc,bc->ac", spread(root), residual_zeta)
    gradient = design.sums(a * residual) - modes.u - np.einsum("abj,bj->aj", root, integral.zeta)
    m = _of_curvature(design, linear, modes, integral, residual_zeta)
    weight, change = weight_and_change(design.family, modes.rate)
    m_a = np.einsum("abc,bc->ac", spread(m), a)
    by_change = design.size * change * (a * m_a).sum(axis=0)
    weight = weight * design.size
    moved = spread(np.einsum("jab,bj->aj", modes.inverse, gradient - design.sums(a * by_change)))
    added = -by_change - weight * (a * moved).sum(axis=0)
    at_mode = design.events - design.size * modes.rate
    of_u += added * spread(modes.u) + at_mode * moved - 2.0 * weight * m_a
    rows, columns = lower_triangle(design.q)
    return np.concatenate([design.basis.T @ (residual + added), (design.z @ of_u.T)[rows, columns]])


def _of_curvature(design: Design, linear: Linear, modes: Modes, integral: _Integral, residual_zeta: Floats) -> Floats:
    """(q, q, J) M: a change dH of the curvature changes the log likelihood by - tr(M dH), the mode being held.

    M = root N root', N symmetric with the halved lower triangle of K, K = E[root' h'(u) zeta'] + I. K is 0 for an exact
    integral, by Stein's identity.
    """
    root = np.moveaxis(modes.root, 0, -1)
    of_h = design.sums(linear.a[:, None] * residual_zeta) - modes.u[:, None] * integral.zeta
    of_h -= np.einsum("abj,bcj->acj", root, integral.zeta_zeta)
    k = np.einsum("baj,bcj->acj", root, of_h) + np.eye(design.q)[..., None]
    lower = k * (0.5 * np.tri(design.q)[..., None])
    n = lower + np.swapaxes(lower, 0, 1) - lower * np.eye(design.q)[..., None]
    return np.einsum("abj,bcj,dcj->adj", root, n, root)
