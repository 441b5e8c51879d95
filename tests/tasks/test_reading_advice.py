"""What messages advise is done here literally, and the run then reads what the file means."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.drafting.draft import draft_study
from tasks.opening.studies import OpenedStudy
from tasks.rows.collect import Collected, collect
from tasks.rows.hints import hint
from tasks.rows.read_files import read_files
from tasks.rows.study_files import hash_files
from tasks.stats.rows.data_findings import DataFindings
from tasks.stats.rows.reading_notes import judge_reading
from tasks.study.errors import DataRejected
from tasks.study.model import Study
from tasks.view.checks import Check
from tests.at_once import validate_at_once
from tests.said import of_rows

PLACES = ("Köln", "Fürth", "Trier", "Ulm")
LEVEL = {"Köln": 70.0, "Fürth": 62.5, "Trier": 81.25, "Ulm": 55.0}
ADVICE = re.compile(
    r"[Ss]et (?P<key>\S+) = (?P<value>(?:(?! in the study file).)*?)(?: under \[(?P<table>\w+)\])? in the study file"
)


@dataclass
class Place:
    """A study's folder, where each row of `rows` is (group, x, y)."""

    folder: Path
    settings: str = ""

    def put(self, name: str, content: str | bytes) -> None:
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    @property
    def study(self) -> Study:
        least = {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": ["x"]}
        return Study.model_validate({**least, **tomllib.loads(self.settings)})

    def read(self) -> Collected:
        """By the way of a run; all rows at once have to give the same."""
        opened = OpenedStudy(self.study, self.folder, "")
        found = collect(read_files(opened, hash_files(opened), self.folder / "reports"), opened.study)
        at_once = validate_at_once(opened)
        assert (at_once.rejections, at_once.n_rejected) == (found.rejections, found.n_rejected)
        np.testing.assert_array_equal(at_once.data.y, found.sample.y)
        np.testing.assert_array_equal(at_once.data.x, found.sample.x)
        return found

    def refusal(self) -> str:
        with pytest.raises(DataRejected) as caught:
            self.read()
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def follow(self, advice: str) -> None:
        """Do what is advised, as it is spelled."""
        found = ADVICE.findall(advice)
        assert found, f"no setting is advised in: {advice}"
        lines = [f"{table}{'.' if table else ''}{key} = {value}" for key, value, table in found]
        self.settings = "\n".join([*lines, self.settings])

    def checks(self) -> dict[str, Check]:
        rows = self.read()
        found = DataFindings(rows.n_rows, rows.n_rejected, notes=rows.notes)
        return {each.kind: of_rows(self.study, found, each) for each in judge_reading(rows.notes.reading)}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def rows(n: int = 40) -> list[tuple[str, float, float]]:
    groups = [PLACES[i % 4] for i in range(n)]
    return [(g, round(5 + i * 7 % 11 / 4, 2), LEVEL[g] + i * 5 % 13 / 4) for i, g in enumerate(groups)]


def table(
    y: Callable[[float], str] = repr,
    x: Callable[[float], str] = repr,
    delimiter: str = ",",
    data: Sequence[tuple[str, float, float]] | None = None,
) -> str:
    lines = [(g, x(a), y(b)) for g, a, b in data or rows()]
    return "\n".join(delimiter.join(line) for line in [("g", "x", "y"), *lines]) + "\n"


def comma(value: float) -> str:
    return repr(value).replace(".", ",")


def quoted(text: str) -> str:
    return f'"{text}"'


PLAIN = table()
Y, X = [b for _, _, b in rows()], [a for _, a, _ in rows()]


def values_of(found: Collected) -> tuple[list[float], list[float]]:
    return found.sample.y.tolist(), found.sample.x.ravel().tolist()


@pytest.mark.parametrize(
    ("content", "y", "said"),
    [
        (table(lambda v: quoted(f"{100 * v:,.2f}")), [100 * v for v in Y], "thousands separators"),
        (table(lambda v: f"{100 * v:,.2f}".replace(",", " ")), [100 * v for v in Y], "thousands separators"),
        (table(lambda v: f"{100 * v:,.2f}".replace(",", "\u00a0")), [100 * v for v in Y], "thousands separators"),
        (table(lambda v: f"{100 * v:,.2f}".replace(",", "'")), [100 * v for v in Y], "thousands separators"),
        (
            table(lambda v: f"{100 * v:,.2f}".translate({44: ".", 46: ","}), comma, ";"),
            [100 * v for v in Y],
            "thousands separators",
        ),
        (table(lambda v: f"{v}%"), Y, '"%"'),
        (table(lambda v: f"{v} %", lambda v: f"${v}"), Y, '"$"'),
        (table(lambda v: f"{v} €", lambda v: f"{v} kg"), Y, '"kg"'),
        (table(lambda v: quoted(f"${100 * v:,.2f}")), [100 * v for v in Y], 'thousands separators and "$"'),
        (table(lambda v: f"{v} km/h"), Y, '"km/h"'),
    ],
)
def test_numbers_in_other_dress_are_named_and_read_as_advised(
    place: Place, content: str, y: list[float], said: str
) -> None:
    place.put("data.csv", content)
    message = place.refusal()
    assert "of data.csv, row 1 looks like a number with " in message
    assert said in message
    place.follow(message)
    found = place.read()
    assert found.sample.y.tolist() == pytest.approx(y, rel=1e-12)
    assert found.sample.x.ravel().tolist() == X
    assert (found.n_rejected, found.products.labels) == (0, ("Fürth", "Köln", "Trier", "Ulm"))


def test_whole_thousands_alone_are_never_taken_for_fractions(place: Place) -> None:
    whole = [1000 + round(4 * v) for v in Y]
    place.put("data.csv", table(lambda v: quoted(f"{1000 + round(4 * v):,}")))
    message = place.refusal()
    assert "thousands separators (1280) or with decimals (1.28)" in message
    thousands, fraction = 'thousands = ","', 'decimal = ","'
    assert thousands in message
    assert fraction in message
    place.settings = thousands
    assert place.read().sample.y.tolist() == whole
    place.settings = fraction
    assert place.read().sample.y.tolist() == [v / 1000 for v in whole]


def test_a_decimal_comma_is_each_file_s_own(place: Place) -> None:
    place.put("a.csv", PLAIN)
    place.put("b.csv", table(comma, comma, ";", data=[(g, a + 1, b) for g, a, b in rows()]))
    place.put("c.csv", table(lambda v: quoted(comma(v)), data=[(g, a + 2, b) for g, a, b in rows()]))
    found = place.read()
    assert values_of(found) == (3 * Y, [a + i for i in range(3) for a in X])
    assert (found.n_rows, found.n_rejected) == (120, 0)


@pytest.mark.parametrize("late", ["1,5", "2,25"])
def test_one_number_with_a_comma_among_others_changes_none_of_them(place: Place, late: str) -> None:
    place.put("data.csv", PLAIN.replace("\n", f'\nUlm,6.5,"{late}"\n', 1))
    found = place.read()
    assert found.sample.y.tolist() == Y
    assert [(each.row, each.value) for each in found.rejections] == [(1, late)]
    assert "if only some have" in found.notes.reading.hint


def test_a_point_is_for_thousands_where_the_file_has_decimal_commas(place: Place) -> None:
    content = table(lambda v: f"{1000 + round(4 * v):,}".replace(",", "."), comma, ";")
    place.put("data.csv", content)
    message = place.refusal()
    place.follow(message)
    assert 'thousands = "."' in place.settings
    assert values_of(place.read()) == ([1000 + round(4 * v) for v in Y], X)


@pytest.mark.parametrize("encoding", ["cp1252", "cp1250", "latin-1"])
def test_one_file_in_another_encoding_is_named_and_the_others_stay_as_they_are(place: Place, encoding: str) -> None:
    place.put("jan.csv", PLAIN)
    place.put("feb.csv", table(data=[(g, a + 1, b) for g, a, b in rows()]).encode(encoding))
    message = place.refusal()
    assert message.startswith("feb.csv is not UTF-8: the byte 0xf6 in line 2 does not belong there.")
    assert "'Köln,6.0,70.0'" in message
    place.follow(message.replace('"cp1252" if', '"cp1252" at the top of the study file if'))
    assert place.read().products.labels == ("Fürth", "Köln", "Trier", "Ulm")


def test_an_encoding_that_does_not_fit_is_said_with_the_line(place: Place) -> None:
    place.settings = 'encoding = "ascii"'
    place.put("feb.csv", PLAIN.encode("cp1252"))
    assert 'feb.csv is not text in encoding = "ascii": the byte 0xf6 in line 2' in place.refusal()
    place.put("feb.csv", (PLAIN * 3000).replace("g,x,y\n", "").encode() + b"\x81\n")
    place.settings = ""
    assert "0x81 in line 120001" in place.refusal()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "shift_jis"])
