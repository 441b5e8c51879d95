"""What the page needs to compare any two groups: draws of the groups' values, as whole numbers of a small step."""

from __future__ import annotations

import numpy as np

from tasks.view.context import Context
from tasks.view.records import Contrast, ContrastTerm

MOST_VALUES = 120_000  # draws times groups times terms embedded in a page
FEWEST_DRAWS, MOST_DRAWS = 200, 1000
MOST_TERMS = 2
STEPS = 100  # to a posterior SD


def contrast(context: Context) -> Contrast | None:
    """None without draws of all groups, for a single group, and for so many that too few draws would fit the page."""
    draws, terms = context.group_draws, context.varying[:MOST_TERMS]
    if draws is None or context.n_groups < 2 or context.findings.recommended is None:
        return None
    n = min(MOST_VALUES // (context.n_groups * len(terms)), MOST_DRAWS, len(draws))
    if n < min(FEWEST_DRAWS, len(draws)):
        return None
    every = np.linspace(0, len(draws) - 1, n).round().astype(int)
    return Contrast(
        id="contrast",
        title=f"Compare two groups ({context.group}), by draws of the Bayesian fit",
        terms=tuple(_term(context, term, draws[every, :, term] / context.raw_scale(term)) for term in terms),
    )


def _term(context: Context, term: int, values: np.ndarray) -> ContrastTerm:
    """Of draws (S, J) in raw units."""
    step = float(np.median(values.std(axis=0))) / STEPS or 1.0
    coded = np.rint((values - values.mean()) / step).astype(int)
    unit = context.raw_unit(term) if term else context.difference_unit
    places = context.places(term, context.raw_scale(term))
    return ContrastTerm(context.term_title(term).lower(), unit, places, step, tuple(map(tuple, coded.T.tolist())))
