"""What stops a study of a counted outcome: rows without any event, or with nothing else; groups of one trial."""

from __future__ import annotations

import numpy as np

from tasks.stats.counted.exact_intervals import exact_interval
from tasks.stats.fits.cells import Cells
from tasks.study.model import Study
from tasks.study.plain_text import brief, shown


def is_repeated(cells: Cells) -> bool:
    """Whether chance within groups can be known: from several trials in some group, or as a count's always is."""
    return cells.family == "poisson" or bool((cells.of_groups(cells.size) > 1).any())


def nothing_to_compare(cells: Cells, study: Study) -> str:
    """Says that there is no event, or nothing but events, and what is known of the rate; empty if there are both."""
    events, size, n_rows = (float(each.sum()) for each in (cells.events, cells.size, cells.n_rows))
    if 0 < events < size or (events > 0 and cells.family == "poisson"):
        return ""
    outcome, rows = shown(study.outcome), f"{n_rows:,.0f} usable rows"
    if study.trials is not None:
        rows = f"{rows}, in {size:,.0f} {brief(study.rates.of) or 'trials'}"
    found = f"has no event in any of the {rows}" if not events else f"has nothing but events in all {rows}"
    coded = ", that events are coded as 1," if study.family == "binomial" and study.trials is None else ""
    return (
        f"The outcome {outcome} {found}, so there is nothing to compare. Check that it is the right column{coded} and "
        "that the data is complete. If so, the overall rate is all that is known: its exact 95 % interval is "
        f"{_interval(cells, study)}. Add rows until there are {'others' if events else 'events'}, or leave it at that."
    )


def _interval(cells: Cells, study: Study) -> str:
    ends = exact_interval(cells.family, np.array(cells.events.sum()), np.array(cells.size.sum()))
    per = study.rates.per
    if per is None and cells.family == "binomial":
        return f"{100 * float(ends[0]):.3g} to {100 * float(ends[1]):.3g} %"
    unit = "per {}".format(_one(study) if per is None else f"{per:,.15g} {_unit(study)}")
    low, high = ((per or 1.0) * float(end) for end in ends)
    return f"{low:.3g} to {high:.3g} {unit}"


def _one(study: Study) -> str:
    return "unit of exposure" if study.exposure else "row"


def _unit(study: Study) -> str:
    if study.rates.of:
        return brief(study.rates.of)
    return "trials" if study.family == "binomial" else "of exposure" if study.exposure else "rows"
