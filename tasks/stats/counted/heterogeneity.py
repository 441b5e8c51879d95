"""How much groups differ, in words of the outcome: median odds or rate ratio, and ICC on the latent scale.

`tau` is the SD of the varying intercepts on the link scale; any shape, such as draws.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from tasks.stats.records import Floats

# Variance of a standard logistic variable.
LOGISTIC_VARIANCE = np.pi**2 / 3.0


def median_ratio(tau: Floats | float) -> Floats:
    """Odds (or rate) ratio of the higher to the lower of two groups drawn at random: half of all pairs have more.

    exp(sqrt(2) tau z), z the third quartile of the standard normal (Larsen & Merlo 2005, *Am. J. Epidemiol.* 161);
    for rates, Austin et al. 2018, *Stat. Med.* 37.
    """
    return np.asarray(np.exp(np.sqrt(2.0) * np.asarray(tau) * ndtri(0.75)))


def latent_icc(tau: Floats | float) -> Floats:
    """Share of the variance of a logistic model's latent scale that lies between groups (Goldstein et al. 2002)."""
    variance = np.asarray(tau) ** 2
    return np.asarray(variance / (variance + LOGISTIC_VARIANCE))


def count_icc(tau: Floats | float, count: Floats | float) -> Floats:
    """The same for a count of expectation `count`: its Poisson variance on the log scale is log(1 + 1 / count).

    Nakagawa, Johnson & Schielzeth 2017, *J. R. Soc. Interface* 14, who approximate by a lognormal variable. A count
    over a longer exposure has less chance in it: say which `count` was taken.
    """
    variance = np.asarray(tau) ** 2
    return np.asarray(variance / (variance + np.log1p(1.0 / np.asarray(count))))
