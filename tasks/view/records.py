"""The report as a tree of frozen records. Templates loop over it and print; they never compute.

A section is a title, a sentence that states its finding, and any sequence of blocks. A new kind of
block needs a record here and a template of its `kind` in `templates/blocks/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, TypeAlias

from tasks.stats.judgement import Status
from tasks.stats.records import VerdictStatus
from tasks.study.rates import Family
from tasks.view.figures.still import Still
from tasks.view.figures.style import Spec

LONG_TABLE_ROWS = 30
GROUP_TABLE_PAGE = 50


@dataclass(frozen=True)
class Link:
    """`href` is relative to the report, or `#anchor` within it."""

    text: str
    href: str


@dataclass(frozen=True)
class Paragraph:
    text: str
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Legend:
    """Swatches for the models named; ids as in `figures.style.MODELS`."""

    models: tuple[tuple[str, str], ...]  # id, label
    kind: ClassVar[str] = "legend"


@dataclass(frozen=True)
class Column:
    title: str
    unit: str = ""
    is_number: bool = True
    model: str = ""  # id in `figures.style.MODELS`, for the colour
    detail: str = ""  # says what `Cell.detail` holds, such as "95 % interval"; its heading in the CSV
    is_recommended: bool = False  # whether it holds what to quote


@dataclass(frozen=True)
class Cell:
    """`detail` stands smaller below `text`: an interval, a reason."""

    text: str
    detail: str = ""
    status: Status | VerdictStatus | None = None


@dataclass(frozen=True)
class Table:
    """The first cell of every row is its header."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    download: Link | None = None
    groups: tuple[int, ...] = ()  # position of each row's group, where rows are groups
    kind: ClassVar[str] = "table"

    @property
    def is_long(self) -> bool:
        """Long tables scroll in a window of their own."""
        return len(self.rows) > LONG_TABLE_ROWS

    @property
    def n_rows(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class GroupTable:
    """A table with a row per group, however many there are: the first rows stand on the page, all are embedded once
    as columns of short texts, and the page searches, sorts and pages through them.

    `cells` and `details` hold a tuple of J texts per column, in the order of `groups`; a column whose cells have
    nothing below them has an empty tuple in `details`. The first column names the group.
    """

    id: str
    caption: str
    columns: tuple[Column, ...]
    cells: tuple[tuple[str, ...], ...]  # per column, J texts
    groups: tuple[int, ...]  # (J,) position of each row's group
    details: tuple[tuple[str, ...], ...] = ()  # per column, J texts or none
    note: str = ""
    download: Link | None = None
    kind: ClassVar[str] = "group_table"
    is_long: ClassVar[bool] = True

    def __post_init__(self) -> None:
        wanted = len(self.groups)
        lengths = [len(column) for column in self.cells] + [len(column) or wanted for column in self.details]
        if len(self.cells) != len(self.columns) or len(self.details) not in (0, len(self.columns)):
            raise ValueError(f"{self.id}: {len(self.columns)} columns, but cells for {len(self.cells)}")
        if set(lengths) - {wanted}:
            raise ValueError(f"{self.id}: {wanted} groups, but columns of {sorted(set(lengths))} texts")

    @property
    def n_rows(self) -> int:
        return len(self.groups)

    @property
    def rows(self) -> tuple[tuple[Cell, ...], ...]:
        """The first rows, which stand on the page without scripts."""
        details = self.details or ((),) * len(self.columns)
        return tuple(
            tuple(
                Cell(texts[row], below[row] if below else "") for texts, below in zip(self.cells, details, strict=True)
            )
            for row in range(min(GROUP_TABLE_PAGE, self.n_rows))
        )

    @property
    def data(self) -> Spec:
        """What is embedded: columns, which figures and other tables may share."""
        return {"groups": self.groups, "cells": self.cells, "details": self.details}


@dataclass(frozen=True)
class Longer:
    """A figure with all its rows, drawn when the reader asks for it."""

    label: str  # "all 300 groups"
    spec: Spec
    height: int


@dataclass(frozen=True)
class Figure:
    """`alternative` says in words what the picture shows; `height` is in CSS pixels."""

    id: str
    caption: str
    alternative: str
    spec: Spec
    height: int = 420
    longer: Longer | None = None
    still: Still | None = None  # stands until a script has drawn the figure, and where there are none
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Panel:
    id: str
    title: str
    detail: str
    alternative: str
    spec: Spec
    group: int | None = None  # position of the group that the panel shows
    kind: ClassVar[str] = "panel"


@dataclass(frozen=True)
class Panels:
    """Small multiples: one picture per panel, all on the same axes.

    Panels whose group is not one of `first` are seen when the reader asks for them, or chooses their group; all are if
    `first` is empty. If `is_moving`, the reader can have one line move from model to model.
    """

    id: str
    caption: str
    panels: tuple[Panel, ...]
    models: tuple[tuple[str, str], ...] = ()
    first: tuple[int, ...] = ()
    is_moving: bool = False
    kind: ClassVar[str] = "panels"


@dataclass(frozen=True)
class Definitions:
    """Terms and what they mean."""

    entries: tuple[tuple[str, str], ...]
    kind: ClassVar[str] = "definitions"


@dataclass(frozen=True)
class Equations:
    """Asks the template for the models' equations."""

    has_predictors: bool
    family: Family = "normal"
    is_overdispersed: bool = False  # whether the answer's rows vary more than the family says
    kind: ClassVar[str] = "equations"


@dataclass(frozen=True)
class Code:
    caption: str
    text: str
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class Fold:
    """Blocks behind a summary that the reader opens."""

    summary: str
    blocks: tuple[Block, ...]
    is_guide: bool = False  # says how to read what stands beside it; opens with the fold that it is in
    kind: ClassVar[str] = "fold"


@dataclass(frozen=True)
class ContrastTerm:
    """`draws` (J, S) are whole numbers of `step`, from the same origin for all groups; `places` are decimals shown."""

    title: str
    unit: str
    places: int
    step: float
    draws: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Contrast:
    """Two groups of the reader's choice, compared on the page."""

    id: str
    title: str
    terms: tuple[ContrastTerm, ...]
    kind: ClassVar[str] = "contrast"

    @property
    def data(self) -> Spec:
        """What is embedded."""
        return {"terms": [{name: getattr(term, name) for name in CONTRAST_KEYS} for term in self.terms]}


CONTRAST_KEYS = ("unit", "places", "step", "draws")

Block: TypeAlias = (
    "Paragraph | Legend | Table | GroupTable | Figure | Panels | Contrast | Definitions | Equations | Code | Fold"
)


@dataclass(frozen=True)
class Section:
    """One subject. `lead` and `rest` are its finding, written from the numbers: a sentence, and what else is found.

    Where it stands open, the lead and the first `n_open` blocks are seen, the others behind a fold; where it does not,
    its title and lead are what the fold says.
    """

    id: str
    title: str
    lead: str
    blocks: tuple[Block, ...]
    rest: str = ""
    n_open: int = 1
    is_open: bool = True
    is_asking: bool = False  # whether one of its checks did not pass: printed, too
    chapter: str = ""  # the title of the chapter that it is in; its own title where that is empty

    @property
    def finding(self) -> str:
        return f"{self.lead} {self.rest}".strip()

    @property
    def more(self) -> str:
        """What is behind the fold of an open section, in a few words."""
        hidden = self.blocks[self.n_open :]
        figures = sum(isinstance(block, Figure | Panels) for block in hidden)
        tables = sum(isinstance(block, Table | GroupTable) for block in hidden)
        counted = [f"{n} {noun}{'s'[: n != 1]}" for n, noun in ((figures, "figure"), (tables, "table")) if n]
        guide = [block.summary for block in hidden if isinstance(block, Fold) and block.is_guide]
        return ", ".join([*(guide or ["More"]), *counted]) if hidden or self.rest else ""


@dataclass(frozen=True)
class Chapter:
    """Sections that a reader takes in together."""

    id: str
    title: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Answer:
    question: str
    answer: str


@dataclass(frozen=True)
class HealthItem:
    title: str
    status: Status
    status_label: str
    message: str
    advice: str
    measure: str  # value and limit, or ""
    link: Link


@dataclass(frozen=True)
class GroupNames:
    """All groups, for the search on the page; positions are those of `Panel.group` and `Table.groups`."""

    noun: str  # what a group is: "county"
    labels: tuple[str, ...]  # (J,)
    sizes: tuple[int, ...]  # (J,) rows


@dataclass(frozen=True)
class ReportPage:
    title: str
    asked: str
    answer: str
    status: VerdictStatus
    status_label: str
    headline: str
    reason: str
    recommended: str
    answers: tuple[Answer, ...]
    health_summary: str
    health: tuple[HealthItem, ...]
    run_line: str
    run_link: Link | None
    downloads: tuple[Link, ...]
    hero: Figure | None  # every group's estimate at a glance
    sections: tuple[Section, ...]
    colours: tuple[tuple[str, str], ...]  # model id, CSS colour
    themes: dict[str, Spec]  # "light" and "dark": Plotly templates
    uses_webgl: bool
    groups: GroupNames

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """The sections, those that follow one another in the same chapter together."""
        grouped = groupby(self.sections, lambda section: section.chapter or section.title)
        return tuple(_chapter(title, tuple(sections)) for title, sections in grouped)


def _chapter(title: str, sections: tuple[Section, ...]) -> Chapter:
    """Its id is of letters of its title; that of its only section if that is all there is."""
    if len(sections) == 1 and sections[0].title == title:
        return Chapter(f"{sections[0].id}-chapter", title, sections)
    return Chapter("-".join(re.findall("[a-z]+", title.lower())) + "-chapter", title, sections)
