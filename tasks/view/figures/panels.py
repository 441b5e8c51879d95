"""One group's rows as points, with a line per model through them."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats
from tasks.view.figures.style import MODELS, PANEL_MARGIN, POINTS, Spec, layout, numbers, spec, text


def group_panel(
    x: Floats,
    y: Floats,
    lines: dict[str, Floats],
    *,
    line_x: Floats,
    x_axis: Spec,
    y_axis: Spec,
    has_predictor: bool = True,
    ribbon: Floats | None = None,
    heading: str = "",
    unit: str = "",
) -> Spec:
    """`lines` holds, per model, the expected outcome at each of `line_x`; NaN where the model has none.

    The axes are those that all panels share. `ribbon` (2, P) holds the group's line at each of `line_x` with a
    probability of 95 %. `heading` names the group on hover.
    """
    measure = f"\u202f{text(unit)}" if unit else ""
    points: Spec = {
        "type": "scatter",
        "mode": "markers",
        "x": numbers(x),
        "y": numbers(y),
        "marker": {"size": 5, "color": POINTS},
        "hovertemplate": ("%{x:,.4~r}, " if has_predictor else "") + f"%{{y:,.4~r}}{measure}<extra>row</extra>",
    }
    lines_known = {model: values for model, values in lines.items() if np.isfinite(values).all()}
    cloud = [] if ribbon is None else [_ribbon(line_x, ribbon)]
    head = f"<b>{text(heading)}</b><br>" if heading else ""
    traces = [*cloud, *(_line(model, line_x, values, head, measure) for model, values in lines_known.items())]
    return spec([points, *traces], layout(x_axis, y_axis, margin=PANEL_MARGIN))


def _ribbon(x: Floats, ends: Floats) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(np.concatenate([x, x[::-1]])),
        "y": numbers(np.concatenate([ends[1], ends[0][::-1]])),
        "fill": "toself",
        "fillcolor": "rgba(0,158,115,0.22)",  # that of Bayes
        "line": {"width": 0, "color": MODELS["bayes"].color},
        "hoverinfo": "skip",
    }


def _line(model: str, x: Floats, y: Floats, head: str, measure: str) -> Spec:
    style = MODELS[model]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": style.label,
        "meta": {"model": model},  # the page moves one line through the rows, from one model's to the next's
        "x": numbers(x),
        "y": numbers(y),
        "line": {"color": style.color, "dash": style.dash, "width": 2.2},
        "hovertemplate": f"{head}{style.label}: %{{y:,.4~r}}{measure}<extra></extra>",
    }


def spread_out(n: int) -> Floats:
    """Positions from 0 to 1 that keep `n` points of one group apart: the golden ratio's steps."""
    return np.mod(0.5 + 0.618034 * np.arange(n), 1.0)
