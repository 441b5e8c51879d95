"""What readers see of level and group size says what was found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tasks.stats.judged.implied_coverage import ImpliedCoverage
from tasks.stats.judged.screening import Screening
from tasks.view import answers
from tasks.view.context import Context
from tasks.view.document import summary_of
from tasks.view.figures import by_size
from tasks.view.records import Figure
from tasks.view.topics import size
from tests import factories
from tests.factories import Case
from tests.said import block, by_name, changed, section

CASES = {
    "singular": factories.singular_case,
    "regular": factories.regular_case,
    "intercept only": factories.intercept_only_case,
    "two predictors": factories.two_predictors_case,
    "hostile": factories.hostile_case,
    "many": factories.many_groups_case,
}
every_case = pytest.mark.parametrize("make", CASES.values(), ids=CASES)


def group_points(figure: Figure) -> list[dict[str, Any]]:
    return [t for t in figure.spec["data"] if t["mode"] == "markers" and t["x"] != [None]]


@every_case
def test_every_point_knows_its_group(make: Callable[[], Case]) -> None:
    for figure in (one for one in section(size.TOPIC, make().context).blocks if isinstance(one, Figure)):
        if figure.id == "figure-size-calibration":
            continue
        for trace in group_points(figure):
            assert len(trace["meta"]["groups"]) == len(trace["x"]) == len(trace["customdata"])


@pytest.mark.parametrize(("limit", "kind"), [(9, "scatter"), (8, "scattergl")])
def test_many_groups_are_drawn_by_the_graphics_card(monkeypatch: pytest.MonkeyPatch, limit: int, kind: str) -> None:
    monkeypatch.setattr(by_size, "WEBGL_FROM", limit)
    figure = block(section(size.TOPIC, factories.singular_case().context), "figure-size-trend")
    assert {t["type"] for t in group_points(figure)} == {kind}


def test_equal_sizes_give_the_reason_and_no_figure() -> None:
    found = section(size.TOPIC, factories.regular_case().context)
    assert found.finding == "All groups have 10 rows, so nothing can go with their size."
    assert not [one for one in found.blocks if isinstance(one, Figure)]


def trending(clear: bool, material: bool, per_doubling: float = 2.0) -> Context:
    case = factories.singular_case()
    trend = case.findings.size_trend
    ends = (per_doubling - 1, per_doubling + 1) if clear else (-9.0, 9.0)
    made = replace(
        trend,
        per_doubling=per_doubling,
        per_doubling_se=0.5,
        per_doubling_lower=ends[0],
        per_doubling_upper=ends[1],
        is_clear=clear,
        is_material=material,
    )
    return changed(case, size_trend=made, screening=with_size(case.findings.screening, clear, material))


def with_size(screening: Screening, clear: bool, material: bool) -> Screening:
    """The screening had size as a term of the mixed model been clear, or large enough to matter."""
    assert screening.size is not None
    p_value, span = (1e-4 if clear else 0.5), (9.0 if material else 0.0)
    kept = ImpliedCoverage(np.full(2, 0.95), 0.95)
    size_term = replace(screening.size, p_value=p_value, span=span, share_moved=0.0, implied=kept)
    others = (one for one in screening.missing if one.added.kind != "size")
    return replace(screening, missing=(size_term, *others))


@pytest.mark.parametrize(
    ("clear", "material", "per_doubling", "status", "says"),
    [
        (False, True, 2.0, "pass", "There is no clear sign"),
        (True, False, 2.0, "pass", "That is little beside"),
        (True, True, 2.0, "review", "an average group that is too high for them"),
        (True, True, -2.0, "review", "an average group that is too low for them"),
    ],
)
def test_check_and_finding_agree_on_the_trend(
    clear: bool, material: bool, per_doubling: float, status: str, says: str
) -> None:
    context = trending(clear, material, per_doubling)
    check = by_name(context)["size_trend"]
    assert check.status == status
    assert bool(check.advice) == (status == "review")
    assert says in check.message
    assert check.message == size.TOPIC.finding(context)


def test_flipped_groups_are_listed_with_both_sides() -> None:
    case = factories.singular_case()
    trend = case.findings.size_trend
    moved = replace(trend.plain, lower=trend.plain.lower.copy(), upper=trend.plain.upper.copy())
    moved.lower[2], moved.upper[2] = moved.average - 500, moved.average + 500
    before = replace(trend.plain, lower=trend.plain.lower.copy())
    before.lower[2] = before.average + 1
    context = changed(case, size_trend=replace(trend, plain=before, with_size=moved))
    assert context.findings.size_trend is not None
    assert 2 in context.findings.size_trend.flipped
    table = block(section(size.TOPIC, context), "table-size")
    row = table.rows[table.groups.index(2)]
    assert (row[0].text, row[3].text, row[5].text) == ("devon", "above", "not told apart")
    assert "changes for" in size.TOPIC.finding(context)


@every_case
def test_summary_holds_what_was_found(make: Callable[[], Case]) -> None:
    case = make()
    told, found = summary_of(case.context)["size_trend"], case.findings.size_trend
    if found is None:
        assert told is None
    else:
        assert told["per_doubling"] == found.per_doubling
        assert len(told["flipped"]) == found.flipped.size


def test_the_spread_of_the_groups_is_that_of_the_first_screen() -> None:
    """Not another estimate of it under the same words."""
    case = factories.singular_case()
    trend = case.findings.size_trend
    assert trend is not None
    little = replace(trend, is_clear=True, is_material=False, tau=99.0)
    context = changed(case, size_trend=little, screening=with_size(case.findings.screening, True, False))
    said = re.search(r"typically ([\d.]+.s) from the average group", size.TOPIC.finding(context))
    assert said
    assert f"typically by {said[1]} from their average" in answers.one_sentence(context)
