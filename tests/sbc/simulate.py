"""One data set from a program's own prior, its posterior by the program, and the ranks of the truth among the draws.

Predictors and outcome are taken for centred and scaled already, so that priors do not depend on what was drawn. All
else is a run's: the model of an answer, the sampler with its attempts, and how draws are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaln

from tasks.engines.sample import sample_answer
from tasks.engines.sampler_process import SamplerProcess
from tasks.stats.bayes.answer import SPREAD_SD, Answer, answer_model
from tasks.stats.bayes.priors import ResolvedPriors
from tasks.stats.fits.cross_products import centre_scaled, cross_products
from tasks.stats.fits.mean_structure import mean_structure, refit
from tasks.stats.records import Floats, GroupedData, PosteriorDraws, Scaling
from tasks.study.errors import SamplingFailed
from tests.datasets import grouped
from tests.posteriors import study_of

DESIGNS = {"equal": (6,) * 8, "unequal": (2, 2, 3, 4, 5, 7, 10, 15)}
PROGRAMS = {
    "spreads": Answer(is_unequal=True),
    "student": Answer(is_heavy=True),
    "both": Answer(is_unequal=True, is_heavy=True),
}
PRIORS = ResolvedPriors(np.array([0.0, 0.5]), np.array([1.0, 0.5]), np.array([1.0, 0.5]), 1.0, 2.0)
SCALING = Scaling(("x1",), np.zeros(1), np.ones(1), 0.0, 1.0)
VARYING = (0, 1)
# Fewer draws than in a run, and no finer limits than so many draws can hold; where they miss them, more are made.
SAMPLER = {"chains": 2, "warmup": 500, "draws": 500}
LIMITS = {"rhat": 1.03}
MOST_SECONDS = 90.0  # of one simulation; longer ones count as not sampled well enough
KEPT = 100  # draws that the truth is ranked among, evenly from all


@dataclass(frozen=True)
class State:
    """Values of everything unknown: one, or draws with an axis (S,) in front."""

    beta: Floats  # (2,)
    sigma_group: Floats  # (2,)
    correlation: Floats  # ()
    sigma: Floats  # ()
    coef: Floats  # (J, 2)
    group_sigma: Floats  # (J,)
    spread: Floats | None  # ()
    nu: Floats | None  # ()

    def quantities(self, data: GroupedData) -> dict[str, Floats]:
        """What is ranked. Group 0 has the fewest rows, the last one the most."""
        named = {"intercept": self.beta[..., 0], "slope": self.beta[..., 1]}
        named |= {"SD of levels": self.sigma_group[..., 0], "SD of slopes": self.sigma_group[..., 1]}
        named |= {"correlation": self.correlation, "residual SD": self.sigma}
        named |= {f"{what} of {which} group": self.coef[..., j, k] for what, k in COLUMNS for which, j in GROUPS}
        if self.spread is not None:
            named |= {"spread of residual SDs": self.spread}
            named |= {f"residual SD of {which} group": self.group_sigma[..., j] for which, j in GROUPS}
        if self.nu is not None:
            named |= {"degrees of freedom": self.nu}
        return named | {"log likelihood": self.log_likelihood(data)}

    def log_likelihood(self, data: GroupedData) -> Floats:
        """Of the rows given the groups: it sees dependences that no parameter by itself shows."""
        coef = self.coef[..., data.group_index, :]
        sd = self.group_sigma[..., data.group_index]
        z = (data.y - coef[..., 0] - coef[..., 1] * data.x[:, 0]) / sd
        if self.nu is None:
            return np.asarray((-np.log(sd) - 0.5 * z**2).sum(axis=-1))
        nu = np.asarray(self.nu)[..., None]
        constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu)
        return np.asarray((constant - np.log(sd) - (nu + 1) / 2 * np.log1p(z**2 / nu)).sum(axis=-1))


COLUMNS = (("level", 0), ("slope", 1))
GROUPS = (("smallest", 0), ("largest", -1))


@dataclass(frozen=True)
class Simulation:
    answer: Answer
    sizes: tuple[int, ...]
    seed: tuple[int, ...]

    @cached_property
    def truth(self) -> State:
        """A draw from the prior."""
        rng, n_groups = np.random.default_rng([*self.seed, 0]), len(self.sizes)
        beta = rng.normal(PRIORS.beta_mean, PRIORS.beta_sd)
        sd = np.abs(rng.normal(0.0, PRIORS.sigma_group_sd))
        rho = 2.0 * rng.beta(PRIORS.lkj, PRIORS.lkj) - 1.0  # LKJ of a 2 x 2 matrix
        factor = sd[:, None] * np.array([[1.0, 0.0], [rho, np.sqrt(1.0 - rho**2)]])
        sigma = rng.exponential(PRIORS.sigma_mean)
        spread = abs(rng.normal(0.0, SPREAD_SD)) if self.answer.is_unequal else None
        own = sigma * np.exp((spread or 0.0) * rng.standard_normal(n_groups))
        coef = beta + rng.standard_normal((n_groups, 2)) @ factor.T
        nu = _degrees_of_freedom(rng) if self.answer.is_heavy else None
        return State(beta, sd, *map(np.asarray, (rho, sigma)), coef, own, *map(_array, (spread, nu)))

    @cached_property
    def data(self) -> GroupedData:
        """Rows given the truth. Predictors are the same in all simulations of these sizes."""
        rng, index = np.random.default_rng([*self.seed, 1]), np.repeat(np.arange(len(self.sizes)), self.sizes)
        x = np.random.default_rng(7).standard_normal(index.size)
        at = self.truth
        noise = rng.standard_normal(x.size) if at.nu is None else rng.standard_t(float(at.nu), x.size)
        y = at.coef[index, 0] + at.coef[index, 1] * x + at.group_sigma[index] * noise
        return grouped(y, [f"g{j:02d}" for j in index], x)

    def ranks(self) -> dict[str, int] | None:
        """By quantity, how many of KEPT draws lie below the truth; None if the posterior could not be sampled well.

        Leaving those out keeps ranks uniform: whether it can be depends on the rows, not on the truth behind them.
        """
        try:
            drawn = self._sampled()
        except SamplingFailed:
            return None
        true = self.truth.quantities(self.data)
        return {name: int((draws < true[name]).sum()) for name, draws in drawn.quantities(self.data).items()}

    def _sampled(self) -> State:
        data, seed = self.data, self.seed[-1] + 1
        products = centre_scaled(cross_products(data), SCALING)
        fit = refit(mean_structure(products), VARYING)
        model = answer_model(self.answer, fit, data, PRIORS, SCALING, seed)
        study = study_of(data, sampler=SAMPLER, thresholds=LIMITS)
        draws, _ = sample_answer(SamplerProcess("embedded", MOST_SECONDS), study, model, seed, lambda _: None)
        return _kept(draws)


def _degrees_of_freedom(rng: np.random.Generator) -> float:
    """A draw of gamma(2, 0.1) above 1."""
    while (nu := rng.gamma(2.0, 10.0)) <= 1.0:
        pass
    return float(nu)


def _array(value: float | None) -> Floats | None:
    return None if value is None else np.asarray(value)


def _kept(draws: PosteriorDraws) -> State:
    assert draws.group_thin == 1
    n_draws = draws.sigma.size
    at = np.arange(KEPT) * n_draws // KEPT

    def flat(values: Floats | None) -> Floats | None:
        return None if values is None else values.reshape(n_draws, *values.shape[2:])[at]

    named = {name: flat(getattr(draws, name)) for name in ("beta", "sigma_group", "sigma", "spread", "nu")}
    group_sigma = draws.group_sigma
    if group_sigma is None:
        group_sigma = np.repeat(draws.sigma[..., None], draws.group_coef.shape[2], axis=-1)
    return State(
        **named,  # type: ignore[arg-type]
        correlation=flat(draws.correlation[..., 0, 1]),  # type: ignore[arg-type]
        coef=flat(draws.group_coef),  # type: ignore[arg-type]
        group_sigma=flat(group_sigma),  # type: ignore[arg-type]
    )
