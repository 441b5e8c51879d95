"""Sentences about what was not seen claim no more than the errors say; figures and tables hold every group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.judged.influence import Influence
from tasks.view.document import summary_of
from tasks.view.page import build_page
from tasks.view.records import Figure, Table
from tasks.view.topics import held_out, held_out_tables
from tests.factories import Case, hostile_case, intercept_only_case, many_groups_case, regular_case, singular_case
from tests.said import by_name, changed, section


def test_influential_groups_are_named_or_there_are_none() -> None:
    case = regular_case()
    assert "moves no estimate" in held_out.TOPIC.finding(case.context)
    moves = np.full((18, 2), 0.2)
    moves[0] = 1.4
    one = replace(case.findings.influence, dfbetas=moves, largest=moves.max(axis=1), by_chance=np.full((18, 2), 0.9))
    named = (
        "Without subject 308, the average level and the average effect of days would move by more than their standard"
    )
    assert named in held_out.TOPIC.finding(changed(case, influence=one))
    none = np.full(18, 0.2)
    quiet = Influence(none[:, None], none, True, none, np.full((18, 1), 1.5))
    assert "moves no estimate" in held_out.TOPIC.finding(changed(case, influence=quiet))
    far = np.where(np.arange(18) == 3, 1.3, 0.2)
    by_chance = replace(quiet, dfbetas=far[:, None], largest=far)
    assert "no more than chance explains" in held_out.TOPIC.finding(changed(case, influence=by_chance))
    assert "never seen" in held_out.TOPIC.finding(changed(case, cross_validation=None))
    nothing = changed(case, cross_validation=None, leave_one_group_out=None, influence=None)
    assert "too few groups" in held_out.TOPIC.finding(nothing)


@pytest.mark.parametrize("n_beyond", [1, 2, 5])
def test_many_and_hostile_labels_keep_the_message_short(n_beyond: int) -> None:
    case = hostile_case()
    largest = np.where(np.arange(8) < n_beyond, 3.0 - np.arange(8) / 10, 0.1)
    moves = np.column_stack([largest, np.zeros(8)])
    found = Influence(moves, largest, True, largest, np.zeros((8, 2)))
    judged = replace(case, findings=replace(case.findings, influence=found)).judged()
    check = by_name(judged.context)["influential_groups"]
    assert check.status == "review"
    assert len(check.message) < 400
    assert ("2 more" in check.message) == (n_beyond == 5)


@pytest.mark.parametrize("make", [singular_case, regular_case, intercept_only_case, hostile_case, many_groups_case])
def test_the_section_shows_every_group_within_its_limits(make: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "SCORES_LIMIT", 300)
    case: Case = make()  # type: ignore[operator]
    made = section(held_out.TOPIC, case.context)
    n_groups = case.findings.run.n_groups
    figures = [block for block in made.blocks if isinstance(block, Figure)]
    scores, moves = figures
    assert sum(len(trace["x"]) for trace in scores.spec["data"]) == min(n_groups, held_out.SCORES_LIMIT)
    shown = [group for trace in scores.spec["data"] for group in trace["meta"]["groups"]]
    assert len(set(shown)) == min(n_groups, held_out.SCORES_LIMIT)
    assert all(len(trace["y"]) == min(n_groups, held_out.MOVES_LIMIT) for trace in moves.spec["data"])
    assert moves.spec["data"][0]["meta"]["groups"][0] == np.argmax(case.findings.influence.largest)
    targets, by_group = (block for block in made.blocks if isinstance(block, Table))
    assert [row[0].text for row in targets.rows] == ["A new row in a known group", "A row of a new group"]
    assert len(by_group.rows) == len(by_group.groups) == min(n_groups, held_out_tables.TABLE_LIMIT)
    assert "<script" not in str([figure.spec for figure in figures])


def test_a_report_without_these_analyses_still_stands() -> None:
    without = {"cross_validation": None, "leave_one_group_out": None, "loo_pit": None, "influence": None}
    context = changed(singular_case(), **without)
    assert held_out.TOPIC.id not in [made.id for made in build_page(context).sections]
    summary = summary_of(context)
    assert [summary[key] for key in without] == [None] * 4
