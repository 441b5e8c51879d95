"""Two made-up report pages, one with everything a page can hold and one with as little as it may.

A study's own look is tried on them before a run begins, so that a template that cannot be rendered is found
before anything is sampled.
"""

from __future__ import annotations

from dataclasses import replace

from tasks.view.figures.still import Marks, Still, Tick
from tasks.view.figures.style import DARK, LIGHT, MODELS, NEUTRAL, Spec
from tasks.view.records import (
    GROUP_TABLE_PAGE,
    Answer,
    Block,
    Cell,
    Code,
    Column,
    Contrast,
    ContrastTerm,
    Definitions,
    Equations,
    Figure,
    Fold,
    GroupNames,
    GroupTable,
    HealthItem,
    Link,
    Longer,
    Panel,
    Panels,
    Paragraph,
    ReportPage,
    Section,
    Table,
)

SPEC: Spec = {"data": [{"type": "scatter", "x": [1, 2], "y": [1, 2]}], "layout": {}}
STILL = Still(
    height=420,
    left=(Tick(50.0, "a"),),
    left_title="A title",
    below=(Tick(50.0, "1"),),
    below_title="Another title",
    grid=((5000, 0, 5000, 10_000),),
    mean=(4000, 0, 4000, 10_000),
    ribbon=((0, 0), (0, 10_000), (10_000, 0)),
    ribbon_label="A ribbon",
    marks=(Marks("A mark", NEUTRAL, True, 8, 2, ((5000, 5000),), ((4000, 5000, 6000, 5000),)),),
)
N_GROUPS = GROUP_TABLE_PAGE + 1
LINK = Link("a link", "#data")
MODEL_LABELS = tuple((model, style.label) for model, style in MODELS.items())


def specimens() -> tuple[ReportPage, ReportPage]:
    full = ReportPage(
        title="A title",
        asked="What was asked?",
        answer="An answer.",
        status="use",
        status_label="Use another model",
        headline="A headline.",
        reason="A reason.",
        recommended="The Bayesian partial-pooling model",
        answers=(Answer("A question?", "Its answer."),),
        health_summary="1 pass, 1 review",
        health=(
            HealthItem("A check", "review", "Review", "A message.", "Advice.", "2, limit 1", LINK),
            HealthItem("Another check", "pass", "Pass", "A message.", "", "", LINK),
        ),
        run_line="Run r1",
        run_link=Link("the run in Prefect", "http://127.0.0.1:4200/"),
        downloads=(Link("estimates.csv", "estimates.csv"), Link("summary.json", "summary.json")),
        hero=Figure("figure-hero", "A caption.", "What it shows.", SPEC, still=STILL),
        sections=(
            Section("data", "A section", "A finding on partial pooling.", _blocks(), chapter="A chapter"),
            Section("more", "Another section", "A finding.", (), "And more.", is_open=False, chapter="A chapter"),
        ),
        colours=tuple((model.replace("_", "-"), style.color) for model, style in MODELS.items()),
        themes={"light": LIGHT, "dark": DARK},
        uses_webgl=False,
        groups=GroupNames("county", tuple(map(str, range(N_GROUPS))), (3,) * N_GROUPS),
    )
    return full, replace(
        full,
        answers=(),
        health=full.health[1:],
        run_link=None,
        downloads=(),
        hero=None,
        sections=(),
        groups=GroupNames("", (), ()),
    )


def _blocks() -> tuple[Block, ...]:
    """Every kind of block, with and without its optional parts."""
    return (
        Paragraph("A sentence on shrinkage."),
        Figure("figure-a", "A caption.", "What it shows.", SPEC, longer=Longer("all 60 groups", SPEC, 900)),
        Figure("figure-b", "A caption.", "What it shows.", SPEC),
        Panels(
            "panels",
            "A caption.",
            tuple(Panel(f"panel-a-{k}", "A", "n = 3", "What it shows.", SPEC, group=k) for k in (0, 1)),
            MODEL_LABELS,
            first=(0,),
            is_moving=True,
        ),
        Panels("panels-b", "A caption.", (Panel("panel-b", "B", "", "What it shows.", SPEC),)),
        *_tables(),
        Contrast(
            "contrast-a",
            "Compare two groups",
            tuple(ContrastTerm(title, "s", 1, 0.01, ((1, 2),) * N_GROUPS) for title in ("level", "effect of x")),
        ),
        Contrast("contrast-b", "Compare two groups", (ContrastTerm("level", "", 1, 0.01, ((1, 2),) * N_GROUPS),)),
        Definitions((("term", "meaning"),)),
        Equations(has_predictors=True),
        Equations(has_predictors=False),
        Code("A caption", "text"),
        Fold("More", (Paragraph("Inside."),)),
    )


def _tables() -> tuple[Block, ...]:
    columns = (Column("Group", is_number=False), Column("Level", "s", model="bayes", detail="95 % interval"))
    row = (Cell("a"), Cell("1", "0 to 2", "pass"))
    cells = (tuple(map(str, range(N_GROUPS))), ("1",) * N_GROUPS)
    return (
        Table("table-a", "A caption", columns, (row,), "A note.", LINK, groups=(0,)),
        Table("table-b", "A caption", columns, (row, row)),
        GroupTable("table-c", "A caption", columns, cells, tuple(range(N_GROUPS)), note="A note.", download=LINK),
        GroupTable("table-d", "A caption", columns, cells, tuple(range(N_GROUPS)), details=((), cells[1])),
    )
