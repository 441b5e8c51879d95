"""The maximum of the likelihood, with what certifies it.

A rough rule brings several starts near their maxima; the fine rule takes the highest of them to its own, by Newton's
method. A maximum is certified by its decrement, the length of the score in standard errors; by a positive definite
information; where the covariance is singular, by a likelihood that no added variance raises; and by no other start's
maximum being higher.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.counted.design import Design
from tasks.stats.counted.likelihood_search import (
    Search,
    ascend,
    covariance_score,
    free,
    information,
    search_of,
    with_covariance,
)
from tasks.stats.counted.newton import (
    GAIN_TOLERANCE,
    NEAR,
    Stop,
    climbed,
    decrement_and_step,
    is_positive,
    newton,
    snapped,
)
from tasks.stats.counted.starts import race
from tasks.stats.records import Floats

DECREMENT_TOLERANCE = 1e-4  # standard errors; the log likelihood is within 5e-9 of the maximum then
STEP_TOLERANCE = 1e-3  # relative to max(1, |parameter|): a last step that is longer leads ever farther out
PROMISING = 1.0  # a start that is no farther below the maximum, in the log likelihood, is followed to its end
FAR_OUT = 5.0  # link units: where the likelihood must have fallen if the maximum is finite
FLAT = 1e-6  # of the log likelihood
MOST_ESCAPES = 4


@dataclass(frozen=True)
class Maximum:
    """`decrement` and `step` are of Newton's next step; infinite where the information is not that of a maximum."""

    parameters: Floats  # (m + q (q + 1) / 2,)
    log_lik: float  # without `Cells.constant`
    information: Floats  # (f, f) of the f free parameters, the fixed effects first: the boundary holds the others
    decrement: float  # sqrt(score' information^-1 score), in standard errors
    step: float  # the largest change of a parameter, relative to max(1, |parameter|)
    least_curvature: float  # least eigenvalue of the information
    is_highest: bool  # no added variance raised the likelihood any more
    is_unbounded: bool  # the likelihood does not fall, however far out: no finite maximum

    @property
    def is_converged(self) -> bool:
        return self.is_highest and self.decrement <= DECREMENT_TOLERANCE and self.step <= STEP_TOLERANCE


def maximise(design: Design, points: int) -> tuple[Maximum, Search]:
    """The maximum, and the search that found it, by `points` per varying effect."""
    raced = race(design)
    near = snapped(raced.rough, climbed(raced.rough, raced.ranked[0], raced.information, NEAR))
    fine = search_of(design, points, raced.rough.modes)
    stop, is_highest = _settled(fine, near, raced.information)
    for other in raced.ranked[1:]:
        if fine.value(other) > fine.value(stop.parameters) - PROMISING:
            (risen,) = ascend(fine, [other])
            if fine.value(risen) > fine.value(stop.parameters) + GAIN_TOLERANCE:
                stop, is_highest = _settled(fine, snapped(fine, risen), information(fine, risen))
    return _maximum(fine, stop, is_highest), fine


def maximise_near(design: Design, start: Floats, points: int, is_rough: bool = False) -> tuple[Maximum, Search]:
    """The maximum near `start`, parameters of the same design or of one with fewer columns and 0 for the others.

    A rough one has the information of the start, if that led to it and no variance is 0.
    """
    search = search_of(design, points)
    known = information(search, start)
    if is_rough and is_positive(known) and free(search, start).all():
        near = _maximum(search, Stop(climbed(search, start, known, NEAR), known), is_highest=True)
        if near.is_converged:
            return near, search
    stop, is_highest = _settled(search, start, known)
    return _maximum(search, stop, is_highest), search


def _settled(search: Search, start: Floats, known: Floats) -> tuple[Stop, bool]:
    """The maximum near `start`, and whether no variance added to it raises the likelihood.

    `known` is the information near the start.
    """
    stop = newton(search, start, known)
    for _ in range(MOST_ESCAPES):
        higher = _escape(search, stop.parameters)
        if higher is None:
            return stop, True
        stop = newton(search, higher, information(search, higher))
    return stop, False


def _escape(search: Search, at: Floats) -> Floats | None:
    """A higher point, found by adding variance in some direction; None at a maximum, on the boundary or not."""
    if free(search, at).all():
        return None
    gradient = covariance_score(search, at)
    values, vectors = np.linalg.eigh(gradient)
    if values[-1] <= GAIN_TOLERANCE * max(1.0, np.abs(values).max()):
        return None
    factor = search.factor(at)
    direction = np.outer(vectors[:, -1], vectors[:, -1]) + 1e-10 * np.eye(search.q)
    for size in 0.01 * max(0.1, float(np.trace(factor @ factor.T))) * 10.0 ** -np.arange(5.0):
        inside = with_covariance(search, at, factor @ factor.T + size * direction)
        if search.value(inside) > search.value(at):
            risen = snapped(search, ascend(search, [inside])[0])
            return risen if search.value(risen) > search.value(at) + GAIN_TOLERANCE else None
    return None


def _maximum(search: Search, stop: Stop, is_highest: bool) -> Maximum:
    at, least = stop.parameters, float(np.linalg.eigvalsh(stop.information)[0])
    decrement, longest = np.inf, np.inf
    if is_positive(stop.information):
        decrement, step = decrement_and_step(search, at, stop.information)
        longest = float((np.abs(step) / np.maximum(1.0, np.abs(at))).max())
    found = Maximum(
        parameters=at,
        log_lik=search.value(at),
        information=stop.information,
        decrement=decrement,
        step=longest,
        least_curvature=least,
        is_highest=is_highest,
        is_unbounded=False,
    )
    return found if found.is_converged else replace(found, is_unbounded=_is_unbounded(search, stop))


def _is_unbounded(search: Search, stop: Stop) -> bool:
    """Whether the likelihood does not fall farther out along one of the information's axes."""
    is_free = free(search, stop.parameters)
    axes = np.zeros((is_free.sum(), is_free.size))
    axes[:, is_free] = np.linalg.eigh(stop.information)[1].T
    axes *= FAR_OUT / np.abs(axes).max(axis=1, keepdims=True)
    value = search.value(stop.parameters) - FLAT
    return any(search.value(stop.parameters + move) >= value for axis in axes for move in (axis, -axis))
