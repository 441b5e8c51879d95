"""What a reader sees of changes and of history: words, tables and pictures that agree with the numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.past.changes import compare
from tasks.stats.past.earlier import question_of
from tasks.stats.past.over_time import history_of
from tasks.view.page import build_page
from tasks.view.records import Figure, Panels, Paragraph, Table
from tasks.view.topics.change_words import moment, verdict_line
from tasks.view.words import numbers
from tests.factories import (
    Case,
    hostile_case,
    intercept_only_case,
    many_groups_case,
    regular_case,
    singular_case,
    two_predictors_case,
)
from tests.past_runs import EARLIER_ID, earlier, grown, looked_back, moved, with_verdict, without_group

CASES = [singular_case, regular_case, intercept_only_case, two_predictors_case, hostile_case]


def sections(case: Case):
    return {section.id: section for section in build_page(case.context).sections}


def only(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def value(shown: str) -> float:
    return float(shown.replace(numbers.MINUS, "-").replace(",", "").replace("+", ""))


def drifted(case: Case, label: str, *, runs: int = 3) -> Case:
    """After `runs` earlier reports, through which one group's level rose by 5 each time."""
    past = tuple(earlier(moved(case, label, 0, 5.0 * (k - runs))).run for k in range(runs))
    return looked_back(case, earlier(moved(case, label, 0, -5.0)), past)


def test_the_first_report_looks_back_at_nothing() -> None:
    assert not {"changes", "history"} & sections(singular_case()).keys()


@pytest.mark.parametrize("make", CASES)
def test_later_reports_open_with_what_changed(make) -> None:
    case = make()
    case = looked_back(case, earlier(case), (earlier(case).run,) * 2)
    page = build_page(case.context)
    assert [section.id for section in page.sections][:3] == ["changes", "history", "groups"]
    assert page.chapters[0].title == "What changed"
    for section in page.sections[:2]:
        assert section.finding.endswith(".")
        for figure in only(section, Figure):
            json.dumps(figure.spec, allow_nan=False)
        for table in only(section, Table):
            assert {len(row) for row in table.rows} == {len(table.columns)}


def test_nothing_changed_is_said_so() -> None:
    case = singular_case()
    finding = sections(looked_back(case, earlier(case)))["changes"].finding
    assert "Since the report of 1 Nov 2026, 08:00 UTC, the verdict still is “Use another model”." in finding
    assert "The recommendation still is the Bayesian partial-pooling model" in finding
    assert "as many as then" in finding
    assert "No row is new, so no group can have moved." in finding
    assert "Nothing that decides the numbers changed." in finding


def test_of_groups_that_did_not_move_nothing_is_said() -> None:
    case = singular_case()
    section = sections(looked_back(case, earlier(case), rows=grown(case)))["changes"]
    assert "Of the 8 groups with new rows and earlier ones, none is seen to have moved." in section.finding
    table = next(block for block in only(section, Table) if block.id == "table-changes-0")
    assert {row[-1].text for row in table.rows} == {"no move seen"}


def test_a_group_that_moved_is_named_with_its_change_and_leads_table_and_figure() -> None:
    case = singular_case()
    section = sections(looked_back(case, earlier(case), rows=grown(case, "kent", 30.0)))["changes"]
    sd = case.findings.bayes.sigma_group.mean[0]
    margin = numbers.with_unit(numbers.significant(0.5 * sd, 2), "s")
    assert f"1 of 8 groups with new rows moved by more than {margin}: kent, whose 12 new rows lie" in section.finding
    assert "above what its earlier rows foretold." in section.finding
    table = next(block for block in only(section, Table) if block.id == "table-changes-0")
    row = table.rows[0]
    assert row[0].text == "kent"
    assert row[-1].text == "moved"
    assert {row[-1].text for row in table.rows[1:]} == {"no move seen"}
    assert value(row[-2].text) == pytest.approx(30, abs=8)
    low, high = (value(end) for end in row[-2].detail.split(" to "))
    assert low < value(row[-2].text) < high
    assert f"a move by more than {margin} (`change_margin`)" in table.note
    figure = next(block for block in only(section, Figure) if block.id == "figure-changes-0")
    assert figure.spec["layout"]["yaxis"]["ticktext"][0] == "kent"