def test_a_named_encoding_is_for_files_that_are_not_utf8_only(place: Place, encoding: str) -> None:
    place.put("a.csv", PLAIN)
    place.put("b.csv", PLAIN.replace("Köln", "Пермь").replace("Fürth", "Тверь").encode(encoding))
    place.settings = f'encoding = "{encoding}"'
    assert place.read().products.labels == ("Fürth", "Köln", "Trier", "Ulm", "Пермь", "Тверь")


def test_true_and_false_are_a_category_where_a_predictor_says_nothing_else(place: Place) -> None:
    place.put("a.csv", table(x=lambda v: "true" if v > 6 else "FALSE"))
    place.put("b.csv", table(x=lambda v: "NA" if v == 5 else "True" if v > 6 else "False"))
    is_so = [float(v > 6) for v in X]
    read = 'categories.reference.x = "false"'
    place.settings = f"rules.max_rejected_share = 0.5\n{read}"
    assert values_of(place.read())[1] == is_so + [v for v, x in zip(is_so, X, strict=True) if x != 5]
    frame = pd.read_csv(place.folder / "a.csv").assign(x=[v > 6 for v in X])
    (place.folder / "b.csv").unlink()
    frame.iloc[:30].to_parquet(place.folder / "c.parquet")
    place.settings = f'source = "*"\n{read}'
    assert values_of(place.read())[1] == is_so + is_so[:30]
    assert place.read().products.terms == ("intercept", "x: true")
    place.settings = 'source = "*"\ncategories.numbers = ["x"]'
    assert values_of(place.read())[1] == is_so + is_so[:30]
    assert place.read().products.terms == ("intercept", "x")


