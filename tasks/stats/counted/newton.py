"""Newton's method near a maximum of the likelihood, with scores that are exact and informations that are dear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.likelihood_search import (
    FARTHEST,
    Search,
    ascend,
    free,
    information,
    unsigned,
    with_covariance,
)
from tasks.stats.records import Floats

TINY_VARIANCE = 1e-6  # on the link scale: set to 0 if the likelihood hardly falls
GAIN_TOLERANCE = 1e-6  # of the log likelihood: gains up to this are ignored
NEAR, DONE = 1e-4, 1e-6  # standard errors: where the information is computed anew, and where Newton's method ends
SLOW = 0.5  # decrements that fall no faster want the information computed anew
SINGULAR = 1e-13  # an information with eigenvalues this far apart is singular to rounding
ROUNDING = 1e-14  # of the log likelihood, relative
MOST_STEPS, MOST_HALVINGS, MOST_ROUNDS = 12, 12, 20


@dataclass(frozen=True)
class Stop:
    """Where Newton's method ended, with the information there or very near."""

    parameters: Floats
    information: Floats  # (f, f) of the f free parameters


def newton(search: Search, start: Floats, known: Floats) -> Stop:
    """By Newton's method; the information is computed anew near the maximum, and where the last one serves badly.

    Where it is not that of a maximum, BFGS goes on first.
    """
    at, curvature = snapped(search, climbed(search, start, known, NEAR)), known
    for _ in range(MOST_ROUNDS):
        curvature = information(search, at)
        if not is_positive(curvature):
            at = snapped(search, ascend(search, [at])[0])
            curvature = information(search, at)
        if not is_positive(curvature) or decrement_and_step(search, at, curvature)[0] <= NEAR:
            break
        at = climbed(search, at, curvature, NEAR)
    return Stop(climbed(search, at, curvature, DONE), curvature)


def climbed(search: Search, at: Floats, curvature: Floats, until: float) -> Floats:
    """After steps of Newton's with one information, to a decrement of `until`; or where they no longer serve."""
    if not is_positive(curvature) or len(curvature) != free(search, at).sum():
        return at
    last = np.inf
    for _ in range(MOST_STEPS):
        decrement, step = decrement_and_step(search, at, curvature)
        if decrement <= until or decrement > SLOW * last:
            break
        higher = _higher(search, at, step)
        if higher is None:
            break
        at, last = higher, decrement
    return at


def snapped(search: Search, parameters: Floats) -> Floats:
    """With tiny variances set to 0, if the likelihood hardly falls; else `parameters`."""
    factor = search.factor(parameters)
    if np.all(np.diag(factor) ** 2 > TINY_VARIANCE):
        return parameters
    without = with_covariance(search, parameters, factor @ factor.T, TINY_VARIANCE)
    return without if search.value(without) >= search.value(parameters) - GAIN_TOLERANCE else parameters


def _higher(search: Search, at: Floats, step: Floats) -> Floats | None:
    """The first of step, step / 2, step / 4 … that does not lower the likelihood; None if none does."""
    allowed = search.value(at) - 1e-9 - ROUNDING * abs(search.value(at))
    for halvings in range(MOST_HALVINGS):
        tried = unsigned(search, np.clip(at + step / 2.0**halvings, -FARTHEST, FARTHEST))
        if search.value(tried) >= allowed:
            return tried
    return None


def is_positive(curvature: Floats) -> bool:
    values = np.linalg.eigvalsh(curvature)
    return bool(values[0] > SINGULAR * max(values[-1], 0.0))


def decrement_and_step(search: Search, at: Floats, curvature: Floats) -> tuple[float, Floats]:
    """The length of the score in standard errors, and Newton's step."""
    is_free, score = free(search, at), search.at(at)[1]
    step = np.zeros_like(at)
    step[is_free] = np.linalg.solve(curvature, score[is_free])
    return float(np.sqrt(max(float(step @ score), 0.0))), step
