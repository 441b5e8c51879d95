"""Are the groups' effects normal, as the model assumes: their Q-Q plot.

The conditional mode of a normal effect is normal with variance tau^2 less its conditional variance (Lange & Ryan 1989,
Ann. Stat. 17); in these SDs, modes of groups of any size are compared with one normal. Pooling hides departures: modes
of small groups follow the model's normal more than their own rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from tasks.stats.judged.assumptions import QQ_POINTS, qq_band
from tasks.stats.records import Floats, Integers, PartialPooling

# Of the variance, what has to be left to a mode for it to be drawn: with less, it is nearly 0 whatever the rows say.
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class EffectsQQ:
    """Of one varying term, in order of size; at most QQ_POINTS groups, both ends kept."""

    normal: Floats  # (points,)
    effect: Floats  # (points,) in SDs
    lower: Floats  # (points,) simultaneous 95 % band
    upper: Floats  # (points,)
    groups: Integers  # (points,) positions
    n_outside: int  # of all groups that can be drawn


def effects_qq(fit: PartialPooling, position: int) -> EffectsQQ | None:
    """Of the effect at this position of `fit.varying`; None where fewer than three groups' modes vary."""
    term, variance = fit.varying[position], fit.cov[position, position]
    left = variance - fit.conditional_sd[:, term] ** 2
    usable = np.flatnonzero(left > LEAST_SHARE * variance) if variance > 0 else np.empty(0, dtype=np.int64)
    if usable.size < 3:
        return None
    value = (fit.coef[usable, term] - fit.fixef[term]) / np.sqrt(left[usable])
    order, n = np.argsort(value, kind="stable"), usable.size
    lower, upper = qq_band(n)
    shown = np.unique(np.linspace(0, n - 1, min(QQ_POINTS, n)).round().astype(int))
    ordered = value[order]
    return EffectsQQ(
        normal=ndtri((shown + 0.5) / n),
        effect=ordered[shown],
        lower=lower[shown],
        upper=upper[shown],
        groups=usable[order[shown]],
        n_outside=int(((ordered < lower) | (ordered > upper)).sum()),
    )
