"""Gauss-Hermite rules for integrals against a standard normal density, on grids of one or two dimensions.

Adaptive quadrature moves a rule to the mode and spread of each group's integrand (Liu & Pierce 1994, Biometrika 81(3);
Pinheiro & Bates 1995, J. Comput. Graph. Stat. 4(1)). With one point it is the Laplace approximation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from tasks.stats.records import Floats

MOST_DIMENSIONS = 2  # of a grid: beyond, one point
POINTS = {1: 25, 2: 9}  # per dimension
ROUGH_POINTS = {1: 5, 2: 3}  # to come near an optimum


@dataclass(frozen=True)
class Rule:
    nodes: Floats  # (K, q)
    log_weights: Floats  # (K,) with the normal density divided out: of an integral over du / sqrt(2 pi)^q

    @property
    def n_points(self) -> int:
        return len(self.nodes)


@cache
def rule(dimensions: int, points: int) -> Rule:
    """`points` per dimension, an odd number, so that a node lies at the mode. One point beyond two dimensions."""
    if points % 2 == 0:
        raise ValueError(f"a rule has an odd number of points per dimension, not {points}")
    if dimensions > MOST_DIMENSIONS:
        points = 1
    nodes, weights = hermegauss(points)
    log_weights = np.log(weights / np.sqrt(2.0 * np.pi)) + nodes**2 / 2.0
    grid = np.meshgrid(*[np.arange(points)] * dimensions, indexing="ij")
    at = np.stack([axis.ravel() for axis in grid], axis=1)
    return Rule(nodes[at], log_weights[at].sum(axis=1))
