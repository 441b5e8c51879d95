"""Odd names, odd files and a system that refuses: one plain paragraph, the right exit code, never a puzzle."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.cli.__main__ import command
from tests.privileges import held_to_permissions

STUDY = 'title = "t"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n'
ROWS = "g,x,y\n" + "".join(f"{g},{x},{x * 7919 % 13 + ord(g)}\n" for g in "abc" for x in range(8))
COLUMNS = ("--outcome", "y", "--group", "g", "--predictor", "x")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "file").touch()
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.toml").write_text(STUDY)
    (tmp_path / "study" / "rows.csv").write_text(ROWS)
    return tmp_path


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*words: str) -> tuple[int, str]:
        code = command(list(words))
        said = "".join(capfd.readouterr())
        assert "unexpected" not in said
        assert "Traceback" not in said
        assert "\x1b" not in said
        return code, said

    return run


Told = Callable[..., tuple[int, str]]
LONG = "x" * 300


@pytest.mark.parametrize(
    ("out", "code", "words"),
    [
        ("file", 2, "file is in the way"),
        ("file/below/it", 2, "file is in the way"),
        ("loop", 2, "loop is in the way"),
        ("broken", 2, "broken is in the way"),
        (LONG, 2, "the name is too long"),
        ("caf\udce9/out", 2, r"The name caf\xe9/out is not UTF-8"),
        ("nul\0", 2, "embedded null"),
    ],
)
@pytest.mark.parametrize("words_before", [("run", "study"), ("reports",), ("serve", "study"), ("deploy", "study")])
def test_what_can_be_no_reports_folder_is_bad_usage(
    here: Path, told: Told, words_before: tuple[str, ...], out: str, code: int, words: str
) -> None:
    (here / "loop").symlink_to("loop")
    (here / "broken").symlink_to("nowhere")
    found, said = told(*words_before, "--out", out)
    assert (found, words in said) == (code, True), said


def test_a_folder_that_may_not_be_written_is_said_before_anything_is_read(here: Path, told: Told) -> None:
    (here / "out").mkdir(mode=0o555)
    with held_to_permissions():
        code, said = told("run", "study", "--out", "out")
        assert told("run", "study", "--out", "out/below")[0] == 1
    assert code == 1
    assert "out: that is not allowed. Change its permissions, or choose another folder with --out." in said


@pytest.mark.parametrize("refused", ["study", "study/study.toml"])
def test_a_study_that_may_not_be_read_is_said(here: Path, told: Told, refused: str) -> None:
    (here / refused).chmod(0)
    with held_to_permissions():
        code, said = told("validate", "study")
    (here / refused).chmod(0o755)
    assert code == 2
    assert "study/study.toml cannot be" in said
    assert "Change its permissions." in said
    assert "--out" not in said


def test_reports_that_may_not_be_read_are_said(here: Path, told: Told) -> None:
    (here / "out" / "visits").mkdir(parents=True)
    (here / "out" / "visits").chmod(0)
    with held_to_permissions():
        code, said = told("reports", "--out", "out")
    (here / "out" / "visits").chmod(0o755)
    assert code == 1
    assert "out/visits: that is not allowed" in said


def as_pipe(path: Path) -> None:
    os.mkfifo(path)


def as_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path.name)
    os.rename(path.name, path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (as_pipe, "is a pipe or a device, not a file"),
        (as_socket, "is a pipe or a device, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a pipe or a device, not a file"),
        (lambda path: path.symlink_to(path.name), "is a link that leads nowhere"),
        (lambda path: path.symlink_to("/nowhere"), "is a link that leads nowhere"),
    ],
)
def test_what_is_no_file_is_not_waited_for(here: Path, told: Told, make: Callable[[Path], Any], words: str) -> None:
    for name in ("odd/study.toml", "odd.csv"):
        (here / "odd").mkdir(exist_ok=True)
        path = here / name
        make(path)
        code, said = told("validate", "odd") if name.endswith("toml") else told("validate", name, *COLUMNS)
        assert (code, f"{name} {words}" in said) == (2, True), said


def test_a_folder_is_no_study_file(here: Path, told: Told) -> None:
    (here / "odd" / "study.toml").mkdir(parents=True)
    code, said = told("validate", "odd")
    assert (code, "odd/study.toml is a folder, not a file" in said) == (2, True)


def test_an_incoming_pipe_is_no_data(here: Path, told: Told) -> None:
    (here / "study" / "incoming").mkdir()
    as_pipe(here / "study" / "incoming" / "pipe.csv")
    assert told("validate", "study")[0] == 0


def test_a_huge_study_file_is_not_read(here: Path, told: Told) -> None:
    with (here / "study" / "study.toml").open("wb") as file:
        file.truncate(2**30)
    code, said = told("validate", "study")
    assert code == 2
    assert "larger than 4,000,000 bytes" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 100_000, "too deeply"),
        ("a = " + "{a = " * 100_000, "too deeply"),
        ("[" + "a." * 200_000 + "a]", "too deeply"),
        ("a." * 200_000 + "a = 1", "too deeply"),
        ("outcome = " + "9" * 5_000, "thousands of digits"),
        ("title = 0x" + "f" * 5_000 + '\noutcome = "y"\ngroup = "g"', "title is 0x"),
        (STUDY + "x = 1979-05-27T07:32:00Z", "x is not a key"),
        (STUDY.replace('"t"', "1979-05-27"), "title is 1979-05-27"),
        (STUDY + "[rules]\nmax_rejected_share = nan", "max_rejected_share is nan"),
        (STUDY + "[rules.ranges]\ny = {min = -inf}", "rules.ranges.y.min is -inf"),
        (STUDY + "[sampler]\nadapt_delta = 1" + "0" * 400, "adapt_delta is 1"),
        (STUDY.replace('"t"', '"' + "t" * 100_000 + '"'), "title is"),
        (STUDY + "k" * 100_000 + " = 1", "kkk… is not a key"[4:]),
        (STUDY + '"a\\u001b[31mb\\n" = 1', r"a\x1b[31mb\n is not a key"),
        (STUDY + "x" * 100_000, "not valid TOML"),
        (STUDY + '[trigger]\nwatch = "../elsewhere"', 'watch is "../elsewhere", but it has to be a folder within'),
        (STUDY + '[trigger]\nwatch = "/var/spool"', 'watch is "/var/spool", but it has to be a folder within'),
        (STUDY + '[trigger]\nwatch = "C:\\\\data"', "it has to be a folder within"),
        (STUDY + '[trigger]\nwatch = "a\\u0000b"', "it has to be a folder within"),
        (STUDY + 'source = "a\\u0000b.csv"', "it holds a character that cannot be seen"),
    ],
)
def test_odd_study_files_are_said_in_few_words(here: Path, told: Told, text: str, words: str) -> None:
    (here / "study" / "study.toml").write_text(text)
    code, said = told("validate", "study")
    assert (code, words in said) == (2, True), said[:1000]
    assert len(said) < 1000 + len(str(here))


def test_names_that_are_not_utf8(here: Path, told: Told) -> None:
    """A data file in a study may be called anything; what reports and addresses are made of may not."""
    os.rename("study/rows.csv", b"study/caf\xe9.csv")
    code, said = told("validate", "study")
    assert code == 0
    (here / "study" / "caf\udce9.csv").write_text(ROWS.replace("a,1,", "a,?,"))
    code, said = told("validate", "study")
    assert code == 0 or r"caf\xe9.csv" in said
    os.rename("study", b"caf\xe9")
    os.rename("rows.csv", b"caf\xe9.csv")
    for words in (("validate", "caf\udce9"), ("validate", "caf\udce9.csv", *COLUMNS)):
        code, said = told(*words)
        assert code == 2
        assert r"caf\xe9" in said
        assert "is not UTF-8 text" in said


@pytest.mark.parametrize("word", [LONG * 20, "a\0b", "a\nb\x1b[31m", "\udce9", "", "\u202egpj.exe", "~", "-" * 5000])
def test_odd_arguments_are_bad_usage(told: Told, word: str) -> None:
    for words in (("validate", word), ("new", word), ("run", "study", "--engine", word), (word,), ("run", word, "--x")):
        code, said = told(*words)
        assert code == 2
        assert len(said) < 2000
        assert "\n2" not in said


def test_a_folder_that_was_deleted_under_us(here: Path, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "gone").mkdir()
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()
    code, said = told("validate", str(here / "study"))
    assert code == 1
    assert "The folder you are in was deleted" in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ESTALE])
def test_whatever_the_system_refuses_is_no_mistake_of_ours(
    here: Path, told: Told, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anywhere, and so in places that nobody has thought of."""

    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number), "some/file")

    monkeypatch.setattr("tasks.rows.collect.collect_afresh", refused)
    code, said = told("validate", "study")
    assert code == 1
    assert said.startswith("Stopped. The system refused some/file: ")