@pytest.mark.parametrize(("no", "yes"), [("f", "m"), ("no", "yes"), ("F", "T"), ("0 - never", "1 - ever"), ("-", "+")])
def test_words_for_two_categories_are_read_by_codes(place: Place, no: str, yes: str) -> None:
    place.put("data.csv", table(x=lambda v: yes if v > 6 else no))
    place.settings = 'categories.numbers = ["x"]'
    message = place.refusal()
    assert "looks like a word for a category" in message
    place.follow(message)
    low = min(place.study.codes["x"], key=lambda word: (word.lower(), word))
    expected = [float((yes if v > 6 else no) != low) for v in X]
    assert values_of(place.read())[1] == expected
    assert place.study.codes["x"].keys() == {no, yes}


def test_words_for_more_categories_are_not_put_in_an_order(place: Place) -> None:
    place.put("data.csv", table(x=lambda v: "low" if v < 6 else "mid" if v < 7 else "high"))
    place.settings = 'categories.numbers = ["x"]'
    message = place.refusal()
    assert "one of high, low, mid: if they have an order" in message
    place.settings = ""
    place.follow(message)
    assert place.read().products.terms == ("intercept", "x: high", "x: mid")


@pytest.mark.parametrize(
    ("form", "also"),
    [
        ("%Y-%m-%d", None),
        ("%d.%m.%Y", None),
        ("%m/%d/%Y", None),
        ("%d %b %Y", None),
        ("%Y-%m-%d %H:%M", None),
        ("%Y-%m-%dT%H:%M:%S", None),
        ("%d/%m/%y", None),
    ],
)
def test_dates_are_read_as_days_by_their_format(place: Place, form: str, also: str | None) -> None:
    days = [20000 + round(4 * v) for v in X]
    place.put("data.csv", table(x=lambda v: (date(1970, 1, 1) + timedelta(20000 + round(12 * v))).strftime(form)))
    days = [20000.0 + round(12 * v) for v in X]
    message = place.refusal()
    assert "looks like a date" in message
    place.follow(message)
    assert place.study.dates == {"x": form}
    assert values_of(place.read())[1] == days


