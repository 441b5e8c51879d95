"""The mode of each group's effects given the parameters, by Newton's method damped and vectorised over groups.

Group effects are b_j = L u_j with the covariance's lower factor L and u_j standard normal: where L is 0 or singular,
nothing need be inverted. A group's log joint density h(u) = sum of log likelihoods - u'u / 2 is strictly concave: its
curvature is 1 or more in every direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.design import Design
from tasks.stats.counted.outcomes import cumulant_and_rate, weight_and_change
from tasks.stats.fits.small_matrices import inverse_and_log_det, inverse_root
from tasks.stats.records import Floats

MOST_STEPS = 150
LONGEST_STEP = 5.0  # in the linear predictor of any of a group's cells: counts overshoot far otherwise
# A step's expected gain in h. Convergence is quadratic: the mode that a step this small reaches is exact to rounding.
EXPECTED_GAIN_TOLERANCE = 1e-18
ROUNDING = 1e-12  # relative: by how much h may seem to fall


@dataclass(frozen=True)
class Linear:
    """The linear predictor of a cell is base + a'u."""

    base: Floats  # (C,)
    a: Floats  # (q, C) L' z
    events_base: Floats  # (J,) sums of events * base
    events_a: Floats  # (q, J) sums of events * a

    def eta(self, u_of_cell: Floats) -> Floats:
        """(…, C) from (…, q, C)."""
        eta = self.base + self.a[0] * u_of_cell[..., 0, :]
        for k in range(1, len(self.a)):
            eta += self.a[k] * u_of_cell[..., k, :]
        return eta

    def log_joint(self, u: Floats, cumulants: Floats) -> Floats:
        """(…, J) h, from u (…, q, J) and sums of size * A (…, J)."""
        value = self.events_base - cumulants
        for k in range(len(self.a)):
            value += (self.events_a[k] - 0.5 * u[..., k, :]) * u[..., k, :]
        return value


@dataclass(frozen=True)
class Modes:
    """What is known at the modes. The curvature is minus the second derivative of h."""

    u: Floats  # (q, J)
    value: Floats  # (J,) h
    rate: Floats  # (C,)
    inverse: Floats  # (J, q, q) of the curvature
    root: Floats  # (J, q, q) root @ root' is the inverse; with two effects it is lower triangular
    log_det: Floats  # (J,) of the curvature


@dataclass(frozen=True)
class _Joint:
    value: Floats  # (J,)
    gradient: Floats  # (q, J)
    of_outcomes: Floats  # (J, q, q) what the outcomes add to the curvature of the normal density, 1
    rate: Floats  # (C,)


def linear_of(design: Design, fixed: Floats, factor: Floats) -> Linear:
    """At fixed effects (m,) on the basis and the lower factor (q, q) of the group effects' covariance."""
    base, a = design.basis @ fixed, factor.T @ design.z
    return Linear(base, a, design.sums(design.events * base), design.sums(design.events * a))


def modes_of(design: Design, linear: Linear, start: Floats, gain_tolerance: float = EXPECTED_GAIN_TOLERANCE) -> Modes:
    """From `start` (q, J), the modes of nearby parameters, or from 0 where h is higher there.

    A group whose step lowers h takes half of it; one whose start does, starts from 0. The next step's expected gain in
    h is at most `gain_tolerance`.
    """
    u, step = np.zeros_like(start), start
    value = linear.events_base - design.sums(design.size * cumulant_and_rate(design.family, linear.base)[0])
    for k in range(MOST_STEPS):
        tried = u + step
        at = _joint(design, linear, tried)
        is_higher = at.value >= value - ROUNDING * (1.0 + np.abs(at.value))
        inverse, log_det = _inverse_and_log_det(at.of_outcomes)
        newton = np.einsum("jab,bj->aj", inverse, at.gradient) if design.q > 1 else inverse[:, 0, 0] * at.gradient
        if is_higher.all():
            u, value, step = tried, at.value, _limited(design, linear, newton)
        else:
            u, value = np.where(is_higher, tried, u), np.where(is_higher, at.value, value)
            step = np.where(is_higher, _limited(design, linear, newton), step / 2.0 if k else 0.0)
        if is_higher.all() and 0.5 * (newton * at.gradient).sum(axis=0).max() <= gain_tolerance:
            break
    return Modes(tried, at.value, at.rate, inverse, _root(at.of_outcomes, inverse), log_det)


