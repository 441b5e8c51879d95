"""The report as a tree of frozen records. Templates loop over it and print; they never compute.

A section is a title, a sentence that states its finding, and any sequence of blocks. A new kind of
block needs a record here and a template of its `kind` in `templates/blocks/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from tasks.stats.records import Status
from tasks.view.figures.style import Spec

LONG_TABLE_ROWS = 30


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


@dataclass(frozen=True)
class Cell:
    """`detail` stands smaller below `text`: an interval, a reason."""

    text: str
    detail: str = ""
    status: Status | None = None


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


@dataclass(frozen=True)
class Figure:
    """`alternative` says in words what the picture shows; `height` is in CSS pixels."""

    id: str
    caption: str
    alternative: str
    spec: Spec
    height: int = 420
    stages: tuple[str, ...] = ()  # names of the frames of an animation, in order
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Panel:
    id: str
    title: str
    detail: str
    alternative: str
    spec: Spec
    group: int | None = None  # position of the group that the panel is of
    kind: ClassVar[str] = "panel"


@dataclass(frozen=True)
class Panels:
    """Small multiples: one picture per panel, all on the same axes."""

    id: str
    caption: str
    panels: tuple[Panel, ...]
    models: tuple[tuple[str, str], ...] = ()
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
    kind: ClassVar[str] = "fold"


Block: TypeAlias = "Paragraph | Legend | Table | Figure | Panels | Definitions | Equations | Code | Fold"


@dataclass(frozen=True)
class Section:
    """`finding` is the opening sentence, written from the numbers."""

    id: str
    title: str
    finding: str
    blocks: tuple[Block, ...]


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
class ReportPage:
    title: str
    asked: str
    answer: str
    status: Status
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
    sections: tuple[Section, ...]
    colours: tuple[tuple[str, str], ...]  # model id, CSS colour
    themes: dict[str, Spec]  # "light" and "dark": Plotly templates
    uses_webgl: bool
