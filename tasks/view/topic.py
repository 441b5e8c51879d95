"""What a topic of the report is made of: everything that is said about one subject, in one module of `topics`.

Statistics judge without words (`tasks.stats.judgement`). A topic gives each kind of judgement its title and measure,
and each of its cases a sentence, an advice and a next step; it opens a section and fills it. `topics.TOPICS` is the
only list of topics: checks, sections, links and the reader's next steps are derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from tasks.stats.judgement import Judgement, Status
from tasks.view.records import Block, Fold, Paragraph
from tasks.view.report_context import ReportContext
from tasks.view.row_context import RowContext

# The context that words are made from: a whole run, or only the rows before any fit.
From = TypeVar("From", bound=RowContext, contravariant=True)
Report = TypeVar("Report", bound=ReportContext)
Words: TypeAlias = "str | Callable[[From, Judgement], str]"


@dataclass(frozen=True)
class Case(Generic[From]):
    """What is said if a judgement has this case."""

    message: Words[From]  # what was found: a sentence or two
    advice: Words[From] = ""  # what to do about it, on the health card and in the summary
    step: Words[From] = ""  # the same for the first screen, in plain words; default: the advice
    reason: Words[From] = ""  # clause for a judgement `against` a recommendation: why it is ruled out


@dataclass(frozen=True)
class CheckSpec(Generic[From]):
    """The words of one kind of judgement.

    `measure` shows value and limit: a format of `value`, `limit`, and of both in per cent, `share` and `limit_share`.
    It is empty if the numbers add nothing to the message.
    """

    kind: str
    title: str
    cases: Mapping[str, Case[From]]
    measure: str = ""


@dataclass(frozen=True)
class Entry(Generic[From]):
    """A key of `summary.json`: the type of its value, what it is, and how it is filled; None becomes null."""

    key: str
    type: Any
    description: str
    of: Callable[[From], Any]


@dataclass(frozen=True)
class Topic(Generic[From]):
    """One subject of the report, and its section.

    `summary` are the keys that the topic adds to `summary.json`; `sources` are the keys, its own
    and others', from which the section's numbers come. `guide` says how to read its figures.
    """

    id: str
    title: str
    finding: Callable[[From], str]  # the section's opening sentences; the first says the most
    blocks: Callable[[From], Iterable[Block]]
    sources: tuple[str, ...]
    guide: tuple[str, ...] = ()
    checks: tuple[CheckSpec[From], ...] = ()
    summary: tuple[Entry[From], ...] = ()
    is_shown: Callable[[From], bool] = lambda context: True
    n_open: Callable[[From], int] | None = None  # blocks that stand open; all up to the first picture if None


HOW_TO_READ = "How to read this"
SEVERITY: dict[Status, int] = {"pass": 0, "review": 1, "fail": 2}


def how_to_read(*guide: str) -> Fold:
    return Fold(HOW_TO_READ, tuple(map(Paragraph, guide)), is_guide=True)


def worded(words: Words[From], context: From, judged: Judgement) -> str:
    return words if isinstance(words, str) else words(context, judged)


def messages(context: Report, specs: Iterable[CheckSpec[Report]]) -> str:
    """What these kinds of checks found, one sentence after the other."""
    return " ".join(message for _, message in _messages(context, specs))


def worst_first(
    context: Report,
    specs: Iterable[CheckSpec[Report]],
    is_told: Callable[[Judgement], bool] = lambda judged: True,
) -> str:
    """The same, what did not pass before what did; of the judgements that are to be told."""
    told = [one for one in _messages(context, specs) if is_told(one[0])]
    found = sorted(told, key=lambda one: SEVERITY[one[0].status], reverse=True)
    return " ".join(message for _, message in found)


def is_asking(context: Report, specs: Iterable[CheckSpec[Report]]) -> bool:
    """Whether one of these kinds of checks did not pass."""
    return any(judged.status != "pass" for judged, _ in _messages(context, specs))


def _messages(context: Report, specs: Iterable[CheckSpec[Report]]) -> Iterator[tuple[Judgement, str]]:
    kinds = {spec.kind: spec for spec in specs}
    for judged in context.findings.judgements:
        if judged.kind in kinds:
            yield judged, worded(kinds[judged.kind].cases[judged.case].message, context, judged)