def test_days_and_months_that_could_be_either_are_said_to_be_so(place: Place) -> None:
    place.put("data.csv", table(x=lambda v: f"0{round(v) % 5 + 1}/02/2024"))
    message = place.refusal()
    assert 'set x = "%d/%m/%Y" under [dates] in the study file, or "%m/%d/%Y" if the month comes first' in message


def test_parquet_says_its_types_and_what_to_do(place: Place) -> None:
    frame = pd.DataFrame({"g": [g for g, _, _ in rows()], "y": Y, "x": pd.to_timedelta(X, unit="s")})
    frame.to_parquet(place.folder / "a.parquet")
    place.settings = 'source = "*"'
    message = place.refusal()
    assert "a.parquet stores 'x' as durations (duration[" in message
    assert "table['x'].dt.total_seconds()" in message
    frame.assign(x=frame["x"].dt.total_seconds()).to_parquet(place.folder / "a.parquet")
    assert values_of(place.read()) == (Y, X)
    days = pd.Timestamp("2024-03-01") + pd.to_timedelta([round(4 * v) for v in X], unit="D")
    frame.assign(x=days).to_parquet(place.folder / "a.parquet")
    place.follow(place.refusal())
    assert values_of(place.read())[1] == [19783.0 + round(4 * v) for v in X]
    frame.assign(x=[9007199254740993, *range(39)]).to_parquet(place.folder / "a.parquet")
    place.settings = 'source = "*"'
    assert [each.rule for each in place.read().rejections] == ["more digits than can be kept"]
    frame.assign(x=[[1]] * 40).to_parquet(place.folder / "a.parquet")
    assert "a.parquet stores 'x' as list<" in place.refusal()


def test_group_numbers_that_parquet_holds_as_floats_are_whole_again(place: Place) -> None:
    numbers: Mapping[str, float] = dict(zip(PLACES, [1.0, 2.0, 10.0, 2.5], strict=True))
    frame = pd.DataFrame({"g": [numbers[g] for g, _, _ in rows()], "y": Y, "x": X})
    frame.loc[3, "g"] = None
    frame.to_parquet(place.folder / "a.parquet")
    place.settings = 'source = "*"'
    found = place.read()
    assert found.products.labels == ("1", "2", "2.5", "10")
    assert [(each.row, each.rule) for each in found.rejections] == [(4, "missing")]


def test_numbers_that_cannot_be_kept_or_squared_are_rejected(place: Place) -> None:
    extra = "Ulm,9007199254740993,1\nUlm,5,1e200\nUlm,5,-1e101\nUlm,5,1e-200\n"
    place.put("data.csv", PLAIN + extra)
    place.settings = "rules.max_rejected_share = 0.5"
    found = place.read()
    assert [(each.column, each.rule) for each in found.rejections] == [
        ("x", "more digits than can be kept"),
        ("y", "beyond ±1e+50"),
        ("y", "beyond ±1e+50"),
    ]
    assert found.sample.y[-1] == 1e-200


@pytest.mark.parametrize(
    ("y", "part"),
    [
        (lambda v: "1e12", "'y' is 1000000000000 in all 40 usable rows"),
        (lambda v: repr(1e13 + (v > 70)), "lies between 10000000000000 and 10000000000001: against their size"),
        (lambda v: repr(1e-200 * v), "too close together to be squared"),
    ],
)
def test_only_a_constant_is_called_one(place: Place, y: Callable[[float], str], part: str) -> None:
    place.put("data.csv", table(y))
    assert part in place.refusal()


def test_values_that_differ_in_the_twelfth_digit_are_still_used(place: Place) -> None:
    place.put("data.csv", table(lambda v: repr(1e10 + v)))
    assert place.read().n_rows == 40


# -- words and numbers for missing values ---------------------------------------------------------------------------


