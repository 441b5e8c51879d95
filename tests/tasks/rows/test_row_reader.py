"""Reading files: the same rows whatever the dress they come in, and clear words when they cannot be read."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mixedlm
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import tasks.rows.csv_files
import tasks.rows.file_stamps
import tasks.rows.study_files
from tasks.drafting.draft import draft_study
from tasks.opening.studies import OpenedStudy, read_study, study_from_flags
from tasks.rows.collect import collect
from tasks.rows.read_files import read_files
from tasks.rows.study_files import hash_file, hash_files, source_files, wait_for_incoming
from tasks.study.errors import DataRejected
from tasks.study.model import Study
from tests.at_once import load_rows, read_rows, validate_at_once

PLAIN = "y,g,x\n1.5,a,2\n3,b,4\n"


def study(**changes: Any) -> Study:
    least = {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": ["x"]}
    return Study.model_validate({**least, **changes})


def opened(folder: Path, **changes: Any) -> OpenedStudy:
    return OpenedStudy(study(**changes), folder, "")


def values(file: Path, content: str | bytes, **changes: Any) -> list[list[str]]:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(file, study(**changes))[["y", "g", "x"]].to_numpy().tolist()


def refusal(file: Path, content: str | bytes, **changes: Any) -> str:
    with pytest.raises(DataRejected) as caught:
        values(file, content, **changes)
    message = str(caught.value)
    assert message.startswith(file.name)
    assert "\n" not in message
    return message


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.rstrip("\n"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        " y , g ,x \n1.5,a,2\n3,b,4\n",
        '"y","g","x"\n"1.5","a","2"\n"3","b","4"\n',
        "\n\ny,g,x\n\n1.5,a,2\n  \n3,b,4\n\n\n",
        "y,g,x,\n1.5,a,2,\n3,b,4,\n",
        "y,g,x\n1.5,a,2,\n3,b,4,,\n",
        "note,x,g,y\n;;;,2,a,1.5\n\t\t,4,b,3\n",
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        "sep=;\n" + PLAIN.replace(",", ";"),
        '"sep=,"\r\n' + PLAIN.replace("\n", "\r\n"),
        "sep=\t\n" + PLAIN.replace(",", "\t"),
        "sep=:\n" + PLAIN.replace(",", ":"),
        "# exported, in 2026\n#\n" + PLAIN,
        "sep=;\n# exported\n" + PLAIN.replace(",", ";"),
        "y,g,x\n1.5,a,2\n,,\n,,,,\n3,b,4\n,,\n",
    ],
)
def test_one_table_in_many_dresses(file: Path, content: str | bytes) -> None:
    assert values(file, content) == [["1.5", "a", "2"], ["3", "b", "4"]]


def test_values_are_what_the_file_says(file: Path) -> None:
    content = 'y,g,x\nNA,"a, ""b""\nc",=1+1\n 1_0 ,😀,\n007,,1e999\n1\n'
    assert values(file, content) == [
        ["NA", 'a, "b"\nc', "=1+1"],
        [" 1_0 ", "😀", ""],
        ["007", "", "1e999"],
        ["1", "", ""],
    ]


def test_rows_are_numbered_from_one_and_know_their_file(file: Path) -> None:
    file.write_text("y,g,x\n1,a,2\n\n3,'b\n',4\n")
    frame = read_rows(file, study(), "2026/rows.csv")
    assert frame["_row"].tolist() == [1, 2, 3]
    assert set(frame["_file"]) == {"2026/rows.csv"}
    assert list(frame) == ["y", "g", "x", "_rest", "_others", "_file", "_row"]


cell = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6).map(str.strip)
table = st.lists(st.tuples(cell, cell, cell), max_size=8)


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(
    rows=table,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    chunk=st.sampled_from([1, 2, 50_000]),
)
def test_any_table_reads_back(
    tmp_path: Path, rows: list[tuple[str, ...]], delimiter: str, encoding: str, line_end: str, quoting: Any, chunk: int
) -> None:
    if any("\r" in value for row in rows for value in row):
        quoting = csv.QUOTE_ALL  # unquoted, a carriage return ends the line
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerows([("y", "g", "x"), *rows])
    file = tmp_path / "table.csv"
    content = text.getvalue().encode(encoding)
    assume(encoding != "gb18030" or content.isascii() or not is_utf8(content))
    file.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks.rows.csv_files, "CHUNK_ROWS", chunk)
        found = read_rows(file, study(encoding=encoding))
    kept = [list(row) for row in rows if any(row)]
    assert found[["y", "g", "x"]].to_numpy().tolist() == kept
    assert found["_row"].tolist() == list(range(1, len(kept) + 1))


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_single_byte_encodings_are_an_option(file: Path) -> None:
    content = PLAIN.replace("a", "ä").encode("cp1252")
    assert values(file, content, encoding="cp1252")[0][1] == "ä"
    message = refusal(file, content)
    assert "is not UTF-8: the byte 0xe4 in line 2 does not belong there" in message
    assert "If the line should read '1.5,ä,2' (Windows, western Europe), set encoding = \"cp1252\" in" in message


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["is empty", "y, g, x"]),
        ("\n \n", ["is empty"]),
        ("Y,grp,x\n1,a,2\n", ["no column 'y'", "its columns are Y, grp, x", "Did you mean 'Y'?"]),
        ("y,group,x\n1,a,2\n", ["no column 'g'"]),
        ("y g x\n1 a 2\n", ["no column 'y'", "unusual character"]),
        ("y,g,x,y\n1,a,2,3\n", ["2 columns named 'y'"]),
        ("y,g,x\n1,5,a,2\n", ["3 columns in its header", "data row 1 has 4 fields", "decimal comma"]),
        ('y,g,x\n1,"a,2\n3,b,4\n', ["a double quote opens and never closes"]),
        ('y,g,x\n1,"a"b,2\n', ["near line 2", "text follows a closing double quote"]),
        (PLAIN.encode("utf-16")[:-1], ["UTF-16, as it begins"]),
    ],
)
def test_a_file_that_cannot_be_read_says_what_and_where(file: Path, content: str | bytes, parts: list[str]) -> None:
    message = refusal(file, content)
    assert [part for part in parts if part not in message] == []


def test_a_delimiter_that_is_given_is_the_only_one_tried(file: Path) -> None:
    assert "no column 'y'" in refusal(file, PLAIN, delimiter=";")


def test_wide_headers_are_shortened(file: Path) -> None:
    assert "c19 and 30 more" in refusal(file, ",".join(f"c{i}" for i in range(50)) + "\n")


def test_a_file_of_headers_only_has_no_rows(file: Path) -> None:
    assert values(file, "y,g,x\n") == []


def test_parquet_gives_the_same_text_as_csv(tmp_path: Path) -> None:
    frame = pd.DataFrame({" x": [1, 2, 3], "y": [0.1, None, 1e300], "g": pd.Categorical(["a", None, "ü"])})
    frame.to_parquet(tmp_path / "rows.parquet")
    found = read_rows(tmp_path / "rows.parquet", study())
    assert found[["y", "g", "x"]].to_numpy().tolist() == [["0.1", "a", "1"], ["", "", "2"], ["1e+300", "ü", "3"]]
    german = read_rows(tmp_path / "rows.parquet", study(decimal=","))
    assert german["y"].tolist()[0] == "0,1"


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(st.floats(), min_size=1, max_size=5))
def test_parquet_numbers_survive_being_text(tmp_path: Path, numbers: list[float]) -> None:
    pd.DataFrame({"y": numbers, "g": "a", "x": 1}).to_parquet(tmp_path / "rows.parquet")
    texts = read_rows(tmp_path / "rows.parquet", study())["y"]
    assert [float(text or "nan") for text in texts] == pytest.approx(numbers, rel=0, abs=0, nan_ok=True)


def test_parquet_that_is_none_or_nested_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    assert "cannot be read as Parquet" in refusal(file, "no parquet")
    pd.DataFrame({"y": [[1]], "g": ["a"], "x": [1]}).to_parquet(file)
    with pytest.raises(DataRejected, match=r"rows\.parquet stores .y. as list<.*Store one number or one text per row"):
        read_rows(file, study())


def test_a_pattern_takes_data_files_only_sorted(tmp_path: Path) -> None:
    for name in ["b.csv", "a.CSV", "c.parquet", "study.toml", "notes.md", ".hidden.csv"]:
        (tmp_path / name).touch()
    (tmp_path / "d.csv").mkdir()
    assert [path.name for path in source_files(opened(tmp_path, source="*"))] == ["a.CSV", "b.csv", "c.parquet"]
    assert [path.name for path in source_files(opened(tmp_path))] == ["b.csv"]


def test_a_file_named_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "rows [1].csv").touch()
    (tmp_path / "rows 1.csv").touch()
    assert source_files(opened(tmp_path, source="rows [1].csv")) == (tmp_path / "rows [1].csv",)


def test_absolute_patterns_may_lead_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "rows.csv").write_text(PLAIN)
    asked = opened(tmp_path / "study", source=f"{tmp_path}/*.csv")
    assert source_files(asked) == (tmp_path / "rows.csv",)
    assert set(load_rows(asked)["_file"]) == {(tmp_path / "rows.csv").as_posix()}


def test_nothing_to_read_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r'No file matches source = "\*\.csv" in .*\.parquet'):
        source_files(opened(tmp_path))
    (tmp_path / "rows.xlsx").touch()
    with pytest.raises(DataRejected, match=r"matches rows\.xlsx, which is none of .* Export it as CSV"):
        source_files(opened(tmp_path, source="rows.*"))


def test_files_of_one_study_are_joined_in_order_under_their_own_names(tmp_path: Path) -> None:
    for year, row in [("2025", "5,e,6"), ("2026", "7,f,8")]:
        (tmp_path / year).mkdir()
        (tmp_path / year / "rows.csv").write_text(f"x,g,y\n{row}\n")
    (tmp_path / "first.csv").write_text(PLAIN.replace(",", ";"))
    asked = opened(tmp_path, source="**/*.csv")
    frame = load_rows(asked)
    assert frame["_file"].tolist() == ["2025/rows.csv", "2026/rows.csv", "first.csv", "first.csv"]
    assert frame["y"].tolist() == ["6", "8", "1.5", "3"]
    assert frame["_row"].tolist() == [1, 1, 1, 2]
    assert list(hash_files(asked)) == ["2025/rows.csv", "2026/rows.csv", "first.csv"]


def test_hashes_are_of_the_bytes(file: Path) -> None:
    file.write_bytes(b"\r\n" * 100_000)
    assert hash_file(file) == hashlib.sha256(b"\r\n" * 100_000).hexdigest()
    assert hash_files(opened(file.parent)) == {"rows.csv": hash_file(file)}


def test_disk_trouble_is_told_as_a_rejection_and_remembers_its_cause(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r"absent\.csv cannot be read") as caught:
        read_rows(tmp_path / "absent.csv", study())
    assert isinstance(caught.value.__cause__, OSError)


def test_the_bundled_sleep_study_is_the_published_one() -> None:
    bundled = load_rows(read_study(Path(__file__).parents[3] / "data" / "sleepstudy"))
    published = mixedlm.load_sleepstudy()
    assert bundled["Reaction"].astype(float).tolist() == published["Reaction"].tolist()
    assert bundled["Days"].astype(float).tolist() == published["Days"].tolist()
    assert bundled["Subject"].tolist() == published["Subject"].astype(str).tolist()


def test_dropped_files_come_after_the_source_s_own(tmp_path: Path) -> None:
    for name in [
        "a.csv",
        "incoming/b.CSV",
        "incoming/a.txt",
        "incoming/c.csv.part",
        "incoming/.d.csv",
        "incoming/e.tmp",
    ]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(PLAIN + f"1,{name},2\n")
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "incoming" / "older").mkdir()
    (tmp_path / "incoming" / "older" / "a.csv").touch()
    os.utime(tmp_path / "incoming" / "older" / "a.csv", (0, 0))
    for pattern in ("*.csv", "a.csv"):
        asked = opened(tmp_path, source=pattern)
        assert list(hash_files(asked)) == ["a.csv", "incoming/a.txt", "incoming/b.CSV"]
    assert len(load_rows(asked)) == 9
    elsewhere = opened(tmp_path, source="none.csv", trigger={"watch": "incoming/older"})
    assert [path.name for path in source_files(elsewhere)] == ["a.csv"]
    alone = study_from_flags(tmp_path / "a.csv", "y", "g")
    assert [path.name for path in source_files(alone)] == ["a.csv"]


def test_files_of_one_content_count_once(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.csv"):
        (tmp_path / name).write_text(PLAIN if name != "c.csv" else PLAIN + "1,c,2\n")
    assert list(hash_files(opened(tmp_path))) == ["a.csv", "c.csv"]
    assert load_rows(opened(tmp_path))["_file"].tolist() == ["a.csv"] * 2 + ["c.csv"] * 3


def test_file_being_written_into_the_incoming_folder_is_left_out_until_it_is_settled(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('title = "t"\noutcome = "y"\ngroup = "g"\n[trigger]\nstable_seconds = 3600\n')
    (tmp_path / "old.csv").write_text("g,y\na,1\n")
    (tmp_path / "incoming").mkdir()
    new = tmp_path / "incoming" / "new.csv"
    new.write_text("g,y\nb,")
    opened = read_study(tmp_path)
    assert [path.name for path in source_files(opened)] == ["old.csv"]
    os.utime(new, (time.time() - 3601, time.time() - 3601))
    assert [path.name for path in source_files(opened)] == ["old.csv", "new.csv"]


def test_a_file_that_was_just_dropped_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('title = "t"\noutcome = "y"\ngroup = "g"\n[trigger]\nstable_seconds = 0.4\n')
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "new.csv").write_text("g,y\nb,1\n")
    opened = read_study(tmp_path)
    wait_for_incoming(opened)
    assert [path.name for path in source_files(opened)] == ["new.csv"]


class Clock:
    """Stands in for `time`: only sleeping takes time, and the file is written to meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path, self.now = path, time.time()
        self.write()

    def time(self) -> float:
        return self.now

    monotonic = time

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.write()

    def write(self) -> None:
        with self.path.open("a") as file:
            file.write("a,1\n")
        os.utime(self.path, (self.now - 0.01, self.now - 0.01))


