import json
import re
from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.judged.predictive_density import ROWS_LIMIT
from tasks.study.errors import Rejection
from tasks.study.run import SourceFile
from tasks.view.figures import by_size
from tasks.view.page import build_page
from tasks.view.records import Figure, Fold, GroupTable, Panels, Table
from tasks.view.words import numbers
from tests import factories
from tests.said import by_name

CASES = {
    "singular": factories.singular_case,
    "regular": factories.regular_case,
    "intercept only": factories.intercept_only_case,
    "two predictors": factories.two_predictors_case,
    "hostile": factories.hostile_case,
    "many": factories.many_groups_case,
}


@pytest.fixture(params=CASES, scope="module")
def case(request):
    return CASES[request.param]()


@pytest.fixture(scope="module")
def many():
    return factories.many_groups_case()


def blocks_of(page):
    waiting = [block for section in page.sections for block in section.blocks]
    while waiting:
        block = waiting.pop()
        waiting += block.blocks if isinstance(block, Fold) else ()
        yield block


def only(page, kind):
    return [block for block in blocks_of(page) if isinstance(block, kind)]


def table(page, name):
    return next(block for block in only(page, Table) if block.id == name)


def test_every_section_states_a_finding_and_every_check_leads_to_one(case):
    page = build_page(case.context)
    ids = [section.id for section in page.sections]
    assert len(set(ids)) == len(ids)
    assert all(section.finding.endswith(".") for section in page.sections)
    assert not any("nan" in re.findall(r"\w+", section.finding) for section in page.sections)
    assert len(page.health) == len(case.findings.judgements)
    assert {item.link.href for item in page.health} <= {f"#{name}" for name in ids}


def test_worst_checks_come_first():
    statuses = [item.status for item in build_page(factories.singular_case().context).health]
    assert statuses == sorted(statuses, key=["fail", "review", "pass"].index)
    assert statuses[0] == "fail"


def test_figures_are_json_have_their_own_ids_and_a_text_alternative(case):
    page = build_page(case.context)
    figures = [*only(page, Figure), *(panel for panels in only(page, Panels) for panel in panels.panels)]
    assert len({figure.id for figure in figures}) == len(figures) > 10
    for figure in figures:
        json.dumps(figure.spec, allow_nan=False)
        assert len(figure.alternative) > 10
    for figure in only(page, Figure):
        assert figure.caption
        assert len(figure.alternative) > 20
        assert figure.alternative.endswith(".")
        assert "nan" not in re.findall(r"\w+", figure.alternative + figure.caption)


def test_rows_of_tables_fill_their_columns(case):
    for found in only(build_page(case.context), Table):
        assert found.rows, found.id
        assert {len(row) for row in found.rows} == {len(found.columns)}, found.id


@pytest.mark.parametrize("model", ["no_pooling", "partial_pooling", "bayes"])
def test_estimates_in_the_table_are_the_findings_own(model):
    """On the fitted scale and per raw unit, each number is within half of its last digit."""
    case = factories.regular_case()
    page, findings = build_page(case.context), case.findings
    coef = {
        "no_pooling": findings.no_pooling.coef,
        "partial_pooling": findings.fullest.coef,
        "bayes": findings.bayes.groups.mean,
    }[model]
    for name, expected in {
        "table-estimates-0": coef[:, 0],
        "table-estimates-1": coef[:, 1],
        "table-estimates-1-raw": coef[:, 1] / findings.scaling.scale[0],
    }.items():
        found = table(page, name)
        column = next(k for k, column in enumerate(found.columns) if column.model == model)
        shown = [row[column].text for row in found.rows]
        half = 0.5 * 10.0 ** -len(shown[0].partition(".")[2])
        parsed = np.array([float(text.replace(numbers.MINUS, "-").replace(",", "")) for text in shown])
        assert np.abs(parsed - expected).max() <= half * 1.0001


def test_intervals_in_the_table_are_the_findings_own():
    case = factories.singular_case()
    bayes = case.findings.bayes.groups
    found = table(build_page(case.context), "table-estimates-0")
    column = column_of(found, "bayes")
    for row, lower, upper in zip(found.rows, bayes.lower[:, 0], bayes.upper[:, 0], strict=True):
        assert [float(end) for end in row[column].detail.split(" to ")] == pytest.approx([lower, upper], abs=0.006)


def column_of(found, model):
    return [column.model for column in found.columns].index(model)


@pytest.mark.parametrize("make", [factories.singular_case, factories.regular_case])
def test_what_is_to_be_quoted_comes_first_and_is_marked(make):
    context = make().context
    page = build_page(context)
    for name in ("table-estimates-0", "table-estimates-1-raw"):
        first, *others = [column for column in table(page, name).columns if column.model]
        assert first.model == context.recommended.model
        assert first.is_recommended
        assert not any(column.is_recommended for column in others)
    first, *others = table(page, "table-rmse").rows
    assert first[0].detail == "recommended"
    assert not any(row[0].detail for row in others)


