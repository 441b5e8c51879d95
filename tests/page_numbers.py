"""The numbers that a report shows in its first screen, health card, findings and tables, each with its place."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import numpy as np

NUMBER = re.compile(
    r"(?P<bound>[<>]\s)?(?<![\w.,])(?P<sign>(?<!\w)[−+-]?)(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?P<fraction>\.\d+)?"
    r"(?:\u202f×\u202f10(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?![\w…])(?P<percent>\u202f?%)?"
)
POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
VOID = {"meta", "link", "input", "br", "hr", "img", "mspace", "option"}
# What is no number of the run: a level of confidence that the page always uses, a name.
CONSTANTS = re.compile(r"\b95\u202f?\u2009? ?%|SHA-256|PIT-ECDF|R²|\b0 and 1\b")


@dataclass(frozen=True)
class Shown:
    """A number on the page: half a unit of its last place either way is its rounding."""

    value: float
    unit: float  # of the last place
    is_percent: bool
    words: str  # in which it stands
    bound: str  # "<" or ">" before it
    section: str
    row: str = ""  # its table row's header
    model: str = ""  # of its column
    is_sentence: bool = False
    evidence: str = ""  # the section that a check on the health card points to

    def is_near(self, candidates: np.ndarray) -> bool:
        if self.bound == "<":
            return bool(((candidates >= 0) & (candidates < self.value)).any())
        if self.bound == ">":
            return bool(((candidates > self.value) & (candidates <= 1)).any())
        rounded = np.abs(candidates - self.value) <= 0.5 * self.unit * (1 + 1e-6)
        return bool(rounded.any())


def numbers_in(text: str, words: str, **place: Any) -> Iterator[Shown]:
    """`words` is the same text with what was taken out of it."""
    blanked = CONSTANTS.sub(lambda found: " " * len(found.group()), text)
    for found in NUMBER.finditer(blanked):
        fraction, power = found["fraction"] or "", int((found["power"] or "0").translate(POWERS))
        percent = found["percent"] is not None
        scale = 10.0**power / (100 if percent else 1)
        value = float(found["digits"].replace(",", "") + fraction) * scale * (-1 if found["sign"] in ("−", "-") else 1)
        unit = 10.0 ** (-len(fraction[1:]) if fraction else _trailing_zeros(found["digits"])) * scale
        yield Shown(value, unit, percent, words, (found["bound"] or "").strip(), **place)


def _trailing_zeros(digits: str) -> int:
    """How many places may be rounded away: 760 may be to tens, 600 to hundreds, but one digit counts."""
    plain = digits.replace(",", "")
    return max(min(len(plain) - len(plain.rstrip("0")), len(plain) - 1), 0)


class PageText(HTMLParser):
    """The texts of the first screen, the health card, the findings and the tables, as a reader sees them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[tuple[str, dict[str, Any]]] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self._models: list[str] = []
        self._row = ""
        self._column = -1
        self._item = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "table":
            self._models = []
        if tag == "tr":
            self._row, self._column = "", -1
        if tag in ("td", "th"):
            self._column += 1
            if self._is_in("thead"):
                self._models.append("")
        if tag == "a" and self._section() == "health" and given.get("href", "").startswith("#"):
            for _, place in self.texts[self._item :]:
                place["evidence"] = given["href"][1:]
        if tag == "li" and self._section() == "health":
            self._item = len(self.texts)
        if "swatch" in given.get("class", "") and self._is_in("thead"):
            self._models[-1] = given["class"].split()[-1]
        if tag not in VOID:
            self._open.append((tag, given))
            if self._begins_text(tag, given):
                self.texts.append(("", self._place(tag)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._is_in("tbody") and self._is_in("th"):
            self._row += data.strip()
        if self._is_in("script") or self._is_in("style") or not self.texts or not self._is_read():
            return
        words, place = self.texts[-1]
        self.texts[-1] = (words + data, place)

    def _is_in(self, tag: str) -> bool:
        return any(name == tag for name, _ in self._open)

    def _has_class(self, name: str) -> bool:
        return any(name in given.get("class", "").split() for _, given in self._open)

    def _section(self) -> str:
        """The part of a chapter; before the chapters, the section."""
        places = [given["id"] for tag, given in self._open if "id" in given and (tag == "section" or _is_part(given))]
        return places[-1] if places else ""

    def _begins_text(self, tag: str, given: dict[str, str]) -> bool:
        is_lead = given.get("class") == "part-lead"
        return (tag in ("p", "dd", "td", "th", "li") or is_lead) and self._is_read()

    def _is_read(self) -> bool:
        """Row headers are names; study files and methods are quoted, not found out; pictures' words are not read."""
        if (
            self._is_in("thead")
            or self._is_in("pre")
            or self._is_in("th")
            or (self._is_in("figure") and not self._is_in("table"))
        ):
            return False
        return (
            self._is_in("td")
            or any(map(self._has_class, ("finding", "rest", "part-lead")))
            or self._section() in ("verdict", "health")
        )

    def _place(self, tag: str) -> dict[str, Any]:
        if tag != "td":
            return {"section": self._section(), "is_sentence": True}
        model = self._models[self._column] if self._column < len(self._models) else ""
        return {"section": self._section(), "row": self._row, "model": model.replace("_", "-")}


def shown_numbers(html: str, labels: Iterable[str], quoted: Container[str] = ()) -> list[Shown]:
    """Every number in these texts but those that are `quoted`; in sentences, groups' names are taken out first."""
    names = [re.escape(label) for label in labels if any(letter.isdigit() for letter in label)]
    named = re.compile(rf"\b({'|'.join(names)})\b(?!\u202f)") if names else None
    found = []
    for words, place in PageText(html).texts:
        kept = named.sub(lambda name: "x" * len(name.group()), words) if named and place.get("is_sentence") else words
        found.extend(numbers_in(kept, words, **place))
    return [shown for shown in found if shown.words.strip() not in quoted]


def _is_part(given: Mapping[str, str]) -> bool:
    return "part" in given.get("class", "").split()