def mode_slopes(design: Design, modes: Modes, factor: Floats) -> Floats:
    """(q, J, m + q q) derivatives of the modes in the fixed effects and in `factor` (q, q), row by row.

    A mode has a'r = u with residuals r: so its move is that of a'r, the mode being held, by the curvature's inverse.
    """
    a, weight = factor.T @ design.z, design.size * weight_and_change(design.family, modes.rate)[0]
    residual, q = design.events - design.size * modes.rate, design.q
    moves = np.empty((q, design.n_groups, design.m + q * q))
    for b in range(q):
        weighted = weight * a[b]
        moves[b, :, : design.m] = -design.sums(weighted * design.basis.T).T
        for row, column in np.ndindex(q, q):
            move = -design.sums(weighted * design.z[row]) * modes.u[column]
            own = design.sums(residual * design.z[row]) if b == column else 0.0
            moves[b, :, design.m + row * q + column] = move + own
    return np.einsum("jab,bjk->ajk", modes.inverse, moves)


def _joint(design: Design, linear: Linear, u: Floats) -> _Joint:
    cumulant, rate = cumulant_and_rate(design.family, linear.eta(design.spread(u)))
    expected = design.size * rate
    weight = design.size * weight_and_change(design.family, rate)[0]
    of_outcomes = np.empty((design.n_groups, design.q, design.q))
    for k in range(design.q):
        for other in range(k + 1):
            summed = design.sums(weight * linear.a[k] * linear.a[other])
            of_outcomes[:, k, other] = of_outcomes[:, other, k] = summed
    return _Joint(
        linear.log_joint(u, design.sums(design.size * cumulant)),
        linear.events_a - design.sums(expected * linear.a) - u,
        of_outcomes,
        rate,
    )


def _inverse_and_log_det(of_outcomes: Floats) -> tuple[Floats, Floats]:
    """Of I + A, with A = `of_outcomes` positive semidefinite. For two effects det(I + A) = 1 + tr(A) + det(A), whose
    terms are not negative and do not cancel, however near to singular A is.
    """
    q = of_outcomes.shape[-1]
    if q != 2:
        return inverse_and_log_det(of_outcomes + np.eye(q))
    first, second, both = of_outcomes[:, 0, 0], of_outcomes[:, 1, 1], of_outcomes[:, 0, 1]
    det = 1.0 + first + second + np.maximum(first * second - both**2, 0.0)
    inverse = np.empty_like(of_outcomes)
    inverse[:, 0, 0], inverse[:, 1, 1] = (1.0 + second) / det, (1.0 + first) / det
    inverse[:, 0, 1] = inverse[:, 1, 0] = -both / det
    return inverse, np.log(det)


def _root(of_outcomes: Floats, inverse: Floats) -> Floats:
    """(J, q, q) of the inverse; of two effects its last element is the conditional SD of the second given the first."""
    q = of_outcomes.shape[-1]
    if q != 2:
        return inverse_root(of_outcomes + np.eye(q), inverse)
    root = np.zeros_like(inverse)
    root[:, 0, 0] = np.sqrt(inverse[:, 0, 0])
    root[:, 1, 0] = inverse[:, 1, 0] / root[:, 0, 0]
    root[:, 1, 1] = 1.0 / np.sqrt(1.0 + of_outcomes[:, 1, 1])
    return root


def _limited(design: Design, linear: Linear, step: Floats) -> Floats:
    """(q, J) steps that move no cell's linear predictor by more than LONGEST_STEP."""
    moved = np.abs((linear.a * design.spread(step)).sum(axis=0))
    if moved.max() <= LONGEST_STEP:
        return step
    farthest = moved if design.is_cell_per_group else np.maximum.reduceat(moved, design.first)
    return step * (LONGEST_STEP / np.maximum(farthest, LONGEST_STEP))
