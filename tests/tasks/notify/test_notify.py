"""Messages really arrive, over loopback; those that cannot stop nothing and give nothing away."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import pytest

from tasks.notify import notify
from tasks.notify.notify import Delivery, age_in_days, deliver, in_words, notify_failure, notify_stale, report_address
from tasks.opening.studies import OpenedStudy, read_study
from tasks.study.errors import SamplingFailed
from tasks.view.notices import Notice
from tests.sinks import mailbox, webhook

NOTICE = Notice("worse", "failure", "Visits – the verdict is worse", ("Use Bayes.",), "http://r.example.org/r.html")


@pytest.fixture
def opened(tmp_path: Path):
    def open_study(*to: str, **more: object) -> OpenedStudy:
        folder = tmp_path / "visits"
        folder.mkdir(exist_ok=True)
        (folder / "rows.csv").write_text("time,county\n1,a\n")
        lines = [f"{key} = {value}" for key, value in more.items()]
        text = f'title = "Visits"\noutcome = "time"\ngroup = "county"\n[notify]\nto = {list(to)}\n' + "\n".join(lines)
        (folder / "study.toml").write_text(text)
        return read_study(folder)

    return open_study


def test_a_webhook_gets_title_body_and_severity(opened) -> None:
    with webhook() as hook:
        (delivery,) = deliver(opened(f"json://127.0.0.1:{hook.port}/notices").study, [NOTICE])
    assert delivery == Delivery("worse", f"json://127.0.0.1:{hook.port}/***")
    assert hook.paths == ["/notices"]
    (received,) = hook.received
    assert received["title"] == NOTICE.title
    assert received["message"] == NOTICE.body
    assert received["type"] == "failure"


def test_a_mailbox_gets_headline_and_address(opened) -> None:
    with mailbox() as box:
        receiver = f"mailto://127.0.0.1:{box.port}?from=poolwise@example.org&to=ops@example.org"
        assert [each.problem for each in deliver(opened(receiver).study, [NOTICE])] == [""]
    assert box.recipients == ["ops@example.org"]
    assert box.received[0]["Subject"] == NOTICE.title
    assert "poolwise@example.org" in box.received[0]["From"]
    assert "Use Bayes." in box.text()
    assert "http://r.example.org/r.html" in box.text()


def test_variables_come_from_the_environment(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as hook:
        monkeypatch.setenv("HOOK", f"json://127.0.0.1:{hook.port}/s3cret")
        deliveries = deliver(opened("${HOOK}").study, [NOTICE])
    assert hook.paths == ["/s3cret"]
    assert deliveries == (Delivery("worse", "${HOOK}"),)


def test_each_receiver_is_tried_and_problems_are_told_without_secrets(opened, caplog: pytest.LogCaptureFixture) -> None:
    with webhook() as hook, webhook(status=500) as broken, mailbox(refuses=True) as box:
        receivers = (
            f"json://127.0.0.1:{broken.port}/s3cret",
            "slack://${NOT_SET_ANYWHERE}/s3cret/s3cret",
            f"mailto://127.0.0.1:{box.port}?from=p@example.org&to=s3cret@example.org",
            "nonsense://s3cret",
            "s3cret",
            "json://u:s3cret@127.0.0.1:9/s3cret",
            "slack://***",
            f"json://127.0.0.1:{hook.port}/",
        )
        with caplog.at_level(logging.DEBUG):
            deliveries = deliver(opened(*receivers).study, [NOTICE])
    assert len(hook.received) == 1
    assert [bool(each.problem) for each in deliveries] == [True] * 7 + [False]
    assert "500" in deliveries[0].problem
    assert deliveries[1].problem == "the environment variable NOT_SET_ANYWHERE is not set"
    assert deliveries[3].problem == deliveries[4].problem == "it is no address that Apprise knows"
    assert "give it anew" in deliveries[6].problem
    told = f"{in_words(deliveries)}\n{[r.getMessage() for r in caplog.records if r.name == 'poolwise']}"
    assert "s3cret" not in told
    assert told.startswith("1 notice sent, 7 not: ")
    assert sum(record.name == "poolwise" for record in caplog.records) == 7


def test_a_plugin_that_raises_stops_nothing(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    import apprise

    def fail(*_: object, **__: object) -> bool:
        raise RuntimeError("broke on s3cret")

    monkeypatch.setattr(apprise.Apprise, "notify", fail)
    (delivery,) = deliver(opened("json://127.0.0.1/s3cret").study, [NOTICE])
    assert delivery.problem == "RuntimeError: broke on ***"


def test_a_failed_run_is_told_with_the_last_reports_address(opened, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    (reports / "visits" / "latest").mkdir(parents=True)
    with webhook() as hook:
        study = opened(f"json://127.0.0.1:{hook.port}/")
        assert notify_failure(study, SamplingFailed("The chains did not agree."), reports)[0].problem == ""
        assert notify_failure(opened(f"json://127.0.0.1:{hook.port}/", on="['stale']"), SamplingFailed("x")) == ()
    (received,) = hook.received
    assert "The chains did not agree." in received["message"]
    assert "visits/latest/report.html" in received["message"]


def test_old_data_are_told_once_until_newer_ones_come(opened, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    (reports / "visits").mkdir(parents=True)

    def tell(study: OpenedStudy) -> int:
        return len(notify_stale(study, reports, age_in_days(study)))

    with webhook() as hook:
        study = opened(f"json://127.0.0.1:{hook.port}/", max_age_days=2)
        assert tell(study) == 0
        _aged(study.folder / "rows.csv", days=3)
        assert [tell(study), tell(study)] == [1, 0]
        (study.folder / "more.csv").write_text("time,county\n2,a\n")
        assert tell(study) == 0
        _aged(study.folder / "more.csv", days=2.5)
        assert [tell(study), tell(study)] == [1, 0]
    assert ["3.0 days old" in hook.received[0]["message"], "2.5 days old" in hook.received[1]["message"]] == [
        True,
        True,
    ]


def test_old_data_are_told_again_while_nobody_could_be_reached(opened, tmp_path: Path) -> None:
    (tmp_path / "reports" / "visits").mkdir(parents=True)
    study = opened("json://127.0.0.1:9/", max_age_days=2)
    _aged(study.folder / "rows.csv", days=3)
    for _ in range(2):
        (delivery,) = notify_stale(study, tmp_path / "reports", age_in_days(study))
        assert delivery.problem


def test_age_is_that_of_the_newest_file_and_is_not_asked_without_a_limit(opened) -> None:
    study = opened("json://127.0.0.1:9/", max_age_days=30)
    (study.folder / "older.csv").write_text("time,county\n2,a\n")
    _aged(study.folder / "older.csv", days=20)
    _aged(study.folder / "rows.csv", days=4)
    assert age_in_days(study) == pytest.approx(4, abs=0.01)
    assert age_in_days(opened("json://127.0.0.1:9/")) is None


def test_reports_have_a_web_address_where_they_are_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "visits" / "r1"
    monkeypatch.delenv(notify.BASE_ADDRESS, raising=False)
    assert report_address(folder) == f"file://{folder}/report.html"
    monkeypatch.setenv(notify.BASE_ADDRESS, "https://reports.example.org/team/")
    assert report_address(folder) == "https://reports.example.org/team/visits/r1/report.html"


def _aged(path: Path, days: float) -> None:
    moment = time.time() - days * 86_400
    os.utime(path, (moment, moment))