def test_where_no_model_can_be_trusted_none_is_marked():
    case = factories.singular_case()
    context = replace(case, findings=replace(case.findings, recommended=None)).context
    assert not any(column.is_recommended for column in table(build_page(context), "table-estimates-0").columns)


def test_units_stand_with_the_numbers():
    found = table(build_page(factories.singular_case().context), "table-estimates-1-raw")
    assert {column.unit for column in found.columns if column.model} == {"s per year"}


def test_a_group_without_a_fit_of_its_own_says_why():
    case = factories.two_predictors_case()
    page = build_page(case.context)
    found = table(page, "table-estimates-0")
    own = found.rows[0][column_of(found, "no_pooling")]
    assert own.text == numbers.MISSING
    assert own.detail == "2 rows cannot carry 3 coefficients"
    panel = next(p for panels in only(page, Panels) for p in panels.panels if p.title == case.findings.labels[0])
    assert own.detail in panel.detail
    assert "No pooling" not in [trace.get("name") for trace in panel.spec["data"]]


def test_a_collapsed_width_does_not_read_as_zero_and_is_marked():
    case = factories.singular_case()
    level, slope = case.findings.intervals
    intervals = (level, replace(slope, conditional=0.00041))
    page = build_page(replace(case, findings=replace(case.findings, intervals=intervals)).context)
    level_row, slope_row = table(page, "table-widths").rows
    assert float(slope_row[2].text) == 0.000034
    assert (slope_row[-1].text, slope_row[-1].status) == ("collapsed", "fail")
    assert level_row[-1].status == "pass"


def test_all_flavours_of_partial_pooling_stand_side_by_side():
    found = table(build_page(factories.singular_case().context), "table-flavours")
    cells = {row[0].text: [cell.text for cell in row[1:]] for row in found.rows}
    assert len(found.columns) == 4
    assert cells["Singular"] == ["no", "no", "yes"]
    assert cells["SD between groups: level (s)"][1] == numbers.MISSING


def test_without_predictors_there_is_no_simpson_section_and_without_draws_no_rank_plot(many):
    page = build_page(factories.intercept_only_case().context)
    assert "simpson" not in [section.id for section in page.sections]
    assert "panels-ranks" in [panels.id for panels in only(page, Panels)]
    assert "panels-ranks" not in [panels.id for panels in only(build_page(many.context), Panels)]


def test_lines_in_panels_pass_through_the_expected_outcome_in_raw_units():
    case = factories.singular_case()
    panels = next(p for p in only(build_page(case.context), Panels) if p.id == "panels-1")
    panel = next(p for p in panels.panels if p.title == "kent")
    line = next(trace for trace in panel.spec["data"] if trace.get("name") == "Bayes")
    group, scaling = case.findings.labels.index("kent"), case.findings.scaling
    intercept, slope = scaling.to_raw @ case.findings.bayes.groups.mean[group]
    for x, y in zip(line["x"], line["y"], strict=True):
        assert y == pytest.approx(intercept + slope * x, abs=0.01)


def test_panels_show_at_most_the_limit_and_state_the_rule(many, monkeypatch):
    monkeypatch.setattr(by_size, "WEBGL_FROM", 500)
    page = build_page(many.context)
    panels = only(page, Panels)
    found = next(block for block in only(page, GroupTable) if block.id == "table-groups")
    by_group = next(p for p in panels if p.id == "panels-1")
    assert len(by_group.panels) == 24
    assert "24 of 500 groups" in by_group.caption
    assert sorted(found.groups) == list(range(500))
    assert found.download is not None
    assert page.uses_webgl


def test_at_most_fifty_rejects_are_listed_and_the_rest_counted():
    case = factories.singular_case()
    page = build_page(replace(case, rejections=case.rejections * 40).context)
    found = table(page, "table-rejects")
    assert len(found.rows) == 50
    assert "50 of 120" in found.note


def test_a_run_links_only_to_web_addresses():
    case = factories.regular_case()
    assert _with_link(case, "javascript:alert(1)").run_link is None
    assert _with_link(case, "http://127.0.0.1:4200/runs/1").run_link is not None


def _with_link(case, link):
    findings = replace(case.findings, run=replace(case.findings.run, link=link))
    return build_page(replace(case, findings=findings).context)


def sampled_rows(case, keep):
    """The same findings, of whose rows only those where `keep` is true are at hand."""
    data, loo = case.data, case.findings.bayes.loo
    some = replace(data, y=data.y[keep], x=data.x[keep], group_index=data.group_index[keep])
    rows = np.arange(min(some.n_rows, loo.n_rows_used))
    loo = replace(loo, rows=rows, pareto_k=loo.pareto_k[: rows.size], n_rows_used=rows.size)
    absent = np.bincount(some.group_index, minlength=some.n_groups) == 0
    check = case.findings.predictive
    gaps = {
        name: np.where(absent, np.nan, getattr(check, name))
        for name in ("group_median_observed", "group_median_lower", "group_median_upper", "group_p_value")
    }
    findings = replace(case.findings, bayes=replace(case.findings.bayes, loo=loo), predictive=replace(check, **gaps))
    return replace(case, data=some, findings=findings)


