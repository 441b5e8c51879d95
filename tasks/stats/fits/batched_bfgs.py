"""Minimise many small smooth functions at once by BFGS (Nocedal & Wright 2006, chapter 6), each with its own steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tasks.stats.records import Floats

# (values (b,), gradients (b, k)) at `x` (b, k) of the problems `which` (b,)
Objective = Callable[[Floats, np.ndarray], tuple[Floats, Floats]]

MOST_STEPS = 100
MOST_HALVINGS = 20
SUFFICIENT_DECREASE = 1e-4
LONGEST_STEP = 3.0  # relative to max(1, |x|)
FARTHEST = 1e5  # from 0: the search ends there if a function falls for ever, as it may with two groups
DIFFERENCE = 1e-4  # step for the first curvature, relative to max(1, |x|)
HOPELESS = 1e-3  # of what a value in a race lacks to the lowest: the gain of a step that is too little
LEVEL = 1e-5  # the gain from which two in a race are level
FLATTEST = 1e-3  # the least curvature that is believed, relative to the largest


def minimise(
    objective: Objective,
    start: Floats,
    tolerance: float = 1e-9,
    *,
    farthest: float = FARTHEST,
    is_race: bool = False,
) -> tuple[Floats, Floats]:
    """Minima (B, k), and the decrease (B,) that one more step from each would be expected to bring.

    `start` is (B, k). A problem is done when its next step is expected to gain at most `tolerance`.
    In a race, only the lowest minimum counts: a problem is also done when it has no hope of it.
    """
    x, active = start.copy(), np.arange(len(start))
    value, gradient = objective(x, active)
    inverse = _first_inverse_curvature(objective, x, gradient)
    promised = np.full(len(start), np.inf)
    for _ in range(MOST_STEPS):
        step = -np.einsum("bij,bj->bi", inverse[active], gradient[active])
        promised[active] = -0.5 * (step * gradient[active]).sum(axis=1)
        going = promised[active] > (_least_hope(value, tolerance)[active] if is_race else tolerance)
        active, step = active[going], step[going]
        if not active.size:
            break
        old = x[active], value[active], gradient[active]
        new = _line_search(objective, old, _limited(step, old[0]), active, farthest)
        x[active], value[active], gradient[active] = new
        inverse[active] = _updated(inverse[active], new[0] - old[0], new[2] - old[2])
        active = active[new[1] < old[1]]
    return x, promised


def _least_hope(value: Floats, tolerance: float) -> Floats:
    """(B,) the gain below which a problem is given up: a share of what it lacks, and less than the leader has left."""
    lacking = value - value.min()
    lacking[~np.isfinite(lacking)] = 0.0
    return np.where(np.arange(value.size) == np.argmin(value), tolerance, np.maximum(lacking * HOPELESS, LEVEL))


def _first_inverse_curvature(objective: Objective, x: Floats, gradient: Floats) -> Floats:
    """(B, k, k) inverse curvature at the start, positive definite, from differences of gradients."""
    b, k = x.shape
    curvature = np.empty((b, k, k))
    for i in range(k):
        moved = x.copy()
        moved[:, i] += DIFFERENCE * np.maximum(1.0, np.abs(x[:, i]))
        curvature[:, i] = (objective(moved, np.arange(b))[1] - gradient) / (moved[:, i] - x[:, i])[:, None]
    values, vectors = np.linalg.eigh((curvature + np.swapaxes(curvature, 1, 2)) / 2.0)
    size = np.abs(values)
    size = np.maximum(size, FLATTEST * size.max(axis=1, keepdims=True) + np.finfo(float).tiny)
    return np.asarray((vectors / size[:, None, :]) @ np.swapaxes(vectors, 1, 2))


def _limited(step: Floats, x: Floats) -> Floats:
    length = np.abs(step / np.maximum(1.0, np.abs(x))).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, LONGEST_STEP / np.maximum(length, LONGEST_STEP))


State = tuple[Floats, Floats, Floats]  # x (b, k), value (b,), gradient (b, k)


def _line_search(objective: Objective, old: State, step: Floats, which: np.ndarray, farthest: float) -> State:
    """The state after the first of step, step / 2, step / 4 … that lowers the value enough; `old` if none does."""
    x, value, gradient = (part.copy() for part in old)
    slope, size = (step * gradient).sum(axis=1), np.ones(len(step))
    left = np.arange(len(step))
    for _ in range(MOST_HALVINGS):
        tried = np.clip(old[0][left] + size[left, None] * step[left], -farthest, farthest)
        at, slope_at = objective(tried, which[left])
        good = at <= old[1][left] + SUFFICIENT_DECREASE * size[left] * slope[left]
        x[left[good]], value[left[good]], gradient[left[good]] = tried[good], at[good], slope_at[good]
        left = left[~good]
        if not left.size:
            break
        size[left] /= 2.0
    return x, value, gradient


def _updated(inverse: Floats, s: Floats, y: Floats) -> Floats:
    """BFGS's update of the inverse curvature (b, k, k) after steps `s` that changed gradients by `y`, (b, k) each.

    If the curvature along the step is not positive, the inverse is unchanged.
    """
    sy = (s * y).sum(axis=1)
    usable = sy > 1e-10 * np.linalg.norm(s, axis=1) * np.linalg.norm(y, axis=1)
    rho = np.divide(1.0, sy, out=np.zeros_like(sy), where=usable)[:, None, None]
    shift = np.eye(s.shape[1]) - rho * s[:, :, None] * y[:, None, :]
    new = shift @ inverse @ np.swapaxes(shift, 1, 2) + rho * s[:, :, None] * s[:, None, :]
    return np.where(usable[:, None, None], new, inverse)
