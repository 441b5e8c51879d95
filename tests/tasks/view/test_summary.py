"""`summary.json` keeps its contract: every key, no surprise, numbers that agree with the findings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import tasks.view
from tasks.reports.earlier_runs import previous_report
from tasks.study.run import RunRecord
from tasks.view.document import schema_text, summary_json, summary_of
from tasks.view.topics import TOPICS
from tests.factories import (
    Case,
    hostile_case,
    intercept_only_case,
    many_groups_case,
    regular_case,
    singular_case,
    two_predictors_case,
)
from tests.past_runs import earlier, grown, looked_back, moved, with_verdict

SCHEMA_FILE = Path(tasks.view.__file__).parent / "summary.schema.json"
SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))
CASES = [singular_case, regular_case, intercept_only_case, two_predictors_case, hostile_case]


def summary(case: Case) -> dict[str, Any]:
    return summary_of(case.context)


def errors(instance: Any) -> list[str]:
    found = list(Draft202012Validator(SCHEMA).iter_errors(instance))
    found += [detail for error in found for detail in error.context]
    return [f"{error.json_path}: {error.message}" for error in found]


@pytest.mark.parametrize("make", CASES)
def test_every_study_gives_a_valid_summary_that_survives_json(make: Callable[[], Case]) -> None:
    original = summary(make())
    read_back = json.loads(summary_json(original), parse_constant=pytest.fail)
    assert errors(read_back) == []
    assert read_back == original


def test_schema_is_valid_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    undescribed = [path for path, node in properties(SCHEMA) if not described(node)]
    assert undescribed == []


def properties(node: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every named property with its place, at any depth."""
    found: list[tuple[str, Any]] = []
    if isinstance(node, dict):
        for name, child in node.get("properties", {}).items():
            found.append((f"{path}.{name}", child))
        for key, child in node.items():
            found += properties(child, f"{path}.{key}")
    elif isinstance(node, list):
        for child in node:
            found += properties(child, path)
    return found


def described(node: dict[str, Any]) -> bool:
    target = SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")] if "$ref" in node else {}
    return bool(node.get("description") or target.get("description"))


@pytest.mark.parametrize(
    "path",
    [
        "study.title",
        "run.data_sha256",
        "run.n_rejected",
        "run.versions",
        "scaling.age.center",
        "fits.complete_pooling.sigma",
        "fits.no_pooling.groups.kent.lower",
        "fits.partial_pooling.varying_slope",
        "fits.partial_pooling.varying_intercept_slope.is_singular",
        "fits.partial_pooling.varying_intercept.groups.kent.conditional_sd",
        "fits.bayes.fixef.upper",
        "fits.bayes.sd_group",
        "fits.bayes.elpd_loo",
        "fits.bayes.diagnostics.ebfmi_min",
        "fits.bayes.groups.kent.mean",
        "checks",
        "verdict.recommended_model",
        "timings",
    ],
)
def test_schema_misses_a_key_that_goes(path: str) -> None:
    whole = summary(singular_case())
    *parents, last = path.split(".")
    node = whole
    for key in parents:
        node = node[key]
    del node[last]
    assert any(last in error for error in errors(whole))


@pytest.mark.parametrize("path", ["", "run", "verdict", "fits", "fits.bayes", "fits.bayes.diagnostics"])
def test_schema_refuses_a_key_it_does_not_know(path: str) -> None:
    whole = summary(singular_case())
    node = whole
    for key in filter(None, path.split(".")):
        node = node[key]
    node["surprise"] = 1
    assert any("surprise" in error for error in errors(whole))


@pytest.mark.parametrize("make", CASES)
def test_changes_keep_to_the_schema_and_are_null_on_the_first_run(make: Callable[[], Case]) -> None:
    case = make()
    assert summary(case)["changes"] is None
    told = json.loads(summary_json(summary(looked_back(case, earlier(case)))), parse_constant=pytest.fail)
    assert errors(told) == []
    assert told["changes"]["estimates"]["groups"].keys() == set(case.findings.labels)
    other = replace(earlier(case), run=replace(earlier(case).run, labels=("?",) * len(case.findings.labels)))
    assert errors(json.loads(summary_json(summary(looked_back(case, other))))) == []