@pytest.mark.parametrize("code", [-999.0, -99.0, 9999.0, -999.9, 888.0, -2147483648.0])
def test_codes_for_missing_values_are_named_and_left_out_as_advised(place: Place, code: float) -> None:
    data = [(g, a, code if i in (3, 17, 21, 30) else b) for i, (g, a, b) in enumerate(rows())]
    place.put("a.csv", table(data=data[:20]))
    place.put("b.csv", table(data=data[20:]))
    check = place.checks()["missing_codes"]
    assert f"y is {code:g} in 4 of 40 rows" in check.message.replace("2147483648", f"{code:g}"[1:])
    assert "(55 to 84.25)" in check.message
    assert "max_rejected_share = 0.1 under [rules]" in check.advice
    place.follow(check.advice)
    assert place.checks() == {}
    assert place.read().sample.y.tolist() == [b for _, _, b in data if b != code]


@pytest.mark.parametrize(
    "odd",
    [
        {3: -999.0},  # once
        {3: -999.0, 5: -998.0},  # each once
        {3: 99.0, 5: 99.0},  # close
        {3: -5000.0, 5: -5000.0},  # far, but no code
        {3: 0.0, 5: 0.0, 7: 0.0},
    ],
)
def test_other_numbers_are_not_taken_for_codes(place: Place, odd: Mapping[int, float]) -> None:
    place.put("a.csv", table(data=[(g, a, odd.get(i, b)) for i, (g, a, b) in enumerate(rows())]))
    assert place.checks() == {}


def test_few_valued_predictors_are_left_alone(place: Place) -> None:
    for coding in ((-1.0, 0.0, 1.0), (0.0, 99.0, 1.0), (-1.0, 1.0, 1.0)):
        place.put("a.csv", table(data=[(g, coding[i % 3], b) for i, (g, _, b) in enumerate(rows())]))
        assert place.checks() == {}


def test_several_codes_at_both_ends_are_all_named(place: Place) -> None:
    codes = {1: -999.0, 2: -999.0, 5: -998.0, 6: -998.0, 9: 9999.0, 11: 9999.0}
    place.put("a.csv", table(data=[(g, a, codes.get(i, b)) for i, (g, a, b) in enumerate(rows())]))
    check = place.checks()["missing_codes"]
    for code in ("-999", "-998", "9999"):
        assert f"y is {code} in 2 of 40 rows" in check.message
    place.follow(check.advice)
    assert set(place.study.missing) == {"9999", "-999", "-998"}


@pytest.mark.parametrize("word", [".", "-", "n.d.", "fehlt"])
def test_a_word_for_missing_values_is_one_where_the_study_says_so(place: Place, word: str) -> None:
    place.put("a.csv", table(data=rows()).replace(",6.0,", f",{word},"))
    message = place.refusal()
    assert "looks like a word for a missing value" in message
    place.follow(message)
    place.settings += "\nrules.max_rejected_share = 0.5"
    assert {each.rule for each in place.read().rejections} == {"missing"}


def test_a_word_for_missing_is_so_in_groups_too_a_number_is_not(place: Place) -> None:
    place.put("a.csv", PLAIN.replace("Köln", "99").replace("Ulm", "?"))
    place.settings = 'missing = ["99", "?"]\nrules.max_rejected_share = 0.5'
    assert place.read().products.labels == ("99", "Fürth", "Trier")


# -- rows that are none -----------------------------------------------------------------------------------------------


def test_one_row_with_too_many_fields_is_rejected_with_its_reason(place: Place) -> None:
    place.put("a.csv", PLAIN + "Ulm,Neu,5.5,60\nUlm,5.5,60,,\n")
    found = place.read()
    assert [(each.row, each.column, each.value, each.rule) for each in found.rejections] == [
        (41, "", "Ulm,Neu,5.5,60", "1 field more than the header")
    ]
    assert found.rejected_by_rule == {"row: 1 field more than the header": 1}
    assert found.n_rows == 41


def test_unquoted_decimal_commas_in_every_row_are_explained(place: Place) -> None:
    place.put("a.csv", table(comma, comma))
    message = place.refusal()
    assert "every data row has more fields: data row 1 has 5 fields, 'Köln,5,0,70,0'" in message
    assert "decimal comma without quotes" in message
    place.put("a.csv", table(comma, comma, ";"))
    assert values_of(place.read()) == (Y, X)


