"""Is a fit on the boundary: some direction of the group effects with no variance at all?

A singular fit is a legitimate optimum, not a failure to converge; the two are separate flags.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, PartialPooling


def is_singular(factor: Floats, tolerance: float) -> bool:
    """Whether the relative factor (q, q) has a diagonal element or a direction below `tolerance`.

    lme4's `isSingular` looks at the diagonal, `rePCA` at the singular values; no singular value of a
    triangular matrix is larger than its smallest diagonal element, so the smallest one decides both.
    """
    return bool(np.linalg.svd(factor, compute_uv=False)[-1] < tolerance)


def flat_terms(fit: PartialPooling, tolerance: float) -> tuple[int, ...]:
    """Varying terms whose spread between groups is estimated as 0; none where only a correlation is at its limit."""
    limit = tolerance * fit.sigma
    return tuple(k for k, sd in zip(fit.varying, fit.sigma_group, strict=True) if sd < limit)


def judge_singularity(fit: PartialPooling, tolerance: float) -> tuple[Judgement, ...]:
    """One judgement. Its value is the least SD of the group effects in any direction, relative to the residual SD."""
    smallest = float(np.sqrt(max(np.linalg.eigvalsh(fit.cov)[0], 0.0)) / fit.sigma)
    if not fit.is_singular:
        return (Judgement("singularity", "pass", "regular", value=smallest, limit=tolerance),)
    case = "no spread" if flat_terms(fit, tolerance) else "perfect correlation"
    return (Judgement("singularity", "review", case, value=smallest, limit=tolerance, against="partial_pooling"),)
