"""What partial_pooling_counted.stan declares, from cells; and its default priors.

Priors are on the link's scale: the intercept about the link of the overall rate with an SD of 1.5, slopes about 0 with
an SD of 1 per SD of their predictor, group SDs half-normal with scale 1, correlations LKJ(2). One on the log-odds
scale is a factor of 2.7 in the odds, so that they leave room for all but the strangest data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logit

from tasks.stats.counted.cells import Cells
from tasks.stats.records import Floats

INTERCEPT_SD, SLOPE_SD, GROUP_SD, LKJ = 1.5, 1.0, 1.0, 2.0
HALF = 0.5  # an event more, so that a rate of none or of all has a link


@dataclass(frozen=True)
class CountedPriors:
    beta_mean: Floats  # (p,)
    beta_sd: Floats  # (p,)
    sigma_group_sd: Floats  # (q,) half-normal scales
    lkj: float


def default_priors(cells: Cells, q: int) -> CountedPriors:
    """For `q` varying effects."""
    p = len(cells.terms)
    events, size = float(cells.events.sum()), float(cells.size.sum())
    is_binomial = cells.family == "binomial"
    overall = logit((events + HALF) / (size + 2.0 * HALF)) if is_binomial else np.log((events + HALF) / size)
    return CountedPriors(
        beta_mean=np.concatenate([[float(overall)], np.zeros(p - 1)]),
        beta_sd=np.concatenate([[INTERCEPT_SD], np.full(p - 1, SLOPE_SD)]),
        sigma_group_sd=np.full(q, GROUP_SD),
        lkj=LKJ,
    )


def counted_data(cells: Cells, x: Floats, varying: tuple[int, ...], priors: CountedPriors) -> dict[str, Any]:
    """`x` (C, p) holds ones and the centre-scaled predictors of each cell; `varying` are columns of it."""
    is_binomial, n_cells = cells.family == "binomial", cells.events.size
    return {
        "is_binomial": int(is_binomial),
        "C": n_cells,
        "J": cells.n_groups,
        "p": x.shape[1],
        "q": len(varying),
        "group": cells.group_index + 1,
        "X": x,
        "Z": x[:, list(varying)],
        "events": cells.events.astype(np.int64),
        "trials": cells.size.astype(np.int64) if is_binomial else np.ones(n_cells, dtype=np.int64),
        "log_exposure": np.zeros(n_cells) if is_binomial else np.log(cells.size),
        "beta_mean": priors.beta_mean,
        "beta_sd": priors.beta_sd,
        "sigma_group_sd": priors.sigma_group_sd,
        "lkj": priors.lkj,
    }
