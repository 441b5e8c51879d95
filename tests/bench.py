"""Speed against peers in the same process: medians, and the ratio pair by pair (`make bench`).

A ratio above 1 says how many times as long the peer takes. Both solve the same model; how far the
peer's optimum lies above ours stands beside it.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import glmm
import mixedlm
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from tasks.engines.engines import MARGINAL, NONCENTERED, EmbeddedEngine
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import marginal_data, rows_data
from tasks.stats.fits.cross_products import centre_scaled, cross_products, scaling_of
from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.records import GroupedData
from tasks.study.model import Study
from tasks.study.settings import SamplerSettings

DATA = Path(__file__).parent.parent / "data"
ROUNDS = 5
LARGEST = "simulated, 1,000,000 rows, 10,000 groups"


def main() -> None:
    warnings.simplefilter("ignore")
    frames = {
        "sleepstudy, 180 rows, 18 groups": pd.read_csv(DATA / "sleepstudy" / "sleepstudy.csv").set_axis(
            ["y", "x", "g"], axis=1
        ),
        "bounce rates, 613 rows, 8 groups (singular)": pd.read_csv(DATA / "bounce_rates" / "bounce_rates.csv").rename(
            columns={"bounce_time": "y", "age": "x", "county": "g"}
        ),
        "simulated, 100,000 rows, 1,000 groups": simulated(100_000, 1_000),
        LARGEST: simulated(1_000_000, 10_000),
    }
    print("Full REML fit from rows, median seconds of", ROUNDS)
    print(f"{'':46}{'poolwise':>10}{'peer':>10}{'ratio':>8}{'criterion above ours':>23}")
    for name, frame in frames.items():
        frame["x"] = (frame["x"] - frame["x"].mean()) / frame["x"].std()
        frame["g"] = frame["g"].astype(str)
        for peer, fit in PEERS.items() if name != LARGEST else [("glmm", with_glmm)]:
            compare(name, peer, lambda frame=frame: ours(frame), lambda frame=frame, fit=fit: fit(frame))
    compare_programs(frames["sleepstudy, 180 rows, 18 groups"])


def simulated(n_rows: int, n_groups: int) -> pd.DataFrame:
    rng = np.random.default_rng(20)
    group = rng.integers(0, n_groups, n_rows)
    x = rng.normal(size=n_rows)
    effects = rng.normal(size=(n_groups, 2)) * [3.0, 0.5]
    y = 10 + 2 * x + effects[group, 0] + effects[group, 1] * x + 5 * rng.normal(size=n_rows)
    return pd.DataFrame({"y": y, "x": x, "g": group.astype(str)})


def grouped(frame: pd.DataFrame) -> GroupedData:
    codes, labels = pd.factorize(frame["g"], sort=True)
    x, y = frame[["x"]].to_numpy(float), frame["y"].to_numpy(float)
    return GroupedData(y, x, codes.astype(np.int64), tuple(labels), ("intercept", "x"))


def ours(frame: pd.DataFrame) -> float:
    products = cross_products(grouped(frame))
    scaling = scaling_of(products)
    fit = partial_pooling(centre_scaled(products, scaling), scaling, "varying_intercept_slope", (0, 1))
    return fit.criterion_value


def with_statsmodels(frame: pd.DataFrame) -> float:
    return -2 * smf.mixedlm("y ~ x", frame, groups="g", re_formula="~x").fit(reml=True).llf


def with_mixedlm(frame: pd.DataFrame) -> float:
    return mixedlm.lmer("y ~ x + (x | g)", frame, REML=True).deviance


def with_glmm(frame: pd.DataFrame) -> float:
    """By its log-likelihood: what it calls the deviance is not that of the criterion."""
    return -2 * glmm.fit(frame, "y ~ x + (x | g)", reml=True).loglik


PEERS: dict[str, Callable[[pd.DataFrame], float]] = {
    "statsmodels": with_statsmodels,
    "mixedlm": with_mixedlm,
    "glmm": with_glmm,
}


def compare(name: str, peer: str, ours: Callable[[], float], theirs: Callable[[], float]) -> None:
    ours(), theirs()
    seconds, ratios = [], []
    for _ in range(ROUNDS):
        (mine, best), (other, reached) = clocked(ours), clocked(theirs)
        seconds.append((mine, other))
        ratios.append(other / mine)
    mine, other = (statistics.median(column) for column in zip(*seconds, strict=True))
    ratio = statistics.median(ratios)
    print(f"{name:46}{mine:10.4f}{other:10.4f}{ratio:8.1f}{reached - best:16.6f} {peer}")


def clocked(function: Callable[[], float]) -> tuple[float, float]:
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def compare_programs(frame: pd.DataFrame) -> None:
    """Least bulk ESS per second of the marginal program against the textbook non-centred one."""
    from arviz_stats.base import array_stats

    data = grouped(frame)
    products = cross_products(data)
    scaling = scaling_of(products)
    study = Study(name="bench", title="bench", outcome="y", group="g", predictors=("x",))
    priors = resolve_priors(study, scaling)
    inputs = {
        MARGINAL: marginal_data(centre_scaled(products, scaling), (0, 1), priors, scaling),
        NONCENTERED: rows_data(data, (0, 1), priors, scaling),
    }
    rates: dict[Path, list[float]] = {program: [] for program in inputs}
    for seed in range(1, ROUNDS + 1):
        for program, values in inputs.items():
            started = time.perf_counter()
            draws = EmbeddedEngine().sample(program, values, SamplerSettings(), seed, lambda share: None)
            seconds = time.perf_counter() - started
            columns = [draws["beta"][..., 0], draws["beta"][..., 1], *np.moveaxis(draws["sigma_group"], -1, 0)]
            ess = min(array_stats.ess(c, chain_axis=0, draw_axis=1, method="bulk") for c in [*columns, draws["sigma"]])
            rates[program].append(float(ess) / seconds)
    ratio = statistics.median(a / b for a, b in zip(rates[MARGINAL], rates[NONCENTERED], strict=True))
    print("\nLeast bulk ESS per second on sleepstudy, median of", ROUNDS)
    for program, values in rates.items():
        print(f"{program.stem:46}{statistics.median(values):10.0f}")
    print(f"{'ratio':46}{ratio:10.1f}")


if __name__ == "__main__":
    main()