@pytest.mark.parametrize("make", CASES)
def test_what_the_next_report_has_to_know_of_moves_is_read_back(make: Callable[[], Case]) -> None:
    case = make()
    seen = looked_back(case, earlier(case), rows=grown(case, case.findings.labels[-1], 900.0))
    assert seen.changes is not None
    assert seen.changes.moves is not None
    told = json.loads(summary_json(summary(seen)), parse_constant=pytest.fail)
    assert errors(told) == []
    read, made = previous_report(told), seen.changes.moves.evidence
    assert read.files == case.findings.run.files
    assert read.evidence.keys() == made.keys() == told["changes"]["increments"]["groups"].keys()
    for label, evidence in read.evidence.items():
        assert evidence.since == made[label].since
        assert evidence.values == pytest.approx(made[label].values, rel=1e-3)
    assert read.evidence[case.findings.labels[-1]].since == case.findings.run.id


def test_changes_are_those_of_the_findings() -> None:
    case = singular_case()
    told = summary(looked_back(case, earlier(moved(case, "kent", 0, -4.0))))["changes"]
    kent = told["estimates"]["groups"]["kent"]
    assert kent["now"]["mean"][0] - kent["then"]["mean"][0] == pytest.approx(4.0)
    assert kent["now"]["lower"] == summary(case)["fits"]["bayes"]["groups"]["kent"]["lower"]
    assert kent["shift"][0] > 0
    assert told["previous"] == {"id": "20261101T080000Z-000000", "started_at": "2026-11-01T08:00:00+00:00"}
    assert told["verdict"]["direction"] == "same"
    assert told["causes"] == []


def test_reader_of_the_top_finds_verdict_and_run_before_the_fits() -> None:
    assert list(summary(singular_case()))[:4] == ["schema_version", "study", "verdict", "run"]
    assert set(summary(singular_case())["run"]) == {field.name for field in fields(RunRecord)}


def test_numbers_are_those_of_the_findings() -> None:
    case = singular_case()
    fits = summary(case)["fits"]
    kent, findings = case.findings.labels.index("kent"), case.findings
    full = findings.fullest
    group = fits["partial_pooling"]["varying_intercept_slope"]["groups"]["kent"]
    assert group["coef"] == full.coef[kent].tolist()
    assert group["se"] == full.coef_se[kent].tolist()
    assert group["conditional_sd"] == full.conditional_sd[kent].tolist()
    assert fits["no_pooling"]["groups"]["kent"]["n"] == findings.group_sizes[kent]
    assert fits["bayes"]["groups"]["kent"]["lower"] == findings.bayes.groups.lower[kent].tolist()
    assert fits["bayes"]["sd_group"] == findings.bayes.sigma_group.median.tolist()
    assert fits["bayes"]["sigma"] == findings.bayes.sigma.median
    assert fits["bayes"]["diagnostics"] == fits["bayes"]["attempts"][-1]["diagnostics"]


def test_raw_units_predict_what_centre_scaled_ones_do() -> None:
    case = two_predictors_case()
    whole, x = summary(case), case.data.x[0]
    scaled = (x - case.findings.scaling.center) / case.findings.scaling.scale
    fit = whole["fits"]["complete_pooling"]
    expected = np.dot(fit["coef"], [1, *scaled])
    assert np.dot(fit["raw_units"]["coef"], [1, *x]) == pytest.approx(expected, rel=1e-12)


def test_raw_standard_errors_change_basis_exactly() -> None:
    case = two_predictors_case()
    fit = case.findings.fullest
    to_raw = case.findings.scaling.to_raw
    told = summary(case)["fits"]["partial_pooling"]["varying_intercept_slope"]["raw_units"]["se"]
    assert told == pytest.approx(np.sqrt(np.diag(to_raw @ fit.fixef_cov @ to_raw.T)), rel=1e-12)


