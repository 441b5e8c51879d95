"""One group's estimate with its interval, run after run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.stats.records import Floats
from tasks.view.figures.style import MODELS, PANEL_MARGIN, Spec, layout, numbers, panel_axis, spec, text


def history_panel(
    moments: Sequence[str],
    statuses: Sequence[str],
    mean: Floats,
    lower: Floats,
    upper: Floats,
    *,
    x_range: Sequence[str],
    y_range: Sequence[float],
    has_hours: bool = False,
    title: str = "",
    heading: str = "",
    unit: str = "",
) -> Spec:
    """`moments` are ISO 8601; a run without the group leaves a gap. `has_hours` if days do not tell runs apart.

    `title` names the effect, `heading` the group on hover.
    """
    head, measure = f"<b>{text(heading)}</b><br>" if heading else "", f"\u202f{text(unit)}" if unit else ""
    style = MODELS["bayes"]
    trace: Spec = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(moments),
        "y": numbers(mean),
        "customdata": [
            [text(status), low, high]
            for status, low, high in zip(statuses, numbers(lower), numbers(upper), strict=True)
        ],
        "line": {"color": style.color, "width": 1},
        "marker": {"color": style.color, "symbol": style.symbol, "size": 6},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": _lengths(upper - mean),
            "arrayminus": _lengths(mean - lower),
            "color": style.color,
            "thickness": 1.5,
            "width": 0,
        },
        "hovertemplate": f"{head}%{{x|%-d %b %Y, %H:%M}}<br>%{{y:,.4~r}}{measure}<br>95&nbsp;% interval "
        "%{customdata[1]:,.4~r} to %{customdata[2]:,.4~r}<br>verdict: %{customdata[0]}<extra></extra>",
    }
    ticks = "%H:%M\n%-d %b" if has_hours else "%-d %b\n%Y"
    across = panel_axis(type="date", range=list(x_range), nticks=3, tickangle=0, tickformat=ticks)
    return spec([trace], layout(across, panel_axis(title, range=list(y_range), nticks=5), margin=PANEL_MARGIN))


def _lengths(values: Floats) -> list[float]:
    """Lengths of error bars; null where there is no estimate."""
    return [value or 0.0 for value in numbers(np.maximum(values, 0.0))]
