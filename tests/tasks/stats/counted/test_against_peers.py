"""The same fits as glmm (Rust) and mixedlm (glmer), on real and simulated designs, regular and singular.

Both have 25 points for one varying effect; for two, glmm has 9 by 9 points, in directions of its own. A peer may stop
early: then our likelihood is at least as high, and estimates are not compared.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import glmm
import mixedlm
import numpy as np
import pytest
from mixedlm import families

from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling
from tasks.stats.records import Floats
from tests.counted_designs import CountedRows, cbpp, fruits, grouse_ticks, simulated, verbal_aggression

LME4_CBPP = (-1.39922373, -0.99140888, -1.12780959, -1.57948095), 0.64751991
LME4_TICKS = (0.509907017, -0.023844123, 1.134973399, -1.000643438), 0.95406673
EARLY = 1e-4  # of the log likelihood: a peer whose maximum lies lower by more has stopped early
RELATIVE = 1e-3


@dataclass(frozen=True)
class Peer:
    fixef: Floats
    sd: Floats
    log_lik: float


INTERCEPT: dict[str, Callable[[], CountedRows]] = {
    "cbpp": cbpp,
    "cbpp without predictors": lambda: cbpp(with_periods=False),
    "verbal aggression by person": lambda: verbal_aggression("id"),
    "verbal aggression by item": lambda: verbal_aggression("item"),
    "grouse ticks by brood": lambda: grouse_ticks("BROOD"),
    "grouse ticks by location": lambda: grouse_ticks("LOCATION"),
    "fruits by genotype": fruits,
    "large group SD": lambda: simulated("binomial", 5, [7] * 200, (-1.0, -0.8), (4.0,)),
    "events of trials": lambda: simulated("binomial", 6, [3] * 40, (-1.0, 0.5), (0.7,), most=30),
    "counts over exposure": lambda: simulated("poisson", 7, [4] * 50, (-1.0, 0.5), (0.6,), most=9),
    "rare events": lambda: simulated("binomial", 9, [1] * 150, (-5.5,), (1.0,), most=200),
    "unequal groups": lambda: simulated("binomial", 17, [1, 2, 400, 3, 60, 1, 1, 9, 30, 5], (0.2, 0.4), (0.8,)),
    "singular, 0 or 1": lambda: simulated("binomial", 8, [20] * 20, (0.3, 0.5), (0.0,)),
    "singular, counts": lambda: simulated("poisson", 10, [20] * 20, (0.3, 0.5), (0.0,)),
}
SLOPE: dict[str, Callable[[], CountedRows]] = {
    "slope, 0 or 1": lambda: simulated("binomial", 11, [30] * 25, (-0.5, 0.6), (0.0, 0.7)),
    "slope, counts over exposure": lambda: simulated("poisson", 12, [15] * 25, (-0.5, 0.6), (0.0, 0.5), most=4),
    "slope, singular": lambda: simulated("binomial", 1, [12] * 15, (-0.5, 0.6), (0.6, 0.0)),
}
BOTH: dict[str, Callable[[], CountedRows]] = {
    "both, 0 or 1": lambda: simulated("binomial", 13, [30] * 40, (-0.5, 0.6, -0.3), (0.8, 0.6)),
    "both, counts over exposure": lambda: simulated("poisson", 14, [12] * 40, (-0.5, 0.6, -0.3), (0.5, 0.4), most=4),
    "fruits, both": fruits,
    "both, correlation 1": lambda: simulated("binomial", 5, [12] * 15, (-0.5, 0.6), (0.6, 0.0)),
    "both, correlation -1": lambda: simulated("poisson", 5, [12] * 15, (-0.5, 0.6), (0.6, 0.0)),
    "both, no spread": lambda: simulated("binomial", 4, [12] * 15, (-0.5, 0.6), (0.0, 0.0)),
}


def ours(rows: CountedRows, varying: tuple[int, ...]) -> CountedPartialPooling:
    flavour = "varying_intercept" if varying == (0,) else "varying_slope" if 0 not in varying else None
    return partial_pooling(rows.cells(), flavour or "varying_intercept_slope", varying)


def formula(rows: CountedRows, effect: str) -> str:
    return f"y ~ {' + '.join(rows.terms[1:]) or '1'} + ({effect} | g)"


def with_glmm(rows: CountedRows, effect: str, points: int) -> Peer:
    frame = {name: column.to_numpy() for name, column in rows.frame().items() if name != "g"}
    labels = rows.frame()["g"].astype(str).to_numpy(object)
    sizes = {"weights": rows.size} if rows.family == "binomial" else {"offset": np.log(rows.size)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = glmm.fit({**frame, "g": labels}, formula(rows, effect), rows.family, nagq=points, **sizes)
    lower = fit.varcorr[0]  # of the covariance, row by row
    return Peer(fit.beta, np.sqrt([lower[0], lower[-1]] if len(lower) == 3 else lower), fit.loglik)


def with_mixedlm(rows: CountedRows, effect: str) -> Peer:
    sizes = {"weights": rows.size} if rows.family == "binomial" else {"offset": np.log(rows.size)}
    family = families.Binomial() if rows.family == "binomial" else families.Poisson()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = mixedlm.glmer(formula(rows, effect), rows.frame(), family=family, nAGQ=25, **sizes)
    return Peer(np.array(list(fit.fixef().values())), np.asarray(fit.theta), float(fit.logLik().value))


def compare(fit: CountedPartialPooling, peer: Peer, rule_differs: float = 1e-7) -> None:
    """`rule_differs` is by how much the two rules' likelihoods of the same parameters may differ."""
    assert fit.is_converged
    assert fit.log_lik >= peer.log_lik - rule_differs
    if fit.log_lik > peer.log_lik + max(EARLY, rule_differs):
        return
    np.testing.assert_allclose(fit.fixef, peer.fixef, rtol=RELATIVE, atol=RELATIVE * fit.se.min())
    np.testing.assert_allclose(fit.sigma_group, peer.sd, rtol=RELATIVE, atol=1e-4)


