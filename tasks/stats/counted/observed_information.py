"""The information of the likelihood with the group effects integrated out, in one pass over the cells.

Louis (1982, J. R. Stat. Soc. B 44(2)): the information given the group effects, less the variance of the score given
them, both under the effects' own conditional distribution, which is that of the nodes of the quadrature. With a rule
that integrates well it is what differences of scores are, which cost two evaluations for each parameter.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.counted.design import Design
from tasks.stats.counted.group_modes import linear_of, modes_of
from tasks.stats.counted.marginal_likelihood import node_chunks, weights_and_rates
from tasks.stats.counted.outcomes import weight_and_change
from tasks.stats.counted.quadrature import Rule
from tasks.stats.fits.small_matrices import lower_triangle
from tasks.stats.records import Floats


def observed_information(design: Design, rule: Rule, fixed: Floats, factor: Floats, start: Floats) -> Floats:
    """(m + q (q + 1) / 2,) squared, in the order of the score; modes are searched from `start` (q, J)."""
    linear = linear_of(design, fixed, factor)
    modes = modes_of(design, linear, start)
    rows, columns = lower_triangle(design.q)
    powers = np.zeros((1 + design.q + design.q**2, design.events.size))
    weights, scores = [], []
    for at in node_chunks(design, rule):
        weight, rate = weights_and_rates(design, rule, linear, modes, at)
        u = modes.u + np.einsum("jab,kb->kaj", modes.root, rule.nodes[at])
        residual = design.events - design.size * rate
        of_theta = design.sums(residual[:, None] * design.z)[:, rows] * u[:, columns]
        of_fixed = np.stack([design.sums(each * design.basis.T) for each in residual])
        weights.append(weight)
        scores.append(np.concatenate([of_fixed, of_theta], axis=1))
        curved = design.spread(weight) * weight_and_change(design.family, rate)[0]
        squares = (u[:, :, None] * u[:, None]).reshape(len(u), -1, design.n_groups)
        for k, each in enumerate(np.concatenate([np.ones_like(u[:, :1]), u, squares], axis=1).swapaxes(0, 1)):
            powers[k] += (curved * design.spread(each)).sum(axis=0)
    weight = np.concatenate(weights)
    total = weight.sum(axis=0)
    powers *= design.size / design.spread(total)
    return _given_effects(design, powers) - _variance(np.concatenate(scores), weight / total)


def _given_effects(design: Design, powers: Floats) -> Floats:
    """Expected: `powers` (1 + q + q q, C) are expected curvatures of cells, times 1, the effects and their products."""
    q, (rows, columns) = design.q, lower_triangle(design.q)
    ones, effects, products = powers[0], powers[1 : 1 + q], powers[1 + q :].reshape(q, q, -1)
    of_fixed = design.basis.T @ (ones[:, None] * design.basis)
    mixed = design.basis.T @ (effects[columns] * design.z[rows]).T
    of_theta = (products[columns[:, None], columns] * design.z[rows][:, None] * design.z[rows]).sum(axis=-1)
    return np.block([[of_fixed, mixed], [mixed.T, of_theta]])


def _variance(scores: Floats, weights: Floats) -> Floats:
    """Summed over groups; `scores` (K, P, J), `weights` (K, J) that sum to 1."""
    away = scores - np.einsum("kj,kpj->pj", weights, scores)
    flat = np.swapaxes(np.sqrt(weights)[:, None] * away, 1, 2).reshape(-1, scores.shape[1])
    return np.asarray(flat.T @ flat)
