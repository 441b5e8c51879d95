"""After a singular fit the page shows the ways on; the numbers are those of the summary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import tasks.view
from tasks.view.document import summary_json, summary_of
from tasks.view.page import build_page
from tasks.view.records import Figure, Fold, ReportPage, Table
from tasks.view.topics import remedies
from tasks.view.words.numbers import listed
from tests.posteriors import Sampled, sampled
from tests.said import context_of_sampled

SCHEMA = json.loads((Path(tasks.view.__file__).parent / "summary.schema.json").read_text("utf-8"))


def page_of(made: Sampled) -> ReportPage:
    return build_page(context_of_sampled(made))


@pytest.mark.parametrize(("name", "ways"), [("bounce_rates", "Five"), ("dyestuff2", "Four"), ("sleepstudy", None)])
def test_section_stands_after_a_singular_fit_only(name: str, ways: str | None) -> None:
    found = [section for section in page_of(sampled(name)).sections if section.title.startswith("After a singular fit")]
    tables = [block for section in found for block in section.blocks if isinstance(block, Table)]
    assert [table.caption for table in tables if table.id == "table-routes"] == ([f"{ways} ways on"] if ways else [])
    assert len(found) == bool(ways)


def test_figures_of_routes_link_every_point_to_its_group() -> None:
    section = next(s for s in page_of(sampled("bounce_rates")).sections if s.id == "remedies")
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    assert len(figures) == 2
    for figure in figures:
        assert all("groups" in trace["meta"] for trace in figure.spec["data"] if trace["x"] != [None])
        assert "Bayes" in figure.alternative
    folded = next(block for block in section.blocks if isinstance(block, Fold) and "every route" in block.summary)
    assert [table.groups for table in folded.blocks if isinstance(table, Table)] == [tuple(range(8))] * 2


@pytest.mark.parametrize("name", ["bounce_rates", "dyestuff2", "sleepstudy"])
def test_summary_keeps_to_its_schema(name: str) -> None:
    made = sampled(name)
    told = json.loads(summary_json(summary_of(context_of_sampled(made))), parse_constant=pytest.fail)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(told)] == []
    assert (told["remedies"] is None) == (name == "sleepstudy")
    assert told["likelihood_ratio_test"]["p_value"] == made.findings.likelihood_ratio_test.p_value
    profiles = made.findings.likelihood_profiles
    assert [one["deviance"] for one in told["likelihood_profiles"]] == [one.deviance.tolist() for one in profiles]


def test_summary_has_the_routes_groups_once() -> None:
    made = sampled("bounce_rates")
    told = summary_of(context_of_sampled(made))["remedies"]
    routes = {route.name: route for route in made.findings.remedies.routes}
    kent = made.findings.labels.index("kent")
    assert told["routes"]["penalised"]["groups"]["kent"]["lower"] == routes["penalised"].lower[kent].tolist()
    assert told["routes"]["drop"]["groups"] is None
    assert told["spread_group"][1] in made.findings.labels


def test_words_claim_no_more_than_the_numbers() -> None:
    singular = context_of_sampled(sampled("bounce_rates"))
    assert "hardly depend on the route" in remedies.TOPIC.finding(singular)


def test_groups_whose_conclusion_depends_on_the_route_are_named() -> None:
    context = context_of_sampled(sampled("bounce_rates"))
    found = context.findings.remedies
    assert found is not None
    names = listed(context.labels[j] for j in found.divided[1])
    told = remedies.TOPIC.finding(context)
    assert f"Whether the effect of age differs from 0 depends on the route in {names}." in told
    assert summary_of(context)["remedies"]["divided"] == [[], [context.labels[j] for j in found.divided[1]]]
