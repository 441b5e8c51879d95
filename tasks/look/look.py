"""A study's own look of its report: a folder whose files replace Poolwise's.

    look/verdict.html.j2, look/blocks/….html.j2    templates, by the names of those in `templates/`
    look/_anything.html.j2                         parts that these include
    look/report.css                                the style sheet, whole
    look/colours.toml                              colours alone (see `tasks.look.colours`)
    look/extra.css                                 added after all other styles

Everything is read and checked before a run begins, and the run uses what was read then. Templates cannot reach into
Python, and a report's Content-Security-Policy lets no script run but Poolwise's.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.disk.user_text import text_of
from tasks.look.colours import LookColours, page_defaults, read_colours
from tasks.study.errors import StudyError

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
STYLE, COLOURS, EXTRA = "report.css", "colours.toml", "extra.css"
MOST_BYTES = 1_000_000
NOT_A_REPORTS = ("catalogue", "reading_list", "notice")


@dataclass(frozen=True)
class Look:
    """A look as it was read; the run uses these texts. `folder` is for messages only."""

    folder: Path
    texts: Mapping[str, str]  # content by file name within the folder: templates, styles, colours
    colours: LookColours

    @property
    def templates(self) -> dict[str, str]:
        return {name: text for name, text in self.texts.items() if name.endswith(".j2")}

    @property
    def style(self) -> str:
        """The styles to add after the style sheet."""
        return f"{self.colours.css}{self.texts.get(EXTRA, '')}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(dict(sorted(self.texts.items()))).encode()).hexdigest()

    def place(self, name: str) -> Path:
        return self.folder / name


def read_look(folder: Path) -> Look:
    """The look in this folder, checked; templates are not compiled yet. Raises StudyError."""
    if not folder.is_dir():
        raise StudyError(
            f"The study’s look should be in {folder}, but there is no such folder. "
            "Make it, or leave out look in [report]."
        )
    texts = {file.relative_to(folder).as_posix(): text_of(file) for file in sorted(_files(folder))}
    if not texts:
        raise StudyError(
            f"The look in {folder} is empty. Put {COLOURS}, {EXTRA} or templates there, or leave out look in [report]."
        )
    size = sum(len(text.encode()) for text in texts.values())
    if size > MOST_BYTES:
        raise StudyError(
            f"The look in {folder} has {size:,} bytes, but every report carries it: it may have {MOST_BYTES:,}. "
            "Take out what is embedded, such as pictures and fonts."
        )
    for name, text in texts.items():
        _check(folder / name, name, text)
    defaults = page_defaults((TEMPLATES / STYLE).read_text("utf-8"))
    return Look(folder, texts, read_colours(texts.get(COLOURS, ""), str(folder / COLOURS), defaults))


def _files(folder: Path) -> list[Path]:
    """The files that can be part of a look: templates, styles and colours, hidden ones left out."""
    named = (
        path for path in folder.rglob("*") if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    return [path for path in named if path.is_file() and path.suffix in (".j2", ".css", ".toml")]


def _check(file: Path, name: str, text: str) -> None:
    """Raises StudyError for a file that replaces nothing, and for styles that would end the style sheet."""
    if name not in (known := _known_names()) and not file.name.startswith("_"):
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        raise StudyError(
            f"{file} takes the place of nothing: no file of a report is called {name}. "
            f"{f'Did you mean {close[0]}? ' if close else ''}"
            "Parts of your own begin with an underscore, as in _footer.html.j2."
        )
    if file.suffix == ".css" and ("</style" in text.lower() or "<!--" in text):
        raise StudyError(f"{file} holds </style or <!--, which would end the page’s style sheet. Take it out.")


def _known_names() -> list[str]:
    """The names that files of a look may have."""
    ours = [path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.j2")]
    return [*(name for name in ours if not name.startswith(NOT_A_REPORTS)), STYLE, COLOURS, EXTRA]
