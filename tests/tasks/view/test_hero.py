"""Every group at a glance: in order, none coloured that is not told apart, however many there are."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tasks.view.answers import apart_from_average
from tasks.view.figures.glance import APART, MOST_WHISKERS
from tasks.view.figures.style import NEUTRAL
from tasks.view.hero import hero
from tests.factories import hostile_case, intercept_only_case, many_groups_case, regular_case, singular_case


def points(spec: dict) -> list[dict]:
    """Traces of groups, without those of the legend."""
    return [trace for trace in spec["data"] if "markers" in trace["mode"] and trace["x"] != [None]]


@pytest.mark.parametrize("make", [singular_case, regular_case, intercept_only_case, hostile_case])
def test_coloured_groups_are_those_told_from_the_average(make) -> None:
    context = make().context
    made = hero(context)
    assert made is not None
    json.dumps(made.spec, allow_nan=False)
    coloured = set()
    for trace in points(made.spec):
        known = [group for group, x in zip(trace["meta"]["groups"], trace["x"], strict=True) if x is not None]
        coloured |= set(known) if trace["marker"]["color"] != NEUTRAL else set()
    told = {int(group) for part in apart_from_average(context) for group in part}
    assert coloured in (told, set())
    shown = made.spec["layout"]["yaxis"]["ticktext"]
    assert len(shown) == context.n_groups
    order = np.argsort(-context.recommended.coef[:, 0], kind="stable")
    assert points(made.spec)[0]["meta"]["groups"] == order.tolist()


def test_where_no_model_can_be_trusted_own_means_are_shown_and_none_is_coloured() -> None:
    case = singular_case()
    made = hero(replace(case, findings=replace(case.findings, recommended=None)).context)
    assert made is not None
    assert "own mean" in made.caption
    assert made.spec["layout"]["shapes"] == [], "they are compared with nothing"
    assert {trace["marker"]["color"] for trace in points(made.spec)} == {NEUTRAL}


def test_many_groups_stand_side_by_side() -> None:
    """As large a share of the points is coloured as of all groups."""
    context = many_groups_case(2_000).context
    made = hero(context)
    assert made is not None
    drawn = {trace["name"]: len(trace["x"]) for trace in points(made.spec)}
    assert sum(drawn.values()) == MOST_WHISKERS
    n_apart = sum(part.size for part in apart_from_average(context))
    assert n_apart > 0
    assert drawn.get(APART, 0) / MOST_WHISKERS == pytest.approx(n_apart / context.n_groups, abs=0.06)
    assert any(trace.get("fill") == "toself" for trace in made.spec["data"])
    assert made.height <= 400


def test_without_any_estimate_there_is_no_figure() -> None:
    """No model can be trusted, and no group can carry a fit of its own."""
    case = singular_case()
    own = case.findings.no_pooling
    nothing = replace(own, coef=np.full_like(own.coef, np.nan))
    assert hero(replace(case, findings=replace(case.findings, recommended=None, no_pooling=nothing)).context) is None
