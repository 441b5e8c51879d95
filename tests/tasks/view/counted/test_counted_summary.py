"""summary.json and estimates.csv of counted outcomes keep to their schema, and say what was found."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import tasks.view
from tasks.view.counted.context import CountedContext
from tasks.view.counted.estimates import estimate_columns, estimates_csv
from tasks.view.document import schema_text, summary_json, summary_of
from tests.counted_reports import CASES, hospitals_case, shares_case, singular_counts_case

SCHEMA_FILE = Path(tasks.view.__file__).parent / "summary_counted.schema.json"
SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))


@pytest.fixture(params=CASES, scope="module")
def report(request: pytest.FixtureRequest) -> CountedContext:
    return CASES[request.param]().context


def errors(instance: Any) -> list[str]:
    found = list(Draft202012Validator(SCHEMA).iter_errors(instance))
    found += [detail for error in found for detail in error.context or ()]
    return [f"{error.json_path}: {error.message}" for error in found]


def test_the_schema_is_what_the_records_give() -> None:
    """If it is not: make docs."""
    assert SCHEMA_FILE.read_text("utf-8") == schema_text(counted=True)


def test_every_report_gives_a_valid_summary_that_survives_json(report: CountedContext) -> None:
    original = summary_of(report)
    read_back = json.loads(summary_json(original), parse_constant=pytest.fail)
    assert errors(read_back) == []
    assert read_back == original


def test_the_schema_describes_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert [path for path, node in _properties(SCHEMA) if not _is_described(node)] == []


def _properties(node: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every named property with its place, at any depth."""
    if isinstance(node, list):
        return [found for child in node for found in _properties(child, path)]
    if not isinstance(node, dict):
        return []
    own = [(f"{path}.{name}", child) for name, child in node.get("properties", {}).items()]
    return own + [found for key, child in node.items() for found in _properties(child, f"{path}.{key}")]


def _is_described(node: dict[str, Any]) -> bool:
    target = SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")] if "$ref" in node else {}
    return bool(node.get("description") or target.get("description"))


@pytest.mark.parametrize(
    "path",
    [
        "rates.average",
        "rates.groups.Gera.rate",
        "effects.price.difference",
        "fits.complete_pooling.aic",
        "fits.partial_pooling.varying_intercept_slope.decrement",
        "fits.bayes.groups.Gera.mean",
        "variance_components.bayes.ratio",
        "variance_components.groups.Gera.pooled",
        "ranks.terms.intercept.groups.Gera.lower",
        "recommended.groups.Gera.estimate",
        "funnel.groups.Gera.outside",
        "checks",
    ],
)
def test_the_schema_misses_a_key_that_goes(path: str) -> None:
    whole = summary_of(shares_case().context)
    *parents, last = path.split(".")
    node = whole
    for key in parents:
        node = node[key]
    del node[last]
    assert any(last in error for error in errors(whole))


def test_ways_on_are_told_where_the_fit_is_singular() -> None:
    assert summary_of(shares_case().context)["remedies"] is None
    found, told = singular_counts_case().findings.remedies, summary_of(singular_counts_case().context)["remedies"]
    assert found is not None
    assert [one["name"] for one in told["routes"]] == [route.name for route in found.routes]
    aic = [one["aic"] for one in told["routes"]]
    assert aic == [pytest.approx(2.0 * one["n_parameters"] - 2.0 * one["log_lik"]) for one in told["routes"]]
    assert told["lowest_aic"] == int(np.argmin(aic))


def test_the_extended_model_has_its_own_spread() -> None:
    told = summary_of(hospitals_case().context)["variance_components"]
    assert told["bayes_extended"]["ratio"] > told["bayes"]["ratio"], "size accounts for differences between hospitals"
    assert summary_of(shares_case().context)["variance_components"]["bayes_extended"] is None


def test_estimates_are_the_columns_line_by_line(report: CountedContext) -> None:
    columns = estimate_columns(report)
    rows = list(csv.DictReader(io.StringIO(estimates_csv(report))))
    models = 5 if report.findings.answer else 4
    assert len(rows) == report.n_groups * models * len(report.terms)
    assert list(rows[0]) == list(columns)
    assert {row["model"] for row in rows} >= {"complete_pooling", "no_pooling", "partial_pooling", "bayes"}
    shown = [float(row["rate"]) for row in rows[:: models * len(report.terms)]]
    np.testing.assert_allclose(shown, report.comparison.rate.estimate)
    assert not any(value.lower() in ("nan", "inf", "none") for row in rows for value in row.values())


def test_rates_of_the_file_are_per_one_whatever_the_page_shows() -> None:
    for name in ("counts", "shares"):
        context = CASES[name]().context
        told = summary_of(context)["rates"]
        assert told["per"] == (1000 if name == "counts" else 100)
        assert told["overall"] == pytest.approx(context.events.sum() / context.sizes.sum())