@pytest.mark.parametrize("name", INTERCEPT)
def test_a_varying_intercept_is_that_of_both_peers(name: str) -> None:
    rows = INTERCEPT[name]()
    fit = ours(rows, (0,))
    assert fit.n_points == 25
    compare(fit, with_glmm(rows, "1", 25))
    compare(fit, with_mixedlm(rows, "1"))
    assert fit.is_singular == name.startswith("singular")


@pytest.mark.parametrize("name", SLOPE)
def test_a_varying_slope_is_that_of_mixedlm(name: str) -> None:
    """glmm knows no slope without an intercept."""
    rows = SLOPE[name]()
    fit = ours(rows, (1,))
    compare(fit, with_mixedlm(rows, "0 + x1"))
    assert fit.is_singular == ("singular" in name)


@pytest.mark.parametrize("name", BOTH)
def test_both_varying_are_those_of_glmm(name: str) -> None:
    rows = BOTH[name]()
    fit = ours(rows, (0, 1))
    assert fit.n_points == 81
    compare(fit, with_glmm(rows, "1 + x1", 9), rule_differs=1e-4)
    assert fit.is_singular == (name.split(", ")[1] in ("correlation 1", "correlation -1", "no spread"))


def test_no_peer_stops_early_on_most_designs() -> None:
    """So the comparison of estimates above is one: it is left out where a peer stops early."""
    compared = [with_glmm(INTERCEPT[name](), "1", 25).log_lik for name in INTERCEPT]
    mine = [ours(INTERCEPT[name](), (0,)).log_lik for name in INTERCEPT]
    assert sum(abs(a - b) < EARLY for a, b in zip(mine, compared, strict=True)) >= 10


@pytest.mark.parametrize("name", ["cbpp", "grouse ticks by brood", "counts over exposure", "rare events"])
def test_standard_errors_are_of_the_observed_information(name: str) -> None:
    """glmm's are exact; with the uncertainty of the group SD in them."""
    rows = INTERCEPT[name]()
    frame = {key: column.to_numpy() for key, column in rows.frame().items() if key != "g"}
    labels = rows.frame()["g"].astype(str).to_numpy(object)
    sizes = {"weights": rows.size} if rows.family == "binomial" else {"offset": np.log(rows.size)}
    peer = glmm.fit({**frame, "g": labels}, formula(rows, "1"), rows.family, nagq=25, **sizes)
    np.testing.assert_allclose(ours(rows, (0,)).se, peer.se, rtol=1e-4)


@pytest.mark.parametrize(
    ("rows", "wanted"), [(cbpp(), LME4_CBPP), (grouse_ticks("BROOD"), LME4_TICKS)], ids=["cbpp", "grouse ticks"]
)
def test_estimates_are_those_of_lme4(rows: CountedRows, wanted: tuple[tuple[float, ...], float]) -> None:
    """Of R's lme4 1.1-31 with nAGQ = 25: cbind(incidence, size - incidence) ~ period + (1 | herd), of cbpp, binomial;
    and TICKS ~ cHEIGHT + YEAR + (1 | BROOD), of grouseticks, poisson. Coefficients are on the raw predictors.
    """
    fit = ours(rows, (0,))
    np.testing.assert_allclose(fit.scaling.to_raw @ fit.fixef, wanted[0], rtol=1e-4)
    assert fit.sigma_group[0] == pytest.approx(wanted[1], rel=1e-4)
