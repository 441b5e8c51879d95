"""How far groups lie apart by each model, on the link's scale and in words of the outcome, and how far they are pooled.

Odds or rate ratio and ICC rise with the SD of the level between groups, so that their intervals have the SD's ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.heterogeneity import count_icc, latent_icc, median_ratio
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.counted.weighed import CountedWeighed
from tasks.stats.fits.cells import Cells
from tasks.stats.judged.recommended import WithInterval
from tasks.stats.records import Floats, MedianEstimate


@dataclass(frozen=True)
class CountedSpread:
    """How far groups lie apart by one model; the limits are NaN where it has none."""

    sd: WithInterval  # (q,) of the varying effects, on the link's scale and on centre-scaled predictors
    ratio: WithInterval  # () median odds or rate ratio of two groups
    icc: WithInterval  # () share of the variation between groups, on the latent scale


@dataclass(frozen=True)
class CountedVariance:
    """By maximum likelihood, by plain Bayes, and by the model that answers what was found, if there is one."""

    likelihood: CountedSpread
    bayes: CountedSpread
    answer: CountedSpread | None  # its level has what size and context account for, too
    count: float | None  # of a Poisson outcome, the expected count at which `icc` is taken: the mean of the rows
    pooled: Floats  # (J,) rate that pooling makes of each group's own cases, by the answer or by plain Bayes
    left_open: Floats  # (J, q) share of the variance between groups that a group's own rows leave open, 0 to 1

    @property
    def quoted(self) -> CountedSpread:
        return self.answer or self.bayes


def counted_variance(found: CountedWeighed) -> CountedVariance:
    count = _mean_count(found.cells)
    fit, none = found.fits.fullest, np.full(found.fits.fullest.sigma_group.shape, np.nan)
    answer = found.answer.spread_of_groups if found.answer else None
    return CountedVariance(
        likelihood=_spread(WithInterval(fit.sigma_group, none, none), count),
        bayes=_spread(_with_interval(found.bayes.sigma_group), count),
        answer=_spread(_with_interval(answer), count) if answer else None,
        count=count,
        pooled=_pooled(found),
        left_open=left_open(fit),
    )


def _spread(sd: WithInterval, count: float | None) -> CountedSpread:
    parts = [part[0] for part in (sd.estimate, sd.lower, sd.upper)]
    shares = [latent_icc(part) if count is None else count_icc(part, count) for part in parts]
    return CountedSpread(sd, WithInterval(*map(median_ratio, parts)), WithInterval(*shares))


def _with_interval(found: MedianEstimate) -> WithInterval:
    return WithInterval(found.median, found.lower, found.upper)


def _mean_count(cells: Cells) -> float | None:
    return None if cells.family == "binomial" else float(cells.events.sum() / cells.n_rows.sum())


def _pooled(found: CountedWeighed) -> Floats:
    """(J,) standardised rates where nothing can be expected of a group's own cases."""
    if found.expected is None or found.compared.predicted is None:
        return found.compared.rate.estimate
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(found.compared.predicted.estimate * found.expected.expected / found.fits.rates.size)


def left_open(fit: CountedPartialPooling) -> Floats:
    """(J, q) conditional variance of each effect of a group by its variance between groups; 1 where that is 0.

    The twin of the shrinkage factor of normal rows: 0 where a group's own rows decide, 1 where they say nothing.
    """
    between = np.diag(fit.cov)
    within = np.diagonal(fit.conditional_cov, axis1=1, axis2=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(between > 0, within / between, 1.0)
    return np.clip(share, 0.0, 1.0)
