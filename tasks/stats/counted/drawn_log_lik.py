"""Log likelihoods of groups for many draws of the parameters at once, the group effects integrated out.

Draws of one posterior lie near each other, so that a group's mode moves by almost a straight line as the parameters
move: from the modes at the draws' mean, nodes of every draw are set where the modes' derivatives say. Nothing is
searched for a draw. With nodes a little off the mode, a rule with several is as good; whether they are near enough is
seen from the draws farthest from the mean, and if they are not, each draw's modes are searched. So they are with more
than two varying effects, where likelihoods are Laplace approximations. Not supported: overdispersed models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.counted.batches import batches
from tasks.stats.counted.design import Design, parts
from tasks.stats.counted.draws import CountedDraws
from tasks.stats.counted.group_modes import Modes, linear_of, mode_slopes, modes_of
from tasks.stats.counted.marginal_likelihood import by_group
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.outcomes import cumulant_of
from tasks.stats.counted.quadrature import MOST_DIMENSIONS, Rule, rule
from tasks.stats.counted.unconstrained import full_design
from tasks.stats.fits.small_matrices import cholesky
from tasks.stats.records import Floats

VALUES_AFFORDED = 16_000_000  # draws times cells
FEWEST_DRAWS = 400  # if there are as many
POINTS = {1: 11, 2: 5}  # per effect, about modes that were searched
NEAR_POINTS = {1: 7, 2: 7}  # about modes that were not
VALUES_AT_ONCE = 20_000  # draws times cells: arrays that stay in a cache
TRIED = 8  # draws farthest from the mean, by which nodes are judged
OFF_IN_GROUP, OFF_IN_ALL = 0.01, 0.05  # of a log likelihood: how far nodes may be off in a draw


@dataclass(frozen=True)
class ParameterDraws:
    """S draws of what the likelihood depends on."""

    beta: Floats  # (S, m) on the columns of the design's basis
    factor: Floats  # (S, q, q) lower; with its transpose the covariance of the group effects


@dataclass(frozen=True)
class DrawnLogLik:
    """What draws say of the groups that have cells."""

    draws: CountedDraws  # (C, D): those with group effects, all of them or evenly thinned
    design: Design
    of_groups: Floats  # (C, D, J) log likelihoods without constants

    @property
    def n_draws(self) -> int:
        return int(np.prod(self.of_groups.shape[:2]))


def drawn_log_lik(model: CountedModel, draws: CountedDraws, most: int | None = None) -> DrawnLogLik:
    """Of at most `most` draws, and of no more than are afforded."""
    n_cells, n = model.cells.events.size, int(np.prod(draws.group_coef.shape[:2]))
    kept = _thinned(draws, -(-n // min(most or n, max(VALUES_AFFORDED // n_cells, FEWEST_DRAWS))))
    design, at = full_design(model), parameter_draws(kept)
    return DrawnLogLik(kept, design, by_draw(design, at).reshape(*kept.beta.shape[:2], -1))


def _thinned(draws: CountedDraws, step: int) -> CountedDraws:
    """Every `step`-th of those that have group effects."""
    kept = slice(None, None, step * draws.group_thin)
    of_parameters = {name: getattr(draws, name)[:, kept] for name in ("beta", "sigma_group", "correlation")}
    return replace(draws, group_coef=draws.group_coef[:, ::step], **of_parameters)


def parameter_draws(draws: CountedDraws) -> ParameterDraws:
    """All of them, chain after chain."""
    beta, sd, correlation = (
        each.reshape(-1, *each.shape[2:]) for each in (draws.beta, draws.sigma_group, draws.correlation)
    )
    return ParameterDraws(beta, sd[:, :, None] * cholesky(correlation))


def by_draw(design: Design, at: ParameterDraws) -> Floats:
    """(S, J) log likelihoods of the design's groups, without constants."""
    modes = mean_modes(design, at)
    if design.q > MOST_DIMENSIONS:
        return about_searched_modes(design, at, modes.u)
    tried = _farthest(at)
    off = about_near_modes(design, tried, modes, at) - about_searched_modes(design, tried, modes.u)
    is_near = np.abs(off).max() <= OFF_IN_GROUP and np.ptp(off.sum(axis=1)) <= OFF_IN_ALL
    return about_near_modes(design, at, modes, at) if is_near else about_searched_modes(design, at, modes.u)


