"""The same for counted outcomes: events or counts from a program's own prior, and the ranks of the truth.

Cells are one row each. Sizes of groups are numbers of cells, and what a cell counts is small, so that the prior has a
say and the likelihood is far from normal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from arviz_stats.base import array_stats
from scipy.special import gammaln

from tasks.engines.engines import COUNTED, EmbeddedEngine
from tasks.stats.counted.cell_rows import cells_of_rows
from tasks.stats.counted.links import mean_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.overdispersed import log_density, simulated_rows
from tasks.stats.counted.priors import CountedPriors
from tasks.stats.counted.sampling_units import sampling_units
from tasks.stats.counted.stan_data import DISPERSION_SD, counted_data
from tasks.stats.fits.cells import Cells, Family, cells_of
from tasks.stats.records import Floats, GroupedData, Scaling
from tasks.study.settings import SamplerSettings

FAMILIES: dict[str, Family] = {
    "binomial": "binomial",
    "poisson": "poisson",
    "beta_binomial": "binomial",
    "negative_binomial": "poisson",
}
WITH_DISPERSION = ("beta_binomial", "negative_binomial")
UNSCALED = Scaling(("x1",), np.zeros(1), np.ones(1), 0.0, 1.0)
PRIORS = CountedPriors(np.array([-0.5, 0.3]), np.array([1.0, 0.5]), np.array([1.0, 0.5]), 2.0)
SETTINGS = SamplerSettings().model_copy(update={"chains": 2, "warmup": 500, "draws": 500, "adapt_delta": 0.95})
RHAT = 1.03
KEPT = 100  # draws that the truth is ranked among, evenly from all
MOST_TRIALS = 6


@dataclass(frozen=True)
class State:
    """Values of everything unknown: one, or draws with an axis (S,) in front."""

    beta: Floats  # (2,)
    sigma_group: Floats  # (2,)
    correlation: Floats  # ()
    effects: Floats  # (J, 2)
    dispersion: Floats | None = None  # ()

    def quantities(self, cells: Cells) -> dict[str, Floats]:
        """What is ranked. Group 0 has the fewest cells, the last one the most."""
        named = {"intercept": self.beta[..., 0], "slope": self.beta[..., 1]}
        named |= {"SD of levels": self.sigma_group[..., 0], "SD of slopes": self.sigma_group[..., 1]}
        named |= {"correlation": self.correlation}
        for which, j in (("smallest", 0), ("largest", -1)):
            named |= {f"level of {which} group": self.beta[..., 0] + self.effects[..., j, 0]}
            named |= {f"slope of {which} group": self.beta[..., 1] + self.effects[..., j, 1]}
        if self.dispersion is not None:
            named |= {"dispersion": self.dispersion}
        return named | {"log likelihood": self.log_likelihood(cells)}

    def link(self, x: Floats, group_index: np.ndarray) -> Floats:
        """(…, C) on the link's scale."""
        coef = self.beta[..., None, :] + self.effects[..., group_index, :]
        return np.asarray(coef[..., 0] + coef[..., 1] * x)

    def log_likelihood(self, cells: Cells) -> Floats:
        """Of the cells given the groups: it sees dependences that no parameter by itself shows."""
        eta = self.link(cells.x[:, 0], cells.group_index)
        if self.dispersion is not None:
            own = log_density(cells.family, cells.events, cells.size, eta, np.asarray(self.dispersion)[..., None])
            return np.asarray(own.sum(axis=-1))
        if cells.family == "binomial":
            return np.asarray((cells.events * eta - cells.size * np.logaddexp(0.0, eta)).sum(axis=-1))
        mean = cells.size * np.exp(eta)
        return np.asarray((cells.events * np.log(mean) - mean - gammaln(cells.events + 1.0)).sum(axis=-1))


@dataclass(frozen=True)
class CountedSimulation:
    program: str  # one of FAMILIES
    sizes: tuple[int, ...]
    seed: tuple[int, ...]

    @property
    def family(self) -> Family:
        return FAMILIES[self.program]

    @cached_property
    def truth(self) -> State:
        """A draw from the prior."""
        rng = np.random.default_rng([*self.seed, 0])
        beta = rng.normal(PRIORS.beta_mean, PRIORS.beta_sd)
        sd = np.abs(rng.normal(0.0, PRIORS.sigma_group_sd))
        rho = 2.0 * rng.beta(PRIORS.lkj, PRIORS.lkj) - 1.0  # LKJ of a 2 x 2 matrix
        factor = sd[:, None] * np.array([[1.0, 0.0], [rho, np.sqrt(1.0 - rho**2)]])
        effects = rng.standard_normal((len(self.sizes), 2)) @ factor.T
        phi = np.asarray(abs(rng.normal(0.0, DISPERSION_SD))) if self.program in WITH_DISPERSION else None
        return State(beta, sd, np.asarray(rho), effects, phi)

    @cached_property
    def cells(self) -> Cells:
        """Given the truth. Predictors and sizes of cells are the same in all simulations of these sizes."""
        rng, fixed = np.random.default_rng([*self.seed, 1]), np.random.default_rng(7)
        index = np.repeat(np.arange(len(self.sizes)), self.sizes)
        x, trials = fixed.standard_normal(index.size), fixed.integers(1, MOST_TRIALS + 1, index.size)
        labels, terms = tuple(f"g{j:02d}" for j in range(len(self.sizes))), ("intercept", "x1")
        rows = GroupedData(np.zeros(x.size), x[:, None], index, labels, terms, trials.astype(float))
        phi = 0.0 if self.truth.dispersion is None else float(self.truth.dispersion)
        mean = mean_of(self.family, self.truth.link(x, index))
        events = simulated_rows(cells_of_rows(rows, self.family), mean, phi, rng)
        if self.program in WITH_DISPERSION:
            return cells_of_rows(replace(rows, y=events), self.family)
        return cells_of(self.family, events, trials.astype(float), x[:, None], index, labels, terms)

    def ranks(self) -> dict[str, int] | None:
        """By quantity, how many of KEPT draws lie below the truth; None if the chains did not agree."""
        drawn = self._sampled()
        if drawn is None:
            return None
        true = self.truth.quantities(self.cells)
        return {name: int((draws < true[name]).sum()) for name, draws in drawn.quantities(self.cells).items()}

    def _sampled(self) -> State | None:
        cells = self.cells
        model = CountedModel(cells, UNSCALED, (0, 1), is_overdispersed=self.program in WITH_DISPERSION)
        data = counted_data(model, PRIORS, sampling_units(model, PRIORS))
        made = EmbeddedEngine().sample(COUNTED, data, SETTINGS, self.seed[-1] + 1, lambda _: None)
        for name in ("beta", "sigma_group"):
            for k in range(2):
                if array_stats.rhat(made[name][..., k], chain_axis=0, draw_axis=1) > RHAT:
                    return None
        correlation = (made["L_group"] @ np.swapaxes(made["L_group"], -1, -2))[..., 1, 0]
        parts = (made["beta"], made["sigma_group"], correlation, made["u"])
        dispersion = _kept(made["dispersion"][..., 0]) if model.is_overdispersed else None
        return State(*map(_kept, parts), dispersion)


def _kept(draws: Floats) -> Floats:
    """(KEPT, …) of (C, D, …)"""
    flat = draws.reshape(-1, *draws.shape[2:])
    return np.asarray(flat[np.arange(KEPT) * len(flat) // KEPT])
