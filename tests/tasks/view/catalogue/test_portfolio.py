"""What a portfolio's page says first, and how much of it chance would make."""

from __future__ import annotations

import pytest

from tasks.stats.judged.chances import CHANCES, most_by_chance
from tasks.view.catalogue.portfolio import MemberEntry, chance_words, portfolio_page
from tasks.view.catalogue.trends import KeyEstimate

TESTS = ("context", "curve", "serial")


def entry(label: str, status: str | None = "trust", open_kinds: tuple[str, ...] = (), **more: object) -> MemberEntry:
    how = "published" if status else "data rejected"
    href = f"{label}/r/report.html" if status else ""
    kinds = (*TESTS, "singularity")
    return MemberEntry(label, how, "" if status else "too few rows", status, "Said.", href, open_kinds, kinds, **more)  # type: ignore[arg-type]


def test_the_worst_come_first() -> None:
    members = [
        entry("fine"),
        entry("hint", "trust", ("curve",)),
        entry("other", "use", ("singularity",)),
        entry("two", "use", ("singularity", "curve")),
        entry("none", "none", ("serial",)),
        entry("gone", None),
    ]
    page = portfolio_page("T", "now", members)
    assert [each.label for each in page.first] == ["gone", "none", "two", "other", "hint"]
    assert page.counts.endswith("1 without a report")


def test_what_chance_makes_is_the_sum_of_the_levels() -> None:
    members = [entry(f"s{at}", open_kinds=("curve",) if at < 7 else ()) for at in range(200)]
    expected = most_by_chance(TESTS) * 200
    assert expected == pytest.approx(200 * sum(CHANCES[kind] for kind in TESTS))
    said = chance_words(members)
    assert "7 findings of checks that are tests are open in 200 studies" in said
    assert f"at most about {expected:.0f}, had nothing been wrong" in said
    assert "(600 tests at 1 %)" in said
    assert {CHANCES[kind] for kind in CHANCES} == {0.01}  # as the sentence says


def test_findings_that_are_no_tests_are_counted_apart() -> None:
    said = chance_words([entry("a", open_kinds=("singularity",)), entry("b")])
    assert said.startswith("0 findings of checks that are tests")
    assert "1 finding of other checks is open, too." in said
    assert chance_words([entry("a")]) == ""


def test_estimates_stand_side_by_side_in_one_scale() -> None:
    def told(value: float) -> tuple[KeyEstimate, ...]:
        return (KeyEstimate("slope", "x", "s", value, value - 1.0, value + 1.0),)

    members = [entry("low", estimates=told(-1.0)), entry("high", estimates=told(3.0)), entry("gone", None)]
    (picture,) = portfolio_page("T", "now", members).pictures
    assert [bar.label for bar in picture.bars] == ["high", "low"]
    high, low = picture.bars
    assert low.left == 0.0
    assert high.left + high.width == pytest.approx(560.0)
    assert picture.zero == pytest.approx(560.0 * 2.0 / 6.0, abs=0.1)
    assert high.dot == pytest.approx(560.0 * 5.0 / 6.0, abs=0.1)
