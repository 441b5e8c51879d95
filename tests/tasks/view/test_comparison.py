"""What readers see of ranks, funnel and group size says what was found, of every group, and names no winner."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tasks.stats.checks import all_checks

from tasks.stats.funnel import ALARM, WARNING
from tasks.view import comparison_words as words
from tasks.view.context import Context
from tasks.view.figures import by_size
from tasks.view.records import Figure, GroupTable, Section, Table
from tasks.view.summary import summary_of
from tasks.view.topics import ranks, size
from tests import factories
from tests.factories import Case

CASES = {
    "singular": factories.singular_case,
    "regular": factories.regular_case,
    "intercept only": factories.intercept_only_case,
    "two predictors": factories.two_predictors_case,
    "hostile": factories.hostile_case,
    "many": lambda: factories.many_groups_case(500),
}
every_case = pytest.mark.parametrize("make", CASES.values(), ids=CASES)


def context_of(case: Case) -> Context:
    return Context(case.study, case.findings, case.data, case.draws, case.rejections)


def with_findings(case: Case, **parts: object) -> Context:
    return context_of(replace(case, findings=replace(case.findings, **parts)))  # type: ignore[arg-type]


def block(section: Section, name: str) -> Any:
    return next(one for one in section.blocks if getattr(one, "id", "") == name)


def group_points(figure: Figure) -> list[dict[str, Any]]:
    return [t for t in figure.spec["data"] if t["mode"] == "markers" and t["x"] != [None]]


@every_case
def test_sections_state_a_finding_and_their_figures_are_json_with_words(make: Callable[[], Case]) -> None:
    context = context_of(make())
    for section in (ranks.section(context), size.section(context)):
        assert section.finding.endswith(".")
        for figure in (one for one in section.blocks if isinstance(one, Figure)):
            json.dumps(figure.spec, allow_nan=False)
            assert figure.alternative.endswith(".")
            assert "nan" not in figure.alternative + figure.caption + section.finding


@every_case
def test_every_point_knows_its_group(make: Callable[[], Case]) -> None:
    context = context_of(make())
    labels = context.labels
    section = ranks.section(context)
    for figure in (one for one in (*section.blocks, *size.section(context).blocks) if isinstance(one, Figure)):
        if figure.id == "figure-size-calibration":
            continue
        for trace in group_points(figure):
            assert len(trace["meta"]["groups"]) == len(trace["x"]) == len(trace["customdata"])
    funnel = [j for trace in group_points(block(section, "figure-funnel")) for j in trace["meta"]["groups"]]
    assert sorted(funnel) == list(range(len(labels)))


@pytest.mark.parametrize("make", [factories.singular_case, factories.regular_case])
def test_rank_figure_shows_the_ranks_found_in_order(make: Callable[[], Case]) -> None:
    case = make()
    found = case.findings.ranks
    assert found is not None
    figure = block(ranks.section(context_of(case)), "figure-ranks-0")
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
    assert found is not None
    table = block(ranks.section(context_of(case)), "table-ranks")
    assert isinstance(table, Table)
    assert table.groups == tuple(range(len(case.findings.labels)))
    one = found.terms[0]
    for j, row in enumerate(table.rows):
        assert float(row[2].text) == pytest.approx(one.expected[j], abs=0.051)
        assert row[2].detail == f"{one.lower[j]} to {one.upper[j]}"


def test_many_groups_are_all_in_the_table_and_the_notable_ones_in_the_figure() -> None:
    context = context_of(CASES["many"]())
    section = ranks.section(context)
    table, figure = block(section, "table-ranks"), block(section, "figure-ranks-0")
    assert isinstance(table, GroupTable)
    assert table.n_rows == 500
    assert len(group_points(figure)[0]["x"]) == 60
    assert "60 of 500 groups" in figure.caption
    assert "highest effect of hours" in block(section, "figure-ranks-1").caption


def test_only_a_defensible_ranking_is_called_one() -> None:
    case = factories.regular_case()
    found = case.findings.ranks
    assert found is not None
    level = found.terms[0]
    n = level.expected.size

    def finding(**parts: object) -> str:
        term = replace(level, **parts)  # type: ignore[arg-type]
        return words.ranks_finding(with_findings(case, ranks=replace(found, terms=(term,))))

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
    assert [words.chance(p, 4000) for p in (0.0, 0.5, 1.0)] == ["<\u202f1\u202f%", "50\u202f%", ">\u202f99\u202f%"]


def test_funnel_names_the_groups_outside_and_counts_them() -> None:
    case = factories.two_predictors_case()
    found = case.findings.funnel
    assert found is not None
    level = found.level.copy()
    level[3] += 40 * found.sigma
    odd = replace(found, level=level)
    context = with_findings(case, funnel=odd)
    assert odd.outside(ALARM, between=True)[3]
    assert "clinic D" in words.funnel_finding(context, odd)
    _, unusual = group_points(block(ranks.section(context), "figure-funnel"))
    assert 3 in unusual["meta"]["groups"]
    calm = replace(found, level=np.full_like(level, found.average))
    assert "None lies outside the wider limits" in words.funnel_finding(context, calm)


def test_limits_in_the_figure_are_those_of_the_funnel() -> None:
    case = factories.singular_case()
    found = case.findings.funnel
    assert found is not None
    traces = {t["name"]: t for t in block(ranks.section(context_of(case)), "figure-funnel").spec["data"]}
    for name, limit, between in (("chance, 95 %", WARNING, False), ("with ordinary differences, 99.8 %", ALARM, True)):
        trace = next(t for key, t in traces.items() if key.replace("&#37;", "%") == name)
        z = {WARNING: 1.959964, ALARM: 3.090232}[limit]
        spread = found.tau**2 if between else 0.0
        n, low = trace["x"][0], trace["y"][0]
        assert low == pytest.approx(found.average - z * np.sqrt(spread + found.sigma**2 / n), abs=0.02)


@pytest.mark.parametrize(("limit", "kind"), [(9, "scatter"), (8, "scattergl")])
def test_many_groups_are_drawn_by_the_graphics_card(monkeypatch: pytest.MonkeyPatch, limit: int, kind: str) -> None:
    monkeypatch.setattr(by_size, "WEBGL_FROM", limit)
    context = context_of(factories.singular_case())
    for figure in (block(ranks.section(context), "figure-funnel"), block(size.section(context), "figure-size-trend")):
        assert {t["type"] for t in group_points(figure)} == {kind}


def test_equal_sizes_give_the_reason_and_no_figure() -> None:
    section = size.section(context_of(factories.regular_case()))
    assert section.finding == "All groups have 10 rows, so nothing can go with their size."
    assert not [one for one in section.blocks if isinstance(one, Figure)]


def trending(clear: bool, material: bool, per_doubling: float = 2.0) -> Case:
    case = factories.singular_case()
    trend = case.findings.size_trend
    assert trend is not None
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
    findings = replace(case.findings, size_trend=made)
    return replace(case, findings=replace(findings, checks=all_checks(case.study, findings)))


@pytest.mark.parametrize(
    ("clear", "material", "per_doubling", "status", "says"),
    [
        (False, True, 2.0, "pass", "There is no clear sign"),
        (True, False, 2.0, "pass", "That is little beside"),
        (True, True, 2.0, "review", "an average that is too high for them"),
        (True, True, -2.0, "review", "an average that is too low for them"),
    ],
)
def test_check_and_finding_agree_on_the_trend(
    clear: bool, material: bool, per_doubling: float, status: str, says: str
) -> None:
    case = trending(clear, material, per_doubling)
    check = next(one for one in case.findings.checks if one.name == "size_trend")
    assert check.status == status
    assert bool(check.advice) == (status == "review")
    assert says in words.size_finding(context_of(case))


def test_flipped_groups_are_listed_with_both_sides() -> None:
    case = factories.singular_case()
    trend = case.findings.size_trend
    assert trend is not None
    moved = replace(trend.plain, lower=trend.plain.lower.copy(), upper=trend.plain.upper.copy())
    moved.lower[2], moved.upper[2] = moved.average - 500, moved.average + 500
    before = replace(trend.plain, lower=trend.plain.lower.copy())
    before.lower[2] = before.average + 1
    context = with_findings(case, size_trend=replace(trend, plain=before, with_size=moved))
    assert context.findings.size_trend is not None
    assert 2 in context.findings.size_trend.flipped
    table = block(size.section(context), "table-size")
    row = table.rows[table.groups.index(2)]
    assert (row[0].text, row[3].text, row[5].text) == ("devon", "above", "not told apart")
    assert "changes for" in words.size_finding(context)


@every_case
def test_summary_holds_what_was_found(make: Callable[[], Case]) -> None:
    case = make()
    told, found = summary_of(case.context), case.findings
    assert found.ranks is not None
    assert found.funnel is not None
    label, level = found.labels[1], told["ranks"]["terms"]["intercept"]
    assert level["groups"][label]["expected"] == found.ranks.terms[0].expected[1]
    assert level["n_placed"] == sum(one["half"] != "neither" for one in level["groups"].values())
    assert sum(one["top"] for one in level["groups"].values()) == pytest.approx(told["ranks"]["n_extreme"])
    assert told["funnel"]["groups"][label]["level"] == found.funnel.level[1]
    outside = [abs(one["z_between"]) > 1.959964 for one in told["funnel"]["groups"].values()]
    assert told["funnel"]["n_outside"]["between"]["95"] == sum(outside)
    if found.size_trend is None:
        assert told["size_trend"] is None
    else:
        assert told["size_trend"]["per_doubling"] == found.size_trend.per_doubling
        assert len(told["size_trend"]["flipped"]) == found.size_trend.flipped.size


def test_without_the_analyses_there_are_no_sections_and_null() -> None:
    case = factories.singular_case()
    bare = replace(case.findings, ranks=None, funnel=None, size_trend=None)
    told = summary_of(case.study, bare)
    assert [told[key] for key in ("ranks", "funnel", "size_trend")] == [None] * 3
    assert not [one for one in all_checks(case.study, bare) if one.name == "size_trend"]
