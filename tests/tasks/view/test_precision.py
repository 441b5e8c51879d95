"""Numbers of one unit that stand beside each other in a table are rounded to the same place."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tasks.study.model import Study
from tasks.view.context import Context
from tasks.view.page import build_page
from tasks.view.records import Block, Cell, Fold, GroupTable, Table
from tests.factories import intercept_only_case, two_predictors_case
from tests.posteriors import sampled
from tests.said import context_of_sampled

NUMBER = re.compile(r"(?<![\w.,])[−-]?\d[\d,]*(\.\d+)?(?![\w.])")
ROW_BY_ROW = {"table-simpson", "table-fixed", "table-components"}
# A new group’s error is much less certain than a new row’s.
APART = {"table-targets"}


def tables(context: Context) -> Iterator[Table | GroupTable]:
    waiting: list[Block] = [block for section in build_page(context).sections for block in section.blocks]
    for block in waiting:
        if isinstance(block, Fold):
            waiting += block.blocks
        elif isinstance(block, Table | GroupTable):
            yield block


def decimals(cells: list[Cell]) -> set[int]:
    """Of every number but 0, without texts that hold other words than `to` and `SE`."""
    texts = [text for cell in cells for text in (cell.text, cell.detail)]
    shown = [text for text in texts if not re.search(r"[A-Za-z×]", re.sub(r"\bto\b|\bSE\b|\bbelow\b", "", text))]
    found = [match for text in shown for match in NUMBER.finditer(text) if match.group() != "0"]
    return {len(match.group(1) or ".") - 1 for match in found}


def by_unit(table: Table | GroupTable) -> Iterator[tuple[str, list[Cell]]]:
    """The cells of each unit: those of columns that name the same one, and those of a row that names its own."""
    columns = defaultdict(list)
    for place, column in enumerate(table.columns):
        if column.unit and column.is_number and column.unit != "SE":
            columns[column.unit] += [row[place] for row in table.rows]
    yield from columns.items()
    titles = [column.title for column in table.columns]
    if table.id in ROW_BY_ROW:
        for row in table.rows:
            cells = [cell for cell, column in zip(row, table.columns, strict=True) if column.is_number]
            yield f"{row[0].text}, {row[titles.index('Unit')].text}", cells
    if table.id == "table-flavours":
        yield from ((row[0].text, list(row[1:])) for row in table.rows if "SD" in row[0].text)
    if "Group SD" in titles:
        for unit in {row[2].text for row in table.rows}:
            yield f"Group SD, {unit}", [row[titles.index("Group SD")] for row in table.rows if row[2].text == unit]


CONTEXTS = {
    "bounce_rates": lambda: context_of_sampled(sampled("bounce_rates")),
    "sleepstudy": lambda: context_of_sampled(sampled("sleepstudy")),
    "two predictors": lambda: two_predictors_case().context,
    "no predictor": lambda: intercept_only_case().context,
}


@pytest.mark.parametrize("name", CONTEXTS)
def test_numbers_of_one_unit_have_one_precision_in_a_table(name: str) -> None:
    context = CONTEXTS[name]()
    context = replace(context, study=with_units(context))
    mixed = [
        (table.id, unit, sorted(found))
        for table in tables(context)
        for unit, cells in by_unit(table)
        if table.id not in APART and len(found := decimals(cells)) > 1
    ]
    assert mixed == []


def with_units(context: Context) -> Study:
    units = dict.fromkeys(context.study.predictors, "steps")
    return context.study.model_copy(update={"outcome_unit": "s", "predictor_units": units})
