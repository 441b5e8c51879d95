"""Files that are not quite CSV, or not quite the study's."""

from __future__ import annotations

import gzip
import io
import zipfile

import pandas as pd

from tests.corpus.cases import STUDY, Case, csv, every, rows, spoilt, with_keys

ALL = "80 of 80 rows can be used, in 8 groups"


def _file(name: str, content: str | bytes, exit_code: int, *says: str, study: str = STUDY) -> Case:
    return Case(f"file/{name}", exit_code, says, {"data.csv": content}, study)


def _zipped() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("data.csv", csv())
    return archive.getvalue()


def _parquet(**columns: object) -> bytes:
    g, x, y = zip(*rows(), strict=True)
    frame = pd.DataFrame({"g": g, "x": pd.Series(x).astype(float), "y": pd.Series(y).astype(float), **columns})
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


def _parquet_case(name: str, exit_code: int, *says: str, **columns: object) -> Case:
    files = {"data.parquet": _parquet(**columns)}
    return Case(f"file/parquet {name}", exit_code, says, files, STUDY.replace("csv", "parquet"))


COMMA = every(1, lambda x: x.replace(".", ","))
CASES = [
    _file("empty", "", 3, "data.csv is empty"),
    _file("header only", csv([]), 3, "no rows"),
    _file("no header", csv().split("\n", 1)[1], 3, "data.csv", "no column 'y'"),
    _file("a column is missing", csv([row[:2] for row in rows()], ("g", "x")), 3, "no column 'y'"),
    _file("a column is spelt otherwise", csv(header=("g", "x", "Y")), 3, "no column 'y'", "did you mean 'Y'"),
    _file("a column twice", csv([(*row, "1") for row in rows()], ("g", "x", "y", "y")), 3, "2 columns named 'y'"),
    _file("semicolons", csv(sep=";"), 0, ALL),
    _file("tabs", csv(sep="\t"), 0, ALL),
    _file("bars", csv(sep="|"), 0, ALL),
    _file("Windows line ends", csv(end="\r\n"), 0, ALL),
    _file("old Mac line ends", csv(end="\r"), 0, ALL),
    _file("no line end at the end", csv().rstrip("\n"), 0, ALL),
    _file("cut short", csv()[:-4], 0, "data.csv", "end"),
    _file("cut in a row", csv()[:-12], 0, "data.csv"),
    _file("byte order mark", "\ufeff" + csv(), 0, ALL),
    _file("UTF-16", csv().encode("utf-16"), 0, ALL),
    _file("UTF-16, big end first", b"\xfe\xff" + csv().encode("utf-16-be"), 0, ALL),
    _file("sep line", "sep=;\n" + csv(sep=";"), 0, ALL),
    _file("sep line of Windows", "sep=;\r\n" + csv(sep=";", end="\r\n"), 0, ALL),
    _file("comments above", "# made by a tool\n# twice\n" + csv(), 0, ALL),
    _file("comments between", csv().replace("\n", "\n# half\n", 9), 3, "data.csv", "comment"),
    _file("comments between, as set", csv().replace("\n", "\n# half\n", 9), 0, ALL, study=with_keys('comment = "#"\n')),
    _file("title line above", "Report of January\n" + csv(), 3, "data.csv"),
    _file("blank lines", csv().replace("\n", "\n\n"), 0, ALL),
    _file("spaces around names", csv(header=(" g", "x ", " y ")), 0, ALL),
    _file("rows of empty cells", csv() + ",,\n" * 30, 0, ALL),
    _file("quoted values", csv([tuple(f'"{v}"' for v in row) for row in rows()]), 0, ALL),
    _file("quote never closed", csv(spoilt(5, 0, '"Kent')), 3, "data.csv", "double quote"),
    _file("text after a quote", csv(spoilt(5, 0, '"Kent"ish')), 3, "data.csv", "double quote"),
    _file("line break in a quoted label", csv(every(0, lambda g: f'"{g}\nCounty"')), 0, ALL),
    _file("decimal commas unquoted", csv(COMMA), 3, "data.csv", "decimal comma"),
    _file("decimal commas, semicolons", csv(COMMA, sep=";"), 3, "y", "decimal", "data.csv"),
    _file(
        "decimal commas throughout",
        csv([(g, x[:-1].replace(".", ","), y[:-1].replace(".", ",")) for g, x, y in rows()], sep=";"),
        0,
        ALL,
    ),
    _file(
        "commas with three digits after them",
        csv([(g, x.replace(".", ","), y.replace(".", ",")) for g, x, y in rows()], sep=";"),
        3,
        "thousands",
        "decimal",
    ),
    _file("one long row in 80", csv(spoilt(7, 2, lambda y: y + ",7")), 0, "79 of 80 rows", "row 8"),
    _file(
        "one short row in 80", csv([*rows()[:7], rows()[7][:2], *rows()[8:]]), 0, "79 of 80 rows", "row 8", "missing"
    ),
    _file("surplus empty fields", csv([(*row, "", "") for row in rows()]), 0, ALL),
    _file("long field in a spare column", csv([(*row, "z" * 200_000) for row in rows()], ("g", "x", "y", "n")), 0, ALL),
    _file("long field as a label", csv(spoilt(3, 0, "z" * 100_000)), 0, "80 rows"),
    _file("zip under a csv name", _zipped(), 3, "data.csv"),
    _file("gzip under a csv name", gzip.compress(csv().encode(), mtime=0), 3, "data.csv"),
    _file("parquet under a csv name", _parquet(), 3, "data.csv"),
    _file("null bytes", csv().replace("Kent", "Ke\0nt"), 0, "80 rows"),
    _file("random bytes", bytes(range(256)) * 20, 3, "data.csv"),
    _file("Latin-1 umlauts", csv(every(0, lambda g: g.replace("e", "é"))).encode("latin-1"), 3, "data.csv", "encoding"),
    _file(
        "Latin-1 umlauts, as set",
        csv(every(0, lambda g: g.replace("e", "é"))).encode("latin-1"),
        0,
        ALL,
        study=with_keys('encoding = "latin-1"\n'),
    ),
    Case(
        "file/one of two is Latin-1",
        3,
        ("feb.csv", "encoding"),
        {"jan.csv": csv(every(0, lambda g: g + "é")), "feb.csv": csv(every(0, lambda g: g + "é")).encode("cp1252")},
    ),
    Case(
        "file/one of two is Latin-1, as set",
        0,
        ("160 of 160 rows can be used, in 8 groups",),
        {
            "jan.csv": csv(every(0, lambda g: g + "é")),
            "feb.csv": csv([(g + "é", x, y) for g, x, y in rows(seed=2)]).encode("cp1252"),
        },
        with_keys('encoding = "cp1252"\n'),
    ),
    Case("file/none there", 3, ("no file matches", "*.csv"), {}),
    Case("file/of another kind", 3, ("data.xlsx",), {"data.xlsx": b"PK"}, STUDY.replace("csv", "xlsx")),
    Case(
        "file/parquet that is text",
        3,
        ("data.parquet", "Parquet"),
        {"data.parquet": csv()},
        STUDY.replace("csv", "parquet"),
    ),
    _parquet_case("good", 0, ALL),
    _parquet_case("durations", 3, "y", "data.parquet", y=pd.to_timedelta([float(r[2]) for r in rows()], unit="s")),
    _parquet_case("dates", 3, "x", "data.parquet", x=pd.date_range("2024-01-01", periods=80)),
    _parquet_case("lists", 3, "x", "data.parquet", x=[[1.0, 2.0]] * 80),
    _parquet_case("group as a float", 0, ALL, g=[float(i // 10) for i in range(80)]),
    _parquet_case("truth values", 0, ALL, x=[i % 2 == 0 for i in range(80)]),
    _parquet_case("integers past 2^53", 3, "x", x=[2**53 + 1 + i for i in range(80)]),
]