def mean_modes(design: Design, at: ParameterDraws) -> Modes:
    """At the mean of the draws."""
    linear = linear_of(design, at.beta.mean(axis=0), at.factor.mean(axis=0))
    return modes_of(design, linear, np.zeros((design.q, design.n_groups)))


def about_searched_modes(design: Design, at: ParameterDraws, start: Floats) -> Floats:
    """(S, J) by a rule about each draw's own modes, searched from `start` (q, J)."""
    values, nodes = np.empty((len(at.beta), design.n_groups)), rule(design.q, POINTS.get(design.q, 1))
    for batch in batches(design, at.beta, at.factor, start):
        found = by_group(batch.design, nodes, batch.linear, batch.start)
        values[batch.draws, batch.groups] = found.reshape(batch.shape)
    return values


def about_near_modes(design: Design, at: ParameterDraws, modes: Modes, whole: ParameterDraws) -> Floats:
    """(S, J) by a rule about where `modes`, those at the mean of `whole`, move by their derivatives."""
    n_draws, nodes = len(at.beta), rule(design.q, NEAR_POINTS[design.q])
    beta, factor = whole.beta.mean(axis=0), whole.factor.mean(axis=0)
    moved = np.hstack([at.beta - beta, (at.factor - factor).reshape(n_draws, -1)])
    slopes = mode_slopes(design, modes, factor)
    values = np.empty((n_draws, design.n_groups))
    for groups, piece in parts(design, max(1, VALUES_AT_ONCE // n_draws)):
        centre = modes.u[:, groups, None] + slopes[:, groups] @ moved.T
        found = _about(piece, at, nodes, centre, modes.root[groups])
        values[:, groups] = (found - 0.5 * modes.log_det[groups, None]).T
    return values


def _farthest(at: ParameterDraws) -> ParameterDraws:
    """Those in which any one parameter is farthest from its mean, in SDs."""
    every = np.concatenate([at.beta, at.factor.reshape(len(at.factor), -1)], axis=1)
    away = np.abs(every - every.mean(axis=0)) / np.maximum(every.std(axis=0), np.finfo(float).tiny)
    kept = np.argsort(-away.max(axis=1), kind="stable")[:TRIED]
    return ParameterDraws(at.beta[kept], at.factor[kept])


def _about(piece: Design, at: ParameterDraws, nodes: Rule, centre: Floats, root: Floats) -> Floats:
    """(J, S) about `centre` (q, J, S), but for the root's determinant. Draws lie side by side, summed as one."""
    base = piece.basis @ at.beta.T
    a = np.einsum("sab,ac->bcs", at.factor, piece.z)
    events, size = piece.events[:, None], piece.size[:, None]
    relative = np.empty((nodes.n_points, *centre.shape[1:]))
    for k, node in enumerate(nodes.nodes):
        u = centre + (root @ node).T[:, :, None]
        eta = base + a[0] * u[0, piece.group]
        for b in range(1, piece.q):
            eta += a[b] * u[b, piece.group]
        of_cells = events * eta - size * cumulant_of(piece.family, eta)
        of_groups = of_cells if piece.is_cell_per_group else np.add.reduceat(of_cells, piece.first, axis=0)
        relative[k] = of_groups - 0.5 * (u**2).sum(axis=0) + nodes.log_weights[k]
    top = relative.max(axis=0)
    relative -= top
    np.exp(relative, out=relative)
    return np.asarray(top + np.log(relative.sum(axis=0)))
