"""Estimates over runs stand side by side on today's scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.past.earlier import PastRun, question_of
from tasks.stats.past.over_time import History, history_of
from tests.factories import Case, many_groups_case, singular_case
from tests.past_runs import earlier, moved, without_group


def history(case: Case, *past: PastRun, unreadable: tuple[str, ...] = ()) -> History:
    return history_of(question_of(case.study), past, case.findings, [run.status for run in past], unreadable)


def test_runs_stand_in_order_and_today_is_last() -> None:
    case = singular_case()
    first, second = earlier(moved(case, "kent", 0, -5.0)).run, earlier(moved(case, "kent", 0, -2.0)).run
    found = history(case, first, second)
    kent = found.labels.index("kent")
    today = case.findings.bayes.groups.mean[case.findings.labels.index("kent"), 0]
    assert found.groups.mean[:, kent, 0] == pytest.approx([today - 5, today - 2, today])
    assert [run.id for run in found.runs] == [first.id, second.id, case.findings.run.id]
    assert found.verdicts == ("use", "use", "use")


def test_a_group_that_a_run_lacked_is_a_gap() -> None:
    case = singular_case()
    found = history(case, without_group(case, "kent").run, earlier(case).run)
    kent = found.labels.index("kent")
    assert np.isnan(found.groups.mean[0, kent]).all()
    assert np.isfinite(np.delete(found.groups.mean, kent, axis=1)).all()


def test_runs_that_asked_another_question_are_counted_not_shown() -> None:
    case = singular_case()
    run = earlier(case).run
    other = replace(run, question=replace(run.question, outcome="clicks"))
    found = history(case, other, run, unreadable=("r0: summary.json is missing",))
    assert len(found.runs) == 2
    assert found.n_not_comparable == 1
    assert found.verdicts == ("use", "use", "use")
    assert found.unreadable == ("r0: summary.json is missing",)


def test_of_many_groups_those_that_moved_most_are_kept_in_their_order() -> None:
    case = many_groups_case()
    past = moved(moved(case, "school 00400", 0, 90.0), "school 00007", 1, 90.0)
    found = history(case, earlier(past).run)
    assert len(found.labels) == 12
    assert {"school 00007", "school 00400"} <= set(found.labels)
    assert list(found.labels) == sorted(found.labels)
    assert found.n_groups == 500
    assert found.groups.mean.shape == (2, 12, 2)


def test_first_run_has_a_history_of_itself() -> None:
    case = singular_case()
    found = history(case)
    assert len(found.runs) == 1
    assert found.groups.mean[0] == pytest.approx(case.findings.bayes.groups.mean)