def test_raw_spread_is_null_where_it_cannot_be_known() -> None:
    with_slope, without = summary(singular_case())["fits"], summary(intercept_only_case())["fits"]
    assert with_slope["complete_pooling"]["raw_units"]["se"][0] is None
    assert with_slope["complete_pooling"]["raw_units"]["se"][1] > 0
    assert without["complete_pooling"]["raw_units"]["se"] == without["complete_pooling"]["se"]


def test_study_without_predictors_has_one_flavour() -> None:
    whole = summary(intercept_only_case())
    flavours = whole["fits"]["partial_pooling"]
    assert whole["scaling"] == {}
    assert flavours["varying_intercept"]["varying"] == ["intercept"]
    assert flavours["varying_slope"] is None
    assert flavours["varying_intercept_slope"] is None


def test_group_without_a_fit_is_null_and_says_why() -> None:
    group = summary(two_predictors_case())["fits"]["no_pooling"]["groups"]["clinic A"]
    assert group["coef"] == [None, None, None]
    assert group["gap"] == "2 rows cannot carry 3 coefficients"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_becomes_null(bad: float) -> None:
    case = singular_case()
    loo = replace(case.findings.bayes.loo, pareto_k_max=bad)
    bayes = replace(case.findings.bayes, loo=loo, rmse=bad)
    odd = replace(case, findings=replace(case.findings, bayes=bayes, timings={"load": bad}))
    whole = summary(odd)
    assert whole["fits"]["bayes"]["loo"]["pareto_k_max"] is None
    assert whole["fits"]["bayes"]["rmse"] is None
    assert whole["timings"] == {"load": None}
    assert errors(json.loads(summary_json(whole))) == []


@pytest.mark.bench
def test_ten_thousand_groups_take_under_two_seconds() -> None:
    case = many_groups_case(10_000)
    start = time.perf_counter()
    text = summary_json(summary(case))
    assert time.perf_counter() - start < 2
    assert len(text) < 30e6


def test_the_schema_is_what_the_records_give() -> None:
    """If it is not: python -m tasks.view.document > tasks/view/summary.schema.json."""
    assert SCHEMA_FILE.read_text("utf-8") == schema_text()


KEYS = [
    "schema_version",
    "study.name",
    "study.title",
    "study.outcome",
    "study.family",
    "study.group",
    "study.predictors",
    "run.id",
    "run.data_sha256",
    "run.n_rows",
    "run.n_groups",
    "run.n_rejected",
    "run.seed",
    "run.engine",
    "run.versions",
    "verdict.status",
    "verdict.headline",
    "verdict.reason",
    "verdict.recommended_model",
    "recommended.model",
    "recommended.terms",
    "recommended.groups.kent.estimate",
    "recommended.groups.kent.lower",
    "recommended.groups.kent.upper",
    "recommended.average.estimate",
    "recommended.average.lower",
    "recommended.average.upper",
    "scaling.age.center",
    "scaling.age.scale",
    "fits.complete_pooling.coef",
    "fits.complete_pooling.se",
    "fits.complete_pooling.sigma",
    "fits.complete_pooling.rmse",
    "fits.no_pooling.rmse",
    "fits.no_pooling.groups.kent",
    "fits.bayes.fixef.mean",
    "fits.bayes.fixef.sd",
    "fits.bayes.fixef.lower",
    "fits.bayes.fixef.upper",
    "fits.bayes.sd_group",
    "fits.bayes.sigma",
    "fits.bayes.rmse",
    "fits.bayes.elpd_loo",
    "fits.bayes.diagnostics",
    "fits.bayes.groups.kent.mean",
    "fits.bayes.groups.kent.sd",
    "fits.bayes.groups.kent.lower",
    "fits.bayes.groups.kent.upper",
    "timings",
]
OF_A_FLAVOUR = [
    "criterion_value",
    "criterion_value_scaled",
    "fixef",
    "se",
    "cov",
    "sigma",
    "is_singular",
    "converged",
    "rmse",
    "groups.kent.coef",
    "groups.kent.conditional_sd",
    "groups.kent.se",
    "groups.kent.lower",
    "groups.kent.upper",
]
FLAVOURS = ("varying_intercept", "varying_slope", "varying_intercept_slope")
OF_A_CHECK = {"name", "kind", "term", "status", "value", "threshold", "message", "advice"}
PROMISED = [*KEYS, *(f"fits.partial_pooling.{flavour}.{key}" for flavour in FLAVOURS for key in OF_A_FLAVOUR)]


