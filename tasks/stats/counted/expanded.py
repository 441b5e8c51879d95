"""A posterior density that is quick where cells are many: of groups whose levels are known well, by their expansion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.bayes.resampling import Normal
from tasks.stats.counted.design import of_groups
from tasks.stats.counted.expansion import Expansion, expansion_of, log_likelihood, polynomials
from tasks.stats.counted.few_nodes import CHECKED, LARGEST_ERROR
from tasks.stats.counted.group_draws import levels
from tasks.stats.counted.outcomes import cumulant_and_rate, weight_and_change
from tasks.stats.counted.quadrature import POINTS, rule
from tasks.stats.counted.unconstrained import CountedMarginal, CountedParameters
from tasks.stats.records import Floats

FEW_CELLS = 20_000  # up to these, cells themselves are quick
KNOWN_SD = 0.15  # of a group's level given the parameters, on the link's scale: farther out, the series is too short
WORTH_IT = 0.5  # the share of cells that must be of such groups
MOST_SLOPES = 40  # as powers up to the fourth are kept of all slopes together
MOST_VALUES = 20_000_000  # of the expansion
LEVEL_POINTS = 9  # of the quadrature over a level


@dataclass(frozen=True)
class Expanded:
    """The interface of `FewNodes`."""

    marginal: CountedMarginal  # of the groups that are not known well, if any, with the prior
    is_known: np.ndarray  # (J,) of the groups that have cells
    expansion: Expansion  # of those that are

    @property
    def guessed_scale(self) -> Floats:
        """(d,) as if all groups were in `marginal`."""
        scale = np.ones(self.marginal.beta_center.size + 1)
        scale[-1] = (2.0 * self.is_known.size) ** -0.5
        return scale

    def constrained(self, free: Floats) -> CountedParameters:
        return self.marginal.constrained(free)

    @property
    def points(self) -> int:
        return LEVEL_POINTS

    def log_density(self, free: Floats) -> Floats:
        """(S,) up to a constant."""
        at = self.constrained(free)
        known = log_likelihood(self.expansion, rule(1, LEVEL_POINTS), at.beta, at.sigma_group[:, 0])
        return self.marginal.log_density(free) + known


def expanded(exact: CountedMarginal) -> Expanded | None:
    """About the centre of the units; None where it is not possible, or not worth it."""
    design, k = exact.design, exact.beta_center.size - 1
    if design.q > 1 or np.any(design.z != 1.0) or design.events.size <= FEW_CELLS or k > MOST_SLOPES:
        return None
    effect = exact.sigma_group[0] * exact.modes[0]
    _, rate = cumulant_and_rate(design.family, design.basis @ exact.beta_center + design.spread(effect))
    known = design.sums(design.size * weight_and_change(design.family, rate)[0])
    is_known = (known + exact.sigma_group[0] ** -2) ** -0.5 <= KNOWN_SD
    if is_known[design.group].mean() < WORTH_IT or is_known.sum() * 3 * (1 + k) ** 2 / 2 > MOST_VALUES:
        return None
    rest = replace(
        exact,
        design=of_groups(design, ~is_known),
        rule=rule(1, POINTS[1]),
        modes=exact.modes[:, ~is_known],
    )
    return Expanded(rest, is_known, expansion_of(of_groups(design, is_known), exact.beta_center, effect[is_known]))


def is_exact_enough(error: float) -> bool:
    return error < LARGEST_ERROR


def error_of(found: Expanded, exact: CountedMarginal, at: Normal) -> float:
    """The largest difference of errors between places, in nats; `exact` may have any rule."""
    places = at.mode + np.random.default_rng(at.mode.size).standard_normal((CHECKED, at.mode.size)) @ at.root.T
    fine = replace(exact, rule=rule(1, POINTS[1]))
    return float(np.ptp(fine.log_density(places) - found.log_density(places)))


def known_effects(found: Expanded, parameters: CountedParameters, rng: np.random.Generator) -> Floats:
    """(S, J) standardised effects of the groups that are known well, drawn given the parameters."""
    beta, sd = parameters.beta, parameters.sigma_group[:, 0]
    u = np.empty((len(beta), found.expansion.level.size))
    for draws, of_draws in polynomials(found.expansion, beta, sd):
        level = found.expansion.level + levels(of_draws, rng)
        u[draws] = (level - beta[draws, :1]) / sd[draws, None]
    return u