def test_downwards_and_without_a_margin() -> None:
    case = singular_case()
    thresholds = case.study.thresholds.model_copy(update={"change_margin": 0.0})
    case = replace(case, study=case.study.model_copy(update={"thresholds": thresholds}))
    section = sections(looked_back(case, earlier(case), rows=grown(case, "kent", -30.0)))["changes"]
    assert "1 of 8 groups with new rows moved: kent, whose 12 new rows lie" in section.finding
    assert "below what its earlier rows foretold." in section.finding


def test_of_many_that_moved_three_are_named() -> None:
    case = singular_case()
    rows = grown(case, "kent", 30.0)
    found = looked_back(case, earlier(case), rows=rows)
    assert found.changes is not None
    assert found.changes.moves is not None
    all_of_them = replace(found.changes.moves, rings=np.ones(8, dtype=bool))
    finding = sections(replace(found, changes=replace(found.changes, moves=all_of_them)))["changes"].finding
    assert "8 of 8 groups with new rows moved" in finding
    assert "and 5 more." in finding
    assert "the reports before, taken together with this one, do." in finding


def test_what_cannot_be_compared_is_said_with_the_files_that_are_why() -> None:
    case = singular_case()
    gone = replace(grown(case), sums={}, lost={EARLIER_ID: ("a.csv", "b<x>.csv")})
    section = sections(looked_back(case, earlier(case), rows=gone))["changes"]
    assert (
        "cannot be told from its new rows, because what was in a.csv and b<x>.csv is gone or was chan"
        in section.finding
    )
    table = next(block for block in only(section, Table) if block.id == "table-changes-0")
    assert {row[-1].text for row in table.rows} == {"cannot be told"}
    unknown = replace(gone, lost={})
    finding = sections(looked_back(case, earlier(case), rows=unknown))["changes"].finding
    assert "because its rows are not all among those of this one." in finding


def test_slopes_are_told_per_raw_unit_and_their_rows_agree_with_the_estimates() -> None:
    case = singular_case()
    then = earlier(case)
    section = sections(looked_back(case, then))["changes"]
    table = next(block for block in only(section, Table) if block.id == "table-changes-1")
    assert {column.unit for column in table.columns if column.unit} == {"s per year"}
    now = case.findings.bayes.groups
    for row in table.rows:
        group = case.findings.labels.index(row[0].text)
        assert value(row[4].text) == pytest.approx(now.mean[group, 1] / case.findings.scaling.scale[0], abs=0.006)
        ends = [value(end) for end in row[4].detail.split(" to ")]
        limits = np.array([now.lower[group, 1], now.upper[group, 1]]) / case.findings.scaling.scale[0]
        assert ends == pytest.approx(limits, abs=0.006)


def test_widened_intervals_are_admitted() -> None:
    case = singular_case()
    then = earlier(case)
    shifted = replace(then, run=replace(then.run, center=then.run.center - 0.1 * then.run.scale))
    section = sections(looked_back(case, shifted))["changes"]
    note = next(block for block in only(section, Table) if block.id == "table-changes-0").note
    assert "the widest they can be (up to" in note
    exact = sections(looked_back(case, then))["changes"]
    assert "widest" not in next(block for block in only(exact, Table) if block.id == "table-changes-0").note


def test_verdict_recommendation_groups_and_rejects_are_told() -> None:
    case = singular_case()
    then = without_group(with_verdict(case, status="trust", recommended_model="no_pooling"), "kent")
    then = replace(then, n_rows=400, checks={**then.checks, ("rhat", ""): "fail"}, data_sha256="e" * 64)
    section = sections(looked_back(case, then))["changes"]
    assert "the verdict is “Use another model”, worse than “Can be trusted” then" in section.finding
    assert "now is the Bayesian partial-pooling model, no longer no pooling" in section.finding
    assert "213 more than then; 1 group new (kent)" in section.finding
    assert "Nothing" not in section.finding
    rows = {row[0].text: row[1:] for row in only(section, Table)[0].rows}
    assert [cell.status for cell in rows["Verdict"]] == ["trust", "use"]
    assert [cell.text for cell in rows["Verdict"]] == ["Can be trusted", "Use another model"]
    assert [cell.status for cell in rows["Chains agree (R-hat)"]] == ["fail", "pass"]
    assert [cell.text for cell in rows["Rows used"]] == ["400", "613"]


def test_another_question_is_said_and_no_estimate_shown() -> None:
    case = singular_case()
    then = earlier(case)
    other = replace(
        then, run=replace(then.run, question=replace(then.run.question, outcome="clicks")), study_sha256="0"
    )
    section = sections(looked_back(case, other))["changes"]
    assert "the question was another one: the outcome was clicks, not bounce_time" in section.finding
    assert "The study file changed since then." in section.finding
    assert only(section, Figure) == []
    assert [table.id for table in only(section, Table)] == ["table-changes"]


