"""Sections on what the model takes for granted: priors, spread, shape; and how the sampler's draws are shown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tasks.stats.prior_overlay import prior_overlays
from tasks.stats.prior_predictive import prior_predictive
from tasks.stats.priors import resolve_priors
from tasks.view import assumption_words, prior_words
from tasks.view.context import Context
from tasks.view.figures import residuals, sampler
from tasks.view.page import build_page
from tasks.view.records import Figure, Fold, Panels, Section, Table
from tasks.view.selection import CLOUD_ROWS_LIMIT
from tasks.view.summary import summary_of
from tasks.view.topics import assumptions, priors
from tests import factories
from tests.factories import Case

CASES = {
    "singular": factories.singular_case,
    "intercept only": factories.intercept_only_case,
    "two predictors": factories.two_predictors_case,
    "hostile": factories.hostile_case,
}


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


def context(case: Case) -> Context:
    return Context(case.study, case.findings, case.data, case.draws, case.rejections)


def of_priors(case: Case) -> Section:
    found = case.findings
    assert found.prior_predictive
    assert found.prior_sensitivity
    return priors.section(context(case), found.prior_predictive, found.prior_sensitivity)


def of_spread(case: Case) -> Section:
    assert case.findings.assumptions
    return assumptions.section(context(case), case.findings.assumptions)


def block(section: Section, name: str) -> Any:
    waiting = list(section.blocks)
    while waiting:
        one = waiting.pop()
        if isinstance(one, Fold):
            waiting += one.blocks
        elif getattr(one, "id", "") == name:
            return one
    raise KeyError(name)


def test_sections_state_a_finding_and_draw_json(case: Case) -> None:
    for section in (of_priors(case), of_spread(case)):
        assert section.finding.endswith(".")
        for one in section.blocks:
            if isinstance(one, Figure):
                json.dumps(one.spec, allow_nan=False)
                assert one.caption
                assert len(one.alternative) > 20
            if isinstance(one, Table):
                assert {len(row) for row in one.rows} == {len(one.columns)}


def test_points_of_groups_can_be_marked(case: Case) -> None:
    spread, moved = block(of_spread(case), "figure-spread"), block(of_priors(case), "figure-prior-sensitivity")
    for trace in spread.spec["data"]:
        assert len(trace["meta"]["groups"]) == len(trace["x"])
    for trace in moved.spec["data"]:
        assert len(trace["meta"]["groups"]) == len(trace["x"])
        assert set(range(case.findings.run.n_groups)) <= set(trace["meta"]["groups"]) <= {-1, *range(100)}
    table = block(of_spread(case), "table-spread")
    assert [row[0].text for row in table.rows] == [context(case).labels[j] for j in table.groups]


def test_the_pages_numbers_are_the_summarys(case: Case) -> None:
    told = summary_of(case.context)
    found = case.findings.assumptions
    assert found
    shown = {row[0].text: row[1].text for row in block(of_spread(case), "table-assumptions").rows}
    assert shown["Groups compared"] == f"{told['assumptions']['n_compared']} of {case.findings.run.n_groups}"
    assert float(shown["Skewness of the residuals (normal: 0)"].replace("−", "-")) == pytest.approx(
        told["assumptions"]["qq"]["skewness"], abs=0.0051
    )
    moved = {(one["kind"], *one["terms"]): one for one in told["prior_sensitivity"]["quantities"] if not one["group"]}
    table = block(of_priors(case), "table-prior-sensitivity")
    assert float(table.rows[0][1].text) == pytest.approx(moved["fixef", "intercept"]["prior"], abs=0.00051)


def test_prior_and_posterior_are_densities_in_raw_units() -> None:
    case = factories.regular_case()
    found, draws = case.findings, case.draws
    assert draws
    resolved = resolve_priors(case.study, found.scaling)
    overlays = {(o.kind, *o.terms): o for o in prior_overlays(draws, resolved, found.terms, (0, 1), found.scaling)}
    assert len(overlays) == 6
    for name, one in overlays.items():
        area = np.trapezoid(one.posterior_density, one.posterior_at)
        assert area == pytest.approx(1.0, abs=0.05), name
        assert 0.9 < np.trapezoid(one.prior_density, one.prior_at) < 1.02, name
    slope = overlays["fixef", "days"]
    top = slope.posterior_at[slope.posterior_density.argmax()]
    assert top == pytest.approx(found.bayes.fixef.mean[1] / found.scaling.scale[0], rel=0.1)


def test_a_ruled_out_outcome_is_said() -> None:
    case = factories.singular_case()
    study = case.study.model_copy(
        update={"priors": case.study.priors.model_validate({"intercept": {"mean": 3.0, "sd": 1.0}})}
    )
    scaling = case.findings.scaling
    found = prior_predictive(case.data, (0, 1), resolve_priors(study, scaling), scaling, 0.005, 1)
    assert "all but rule out the data’s median" in prior_words.expectation(context(case), found)


def test_a_group_that_scatters_more_is_named_and_marked() -> None:
    case = factories.singular_case()
    found = case.findings.assumptions
    assert found
    unequal = replace(found, p_value=1e-6, ratio=3.2, apart=np.array([2]))
    words = assumption_words.spread(context(case), unequal)
    assert "3.2 times" in words
    assert words.endswith(f"{context(case).labels[2]} most clearly.")
    section = assumptions.section(context(case), unequal)
    marks = [row[-1].status for row in block(section, "table-spread").rows]
    assert marks.count("review") == 1


def test_many_groups_and_rows_are_thinned_by_a_rule_that_is_stated() -> None:
    case = factories.many_groups_case(700)
    section = of_spread(case)
    spread, rows = block(section, "figure-spread"), block(section, "figure-residuals")
    assert "60 of 6" in spread.caption
    assert "of fewer than 5 rows are left out" in spread.caption
    assert len(rows.spec["data"][0]["x"]) == CLOUD_ROWS_LIMIT
    assert f"{CLOUD_ROWS_LIMIT:,} of {case.data.n_rows:,} rows" in rows.caption
    assert len(json.dumps(rows.spec)) < 200_000


def test_without_the_analyses_there_are_no_sections() -> None:
    case = factories.regular_case()
    bare = replace(case.findings, assumptions=None, prior_predictive=None, prior_sensitivity=None, checks=())
    ids = [section.id for section in build_page(replace(case, findings=bare).context).sections]
    assert not {"assumptions", "priors"} & set(ids)
    told = summary_of(case.study, bare)
    assert (told["assumptions"], told["prior_predictive"], told["prior_sensitivity"]) == (None, None, None)


def test_energy_and_traces_are_of_the_draws() -> None:
    case = factories.regular_case()
    page = build_page(case.context)
    section = next(one for one in page.sections if one.id == "sampler")
    assert isinstance(block(section, "panels-traces"), Panels)
    assert "E-BFMI by chain" in block(section, "figure-energy").caption
    draws = np.arange(2000.0).reshape(2, 1000)
    spec = sampler.traces(draws)
    assert [trace["y"][1] for trace in spec["data"]] == [7.0, 1007.0]
    assert max(len(trace["x"]) for trace in spec["data"]) <= sampler.TRACE_DRAWS


def test_energy_of_white_noise_changes_more_than_it_varies() -> None:
    """Independent energies: changes have twice the variance, so E-BFMI is 2."""
    about, change = sampler.energy(np.random.default_rng(1).normal(size=(4, 1000)))["data"]
    spread = [np.sqrt(np.average(np.square(one["x"]), weights=one["y"])) for one in (about, change)]
    assert spread[1] / spread[0] == pytest.approx(np.sqrt(2), rel=0.05)


def test_the_qq_band_is_drawn_behind_the_points() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    data = residuals.qq(x, x, x - 1, x + 1)["data"]
    assert data[1]["fill"] == "tonexty"
    assert data[-1]["mode"] == "markers"
