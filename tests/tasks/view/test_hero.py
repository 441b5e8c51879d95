"""Every group at a glance: in order, none coloured that is not told apart, however many there are."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tasks.view.answers import apart_from_average
from tasks.view.figures.style import NEUTRAL
from tasks.view.hero import MOST_POINTS, hero
from tests.factories import hostile_case, intercept_only_case, many_groups_case, regular_case, singular_case


def points(spec: dict) -> list[dict]:
    """Traces of groups, without those of the legend."""
    return [trace for trace in spec["data"] if "markers" in trace["mode"] and trace["x"] != [None]]


@pytest.mark.parametrize("make", [singular_case, regular_case, intercept_only_case, hostile_case])
def test_coloured_groups_are_those_told_from_the_average(make) -> None:
    context = make().context
    made = hero(context)
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
    assert "own mean" in made.caption
    assert {trace["marker"]["color"] for trace in points(made.spec)} == {NEUTRAL}


def test_many_groups_stand_side_by_side() -> None:
    made = hero(many_groups_case(2_000).context)
    assert all(len(trace["x"]) <= MOST_POINTS for trace in points(made.spec))
    assert any(trace.get("fill") == "toself" for trace in made.spec["data"])
    assert made.height <= 400