def test_row_numbers_without_a_name_are_explained(place: Place) -> None:
    head, *lines = PLAIN.splitlines()
    place.put("a.csv", "\n".join([head, *(f"{i},{line}" for i, line in enumerate(lines, 1))]) + "\n")
    assert "a row number that has no column name, as R's write.table leaves it" in place.refusal()


def test_rows_of_empty_cells_count_nowhere(place: Place) -> None:
    place.put("a.csv", PLAIN.replace("y\n", "y,note\n") + ",,,\n,,\n,,,,,\n")
    assert (place.read().n_rows, place.read().n_rejected) == (40, 0)
    place.put("a.csv", PLAIN.replace("y\n", "y,note\n") + ",,,see above\n")
    assert {(each.row, each.rule) for each in place.read().rejections} == {(41, "missing")}


def test_comment_lines_further_down_are_named_and_skipped_as_advised(place: Place) -> None:
    lines = PLAIN.splitlines()
    place.put("a.csv", "\n".join([*lines[:9], "# moved, again", *lines[9:], "#", "# end"]) + "\n")
    place.settings = "rules.max_rejected_share = 0.0"
    message = place.refusal()
    assert "begins like a comment in 3 rows" in message
    place.follow(message)
    assert values_of(place.read()) == (Y, X)


def test_comments_within_quotes_are_values(place: Place) -> None:
    place.settings = 'comment = "#"'
    place.put("a.csv", "# one\ng,x,y,note\n# two\n" + "".join(f'{g},{a},{b},"a\n# b"\n' for g, a, b in rows()))
    assert values_of(place.read()) == (Y, X)


def test_a_title_above_the_column_names_is_named(place: Place) -> None:
    place.put("a.csv", "Report of January\n\n" + PLAIN)
    message = place.refusal()
    assert (
        "The column names of a.csv seem to stand in line 3 (g, x, y), below other text ('Report of January')" in message
    )
    place.put("a.csv", PLAIN)
    assert place.read().n_rows == 40


def test_a_field_of_any_length_stops_nothing(place: Place) -> None:
    note, label = "n" * 200_000, "l" * 200_000
    place.put("a.csv", PLAIN.replace("y\n", "y,note\n") + f"Ulm,5,60,{note}\n{label},5,60,\nUlm,{label},60,\n")
    found = place.read()
    assert found.n_rows == 41
    assert [(each.row, each.column, each.rule) for each in found.rejections] == [
        (42, "g", "longer than 1,000 characters"),
        (43, "x", "not a number"),
    ]
    assert all(len(each.value) < 250 and "200,000 characters" in each.value for each in found.rejections)


# -- totals, and files cut short -------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["Total", "GESAMT", "Sum:", "Grand Total", "Итого", "Alle", "Mean"])
def test_a_row_of_totals_is_named(place: Place, label: str) -> None:
    place.put("a.csv", PLAIN)
    place.put("b.csv", table(data=[(g, a + 1, b) for g, a, b in rows()]) + f"{label},7,{sum(Y)}\n")
    check = place.checks()["totals_row"]
    assert check.message.startswith(f"g is {label!r} in one row, row 41 of b.csv, and its y is the sum of all others'.")
    place.put("b.csv", table(data=[(g, a + 1, b) for g, a, b in rows()]))
    assert place.checks() == {}


def test_a_single_row_that_is_the_sum_of_the_rest_is_named_whatever_it_is_called(place: Place) -> None:
    place.put("a.csv", PLAIN + f"Bavaria,7,{sum(Y)}\n")
    assert "'Bavaria' in one row, row 41 of a.csv" in place.checks()["totals_row"].message
    place.put("a.csv", PLAIN + f"Bavaria,7,{sum(Y) + 1}\n")
    assert place.checks() == {}


def test_a_group_called_total_with_several_rows_is_a_group(place: Place) -> None:
    place.put("a.csv", PLAIN.replace("Ulm", "Total"))
    assert place.checks() == {}


