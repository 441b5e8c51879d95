"""How pooling moves each group's estimate: no pooling, partial pooling, Bayes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.view import guides, wording
from tasks.view.context import Context
from tasks.view.figures.displacement import displacement
from tasks.view.figures.style import MODELS, tick
from tasks.view.records import Block, Figure, Fold, Paragraph, Section
from tasks.view.selection import MOVING_LIMIT, PANEL_LIMIT, notable_groups, rule

ID = "displacement"


def section(context: Context) -> Section:
    slopes = tuple(term for term in context.varying if term)
    figures: list[Block] = [_plane(context, term) for term in slopes] or [_against_size(context)]
    blocks = (*figures, Fold("How to read this", (Paragraph(guides.DISPLACEMENT),)))
    return Section(ID, "How pooling moves the estimates", wording.displacement_finding(context), blocks)


def _chosen(context: Context) -> np.ndarray:
    return notable_groups(context.findings.group_sizes, context.bands[2].coef[:, 0], MOVING_LIMIT)


def _plane(context: Context, term: int) -> Figure:
    """(level, slope) of each group."""
    chosen, fit = _chosen(context), context.findings.fullest
    stages = [(bands.model, bands.coef[chosen, 0], bands.coef[chosen, term]) for bands in context.bands]
    return _figure(
        context,
        chosen,
        stages,
        f"{term}",
        x_title=_titled("Level", context.term_unit(0)),
        y_title=_titled(context.term_title(term), context.term_unit(term)),
        target=(float(fit.fixef[0]), float(fit.fixef[term])),
    )


def _against_size(context: Context) -> Figure:
    chosen = _chosen(context)
    sizes = context.findings.group_sizes[chosen].astype(float)
    x, x_title, x_options = _size_axis(context, chosen, sizes)
    stages = [(bands.model, x, bands.coef[chosen, 0]) for bands in context.bands]
    y_title = _titled("Level", context.unit)
    return _figure(context, chosen, stages, "0", x_title=x_title, y_title=y_title, x_options=x_options)


def _size_axis(context: Context, chosen: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, str, dict[str, Any]]:
    """Rows per group; groups by name where all have as many rows."""
    if sizes.min() < sizes.max():
        return _apart(sizes), "rows in the group", {"type": "log"} if sizes.max() > 10 * sizes.min() else {}
    names = [tick(context.labels[j]) for j in chosen] if chosen.size <= PANEL_LIMIT else []
    places = np.arange(chosen.size, dtype=float)
    return places, f"group ({sizes[0]:.0f} rows each)", {"tickvals": list(range(len(names))), "ticktext": names}


def _apart(sizes: np.ndarray) -> np.ndarray:
    """Equal sizes are set slightly apart, so that each group can be seen."""
    rank = np.argsort(np.argsort(sizes, kind="stable"), kind="stable")
    first = np.searchsorted(np.sort(sizes), sizes)
    repeats = np.maximum(np.bincount(first, minlength=sizes.size)[first], 1)
    return np.asarray(sizes * (1 + 0.04 * ((rank - first) - (repeats - 1) / 2) / np.sqrt(repeats)))


def _figure(context: Context, chosen: np.ndarray, stages: list[Any], name: str, **options: Any) -> Figure:
    target = options.get("target")
    return Figure(
        id=f"figure-displacement-{name}",
        caption=" ".join(
            filter(
                None,
                [
                    "Estimates by group under no pooling, partial pooling and Bayes: press Play or move the slider.",
                    "The grey cross is the overall estimate." if target else "",
                    _gaps(context),
                    rule(len(chosen), context.n_groups),
                ],
            )
        ),
        alternative=wording.displacement_finding(context),
        spec=displacement(
            [context.labels[j] for j in chosen], context.findings.group_sizes[chosen].tolist(), stages, **options
        ),
        height=480,
        stages=tuple(MODELS[stage[0]].label for stage in stages),
    )


def _gaps(context: Context) -> str:
    missing = int((~context.findings.no_pooling.is_fitted).sum())
    return "Groups without a fit of their own appear with partial pooling." if missing else ""


def _titled(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title
