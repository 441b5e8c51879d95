"""Who asked to be told is told exactly that, in plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.study.errors import DataRejected, SamplingFailed
from tasks.study.model import Study
from tasks.study.settings import Notify
from tasks.view.notices import Notice, failure, stale
from tasks.view.report_notices import notices_of
from tasks.view.verdict_words import verdict_of
from tests.factories import Case, singular_case
from tests.past_runs import earlier, grown, looked_back, with_verdict

ADDRESS = "http://reports.example.org/bounce_rates/r2/report.html"
ALL = ("worse", "moved", "rejected", "stale", "failed")


def told(case: Case, study: Study | None = None, age_days: float | None = None) -> tuple[Notice, ...]:
    return notices_of(replace(case, study=study or asking(case.study)).context, ADDRESS, age_days)


def asking(study: Study, **notify: object) -> Study:
    return study.model_copy(update={"notify": Notify(to=("json://127.0.0.1/",), **notify)})


def worse(case: Case) -> Case:
    return looked_back(case, earlier(with_verdict(case, status="trust", recommended_model="bayes")))


def kinds(notices: tuple[Notice, ...]) -> list[str]:
    return [notice.kind for notice in notices]


def test_a_worse_verdict_is_told_with_headline_step_down_and_address() -> None:
    case = worse(singular_case())
    (notice,) = told(case)
    assert (notice.kind, notice.severity) == ("worse", "warning")
    assert notice.title == f"{case.study.title} – the verdict is worse"
    assert notice.body.splitlines()[0] == verdict_of(case.context).headline
    words = "said that partial pooling can be trusted, this one that another model is needed."
    assert f"The report of 2026-11-01T08:00:00+00:00 {words}" in notice.body
    assert notice.body.splitlines()[-1] == f"Report: {ADDRESS}"


def test_a_verdict_that_fails_is_no_mere_warning() -> None:
    case = worse(with_verdict(singular_case(), status="none"))
    assert told(case)[0].severity == "failure"


def test_the_same_or_a_better_verdict_and_a_first_report_are_not_news() -> None:
    case = singular_case()
    for seen in (case, looked_back(case, earlier(case)), looked_back(case, earlier(with_verdict(case, status="none")))):
        assert told(seen) == ()


def test_a_group_that_moved_is_told_as_in_the_report() -> None:
    case = singular_case()
    seen = looked_back(case, earlier(case), rows=grown(case, "kent", 30.0))
    (notice,) = told(seen)
    assert (notice.kind, notice.severity) == ("moved", "warning")
    assert notice.title == f"{case.study.title} – a group has moved"
    assert notice.body.startswith("1 of 8 groups with new rows moved by more than ")
    assert "kent, whose 12 new rows lie" in notice.body
    assert notice.body.splitlines()[-1] == f"Report: {ADDRESS}"
    assert told(looked_back(case, earlier(case), rows=grown(case))) == ()


@pytest.mark.parametrize(("limit", "is_told"), [(0.0, True), (0.004, True), (0.005, False)])
def test_rejected_rows_are_told_above_the_share(limit: float, is_told: bool) -> None:
    case = singular_case()  # 3 of 616 rows, 0.49 %
    notices = told(case, asking(case.study, rejected_share=limit))
    assert kinds(notices) == (["rejected"] if is_told else [])
    if is_told:
        assert "3 of 616 rows (0.5%) were rejected" in notices[0].body
        assert "missing (2), not a number (1)" in notices[0].body
        assert verdict_of(case.context).headline in notices[0].body


@pytest.mark.parametrize(("age", "is_told"), [(None, False), (6.9, False), (7.1, True)])
def test_old_data_are_told_beyond_the_limit(age: float | None, is_told: bool) -> None:
    study = asking(singular_case().study, max_age_days=7)
    notice = stale(study, age, ADDRESS)
    assert (notice is not None) == is_told
    if notice:
        assert "7.1 days old; the study allows 7" in notice.body
        assert ADDRESS in notice.body
    assert stale(asking(study), 99.0, ADDRESS) is None  # no limit, no news


def test_only_what_was_asked_for_is_told_and_nobody_is_told_without_receivers() -> None:
    case = worse(singular_case())
    study = asking(case.study, rejected_share=0.0, max_age_days=1)
    assert kinds(told(case, study, age_days=2.0)) == ["worse", "rejected", "stale"]
    for kind in ("worse", "rejected", "stale"):
        only = asking(case.study, rejected_share=0.0, max_age_days=1, on=(kind,))
        assert kinds(told(case, only, age_days=2.0)) == [kind]
    nobody = study.model_copy(update={"notify": Notify(rejected_share=0.0, max_age_days=1)})
    assert told(case, nobody, age_days=2.0) == ()
    assert failure(nobody, SamplingFailed("no"), ADDRESS) is None


def test_a_failed_run_is_told_with_its_reason() -> None:
    study = asking(singular_case().study)
    notice = failure(study, SamplingFailed("The chains did not agree."), ADDRESS)
    assert notice is not None
    assert (notice.kind, notice.severity) == ("failed", "failure")
    assert notice.title.endswith("the run failed")
    assert notice.body.splitlines()[:2] == [
        "No report was published; the one before it stands.",
        "The chains did not agree.",
    ]
    unexpected = failure(study, ZeroDivisionError("division by zero"))
    assert unexpected is not None
    assert "ZeroDivisionError: division by zero" in unexpected.body


def test_rejected_data_reach_who_asked_for_rejected_rows_only() -> None:
    error = DataRejected("9 of 10 rows were rejected.")
    study = singular_case().study
    for on, kind in ((ALL, "failed"), (("rejected",), "rejected"), (("stale",), None)):
        notice = failure(asking(study, on=on), error)
        assert (notice.kind if notice else None) == kind
    assert failure(asking(study, on=("rejected",)), SamplingFailed("no")) is None


def test_a_hostile_title_cannot_add_a_line() -> None:
    case = worse(singular_case())
    study = asking(case.study).model_copy(update={"title": "a\r\nBcc: everyone@example.org\u2028b\x00c"})
    (notice,) = told(case, study)
    assert notice.title == "a Bcc: everyone@example.org b c – the verdict is worse"
    assert len(notice.body.splitlines()) == len(told(case)[0].body.splitlines())
