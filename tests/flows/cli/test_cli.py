"""The command line as a person meets it: exit codes, paragraphs, what is on disk afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.cli.__main__ import command
from tasks.reports.ledger import Ledger

pytestmark = pytest.mark.usefixtures("prefect_server")

ROWS = "county,age,bounce_time\n" + "".join(
    f"{county},{age},{200 + 3 * i + (age * 7919 % 13)}\n" for i, county in enumerate("abc") for age in range(20, 32)
)


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    path = tmp_path / "visits.csv"
    path.write_text(ROWS)
    return path


def run_file(path: Path, out: Path, *more: str) -> int:
    return command(
        [
            "run",
            str(path),
            "--outcome",
            "bounce_time",
            "--group",
            "county",
            "--predictor",
            "age",
            "--out",
            str(out),
            *more,
        ]
    )


def test_data_file_with_named_columns_gets_a_report(
    data_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_file(data_file, tmp_path / "reports") == 0
    said = capsys.readouterr()
    report = tmp_path / "reports" / "visits" / "latest" / "report.html"
    assert report.is_file()
    summary = json.loads((report.parent / "summary.json").read_text())
    assert ("Recommended" in said.out) is (summary["verdict"]["status"] != "none")
    assert f"  {summary['verdict']['reason']}\n" in said.out, "the reason is printed whole, however long"
    assert str(report.resolve()) in said.out
    assert "3 groups" in said.err
    assert "Traceback" not in said.out + said.err


def test_second_run_says_that_nothing_changed(
    data_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_file(data_file, tmp_path / "reports")
    capsys.readouterr()
    assert run_file(data_file, tmp_path / "reports") == 0
    assert "Nothing has changed" in capsys.readouterr().out
    runs = [p for p in (tmp_path / "reports" / "visits").iterdir() if p.is_dir() and not p.is_symlink()]
    assert len(runs) == 1


def test_standalone_report_needs_no_other_file(data_file: Path, tmp_path: Path) -> None:
    assert run_file(data_file, tmp_path / "reports", "--standalone") == 0
    text = (tmp_path / "reports" / "visits" / "latest" / "report-standalone.html").read_text(encoding="utf-8")
    assert "plotly.js v" in text
    assert "../../plotly" not in text


def test_data_file_without_columns_is_bad_usage(data_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["run", str(data_file)]) == 2
    assert "--outcome and --group" in capsys.readouterr().err


def test_unknown_option_is_bad_usage() -> None:
    assert command(["run", "data", "--nonsense"]) == 2


def test_missing_study_is_bad_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["run", str(tmp_path / "nowhere"), "--out", str(tmp_path)]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_too_many_bad_rows_stop_the_run_and_stay_on_disk(
    data_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_file.write_text(ROWS.replace(",20", ",unknown").replace(",2", ",?"))
    assert run_file(data_file, tmp_path / "reports") == 3
    said = capsys.readouterr().err
    (kept,) = (tmp_path / "reports" / "visits").glob("rejected/*.csv")
    assert kept.name in said
    assert "Traceback" not in said
    assert "not a number" in kept.read_text()
    assert not (tmp_path / "reports" / "visits" / "latest").exists()


def test_missing_column_stops_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "visits.csv"
    path.write_text(ROWS.replace("age", "aeg"))
    assert run_file(path, tmp_path / "reports") == 3
    assert "aeg" in capsys.readouterr().err


def test_sampler_that_cannot_meet_its_limits_stops_the_run(
    data_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["new", str(data_file)]) == 0
    study = tmp_path / "study.toml"
    study.write_text(study.read_text() + "\n[thresholds]\nrhat = 1.0000001\n\n[sampler]\nwarmup = 150\ndraws = 100\n")
    assert command(["run", str(tmp_path), "--out", str(tmp_path / "reports")]) == 4
    said = capsys.readouterr().err
    assert "Tried 3 times" in said
    assert "adapt_delta 0.99" in said
    assert not list((tmp_path / "reports").glob("*/*/report.html"))
    (row,) = Ledger(tmp_path / "reports").rows()
    assert row.state == "refused", "the same rows would end the same way again"


@pytest.mark.parametrize("words", [["validate"], ["run", "--out", "reports"]])
def test_broken_look_stops_before_anything_is_fitted(
    data_file: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data_file.parent
    monkeypatch.chdir(folder)
    (folder / "look").mkdir()
    (folder / "look" / "verdict.html.j2").write_text("a\n{{ page.titel }}")
    (folder / "study.toml").write_text(
        'title = "T"\noutcome = "bounce_time"\ngroup = "county"\n[report]\nlook = "look"\n'
    )
    assert command([words[0], str(folder), *words[1:]]) == 2
    told = capsys.readouterr()
    assert "verdict.html.j2, line 2" in " ".join((told.out + told.err).split())
    assert "Traceback" not in told.out + told.err
    assert not list(folder.glob("reports/*/*/report.html"))


def test_drafted_study_validates_and_runs(data_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["new", str(data_file)]) == 0
    assert command(["validate", str(tmp_path)]) == 0
    assert "36 of 36 rows can be used, in 3 groups" in capsys.readouterr().out
    assert command(["run", str(tmp_path), "--out", str(tmp_path / "reports")]) == 0


def test_new_does_not_overwrite(data_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["new", str(data_file)]) == 0
    (data_file.parent / "study.toml").write_text("mine")
    assert command(["new", str(data_file)]) == 2
    assert (data_file.parent / "study.toml").read_text() == "mine"


def test_reports_lists_runs(data_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["reports", "--out", str(tmp_path / "reports")]) == 0
    assert "No reports" in capsys.readouterr().out
    run_file(data_file, tmp_path / "reports")
    capsys.readouterr()
    assert command(["reports", "--out", str(tmp_path / "reports")]) == 0
    (line,) = capsys.readouterr().out.strip().splitlines()
    assert line.split("\t")[1] == "visits"


def test_unexpected_trouble_is_one_paragraph(
    data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("by design")

    monkeypatch.setattr("flows.cli.one_run._run", broken)
    assert run_file(data_file, tmp_path) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError: by design" in said
    assert "Traceback" not in said


def test_files_of_one_name_do_not_share_a_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / place / "visits.csv" for place in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.write_text(ROWS)
    assert [run_file(file, tmp_path / "reports") for file in (*files, files[1])] == [0, 0, 0]
    said = capsys.readouterr()
    one, two = sorted(folder.name for folder in (tmp_path / "reports").glob("visits*"))
    assert (one, len(two)) == ("visits", len("visits-") + 8)
    assert f"so this one is called {two} there." in " ".join(said.err.split())
    assert "Nothing has changed" in said.out, "the second finds its own history"
    assert [row.state for row in Ledger(tmp_path / "reports").rows()] == ["counted", "counted"]
    summary = json.loads((tmp_path / "reports" / two / "latest" / "summary.json").read_text())
    assert summary["study"]["name"] == two
    assert f'name = "{two}"' in (tmp_path / "reports" / two / "latest" / "study.toml").read_text()