@pytest.mark.parametrize("path", PROMISED)
def test_every_promised_key_is_published_and_required(path: str) -> None:
    whole = summary(singular_case())
    *parents, last = path.split(".")
    node = whole
    for key in parents:
        node = node[key]
    assert last in node
    del node[last]
    if last != "kent":
        assert any(last in error for error in errors(whole))


def test_a_check_says_its_kind_and_term() -> None:
    checks = summary(two_predictors_case())["checks"]
    assert all(check.keys() == OF_A_CHECK for check in checks)
    told = {check["name"]: (check["kind"], check["term"]) for check in checks}
    assert told["rhat"] == ("rhat", "")
    for name, (kind, term) in told.items():
        assert name == (f"{kind}_{term}" if term else kind)
    assert {kind for kind, _ in told.values()} <= {spec.kind for topic in TOPICS for spec in topic.checks}
    assert any(term for _, term in told.values())


@pytest.mark.parametrize("make", CASES)
def test_the_numbers_to_quote_are_the_recommended_model_s(make: Callable[[], Case]) -> None:
    case = make()
    found, label = case.findings, case.findings.labels[-1]
    told = summary(with_verdict(case, status="use", recommended_model="bayes"))
    bayes, quoted = told["fits"]["bayes"], told["recommended"]
    assert (quoted["model"], quoted["terms"]) == ("bayes", told["terms"])
    assert quoted["average"] == {
        "estimate": bayes["fixef"]["mean"],
        "lower": bayes["fixef"]["lower"],
        "upper": bayes["fixef"]["upper"],
    }
    assert quoted["groups"].keys() == bayes["groups"].keys()
    group = bayes["groups"][label]
    assert quoted["groups"][label] == {"estimate": group["mean"], "lower": group["lower"], "upper": group["upper"]}
    fit, wider = found.fullest, found.bootstrap
    model = f"partial_pooling.{fit.flavour}"
    told = summary(with_verdict(case, status="trust", recommended_model=model))
    quoted, group = told["recommended"], told["fits"]["partial_pooling"][fit.flavour]["groups"][label]
    assert (quoted["model"], quoted["terms"]) == (model, told["terms"])
    assert quoted["groups"][label]["estimate"] == group["coef"]
    half = 1.96 * wider.widening * np.array(group["se"])
    assert quoted["groups"][label]["lower"] == pytest.approx(np.array(group["coef"]) - half, rel=1e-4)
    assert quoted["groups"][label]["upper"] == pytest.approx(np.array(group["coef"]) + half, rel=1e-4)
    assert quoted["average"]["estimate"] == fit.fixef.tolist()
    half = 1.96 * wider.average_widening * fit.se
    assert quoted["average"]["upper"] == pytest.approx(fit.fixef + half, rel=1e-4)
    assert quoted["average"]["lower"] == pytest.approx(fit.fixef - half, rel=1e-4)
    assert (wider.widening >= 1).all()
    assert errors(told) == []


def test_no_number_is_to_be_quoted_where_no_model_can_be_trusted() -> None:
    told = summary(with_verdict(singular_case(), status="none"))
    assert told["recommended"] is None
    assert told["verdict"]["recommended_model"] == "bayes"
    assert errors(told) == []


@pytest.mark.parametrize("status", ["pass", "review", "fail", "", None])
def test_schema_refuses_another_verdict(status: object) -> None:
    whole = summary(singular_case())
    whole["verdict"]["status"] = status
    assert any("verdict.status" in error for error in errors(whole))


def test_a_number_that_should_never_be_undefined_stops_no_run() -> None:
    """It becomes null, which the schema refuses; the report is published all the same."""
    case = singular_case()
    test = replace(case.findings.likelihood_ratio_test, statistic=np.nan)
    told = summary_of(replace(case, findings=replace(case.findings, likelihood_ratio_test=test)).context)
    assert told["likelihood_ratio_test"]["statistic"] is None
    assert errors(told) != []