def test_bugs_are_still_told_apart(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise LookupError("a\nb\x1b")

    monkeypatch.setattr("tasks.rows.collect.collect_afresh", broken)
    assert command(["validate", "study"]) == 1
    assert r"Something unexpected went wrong: LookupError: a\nb\x1b." in capfd.readouterr().err


ROOT = Path(__file__).parents[2]


def shell(command_line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(["bash", "-c", command_line], env=environment, capture_output=True, timeout=300)


def test_a_terminal_that_knows_only_ascii_is_no_trouble(here: Path) -> None:
    (here / "study" / "rows.csv").write_text(ROWS + "ł\u202e,?,?\n")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    ended = shell(
        f"{sys.executable} -m flows.cli validate study --help; {sys.executable} -m flows.cli reports",
        **plain,
    )
    assert ended.returncode == 0, ended.stderr
    (here / "study" / "rows.csv").write_text(ROWS + "a,\u0142,1\n")
    ended = shell(f"{sys.executable} -m flows.cli validate study", **plain)
    assert ended.returncode == 0, ended.stderr
    assert b"\\u0142" in ended.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(("ended", "code", "words"), [(0, 1, "the disk is full"), (3, 3, "")])
def test_what_is_left_to_write_on_a_full_disk_decides_no_odd_exit_code(ended: int, code: int, words: str) -> None:
    """Python itself would end with 120 and a traceback."""
    program = "import sys; from flows.cli.__main__ import with_all_written; sys.stdout.write('left'); "
    full = shell(
        f'env -u PYTHONUNBUFFERED {sys.executable} -c "{program}sys.exit(with_all_written({ended}))" >/dev/full'
    )
    said = full.stderr.decode()
    assert full.returncode == code
    assert "Exception" not in said
    assert words in said if words else said == ""


def test_a_reader_that_leaves_stops_nothing_and_a_full_disk_is_said(here: Path) -> None:
    (here / "study" / "rows.csv").write_text(ROWS + "a,?,1\n")
    words = f"{sys.executable} -m flows.cli validate study"
    left = shell(f"set -o pipefail; (sleep 0; {words}; echo $? >code) | true; cat code")
    assert (left.stdout, left.stderr) == (b"0\n", b"")
    closed = shell(f"{words} >&-")
    assert (closed.returncode, closed.stderr) == (0, b"")
    if Path("/dev/full").exists():
        full = shell(f"env -u PYTHONUNBUFFERED {words} >/dev/full")
        assert full.returncode == 1
        assert b"the disk is full" in full.stderr
