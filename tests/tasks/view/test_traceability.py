"""Every number in the tables, findings, health card and first screen of a real page is in the run's data."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tasks.view.topics.methods import TOTAL
from tests.page_numbers import Shown, shown_numbers
from tests.shelf import Shelf
from tests.tracing import Sources

BUNDLED = ["bounce_rates", "sleepstudy"]


@cache
def sources_of(folder: Path) -> Sources:
    return Sources(folder)


def page_of(folder: Path) -> str:
    return (folder / "report.html").read_text("utf-8")


def numbers_of(html: str, sources: Sources) -> list[Shown]:
    """All but the time that the run had taken when the page was made."""
    return [one for one in shown_numbers(html, sources.labels, sources.quoted) if one.row != TOTAL]


def told(shown: Shown) -> str:
    return f"{shown.value:g} in {shown.section} {shown.row}: {' '.join(shown.words.split())[:150]}"


@pytest.mark.parametrize("name", BUNDLED)
def test_every_number_is_in_the_data(shelf: Shelf, name: str) -> None:
    sources = sources_of(shelf.run(name))
    shown = numbers_of(page_of(sources.folder), sources)
    assert len(shown) > 500
    assert {"verdict", "health", "data", "groups", "models"} <= {number.section for number in shown}
    assert [told(number) for number in shown if not sources.has(number)] == []


@pytest.mark.parametrize("name", BUNDLED)
def test_numbers_with_a_wrong_digit_are_found_out(shelf: Shelf, name: str) -> None:
    """Of those with three digits and more; shorter ones are too often another number of the same subject."""
    sources, chance = sources_of(shelf.run(name)), random.Random(1)
    shown = [number for number in numbers_of(page_of(sources.folder), sources) if n_digits(number) >= 3]
    altered = [with_another_digit(number, chance) for number in chance.sample(shown, 200)]
    found_out = [number for number in altered if not sources.has(number)]
    assert len(found_out) >= 0.8 * len(altered)


def n_digits(shown: Shown) -> int:
    return len(str(abs(round(shown.value / shown.unit))))


def with_another_digit(shown: Shown, chance: random.Random) -> Shown:
    whole = str(abs(round(shown.value / shown.unit)))
    place = chance.randrange(len(whole))
    other = chance.choice([digit for digit in "0123456789" if digit != whole[place]])
    sign = -1 if shown.value < 0 else 1
    return replace(shown, value=sign * int(whole[:place] + other + whole[place + 1 :]) * shown.unit)


@pytest.mark.parametrize(
    "place",
    [
        r'<p class="answer">[^<]*?by ()(\d+\.\d)',  # how far groups lie apart, on the first screen
        r"average of the groups(?:</\w+>)*, ()(\d+\.\d)",  # the mean, in an answer
        r'id="variance".*?<span class="part-lead">.*?lie ()(\d+\.\d)',
        r' id="groups".*?<td class="number">()(\d{2,}\.\d+)',  # a group's estimate
        r' id="groups".*?<span class="detail">()(\d{2,}\.\d+)',  # the end of its interval
    ],
)
def test_one_wrong_number_on_a_page_is_found_out(shelf: Shelf, place: str) -> None:
    sources = sources_of(shelf.run("bounce_rates"))
    page = page_of(sources.folder)
    found = re.search(place, page, re.DOTALL)
    assert found, place
    start, end = found.span(2)
    decimals = len(page[start:end].partition(".")[2])
    shown = float(page[start:end])
    wrong = [f"{shown * (1 + step / 100) + 1.23:.{decimals}f}" for step in range(-20, 21) if step]
    n_found_out = 0
    for each in wrong:
        forged = page[:start] + each + page[end:]
        missing = [number.value for number in numbers_of(forged, sources) if not sources.has(number)]
        assert missing in ([], [pytest.approx(float(each))])
        n_found_out += bool(missing)
    assert n_found_out >= len(wrong) / 2, "now and then a wrong number is a right one of something else"