@pytest.mark.parametrize("make", [factories.singular_case, factories.many_groups_case])
def test_a_sample_of_rows_is_called_one_and_groups_without_rows_are_no_trouble(make):
    whole = make()
    case = sampled_rows(whole, whole.data.group_index % 3 > 0)
    captions, n_scored = captions_of(case), case.findings.bayes.loo.n_rows_used
    used = dict.fromkeys(["panels-1", "figure-simpson-1", "panels-statistics", "figure-medians"], case.data.n_rows)
    notes = {
        name: f"random {n:,} of {whole.data.n_rows:,} rows" for name, n in {**used, "figure-pareto": n_scored}.items()
    }
    assert [name for name, note in notes.items() if note not in captions[name]] == []
    (medians,) = [block for block in only(build_page(case.context), Figure) if block.id == "figure-medians"]
    drawn = {label for trace in medians.spec["data"] for label in trace.get("text", [])}
    assert not drawn & set(whole.findings.labels[::3])
    is_scored_whole = whole.findings.bayes.loo.n_rows_used == whole.data.n_rows
    samples = {name for name, caption in captions_of(whole).items() if "random" in caption}
    thinned = {"figure-pareto": not is_scored_whole, "figure-density": whole.data.n_rows > ROWS_LIMIT}
    assert samples == {name for name, is_thinned in thinned.items() if is_thinned}


def captions_of(case):
    return {block.id: block.caption for block in only(build_page(case.context), (Figure, Panels))}


def test_a_file_that_was_set_aside_is_told_with_its_reason():
    case = factories.regular_case()
    reason = "incoming/bad.csv has no column 'days'."
    files = (*case.findings.run.files, SourceFile("incoming/bad.csv", "b" * 64, 0, 0, reason))
    run = replace(case.findings.run, files=files, rejected_by_rule={"file: set aside": 1})
    rejection = Rejection("incoming/bad.csv", 0, "", "", f"set aside: {reason}")
    told = replace(case, findings=replace(case.findings, run=run), draws=None, rejections=(rejection,))
    page = build_page(told.context)
    assert [[cell.text for cell in row] for row in table(page, "table-rejects").rows] == [
        ["incoming/bad.csv", "–", "–", "–", f"set aside: {reason}"]
    ]
    assert table(page, "table-files").rows[1][2].text == "set aside"
    (finding,) = [section.finding for section in page.sections if section.id == "data"]
    assert finding.endswith("no row was rejected. 1 file could not be used at all.")
    assert "rejected.csv" in [link.href for link in page.downloads]


@pytest.mark.parametrize(
    ("make", "formulas"),
    [
        (factories.intercept_only_case, ["yield ~ 1 + (1 | batch)"]),
        (
            factories.singular_case,
            [
                "bounce_time ~ scale(age) + (1 | county)",
                "bounce_time ~ scale(age) + (0 + scale(age) | county)",
                "bounce_time ~ scale(age) + (1 + scale(age) | county)",
            ],
        ),
    ],
)
def test_flavours_carry_their_formula(make, formulas):
    row = table(build_page(make().context), "table-flavours").rows[0]
    assert [cell.text for cell in row] == ["Formula in R, for lme4", *formulas]


def test_correlations_stand_beside_the_spreads_with_their_interval():
    case = factories.regular_case()
    row = next(row for row in table(build_page(case.context), "table-components").rows if "Corr" in row[0].text)
    bayes = case.findings.bayes.correlation
    assert row[2].text == numbers.fixed(float(case.findings.fullest.correlation[1, 0]), 2)
    assert row[3].text == numbers.fixed(float(bayes.median[1, 0]), 2)
    assert row[4].text == numbers.interval(float(bayes.lower[1, 0]), float(bayes.upper[1, 0]), 2)


def test_the_card_says_what_each_check_measured_and_what_is_wanted():
    case = factories.singular_case()
    values = by_name(case.context)
    said = {item.title: item.measure for item in build_page(case.context).health}
    share = numbers.percent(values["intervals_age"].value)
    assert said["Usual intervals: age"] == f"{share} as wide as needed, at least {numbers.percent(0.5)}"
    assert said["Number of groups"] == "8 groups, at least 5"
    assert said["Chains agree (R-hat)"] == f"{numbers.plain(values['rhat'].value)}, below 1.01"
    assert said["Simpson’s paradox: age"] == ""
    assert not any("{" in measure for measure in said.values())


def test_a_fold_says_what_is_in_it_and_its_guide_opens_with_it():
    page = build_page(factories.singular_case().context)
    of = {section.id: section for section in page.sections}
    assert of["groups"].more.startswith("How to read this")
    assert replace(of["groups"], blocks=of["methods"].blocks).more.startswith("More")
    assert replace(of["groups"], blocks=of["groups"].blocks[:1], rest="").more == ""
