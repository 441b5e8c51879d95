"""Spread by group, shape of the residuals: figures, tables and words agree."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tasks.view.document import summary_of
from tasks.view.figures import residuals
from tasks.view.records import Section
from tasks.view.selection import CLOUD_ROWS_LIMIT, ROWS_LIMIT
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
    context = changed(case, screening=replace(case.findings.screening, assumptions=unequal))
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
    assert f"{ROWS_LIMIT} of 460 groups" in spread.caption
    assert "of fewer than 5 rows are left out" in spread.caption
    assert len(rows.spec["data"][0]["x"]) == CLOUD_ROWS_LIMIT
    assert f"{CLOUD_ROWS_LIMIT:,} of {case.data.n_rows:,} rows" in rows.caption
    assert len(json.dumps(rows.spec)) < 200_000


def test_residuals_are_shown_by_every_predictor_and_by_the_order_of_the_rows(case: Case) -> None:
    found, data = made(case), case.data
    for term in range(1, len(data.terms)):
        spec = block(found, f"figure-residuals-{term}").spec
        assert spec["data"][0]["x"] == pytest.approx(data.x[:, term - 1], abs=1e-3 * np.ptp(data.x))
        assert case.context.terms[term] in block(found, f"figure-residuals-{term}").caption
    with pytest.raises(KeyError):
        block(found, f"figure-residuals-{len(data.terms)}")
    by_order = block(found, "figure-residuals-order").spec["data"][0]
    assert by_order["x"] == list(range(1, data.n_rows + 1))
    for name in ("", *(f"-{term}" for term in range(1, len(data.terms))), "-order"):
        points, *trend = block(found, f"figure-residuals{name}").spec["data"]
        assert points["meta"]["groups"] == data.group_index.tolist()
        assert [len(line["x"]) <= 10 for line in trend] == [True] * 3


def test_an_order_that_says_nothing_is_not_shown() -> None:
    case = factories.singular_case()
    screening = case.findings.screening
    by_outcome = replace(screening.serial, is_sorted=True)
    found = section(assumptions.TOPIC, changed(case, screening=replace(screening, serial=by_outcome)))
    with pytest.raises(KeyError):
        block(found, "figure-residuals-order")


def test_where_the_study_names_an_order_the_files_order_is_called_another() -> None:
    case = factories.singular_case()
    study = case.study.model_copy(update={"order": "week_no"})
    caption = block(made(replace(case, study=study)), "figure-residuals-order").caption
    assert "in which rows stand in the files" in caption
    assert "looked at by week no instead" in caption


def test_the_farthest_of_the_groups_outside_the_band_are_named() -> None:
    x, groups = np.linspace(-2, 2, 9), np.arange(9)
    y = x + np.array([-5.0, -3.0, 0, 0, 0, 0, 2.0, 3.0, 4.0]) + np.array([0, 0, 0, -1.5, 0, 1.6, 0, 0, 0])
    names = [f"clinic {k}" for k in groups]
    *_, points, named = residuals.qq(x, y, x - 1, x + 1, names=names, groups=groups)["data"]
    assert points["mode"] == "markers"
    assert [name.strip() for name in named["text"]] == [f"clinic {k}" for k in (0, 8, 1, 7, 6)]
    assert named["textposition"] == ["middle right", "middle left", "middle right", "middle left", "middle left"]
    within = residuals.qq(x, x, x - 1, x + 1, names=names, groups=groups)["data"]
    assert all(trace["mode"] != "text" for trace in within)


def test_the_opening_claims_no_more_than_the_checks_and_the_residuals_show() -> None:
    case = factories.singular_case()
    found = case.findings.assumptions
    assert made(case).lead == "Rows behave as the model assumes, by these checks."
    odd = replace(found, qq=replace(found.qq, n_outside=5))
    context = changed(case, screening=replace(case.findings.screening, assumptions=odd))
    assert "residuals are not normally distributed" in section(assumptions.TOPIC, context).lead


def test_the_qq_band_is_drawn_behind_the_points() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    data = residuals.qq(x, x, x - 1, x + 1)["data"]
    assert data[1]["fill"] == "tonexty"
    assert data[-1]["mode"] == "markers"


def test_a_group_apart_by_its_own_interval_is_not_passed_over() -> None:
    """The test of all groups is not clear at p = 0.056, but one interval of eight leaves out the SD of all."""
    case = factories.singular_case()
    found = case.findings.assumptions
    low, high = 0.9 * np.full(8, found.sigma), 1.1 * np.full(8, found.sigma)
    low[2], high[2] = 1.1 * found.sigma, 1.4 * found.sigma
    hinted = replace(found, p_value=0.056, ratio=1.0, group_sd_lower=low, group_sd_upper=high, n_compared=8)
    context = changed(case, screening=replace(case.findings.screening, assumptions=hinted))
    message = by_name(context)["equal_spread"].message.replace("\u202f", " ")
    assert "no clear sign" in message
    said = f"Taken one by one, 1 of 8 groups ({context.labels[2]}) has a 95 % interval that leaves out the SD of all"
    assert said in message
    assert message.endswith("by chance alone fewer than one would.")
    told = summary_of(context)["assumptions"]
    outside = [not entry["lower"] <= told["sigma"] <= entry["upper"] for entry in told["groups"].values()]
    assert told["n_own_outside"] == sum(outside) == 1
    assert told["n_own_outside_by_chance"] == pytest.approx(0.4)


def test_a_mild_departure_of_many_rows_is_told_by_its_size() -> None:
    """Nearly half of 7,185 rows outside the band are a clear departure, and may be a mild one."""
    case = factories.singular_case()
    found = case.findings.assumptions
    qq = replace(found.qq, n_outside=3315, skewness=-0.182, kurtosis=2.52)
    mild = replace(case.findings.screening, assumptions=replace(found, qq=qq, n_rows_used=7185))
    words = assumptions.TOPIC.finding(changed(case, screening=mild))
    assert "depart from a normal distribution by more than chance: 3,315 of 7,185 rows" in words
    assert "In size the departure is mild (skewness −0.18, kurtosis 2.52; a normal has 0 and 3)" in words
    assert "but little" not in words


def test_groups_stand_in_the_order_of_their_spread_and_all_are_drawn_on_demand() -> None:
    spread = block(made(factories.regular_case()), "figure-spread")
    points = next(trace for trace in spread.spec["data"] if trace["mode"] == "markers" and trace["x"] != [None])
    assert (np.diff(np.array(points["x"])) <= 0).all()
    assert spread.longer is None
