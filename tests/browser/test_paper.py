"""A report as a PDF: a few pages with their figures, or a sentence on why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from pypdf import PdfReader

from flows.cli.__main__ import command
from tasks.reports.paper import print_report
from tasks.study.errors import PoolwiseError
from tests.browser.conftest import program
from tests.browser.test_figures import MOST_PAGES, strokes
from tests.shelf import Shelf


@pytest.mark.skipif(program() is None, reason="no browser: install Chromium (.ci/browser does, as root)")
def test_a_report_is_printed(shelf: Shelf, tmp_path: Path) -> None:
    made = tmp_path / "report.pdf"
    print_report(shelf.run("bounce_rates") / "report.html", made)
    pages = PdfReader(made).pages
    assert 2 <= len(pages) <= MOST_PAGES
    assert strokes(pages[0]) > 20, "the groups' figure is drawn"


def test_without_a_browser_it_says_so(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PoolwiseError, match="none was found"):
        print_report(shelf.run("bounce_rates") / "report.html", tmp_path / "report.pdf")


@pytest.mark.skipif(program() is None, reason="no browser: install Chromium (.ci/browser does, as root)")
def test_a_place_that_cannot_be_written_is_told(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = Path(__file__).parents[2] / "data" / "bounce_rates"
    shelf.run("bounce_rates")
    asked = ["run", str(study), "--out", str(shelf.reports), "--pdf", str(tmp_path / "none" / "report.pdf")]
    assert command(asked) == 1
    assert "The PDF could not be written" in " ".join(capsys.readouterr().err.split())
