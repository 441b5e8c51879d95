"""Rows used and rejected, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.stats.judgement import Judgement
from tasks.stats.records import Gap
from tasks.study.settings import Query
from tasks.view.topics import data, rows_by_group
from tests.factories import intercept_only_case, regular_case, singular_case
from tests.said import block, by_name, changed, section

JUDGED = Judgement("rejected_rows", "review", "some")


def test_rejected_rows_are_counted() -> None:
    assert "3 rows" in rows_by_group.TOPIC.finding(singular_case().context)
    assert "no row was rejected" in rows_by_group.TOPIC.finding(regular_case().context)


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        (("no interval",), "1 of 8 groups has a fit of its own without an interval; the smallest group has 1 row."),
        (
            ("no interval", "no interval"),
            "2 of 8 groups have fits of their own without an interval; the smallest group has 1 row.",
        ),
        (
            ("few rows", "no interval"),
            "1 of 8 groups cannot carry a fit of its own and 1 has one without an interval; the smallest group has 1 "
            "row.",
        ),
    ],
)
def test_gaps_are_told_in_the_right_number(gaps: tuple[Gap, ...], said: str) -> None:
    case = singular_case()
    own = case.findings.no_pooling
    coef, n = own.coef.copy(), own.n.copy()
    coef[[j for j, gap in enumerate(gaps) if gap == "few rows"]] = float("nan")
    n[0] = 1
    gap: tuple[Gap, ...] = (*gaps, *(("",) * (8 - len(gaps))))  # type: ignore[assignment]
    check = by_name(changed(case, no_pooling=replace(own, coef=coef, n=n, gap=gap)))["group_sizes"]
    assert check.message == said
    assert check.measure == "rows of the smallest: 1"


@pytest.mark.parametrize(
    ("n", "said"), [(1, "1 of 614 rows (0.2%) was rejected"), (2, "2 of 615 rows (0.3%) were rejected")]
)
def test_rejected_rows_are_told_in_the_right_number(n: int, said: str) -> None:
    case = singular_case()
    rows = replace(case.findings.rows, n_rejected=n)
    assert data.REJECTED.cases["some"].message(replace(case.context, rows=rows), JUDGED).startswith(said)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("source", "caption", "titles"),
    [
        ("*.csv", "Files read", ("File", "SHA-256")),
        ("s3://bucket/rows.csv", "Files read", ("File", "Content id")),
        (Query(sql="select 1", database="${WAREHOUSE_URL}"), "Parts read", ("Part", "Content id")),
    ],
)
def test_what_was_read_is_called_what_it_is(source: str | Query, caption: str, titles: tuple[str, str]) -> None:
    case = intercept_only_case()
    context = replace(case, study=case.study.model_copy(update={"source": source})).context
    table = block(section(rows_by_group.TOPIC, context), "table-files")
    assert (table.caption, table.columns[0].title, table.columns[-1].title) == (caption, *titles)
