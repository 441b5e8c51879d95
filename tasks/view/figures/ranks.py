"""Each group's rank with its interval, in order of expected rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.figures import intervals
from tasks.view.figures.style import MODELS, NEUTRAL, Spec, spec


@dataclass(frozen=True)
class RankRows:
    """The groups shown, from top to bottom; arrays are (rows,)."""

    labels: Sequence[str]
    groups: Integers  # positions
    n: Integers
    expected: Floats
    lower: Integers
    upper: Integers
    top: Sequence[str]  # probabilities, in words
    bottom: Sequence[str]
    is_placed: np.ndarray  # whether the interval lies in one half of the table


def rank_plot(rows: RankRows, n_groups: int, n_extreme: int) -> Spec:
    """Ranks out of `n_groups`; groups that can be placed in one half of the table stand out."""
    bayes = MODELS["bayes"]
    series = [
        _series(rows, rows.is_placed, "in one half with 95 % certainty", bayes.color, "circle"),
        _series(rows, ~rows.is_placed, "could be in either half", NEUTRAL, "circle-open"),
    ]
    plot = intervals.interval_plot(
        rows.labels,
        series,
        x_title=f"rank among {n_groups:,} groups (1 = highest)",
        reference=(n_groups + 1) / 2,
        together=True,
        groups=rows.groups,
        n=rows.n.tolist(),
    )
    hover = _hover(rows, n_groups, n_extreme)
    data = [trace | hover if "hovertemplate" in trace else trace for trace in plot["data"]]
    return spec(data, {**plot["layout"], "xaxis": {**plot["layout"]["xaxis"], "range": _range(rows)}})


def _series(rows: RankRows, chosen: np.ndarray, label: str, color: str, symbol: str) -> intervals.Series:
    expected, lower, upper = (np.where(chosen, values, np.nan) for values in (rows.expected, rows.lower, rows.upper))
    return intervals.Series(label, color, symbol, expected, lower, upper)


def _range(rows: RankRows) -> list[float]:
    margin = max(0.5, 0.02 * float(rows.upper.max() - rows.lower.min()))
    return [float(rows.lower.min()) - margin, float(rows.upper.max()) + margin]


def _hover(rows: RankRows, n_groups: int, n_extreme: int) -> Spec:
    columns = (rows.n.tolist(), rows.lower.tolist(), rows.upper.tolist(), rows.top, rows.bottom)
    few = f"{n_extreme:,}" if n_extreme > 1 else "one"
    return {
        "customdata": [list(row) for row in zip(*columns, strict=True)],
        "hovertemplate": (
            "<b>%{text}</b>, n = %{customdata[0]:,}<br>"
            f"expected rank %{{x:,.1f}} of {n_groups:,}<br>"
            "95&nbsp;% interval %{customdata[1]:,} to %{customdata[2]:,}<br>"
            f"among the highest {few}: %{{customdata[3]}}<br>"
            f"among the lowest {few}: %{{customdata[4]}}<extra></extra>"
        ),
    }
