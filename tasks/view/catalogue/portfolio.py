"""The page of a portfolio: what needs a look first, every verdict as a tile, key estimates side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.stats.judged.chances import CHANCES, most_by_chance
from tasks.stats.records import VerdictStatus
from tasks.view.catalogue.trends import KeyEstimate
from tasks.view.words import numbers
from tasks.view.words.numbers import be, plural
from tasks.view.words.verdict_labels import LABELS, quoted

MOST_FIRST = 25
WORST: dict[VerdictStatus | None, int] = {None: 0, "none": 1, "use": 2, "trust": 3}
WIDTH, ROW = 560.0, 16.0


@dataclass(frozen=True)
class MemberEntry:
    """One study of the portfolio, as it ended. `href` leads to its report, relative to the page; empty without one."""

    label: str
    how: str
    reason: str
    status: VerdictStatus | None
    headline: str
    href: str
    open_kinds: tuple[str, ...] = ()  # of its checks that ask for a look
    kinds: tuple[str, ...] = ()  # of all its checks
    estimates: tuple[KeyEstimate, ...] = ()

    @property
    def verdict(self) -> str:
        return LABELS[self.status] if self.status else self.how

    @property
    def tile(self) -> str:
        return self.status or "gone"

    @property
    def said(self) -> str:
        return self.headline or self.reason

    def key_estimate(self, kind: str, term: str) -> KeyEstimate | None:
        found = (each for each in self.estimates if (each.kind, each.term) == (kind, term))
        return next((each for each in found if None not in (each.value, each.lower, each.upper)), None)


@dataclass(frozen=True)
class Bar:
    """An estimate with its interval, in the picture's units."""

    label: str
    href: str
    now: str
    left: float
    width: float
    dot: float
    y: float


@dataclass(frozen=True)
class SideBySide:
    label: str
    bars: tuple[Bar, ...]
    zero: float | None
    low: str
    high: str

    @property
    def height(self) -> float:
        return ROW * len(self.bars)


@dataclass(frozen=True)
class PortfolioPage:
    title: str
    made_at: str
    members: tuple[MemberEntry, ...]  # by label
    first: tuple[MemberEntry, ...]
    n_look: int
    counts: str
    chance: str
    pictures: tuple[SideBySide, ...]


def portfolio_page(title: str, made_at: str, members: Sequence[MemberEntry]) -> PortfolioPage:
    look = sorted((each for each in members if needs_a_look(each)), key=_urgency)
    return PortfolioPage(
        title=title,
        made_at=made_at,
        members=tuple(members),
        first=tuple(look[:MOST_FIRST]),
        n_look=len(look),
        counts=_counts(members),
        chance=chance_words(members),
        pictures=tuple(_pictures(members)),
    )


def needs_a_look(member: MemberEntry) -> bool:
    return member.status is None or member.status == "none" or bool(member.open_kinds)


def _urgency(member: MemberEntry) -> tuple[int, int, str]:
    return WORST[member.status], -len(member.open_kinds), member.label


def chance_words(members: Sequence[MemberEntry]) -> str:
    """How many open findings there are, and how many chance alone would make. Empty for a single study."""
    told = [member for member in members if member.status]
    if len(told) < 2:
        return ""
    tests = [kind for member in told for kind in member.kinds if kind in CHANCES]
    n_open = sum(kind in CHANCES for member in told for kind in member.open_kinds)
    n_others = sum(len(member.open_kinds) for member in told) - n_open
    expected = most_by_chance(tests)
    about = f"{expected:.0f}" if expected >= 1.5 else "1" if expected >= 0.5 else "none"
    sentence = (
        f"{plural(n_open, 'finding')} of checks that are tests {be(n_open)} open in {len(told):,} studies. Chance "
        f"alone would make at most about {about}, had nothing been wrong in any of them ({len(tests):,} tests at 1 %)."
    )
    more = f" {plural(n_others, 'finding')} of other checks {be(n_others)} open, too." if n_others else ""
    advice = " Take one such finding alone as a hint; look first where several come together." if n_open else ""
    return sentence + more + advice


def _counts(members: Sequence[MemberEntry]) -> str:
    """As in: 3 “Can be trusted”, 1 “Use another model”, 2 without a report."""
    statuses = Counter(member.status for member in members)
    told = [f"{statuses[status]:,} {quoted(status)}" for status in LABELS if statuses[status]]
    return ", ".join([*told, *([f"{statuses[None]:,} without a report"] if statuses[None] else [])])


def _pictures(members: Sequence[MemberEntry]) -> list[SideBySide]:
    """The level and each slope, where at least two studies have them."""
    known = {(each.kind, each.term): each for member in members for each in member.estimates}
    asked = [key for key in known if key[0] in ("level", "slope")]
    pictures = []
    for kind, term in sorted(asked, key=lambda key: (key[0] != "slope", key[1])):
        found = [(member, each) for member in members if (each := member.key_estimate(kind, term))]
        if len(found) > 1:
            pictures.append(_side_by_side(kind, term, found))
    return pictures


def _side_by_side(kind: str, term: str, found: Sequence[tuple[MemberEntry, KeyEstimate]]) -> SideBySide:
    ordered = sorted(found, key=lambda pair: (-float(pair[1].value or 0.0), pair[0].label))
    low = min(float(each.lower or 0.0) for _, each in ordered)
    high = max(float(each.upper or 0.0) for _, each in ordered)
    span = (high - low) or 1.0

    def at(value: float | None) -> float:
        return round(WIDTH * (float(value or 0.0) - low) / span, 1)

    bars = [
        Bar(
            member.label,
            member.href,
            f"{member.label}: {_number(each.value)} ({_number(each.lower)} to {_number(each.upper)})",
            at(each.lower),
            round(max(at(each.upper) - at(each.lower), 1.0), 1),
            at(each.value),
            ROW * place + ROW / 2,
        )
        for place, (member, each) in enumerate(ordered)
    ]
    what = "Level of the average group" if kind == "level" else f"Effect of {term}"
    unit = ordered[0][1].unit
    label = f"{what}{f' ({unit})' if unit else ''}"
    return SideBySide(label, tuple(bars), at(0.0) if low <= 0.0 <= high else None, _number(low), _number(high))


def _number(value: float | None) -> str:
    return "–" if value is None else numbers.significant(value)
