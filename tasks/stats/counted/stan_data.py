"""What the Stan program of counted outcomes declares, from a model."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.priors import CountedPriors
from tasks.stats.counted.sampling_units import SamplingUnits, plain_units

DISPERSION_SD = 1.0  # half-normal scale: rows' rates with an SD up to about their mean are usual


def counted_data(model: CountedModel, priors: CountedPriors, units: SamplingUnits | None = None) -> dict[str, Any]:
    """Priors are of all terms. `units` speed the sampler up, and change nothing else."""
    cells, x, varying = model.cells, model.design, model.varying
    is_binomial, n_cells = cells.family == "binomial", cells.events.size
    return {
        "is_binomial": int(is_binomial),
        "is_overdispersed": int(model.is_overdispersed),
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
        "dispersion_sd": DISPERSION_SD,
        **vars(units or plain_units(model, priors)),
    }
