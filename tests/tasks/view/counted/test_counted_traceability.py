"""Every number in the tables, findings, health card and first screen of a counted outcome is in its summary."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tasks.look.render import render_report
from tasks.view.page import build_page
from tests.counted_reports import CASES
from tests.counted_tracing import CountedSources
from tests.page_numbers import Shown, shown_numbers

# Priors and the sampler's settings follow from the study file; the ways on have widths on the page only.
ELSEWHERE = {"methods", "sampler", "remedies"}
LIMITS = (0.001, 0.975, 97.0)  # of p, and of a probability that counts as clear
NAMES = ["shares", "zero_one", "counts", "hospitals", "singular_counts"]


def numbers_of(name: str) -> tuple[list[Shown], CountedSources]:
    context = CASES[name]().context
    sources = CountedSources(context)
    shown = shown_numbers(render_report(build_page(context), "plotly.js"), sources.labels, sources.quoted)
    return [one for one in shown if one.section not in ELSEWHERE and one.value not in LIMITS], sources


@pytest.mark.parametrize("name", NAMES)
def test_every_number_is_in_the_summary(name: str) -> None:
    shown, sources = numbers_of(name)
    assert len(shown) > 400
    assert {"verdict", "health", "data", "groups", "models", "variance", "ranks"} <= {one.section for one in shown}
    told = [f"{one.value:g} in {one.section} {one.row}: {' '.join(one.words.split())[:120]}" for one in shown]
    assert [words for words, one in zip(told, shown, strict=True) if not sources.has(one)] == []


@pytest.mark.parametrize("name", ["shares", "hospitals"])
def test_numbers_with_a_wrong_digit_are_found_out(name: str) -> None:
    """Of those with three digits and more; shorter ones are too often another number of the same subject."""
    (shown, sources), chance = numbers_of(name), random.Random(1)
    long = [one for one in shown if abs(round(one.value / one.unit)) >= 100]
    altered = [_with_another_digit(one, chance) for one in chance.sample(long, 100)]
    assert sum(not sources.has(one) for one in altered) >= 0.7 * len(altered)


def _with_another_digit(shown: Shown, chance: random.Random) -> Shown:
    whole = str(abs(round(shown.value / shown.unit)))
    place = chance.randrange(len(whole))
    other = chance.choice([digit for digit in "0123456789" if digit != whole[place]])
    sign = -1 if shown.value < 0 else 1
    return replace(shown, value=sign * int(whole[:place] + other + whole[place + 1 :]) * shown.unit)
