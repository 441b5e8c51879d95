"""Is a fit on the boundary: some direction of the group effects with no variance at all?

A singular fit is a legitimate optimum, not a failure to converge; the two are separate flags.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats


def is_singular(factor: Floats, tolerance: float) -> bool:
    """Whether the relative factor (q, q) has a diagonal element or a direction below `tolerance`.

    lme4's `isSingular` looks at the diagonal, `rePCA` at the singular values; no singular value of a
    triangular matrix is larger than its smallest diagonal element, so the smallest one decides both.
    """
    return bool(np.linalg.svd(factor, compute_uv=False)[-1] < tolerance)
