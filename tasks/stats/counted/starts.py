"""Where the search for the maximum starts: several points, led on by a rough rule until all but one are out of hope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.design import Design, every
from tasks.stats.counted.likelihood_search import Search, ascend, information, search_of, with_covariance
from tasks.stats.counted.outcomes import cumulant_and_rate, weight_and_change
from tasks.stats.counted.quadrature import ROUGH_POINTS
from tasks.stats.fits.small_matrices import lower_triangle
from tasks.stats.records import Floats

MODERATE, WIDE = 0.5, 3.0  # SDs of group effects on the link scale
DISTINCT = 1e-2  # parameters: starts that have come this near have come to the same maximum
RACING_GROUPS = 1_000  # about as many race where groups are many
RACING_CELLS, FEWEST_RACING = 40_000, 200  # and of groups of many cells fewer: about as many cells, and groups at least
ASTRAY = 5.0  # link units from the GLM: fixed effects that racing groups alone leave without bound
LONGEST_STEP = 3.0  # link units, of the GLM's
GLM_STEPS = 10


@dataclass(frozen=True)
class Race:
    rough: Search  # of all groups
    ranked: list[Floats]  # parameters where the starts have led, the highest first; one for each maximum
    information: Floats  # about that of all groups at the highest


def race(design: Design) -> Race:
    """Of many groups, some race for all; all do where these alone lead astray."""
    fewer = min(design.events.size // RACING_CELLS, design.n_groups // FEWEST_RACING)
    step = max(design.n_groups // RACING_GROUPS, fewer)
    rough = search_of(design, ROUGH_POINTS.get(design.q, 1))
    for racing in (search_of(every(design, step), ROUGH_POINTS.get(design.q, 1)), rough) if step > 1 else (rough,):
        starts = _starts(racing)
        ranked = sorted(_distinct(ascend(racing, starts)), key=lambda each: -racing.value(each))
        if np.abs(ranked[0] - starts[0]).max() < ASTRAY:
            break
    known = information(racing, ranked[0])
    return Race(rough, ranked, known * (design.n_groups / racing.design.n_groups))


def _starts(search: Search) -> list[Floats]:
    """A moderate spread, the groups' own effects hardly pooled, and a spread of each effect alone; of one, none.

    From the groups' own effects, the search finds a maximum due to outlying groups. Their mean goes to the fixed
    effects: the GLM's, of which the others start, are those of the groups with most events.
    """
    fixed = fixed_alone(search.design)
    diagonal = np.eye(search.q)
    none = np.append(fixed, np.zeros(lower_triangle(search.q)[0].size))
    search.at(with_covariance(search, none, WIDE**2 * diagonal))
    effects = WIDE * search.modes
    mean, covariance = effects.mean(axis=1), np.atleast_2d(np.cov(effects, bias=True))
    moved = np.linalg.lstsq(search.design.basis, mean @ search.design.z, rcond=None)[0]
    spread = with_covariance(search, none + np.pad(moved, (0, none.size - moved.size)), covariance)
    moderate = with_covariance(search, none, MODERATE**2 * diagonal)
    alone = [with_covariance(search, none, MODERATE**2 * np.outer(e, e)) for e in diagonal] if search.q > 1 else [none]
    return [moderate, spread, *alone]


def fixed_alone(design: Design) -> Floats:
    """(m,) fixed effects near those of the model without group effects: a start, even where these are unbounded."""
    fixed, step, value = np.zeros(design.m), np.zeros(design.m), -np.inf
    others = design.size.sum() - (0.0 if design.family == "poisson" else design.events.sum() - 0.5)
    fixed[0] = np.log((design.events.sum() + 0.5) / others)
    for _ in range(GLM_STEPS):
        eta = design.basis @ (fixed + step)
        cumulant, mean = cumulant_and_rate(design.family, eta)
        reached = float((design.events * eta - design.size * cumulant).sum())
        if reached < value:
            step /= 4.0
            continue
        fixed, value = fixed + step, reached
        weight = design.size * weight_and_change(design.family, mean)[0]
        curvature = design.basis.T @ (weight[:, None] * design.basis)
        step = np.linalg.pinv(curvature, hermitian=True) @ (design.basis.T @ (design.events - design.size * mean))
        step *= min(1.0, LONGEST_STEP / max(np.abs(step).max(), np.finfo(float).tiny))
    return fixed


def _distinct(several: list[Floats]) -> list[Floats]:
    kept: list[Floats] = []
    for one in several:
        if all(np.abs(one - other).max() > DISTINCT for other in kept):
            kept.append(one)
    return kept
