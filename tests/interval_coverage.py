"""How often three 95 % intervals for a group's slope cover the truth, on the bundled study's design.

`python tests/interval_coverage.py [SIMULATIONS]` (or `make coverage`): ages and counties are those of
data/bounce_rates, the outcome is simulated anew; coverage is shown for singular and regular fits apart.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

from tasks.engines.engines import MARGINAL, EmbeddedEngine
from tasks.stats.bayes.posterior import estimate, posterior_draws
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import marginal_data
from tasks.stats.fits.cross_products import centre_scaled, cross_products, scaling_of
from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.records import GroupedData
from tasks.study.model import Study
from tasks.study.settings import SamplerSettings

DATA = Path(__file__).parent.parent / "data" / "bounce_rates" / "bounce_rates.csv"
SLOPE_SDS = (0.0, 0.5, 1.0, 2.0)  # s per SD of age, between counties
SLOPE, COUNTY_SD, RESIDUAL_SD = 1.3, 14.0, 8.0
STUDY = Study(name="coverage", title="coverage", outcome="y", group="g", predictors=("x",))


def main(simulations: int) -> None:
    frame = pd.read_csv(DATA)
    print(f"Coverage of nominal 95 % intervals for the slopes of 8 counties, {simulations} simulations a row\n")
    print(f"{'slope SD':>8}  {'fit':<10}{'fits':>6}{'conditional':>13}{'joint':>8}{'Bayes':>8}")
    for slope_sd in SLOPE_SDS:
        covered: dict[bool, list[np.ndarray]] = defaultdict(list)
        for seed in range(simulations):
            is_singular, hits = one(frame, slope_sd, seed)
            covered[is_singular].append(hits)
        for is_singular, hits in sorted(covered.items(), reverse=True):
            shares = "".join(
                f"{share:{width}.0%}" for share, width in zip(np.mean(hits, axis=0), (13, 8, 8), strict=True)
            )
            print(f"{slope_sd:8.1f}  {'singular' if is_singular else 'regular':<10}{len(hits):6}{shares}", flush=True)


def one(frame: pd.DataFrame, slope_sd: float, seed: int) -> tuple[bool, np.ndarray]:
    """Whether the REML fit is singular, and the share of counties covered by each interval, (3,)."""
    rng = np.random.default_rng([int(10 * slope_sd), seed])
    groups, labels = pd.factorize(frame["county"], sort=True)
    age = frame["age"].to_numpy(float)
    x = (age - age.mean()) / age.std(ddof=1)
    slopes = SLOPE + slope_sd * rng.standard_normal(len(labels))
    levels = 200.0 + COUNTY_SD * rng.standard_normal(len(labels))
    y = levels[groups] + slopes[groups] * x + RESIDUAL_SD * rng.standard_normal(len(x))
    data = GroupedData(y, age[:, None], groups.astype(np.int64), tuple(labels), ("intercept", "x"))
    products = cross_products(data)
    scaling = scaling_of(products)
    scaled = centre_scaled(products, scaling)
    fit = partial_pooling(scaled, scaling, "varying_intercept_slope", (0, 1))
    inputs = marginal_data(scaled, (0, 1), resolve_priors(STUDY, scaling), scaling)
    variables = EmbeddedEngine().sample(MARGINAL, inputs, SamplerSettings(adapt_delta=0.95), seed + 1, lambda _: None)
    bayes = estimate(posterior_draws(variables, scaled, (0, 1), scaling, seed).group_coef[..., 1])
    off = np.abs(fit.coef[:, 1] - slopes)
    return fit.is_singular, np.array(
        [
            (off <= Z_95 * fit.conditional_sd[:, 1]).mean(),
            (off <= Z_95 * fit.coef_se[:, 1]).mean(),
            ((bayes.lower <= slopes) & (slopes <= bayes.upper)).mean(),
        ]
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:] or ["100"]))
