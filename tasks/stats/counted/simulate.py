"""Simulated deaths in hospitals, of which the small ones are truly worse: the rows of data/hospital_mortality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from tasks.stats.records import Floats, Integers

SEED = 2017
N_HOSPITALS = 300
SMALLEST, LARGEST = 5, 5000  # admissions
AGE_BANDS = ("18-49", "50-64", "65-74", "75-84", "85+")
SEVERITIES = ("low", "moderate", "high")
AGE_SHARES = (0.10, 0.22, 0.26, 0.27, 0.15)
# Log odds beside ages 65 to 74, and beside moderate severity.
AGE_EFFECTS: Floats = np.array([-1.30, -0.60, 0.0, 0.50, 0.95])
SEVERITY_EFFECTS: Floats = np.array([-0.90, 0.0, 1.10])
LEVEL = -1.75  # of a hospital with TYPICAL admissions
TYPICAL = 100.0
PER_DOUBLING = -0.12  # of admissions
SPREAD = 0.18  # SD of what hospitals differ by beside that
STARTS = (
    *("Al", "Bar", "Cor", "Dun", "El", "Fen", "Gar", "Hol", "Is", "Kel"),
    *("Lor", "Mar", "Nor", "Os", "Pel", "Quin", "Ros"),
)
ENDS = (
    *("bach", "combe", "don", "ely", "fell", "gate", "hurst", "ing", "kirk", "lea", "mere", "ney", "port", "rith"),
    *("sall", "thorn", "vane", "wick", "yard"),
)


@dataclass(frozen=True)
class Hospitals:
    """A row for each hospital, age band and severity with an admission; arrays are (N,)."""

    hospital: tuple[str, ...]
    age_band: tuple[str, ...]
    severity: tuple[str, ...]
    admissions: Integers
    deaths: Integers
    true_rate: Floats  # (300,) of each hospital on the case mix of all, in the order of `names`
    names: tuple[str, ...]  # 300


def simulate_hospitals(seed: int = SEED) -> Hospitals:
    """Large hospitals take more severe cases; at any severity and age, deaths are rarer in them."""
    rng = np.random.default_rng(seed)
    names = _names(rng)
    volume = np.rint(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST), N_HOSPITALS))).astype(np.int64)
    doublings = np.log2(volume / TYPICAL)
    level = LEVEL + PER_DOUBLING * doublings + SPREAD * rng.standard_normal(N_HOSPITALS)
    shares = np.array([_case_mix(each, rng) for each in doublings])
    admissions = np.array([rng.multinomial(n, share.ravel()) for n, share in zip(volume, shares, strict=True)])
    risk = expit(level[:, None] + (AGE_EFFECTS[:, None] + SEVERITY_EFFECTS).ravel())
    deaths = rng.binomial(admissions, risk)
    where, cell = np.nonzero(admissions)
    everybody = admissions.sum(axis=0) / admissions.sum()
    return Hospitals(
        tuple(names[j] for j in where),
        tuple(AGE_BANDS[k // len(SEVERITIES)] for k in cell),
        tuple(SEVERITIES[k % len(SEVERITIES)] for k in cell),
        admissions[where, cell],
        deaths[where, cell],
        risk @ everybody,
        names,
    )


def _case_mix(doublings: float, rng: np.random.Generator) -> Floats:
    """(5, 3) shares of age bands and severities of a hospital."""
    severe = np.exp(np.array([0.0, 0.35, -0.45]) + 0.10 * doublings * np.array([-1.0, 0.0, 1.0]))
    share = np.outer(rng.dirichlet(60.0 * np.array(AGE_SHARES)), rng.dirichlet(60.0 * severe / severe.sum()))
    return np.asarray(share / share.sum())


def _names(rng: np.random.Generator) -> tuple[str, ...]:
    """Invented places, in no order."""
    every = [start + end for start in STARTS for end in ENDS]
    return tuple(every[k] for k in rng.permutation(len(every))[:N_HOSPITALS])