def test_a_file_cut_short_is_named(place: Place) -> None:
    content = table(lambda v: f"{v:.4f}")
    place.put("a.csv", content)
    place.put("b.csv", table(lambda v: f"{v:.4f}", data=[(g, a + 1, b) for g, a, b in rows()])[:-4])
    check = place.checks()["cut_short"]
    assert check.message.startswith(
        "b.csv (its last value is '62.2', with fewer decimals than all values above it)"
    ) or ("with fewer decimals than all values above it" in check.message)
    place.settings = "rules.max_rejected_share = 0.5"
    place.put("b.csv", table(lambda v: f"{v:.4f}", data=[(g, a + 1, b) for g, a, b in rows()])[:-9])
    assert "b.csv (its last line has too few values)" in place.checks()["cut_short"].message


@pytest.mark.parametrize(
    "content",
    [
        PLAIN[:-1],
        PLAIN.replace("\n", "\r\n")[:-2],
        table(lambda v: f"{v:.4f}")[:-1],
        table(lambda v: f"{v:g}")[:-1],
        table(lambda v: f"{v:.4f}")[:-1] + "\r",
        table(lambda v: f"{v:.4f}")[:-5] + "\n",
        table(lambda v: str(round(v)))[:-1],
    ],
)
def test_a_file_without_a_last_line_break_is_not_cut_short_for_that(place: Place, content: str) -> None:
    place.put("a.csv", content)
    assert "cut_short" not in place.checks()


def test_what_was_rejected_in_passing_is_explained_on_the_report_too(place: Place) -> None:
    place.put("a.csv", PLAIN + 'Ulm,5,"1,031"\n')
    assert (
        'Set thousands = "," in the study file, or set decimal = "," in the study file instead'
        in place.read().notes.reading.hint
    )
    assert hint((), place.study) == ""


def test_two_units_in_one_column_are_not_read_as_one(place: Place) -> None:
    place.put("a.csv", table(lambda v: f"{v}%" if v > 65 else repr(v / 100)))
    assert 'affixes = ["%"] in the study file, if the values without it are in the same unit' in place.refusal()
    assert "affixes" not in draft_study(place.folder / "a.csv")
    place.put("a.csv", table(lambda v: f"{v} kg" if v > 65 else f"{v} lb"))
    assert "affixes" not in place.refusal()
    assert "affixes" not in draft_study(place.folder / "a.csv")


@pytest.mark.parametrize("form", ["<{}", "({})", "{}k", "12,34,{:03.0f}", "−{}", "{}-", "{}?"])
def test_what_is_no_number_is_not_made_one_by_advice_nor_by_a_draft(place: Place, form: str) -> None:
    place.put("a.csv", table(lambda v: quoted(form.format(v))))
    message = place.refusal()
    assert not ADVICE.search(message)
    assert "A number is a sign (+ or -), digits with at most one decimal mark" in message
    drafted = tomllib.loads(draft_study(place.folder / "a.csv"))
    assert (drafted["outcome"], drafted["group"]) == ("x", "g")
    assert {"affixes", "thousands", "decimal"}.isdisjoint(drafted)


def test_column_names_that_are_repeated_further_down_are_named(place: Place) -> None:
    place.put("a.csv", PLAIN + PLAIN.replace("70.0", "70.5"))
    assert place.read().notes.reading.hint == "Row 41 of a.csv repeats the column names: delete it."


def test_times_of_day_are_no_categories(place: Place) -> None:
    place.put("a.csv", table(x=lambda v: f"{int(v)}:30"))
    assert "'5:30' in column x of a.csv, row 1 looks like a time: make it a number" in place.refusal()


def anything(**settings: Any) -> Study:
    return Study.model_validate(
        {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": ["x"], **settings}
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"thousands": ",", "decimal": ","},
        {"thousands": "x"},
        {"affixes": ["1"]},
        {"affixes": ["."]},
        {"affixes": [""]},
        {"codes": {"g": {"a": 1}}},
        {"codes": {"x": {}}},
        {"codes": {"x": {"a": float("inf")}}},
        {"codes": {"x": {"a": 1}}, "dates": {"x": "%Y"}},
        {"dates": {"x": "%Q"}},
        {"dates": {"x": "day"}},
        {"dates": {"x": "%d.%m."}},
        {"missing": [""]},
        {"comment": ""},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"validation error"):
        anything(**settings)
