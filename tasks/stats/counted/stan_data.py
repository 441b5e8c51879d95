"""What the Stan programs of counted outcomes declare, from a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.priors import CountedPriors
from tasks.stats.counted.sampling_units import SamplingUnits, plain_units
from tasks.stats.records import Floats, Integers

DISPERSION_SD = 1.0  # half-normal scale: rows' rates with an SD up to about their mean are usual


@dataclass(frozen=True)
class GroupCentring:
    """Of n centred groups their cells determine `mean` times the coefficients, plus their own effects."""

    groups: Integers  # (n,)
    mean: Floats  # (q, n, p)
    center: Floats  # (n, q)
    unit: Floats  # (n, q)
    share: Floats  # (J - n, q) of the other groups, in what cells say of the varying terms' coefficients


def no_centring(model: CountedModel) -> GroupCentring:
    q, n = len(model.varying), model.cells.n_groups
    return GroupCentring(
        np.empty(0, dtype=np.int64),
        np.empty((q, 0, model.design.shape[1])),
        np.empty((0, q)),
        np.empty((0, q)),
        np.zeros((n, q)),
    )


def counted_data(model: CountedModel, priors: CountedPriors, centring: GroupCentring | None = None) -> dict[str, Any]:
    """`centring` speeds the sampler up, and changes nothing else; without it all groups are non-centred."""
    at, n_groups = no_centring(model) if centring is None else centring, model.cells.n_groups
    return {
        **_shared(model, priors),
        "n_centred": at.groups.size,
        "centred": at.groups + 1,
        "non_centred": np.setdiff1d(np.arange(n_groups), at.groups) + 1,
        "centred_mean": at.mean,
        "centred_center": at.center,
        "centred_unit": at.unit,
        "share": at.share,
    }


def overdispersed_data(
    model: CountedModel, priors: CountedPriors, units: SamplingUnits | None = None
) -> dict[str, Any]:
    """Priors are of all terms; each cell is one row. `units` speed the sampler up, and change nothing else."""
    return {**_shared(model, priors), "dispersion_sd": DISPERSION_SD, **vars(units or plain_units(model))}


def _shared(model: CountedModel, priors: CountedPriors) -> dict[str, Any]:
    """What both programs declare."""
    cells, x, varying = model.cells, model.design, model.varying
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
        "varying": np.array(varying) + 1,
        "events": cells.events.astype(np.int64),
        "trials": cells.size.astype(np.int64) if is_binomial else np.ones(n_cells, dtype=np.int64),
        "log_exposure": np.zeros(n_cells) if is_binomial else np.log(cells.size),
        "beta_mean": priors.beta_mean,
        "beta_sd": priors.beta_sd,
        "sigma_group_sd": priors.sigma_group_sd,
        "lkj": priors.lkj,
    }