def test_of_many_groups_those_that_moved_are_shown_and_the_rule_is_stated() -> None:
    case = many_groups_case()
    then = earlier(moved(case, "school 00123", 0, 60.0))
    section = sections(looked_back(case, then, rows=grown(case, "school 00321", 60.0)))["changes"]
    table = next(block for block in only(section, Table) if block.id == "table-changes-0")
    assert len(table.rows) == 12
    assert [row[0].text for row in table.rows[:2]] == ["school 00321", "school 00123"]
    assert "12 of 500 groups in both that changed most" in table.note


def test_history_shows_each_group_over_the_runs_with_words_for_each() -> None:
    case = drifted(singular_case(), "kent")
    section = sections(case)["history"]
    assert "all 4 reports so far, 1 Nov 2026, 08:00 UTC to 22 Nov 2026, 10:15 UTC" in section.finding
    assert "Verdicts, oldest first: “Use another model” 4 times." in section.finding
    assert "The level of kent went farthest" in section.finding
    level, slope = only(section, Panels)
    assert [panel.title for panel in level.panels] == list(case.findings.labels)
    panel = next(panel for panel in level.panels if panel.title == "kent")
    (trace,) = panel.spec["data"]
    today = case.findings.bayes.groups.mean[case.findings.labels.index("kent"), 0]
    assert trace["y"] == pytest.approx([today - 15, today - 10, today - 5, today], abs=0.01)
    assert all(bar > 0 for bar in trace["error_y"]["array"] + trace["error_y"]["arrayminus"])
    assert "kent, level, 4 reports: from" in panel.alternative
    spans = {
        round(p.spec["layout"]["yaxis"]["range"][1] - p.spec["layout"]["yaxis"]["range"][0], 6) for p in level.panels
    }
    assert len(spans) == 1
    assert "s per year" in slope.caption


def test_two_reports_need_no_history_unless_one_could_not_be_read() -> None:
    case = singular_case()
    assert "history" not in sections(looked_back(case, earlier(case), (earlier(case).run,)))
    history = history_of(question_of(case.study), (), case.findings, (), ("r1: summary.json is damaged: <x>",))
    section = sections(replace(case, history=history))["history"]
    assert section.finding == "No earlier report can be compared with this one."
    assert (
        "1 earlier report could not be read and was skipped: r1: summary.json is damaged"
        in only(section, Paragraph)[0].text
    )


def test_a_gap_in_history_is_null_and_is_not_counted() -> None:
    case = singular_case()
    past = (without_group(case, "kent").run, earlier(case).run)
    section = sections(looked_back(case, earlier(case), past))["history"]
    panel = next(panel for panel in only(section, Panels)[0].panels if panel.title == "kent")
    assert panel.detail == "2 reports"
    assert panel.spec["data"][0]["y"][0] is None
    json.dumps(panel.spec, allow_nan=False)


def test_history_of_many_groups_states_its_rule() -> None:
    case = many_groups_case()
    past = (earlier(case).run, earlier(moved(case, "school 00123", 0, 60.0)).run)
    level = only(sections(looked_back(case, earlier(case), past))["history"], Panels)[0]
    assert len(level.panels) == 12
    assert "12 of 500 groups whose estimates moved most" in level.caption
    assert "school 00123" in [panel.title for panel in level.panels]


def test_words_for_times_and_verdicts() -> None:
    assert moment("2026-11-02T09:05:59+01:00") == "2 Nov 2026, 08:05 UTC"
    assert moment("2026-11-02T09:05:59Z") == "2 Nov 2026, 09:05 UTC"
    assert moment("<b>soon") == "<b>soon"
    said = "“Use another model” 2 times, then “Can be trusted”, then “None can be trusted”"
    assert verdict_line(["use", "use", "trust", "none"]) == said


def test_a_label_that_turned_up_is_shortened_and_cleaned() -> None:
    case = hostile_case()
    then = earlier(case)
    labels = ("x\u202e<script>" + "y" * 300, *then.run.labels[1:])
    changes = compare(case.study, replace(then, run=replace(then.run, labels=labels)), case.findings)
    finding = sections(replace(case, changes=changes))["changes"].finding
    assert "\u202e" not in finding
    assert "y" * 100 not in finding
