"""Priors: what they expect, what the data made of them, and how much they matter."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.judged.prior_overlay import prior_overlays
from tasks.stats.judged.prior_predictive import prior_predictive
from tasks.view.document import summary_of
from tasks.view.records import Section
from tasks.view.topics import priors
from tests import factories
from tests.factories import Case
from tests.said import block, changed, section

CASES = {
    "singular": factories.singular_case,
    "intercept only": factories.intercept_only_case,
    "two predictors": factories.two_predictors_case,
    "hostile": factories.hostile_case,
}


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


def made(case: Case) -> Section:
    return section(priors.TOPIC, case.context)


def test_points_of_groups_can_be_marked(case: Case) -> None:
    moved = block(made(case), "figure-prior-sensitivity")
    for trace in moved.spec["data"]:
        assert len(trace["meta"]["groups"]) == len(trace["x"])
        assert set(range(case.findings.run.n_groups)) <= set(trace["meta"]["groups"]) <= {-1, *range(100)}


def test_the_pages_numbers_are_the_summarys(case: Case) -> None:
    told = summary_of(case.context)
    moved = {(one["kind"], *one["terms"]): one for one in told["prior_sensitivity"]["quantities"] if not one["group"]}
    table = block(made(case), "table-prior-sensitivity")
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
    assert "all but rule out the data’s median" in priors.TOPIC.finding(changed(case, prior_predictive=found))
