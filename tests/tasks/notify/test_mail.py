"""A mail on a report shows what the report's first screen says, with its figure in the text; all else gets lines."""

from __future__ import annotations

import logging
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage

import pytest

from tasks.notify.notify import deliver
from tasks.notify.picture import SHARPNESS, WIDTH, NoFont, png, svg
from tasks.stats.findings import Findings
from tasks.study.model import Notify, Study
from tasks.view.context import Context
from tasks.view.hero import hero
from tasks.view.notices import Notice
from tasks.view.report_notices import notices_of
from tests.factories import hostile_case, many_groups_case, singular_case
from tests.sinks import mailbox, webhook

ADDRESS = "https://reports.example.org/visits/r1/report.html"


def rejecting(findings: Findings) -> Findings:
    return replace(findings, run=replace(findings.run, n_rejected=500))


def told(context: Context, receiver: str) -> tuple[Study, Notice]:
    """A study that asks to be told of rejected rows, and the notice on a run that rejected some."""
    study = context.study.model_copy(update={"notify": Notify(to=(receiver,), on=("rejected",), rejected_share=0.01)})
    (notice,) = notices_of(replace(context, study=study), ADDRESS)
    return study, notice


@pytest.fixture
def context() -> Context:
    case = singular_case()
    return replace(case.context, findings=rejecting(case.findings))


@pytest.fixture
def mailed(context: Context) -> Callable[..., EmailMessage]:
    def mail(more: str = "") -> EmailMessage:
        with mailbox() as box:
            study, notice = told(context, f"mailto://127.0.0.1:{box.port}?from=p@example.org&to=ops@example.org{more}")
            assert [each.problem for each in deliver(study, [notice])] == [""]
        return box.received[0]

    return mail


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def test_a_mail_has_verdict_answer_picture_and_link(mailed, context: Context) -> None:
    mail = mailed()
    html, plain = html_of(mail), mail.get_body(("plain",)).get_content()
    figure = hero(context)
    assert figure is not None
    for said in ("plain partial pooling cannot be trusted", "Groups differ in bounce time", "500 of ", ADDRESS):
        assert said in html
        assert said in plain
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture.get_content_disposition() == "inline"
    (shown,) = re.findall(r"<img [^>]*>", html)
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in shown
    assert f'alt="{figure.alternative}"' in shown
    content = picture.get_content()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (SHARPNESS * WIDTH, SHARPNESS * figure.height)
    assert 5_000 < len(content) < 200_000


def test_the_headline_is_said_once(mailed) -> None:
    assert html_of(mailed()).count("plain partial pooling cannot be trusted") == 1


def test_a_mail_without_the_drawing_library_has_all_but_the_picture(
    mailed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with caplog.at_level(logging.WARNING, "poolwise"):
        mail = mailed()
    assert "Groups differ in bounce time" in html_of(mail)
    assert "<img" not in html_of(mail)
    assert [part for part in mail.walk() if part.get_content_maintype() == "image"] == []
    assert "without its picture" in caplog.text


def test_a_machine_without_fonts_draws_no_picture_without_names(monkeypatch: pytest.MonkeyPatch) -> None:
    import resvg_py

    draw = resvg_py.svg_to_bytes
    monkeypatch.setattr(resvg_py, "svg_to_bytes", lambda **options: draw(**options, skip_system_fonts=True))
    figure = hero(singular_case().context)
    assert figure is not None
    assert figure.still is not None
    with pytest.raises(NoFont):
        png(figure.still)


def test_who_asks_for_text_gets_text(mailed) -> None:
    mail = mailed("&format=text")
    assert mail.get_content_type() == "text/plain"
    assert ADDRESS in mail.get_content()


def test_other_receivers_get_lines_as_before(context: Context) -> None:
    with webhook() as hook:
        study, notice = told(context, f"json://127.0.0.1:{hook.port}/")
        assert [each.problem for each in deliver(study, [notice])] == [""]
    (received,) = hook.received
    assert received["message"] == notice.body
    assert received["attachments"] == []


@pytest.mark.parametrize("make", [hostile_case, lambda: many_groups_case(40), lambda: many_groups_case(2_000)])
def test_every_form_is_drawn_and_hostile_names_are_text(make) -> None:
    figure = hero(make().context)
    assert figure is not None
    assert figure.still is not None
    drawn = svg(figure.still)
    assert set(re.findall(r"<(\w+)", drawn)) <= {"svg", "rect", "path", "polygon", "g", "circle", "text"}
    assert png(figure.still).startswith(b"\x89PNG")


def test_the_drawing_library_is_imported_for_a_picture_only() -> None:
    code = "import flows.pipeline, sys; sys.exit('resvg_py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