def test_waiting_for_a_file_that_never_settles_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "study.toml").write_text('title = "t"\noutcome = "y"\ngroup = "g"\n[trigger]\nstable_seconds = 0.2\n')
    (tmp_path / "old.csv").write_text("g,y\na,1\n")
    (tmp_path / "incoming").mkdir()
    path = tmp_path / "incoming" / "growing.csv"
    path.write_text("g,y\n")
    clock = Clock(path)
    monkeypatch.setattr(tasks.rows.file_stamps, "time", clock)
    monkeypatch.setattr(tasks.rows.study_files, "time", clock)
    opened = read_study(tmp_path)
    before = clock.now
    wait_for_incoming(opened)
    assert clock.now - before == pytest.approx(3 * 0.2, abs=0.06)
    assert [each.name for each in source_files(opened)] == ["old.csv"]


def refusal_of(attempt: Callable[[], object]) -> str:
    """What the file is refused for; empty if it is read."""
    try:
        attempt()
    except DataRejected as problem:
        return str(problem)
    return ""


file_bytes = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(max_size=80).map(lambda text: ("y,g,x\n" + text).encode("utf-16", "surrogatepass")),
    st.text('y,g,x;"#\n\r\t \0=|1.-%5eE+$', max_size=120).map(lambda text: ("y,g,x\n" + text).encode()),
    st.text('y,g,x;"#\n sep=:1', max_size=60).map(str.encode),
)
ways = st.fixed_dictionaries(
    {},
    optional={
        "encoding": st.sampled_from(["cp1252", "utf-16", "shift_jis", "utf-7", "ascii"]),
        "comment": st.sampled_from(["#", "y"]),
        "thousands": st.sampled_from([",", ".", " ", "'"]),
        "affixes": st.sampled_from([["%"], ["$", "e"]]),
        "missing": st.sampled_from([["5"], [".", "-1"]]),
        "codes": st.sampled_from([{"x": {"e": 1.0}}, {"y": {"5": 7.0}}]),
        "dates": st.sampled_from([{"y": "%Y-%m-%d"}]),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(content=file_bytes, way=ways)
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path: Path, content: bytes, way: dict[str, Any]) -> None:
    codes = way.get("codes", {})
    if "y" in codes and "dates" in way:
        return
    asked = study(source="*.csv", rules={"max_rejected_share": 1.0}, **way)
    (tmp_path / "rows.csv").write_bytes(content)
    place = OpenedStudy(asked, tmp_path, "")
    for attempt in (
        lambda: validate_at_once(place),
        lambda: collect(read_files(place, hash_files(place), tmp_path / "reports"), asked),
        lambda: draft_study(tmp_path / "rows.csv"),
    ):
        message = refusal_of(attempt)
        assert "\n" not in message
        assert len(message) < 3000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(content=st.binary(max_size=400))
def test_whatever_a_parquet_file_holds_it_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    whole = pd.DataFrame({"y": [1.0, 2.0], "g": ["a", "b"], "x": [3, 4]}).to_parquet()
    for damaged in (content, b"PAR1" + content + b"PAR1", whole[: len(content)] + content + whole[2 * len(content) :]):
        (tmp_path / "rows.parquet").write_bytes(damaged)
        assert "\n" not in refusal_of(lambda: read_rows(tmp_path / "rows.parquet", study()))
