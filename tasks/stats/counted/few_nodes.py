"""A posterior density by few quadrature nodes that is as exact as one by many.

What few nodes miss hardly changes over the posterior: in posterior SDs about the mode it is a quadratic without mixed
terms, which is found at two SDs along each axis. At other places the sum is compared with the fine rule's density; if
it is off there, more nodes are taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.bayes.resampling import Normal
from tasks.stats.counted.quadrature import POINTS, rule
from tasks.stats.counted.unconstrained import CountedMarginal, CountedParameters
from tasks.stats.records import Floats

LARGEST_ERROR = 0.02  # of the log density, in nats, between any two places
PROBED = 2.0  # SDs from the mode
FARTHEST = 4.0  # SDs: farther out, what is missed is taken for that at this distance
CHECKED = 10  # places


@dataclass(frozen=True)
class FewNodes:
    marginal: CountedMarginal
    at: Normal
    missed: Floats  # (2 d,) per SD and per squared SD, axis by axis
    points: int  # per varying effect
    error: float  # the largest difference of errors between places that were checked, in nats

    @property
    def guessed_scale(self) -> Floats:
        return self.marginal.guessed_scale

    def constrained(self, free: Floats) -> CountedParameters:
        return self.marginal.constrained(free)

    def log_density(self, free: Floats) -> Floats:
        """(S,) up to a constant."""
        return self.marginal.log_density(free) + _powers(self.at, free) @ self.missed


def few_nodes(rough: CountedMarginal, at: Normal) -> FewNodes:
    """With the fewest nodes that are exact enough. `rough` may have any rule; `at` is near its mode."""
    d, q, finest = at.mode.size, rough.design.q, POINTS[rough.design.q]
    axes = at.mode + PROBED * np.vstack([np.zeros((1, d)), at.root.T, -at.root.T])
    checked = at.mode + np.random.default_rng(d).standard_normal((CHECKED, d)) @ at.root.T
    places = np.vstack([axes, checked])
    exact = replace(rough, rule=rule(q, finest)).log_density(places)
    for points in range(3, finest, 2):
        tried = replace(rough, rule=rule(q, points))
        missed = exact - tried.log_density(places)
        line, bend = _along_axes(missed[: len(axes)])
        found = FewNodes(tried, at, np.append(line, bend), points, 0.0)
        error = float(np.ptp(missed - _powers(at, places) @ found.missed))
        if error < LARGEST_ERROR:
            return replace(found, error=error)
    return FewNodes(replace(rough, rule=rule(q, finest)), at, np.zeros(2 * d), finest, 0.0)


def _along_axes(missed: Floats) -> tuple[Floats, Floats]:
    """(d,) each, slope and bend, from values at the mode and at PROBED before and behind it."""
    d = len(missed) // 2
    up, down = missed[1 : d + 1], missed[d + 1 :]
    return (up - down) / (2.0 * PROBED), (up + down - 2.0 * missed[0]) / (2.0 * PROBED**2)


def _powers(at: Normal, free: Floats) -> Floats:
    """(S, 2 d) distances from the mode in SDs along the axes, and their squares."""
    z = np.clip(np.linalg.solve(at.root, (free - at.mode).T).T, -FARTHEST, FARTHEST)
    return np.hstack([z, z**2])
