"""Spread by group, shape of the residuals: figures, tables and words agree."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tasks.view.document import summary_of
from tasks.view.figures import residuals
from tasks.view.records import Section
from tasks.view.selection import CLOUD_ROWS_LIMIT
from tasks.view.topics import assumptions
from tests import factories
from tests.factories import Case
from tests.said import block, by_name, changed, section

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
    return section(assumptions.TOPIC, case.context)


def test_points_of_groups_can_be_marked(case: Case) -> None:
    for trace in block(made(case), "figure-spread").spec["data"]:
        assert len(trace["meta"]["groups"]) == len(trace["x"])
    table = block(made(case), "table-spread")
    assert [row[0].text for row in table.rows] == [case.context.labels[j] for j in table.groups]


def test_the_pages_numbers_are_the_summarys(case: Case) -> None:
    told = summary_of(case.context)["assumptions"]
    shown = {row[0].text: row[1].text for row in block(made(case), "table-assumptions").rows}
    assert shown["Groups compared"] == f"{told['n_compared']} of {case.findings.run.n_groups}"
    assert float(shown["Skewness of the residuals (normal: 0)"].replace("−", "-")) == pytest.approx(
        told["qq"]["skewness"], abs=0.0051
    )


def test_a_group_that_scatters_more_is_named_and_marked() -> None:
    case = factories.singular_case()
    found = case.findings.assumptions
    unequal = replace(found, p_value=1e-6, ratio=3.2, apart=np.array([2]))
    context = changed(case, assumptions=unequal)
    words = by_name(context)["equal_spread"].message
    assert "3.2 times" in words
    assert words.endswith(
        f"Against the spread of all: {context.labels[2]} ({found.group_sd[2] / found.sigma:.1f} times)."
    )
    marks = [row[-1].status for row in block(section(assumptions.TOPIC, context), "table-spread").rows]
    assert marks.count("review") == 1


def test_many_groups_and_rows_are_thinned_by_a_rule_that_is_stated() -> None:
    case = factories.many_groups_case()
    found = made(case)
    spread, rows = block(found, "figure-spread"), block(found, "figure-residuals")
    assert "60 of 460 groups" in spread.caption
    assert "of fewer than 5 rows are left out" in spread.caption
    assert len(rows.spec["data"][0]["x"]) == CLOUD_ROWS_LIMIT
    assert f"{CLOUD_ROWS_LIMIT:,} of {case.data.n_rows:,} rows" in rows.caption
    assert len(json.dumps(rows.spec)) < 200_000


def test_the_qq_band_is_drawn_behind_the_points() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    data = residuals.qq(x, x, x - 1, x + 1)["data"]
    assert data[1]["fill"] == "tonexty"
    assert data[-1]["mode"] == "markers"
