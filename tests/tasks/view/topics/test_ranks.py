"""What readers see of ranks and of the funnel says what was found, of every group, and names no winner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tasks.stats.judged.funnel import ALARM, WARNING
from tasks.view.document import summary_of
from tasks.view.figures import by_size
from tasks.view.records import Figure, GroupTable, Table
from tasks.view.selection import ROWS_LIMIT
from tasks.view.topics import rank_blocks, ranks
from tasks.view.topics.funnel import funnel_finding
from tests import factories
from tests.factories import Case
from tests.said import block, changed, section

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
    context = make().context
    found = section(ranks.TOPIC, context)
    for figure in (one for one in found.blocks if isinstance(one, Figure)):
        for trace in group_points(figure):
            assert len(trace["meta"]["groups"]) == len(trace["x"]) == len(trace["customdata"])
    funnel = [j for trace in group_points(block(found, "figure-funnel")) for j in trace["meta"]["groups"]]
    assert sorted(funnel) == list(range(len(context.labels)))


@pytest.mark.parametrize("make", [factories.singular_case, factories.regular_case])
def test_rank_figure_shows_the_ranks_found_in_order(make: Callable[[], Case]) -> None:
    case = make()
    found = case.findings.ranks
    figure = block(section(ranks.TOPIC, case.context), "figure-ranks-0")
    shown = {}
    for trace in group_points(figure):
        pairs = zip(trace["meta"]["groups"], trace["x"], trace["customdata"], strict=True)
        shown |= {j: (x, *data[:3]) for j, x, data in pairs if x is not None}
    one = found.terms[0]
    for j, (x, n, lower, upper) in shown.items():
        assert x == pytest.approx(one.expected[j], abs=0.01)
        assert (n, lower, upper) == (case.findings.group_sizes[j], one.lower[j], one.upper[j])
    assert len(shown) == len(case.findings.labels)
    assert figure.spec["data"][1]["meta"]["groups"] == np.argsort(one.expected, kind="stable").tolist()


@pytest.mark.parametrize("make", [factories.singular_case, factories.intercept_only_case])
def test_table_holds_every_group_with_its_numbers(make: Callable[[], Case]) -> None:
    case = make()
    found = case.findings.ranks
    table = block(section(ranks.TOPIC, case.context), "table-ranks")
    assert isinstance(table, Table)
    assert table.groups == tuple(range(len(case.findings.labels)))
    one = found.terms[0]
    for j, row in enumerate(table.rows):
        assert float(row[2].text) == pytest.approx(one.expected[j], abs=0.051)
        certain = one.lower[j] == one.upper[j]
        assert row[2].detail == (f"{one.lower[j]}" if certain else f"{one.lower[j]} to {one.upper[j]}")


def test_many_groups_are_all_in_the_table_and_the_notable_ones_in_the_figure() -> None:
    context = CASES["many"]().context
    found = section(ranks.TOPIC, context)
    table, figure = block(found, "table-ranks"), block(found, "figure-ranks-0")
    assert isinstance(table, GroupTable)
    assert table.n_rows == 500
    assert len(group_points(figure)[0]["x"]) == ROWS_LIMIT
    assert figure.longer is None
    assert f"{ROWS_LIMIT} of 500 groups" in figure.caption
    assert "highest effect of hours" in block(found, "figure-ranks-1").caption


def test_only_a_defensible_ranking_is_called_one() -> None:
    case = factories.regular_case()
    found = case.findings.ranks
    level = found.terms[0]
    n = level.expected.size

    def finding(**parts: object) -> str:
        term = replace(level, **parts)  # type: ignore[arg-type]
        return ranks.TOPIC.finding(changed(case, ranks=replace(found, terms=(term,))))

    few = np.zeros(n, dtype=int)
    few[:2] = 1
    assert finding(is_defensible=False, half=few).startswith("Do not rank the groups.")
    assert "Only 2 of 18 groups can be placed" in finding(is_defensible=False, half=few)
    assert "None of 18 groups can be placed" in finding(is_defensible=False, half=0 * few)
    assert finding(is_defensible=True, half=few + 1).startswith(
        "The groups can be ranked by their level, if every rank"
    )
    for text in (finding(is_defensible=False), finding(is_defensible=True)):
        assert not {"good", "bad", "best", "worst", "winner"} & set(text.lower().split())


def test_a_probability_from_draws_is_never_told_as_certain() -> None:
    told = [rank_blocks.chance(p, 4000) for p in (0.0, 0.5, 1.0)]
    assert told == [
        "<\u202f1\u202f%",
        "50\u202f%",
        ">\u202f99\u202f%",
    ]


def test_funnel_names_the_groups_outside_and_counts_them() -> None:
    case = factories.two_predictors_case()
    found = case.findings.funnel
    level = found.level.copy()
    level[3] += 40 * found.sigma
    odd = replace(found, level=level)
    context = changed(case, funnel=odd)
    assert odd.outside(ALARM, between=True)[3]
    assert "clinic D" in funnel_finding(context, odd)
    _, unusual = group_points(block(section(ranks.TOPIC, context), "figure-funnel"))
    assert 3 in unusual["meta"]["groups"]
    calm = replace(found, level=np.full_like(level, found.average))
    assert "None lies outside the wider limits" in funnel_finding(context, calm)


def test_limits_in_the_figure_are_those_of_the_funnel() -> None:
    case = factories.singular_case()
    found = case.findings.funnel
    traces = {t["name"]: t for t in block(section(ranks.TOPIC, case.context), "figure-funnel").spec["data"]}
    for name, limit, between in (("chance, 95 %", WARNING, False), ("with ordinary differences, 99.8 %", ALARM, True)):
        trace = next(t for key, t in traces.items() if key.replace("&#37;", "%") == name)
        z = {WARNING: 1.959964, ALARM: 3.090232}[limit]
        spread = found.tau**2 if between else 0.0
        n, low = trace["x"][0], trace["y"][0]
        assert low == pytest.approx(found.average - z * np.sqrt(spread + found.sigma**2 / n), abs=0.02)


@pytest.mark.parametrize(("limit", "kind"), [(9, "scatter"), (8, "scattergl")])
def test_many_groups_are_drawn_by_the_graphics_card(monkeypatch: pytest.MonkeyPatch, limit: int, kind: str) -> None:
    monkeypatch.setattr(by_size, "WEBGL_FROM", limit)
    figure = block(section(ranks.TOPIC, factories.singular_case().context), "figure-funnel")
    assert {t["type"] for t in group_points(figure)} == {kind}


@every_case
def test_summary_holds_what_was_found(make: Callable[[], Case]) -> None:
    case = make()
    told, found = summary_of(case.context), case.findings
    label, level = found.labels[1], told["ranks"]["terms"]["intercept"]
    assert level["groups"][label]["expected"] == found.ranks.terms[0].expected[1]
    assert level["n_placed"] == sum(one["half"] != "neither" for one in level["groups"].values())
    assert sum(one["top"] for one in level["groups"].values()) == pytest.approx(told["ranks"]["n_extreme"])
    assert told["funnel"]["groups"][label]["level"] == found.funnel.level[1]
    outside = [abs(one["z_between"]) > 1.959964 for one in told["funnel"]["groups"].values()]
    assert told["funnel"]["n_outside"]["between"]["95"] == sum(outside)
