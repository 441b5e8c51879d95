"""What was noticed of labels and copies stands in tables with the data, and in the answers of the first screen."""

from __future__ import annotations

from dataclasses import replace

from tasks.stats.labels import AlikeLabels, JoinedLabels, LabelCount, LabelNotes
from tasks.stats.rows.copies import Copies, RepeatedRows, SharedRows
from tasks.stats.rows.data_findings import DataNotes
from tasks.view.page import build_page
from tasks.view.records import ReportPage, Table
from tests.factories import regular_case

SHARED = SharedRows("jan.csv", "feb.csv", 80, 80, 100)
PAIR = AlikeLabels((LabelCount("St Helens", 12, ("a.csv",)), LabelCount("St\u00a0Helens", 3, ("b.csv",))), ("space",))


def page_of(notes: DataNotes, **rules: str) -> ReportPage:
    case = regular_case()
    asked = case.study.model_copy(update={"rules": case.study.rules.model_copy(update=rules)})
    found = replace(case.findings, rows=replace(case.findings.rows, notes=notes))
    return build_page(replace(case, study=asked, findings=found).judged().context)


def table(page: ReportPage, id_: str) -> Table | None:
    (data,) = (section for section in page.sections if section.id == "data")
    return next((block for block in data.blocks if isinstance(block, Table) and block.id == id_), None)


def texts(found: Table | None) -> list[list[str]]:
    assert found is not None
    return [[cell.text for cell in row] for row in found.rows]


def test_nothing_noticed_is_no_table() -> None:
    page = page_of(DataNotes(LabelNotes(), Copies()))
    for id_ in ("table-alike-labels", "table-joined-labels", "table-copies"):
        assert table(page, id_) is None
    assert {"Labels that look alike", "Rows that are copies"} <= {item.title for item in page.health}


def test_alike_labels_stand_beside_each_other_with_what_cannot_be_seen() -> None:
    page = page_of(DataNotes(LabelNotes(alike=(PAIR,))))
    row = ["“St[U+00A0]Helens”", "3", "“St Helens”", "12", "spaces or invisible characters", "b.csv"]
    assert texts(table(page, "table-alike-labels")) == [row]
    (item,) = (item for item in page.health if item.title == "Labels that look alike")
    assert (item.status, item.measure, item.link.href) == ("review", "sets of such labels: 1", "#data")
    assert "See whether labels that look alike are one group" in page.answers[3].answer


def test_joined_labels_are_listed() -> None:
    joined = JoinedLabels("Kent", (LabelCount("Kent", 9, ("a.csv",)), LabelCount("KENT", 2, ("a.csv", "b.csv"))))
    page = page_of(DataNotes(LabelNotes(joined=(joined,))))
    assert texts(table(page, "table-joined-labels")) == [
        ["“Kent”", "9", "“Kent”", "a.csv"],
        ["“KENT”", "2", "“Kent”", "a.csv and b.csv"],
    ]


def test_copies_are_listed_with_their_files() -> None:
    page = page_of(DataNotes(copies=Copies((SHARED,), (RepeatedRows("mar.csv", 5, 505, is_about=True),))))
    assert texts(table(page, "table-copies")) == [
        ["feb.csv", "jan.csv", "80", "100", "80"],
        ["mar.csv", "itself", "about 5", "505", "505"],
    ]
    (item,) = (item for item in page.health if item.title == "Rows that are copies")
    assert (item.status, item.measure) == ("review", "rows copied: 85")


def test_the_first_screen_says_when_many_rows_count_twice() -> None:
    said = "of the rows are copies of others: margins are too narrow"
    many, few = (DataNotes(copies=Copies((replace(SHARED, n_rows=n),))) for n in (80, 3))
    assert said in page_of(many).answers[2].answer
    assert said not in page_of(few).answers[2].answer
    assert said not in page_of(many, copies="keep").answers[2].answer


def test_many_labels_are_cut_and_counted() -> None:
    pairs = tuple(AlikeLabels((LabelCount(f"A{i}", 2), LabelCount(f"a{i}", 1)), ("case",)) for i in range(70))
    found = table(page_of(DataNotes(LabelNotes(alike=pairs))), "table-alike-labels")
    assert found is not None
    assert (len(found.rows), found.note) == (50, "The first 50 of 70 labels.")
