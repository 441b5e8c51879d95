"""The first figure without a script shows what the interactive one does, at the same places."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tasks.look.render import render_report
from tasks.view.context import Context
from tasks.view.figures.glance import APART, MOST_WHISKERS, Glance
from tasks.view.figures.still import WHOLE, Still, still, ticks_between
from tasks.view.figures.style import NEUTRAL
from tasks.view.hero import hero
from tasks.view.page import build_page
from tasks.view.records import Figure
from tests.factories import hostile_case, intercept_only_case, many_groups_case, regular_case, singular_case

CASES = {
    "rows": lambda: singular_case().context,
    "flat": lambda: intercept_only_case().context,
    "regular": lambda: regular_case().context,
    "hostile": lambda: hostile_case().context,
    "side by side": lambda: many_groups_case(120).context,
    "thinned": lambda: many_groups_case(2_000).context,
}


def made(context: Context) -> tuple[Figure, Still]:
    figure = hero(context)
    assert figure is not None
    assert figure.still is not None
    return figure, figure.still


def drawn_by_plotly(figure: Figure, trace: dict) -> list[tuple[float, float]]:
    """The trace's points as parts of WHOLE from the left and the top."""
    ranges = [figure.spec["layout"][axis]["range"] for axis in ("xaxis", "yaxis")]
    known = [(x, y) for x, y in zip(trace["x"], trace["y"], strict=True) if x is not None and y is not None]
    shares = [[(value - low) / (high - low) for value, (low, high) in zip(one, ranges, strict=True)] for one in known]
    return [(WHOLE * x, WHOLE * (1 - y)) for x, y in shares]


@pytest.mark.parametrize("name", CASES)
def test_both_drawings_have_the_same_points_intervals_and_colours(name: str) -> None:
    figure, picture = made(CASES[name]())
    traces = [trace for trace in figure.spec["data"] if trace["x"] != [None]]
    assert len(picture.marks) in (1, 2)
    for marks in picture.marks:
        drawn = [trace for trace in traces if trace.get("marker", {}).get("color") == marks.color]
        np.testing.assert_allclose(marks.points, drawn_by_plotly(figure, drawn[0]), atol=3)
        whiskers = [t for t in traces if t["mode"] == "lines" and t["line"].get("color") == marks.color]
        assert bool(marks.whiskers) == bool(whiskers)
        for trace in whiskers:
            np.testing.assert_allclose(np.reshape(marks.whiskers, (-1, 2)), drawn_by_plotly(figure, trace), atol=3)
    ribbons = [trace for trace in traces if trace.get("fill")]
    assert bool(picture.ribbon) == bool(ribbons)
    for trace in ribbons:
        np.testing.assert_allclose(picture.ribbon, drawn_by_plotly(figure, trace), atol=3)


@pytest.mark.parametrize("name", CASES)
def test_the_mean_stands_where_plotly_draws_it(name: str) -> None:
    figure, picture = made(CASES[name]())
    (line,) = figure.spec["layout"]["shapes"]
    across = "xref" not in line
    low, high = figure.spec["layout"]["xaxis" if across else "yaxis"]["range"]
    share = WHOLE * (line["x0" if across else "y0"] - low) / (high - low)
    assert picture.mean is not None
    assert picture.mean[0 if across else 1] == pytest.approx(share if across else WHOLE - share, abs=1)


@pytest.mark.parametrize("name", CASES)
def test_names_and_numbers_beside_it_are_of_the_same_axis(name: str) -> None:
    figure, picture = made(CASES[name]())
    layout = figure.spec["layout"]
    for ticks, axis, is_upward in ((picture.left, layout["yaxis"], True), (picture.below, layout["xaxis"], False)):
        places = axis.get("tickvals") or [float(tick.label.replace(",", "").replace("−", "-")) for tick in ticks]
        low, high = axis["range"]
        shares = [100 * (place - low) / (high - low) for place in places]
        assert [tick.at for tick in ticks] == pytest.approx(
            [100 - one for one in shares] if is_upward else shares, abs=0.02
        )
        assert len(ticks) >= 2 or axis.get("tickvals")


def test_where_groups_are_compared_with_nothing_there_is_no_mean_and_no_legend() -> None:
    case = singular_case()
    _, picture = made(replace(case, findings=replace(case.findings, recommended=None)).context)
    assert picture.mean is None
    assert picture.n_keys == 1
    assert picture.marks[0].label != APART


def test_long_numbers_keep_apart() -> None:
    """The same groups in millions have fewer ticks."""
    value = np.array([1.0, 2.0, 4.2, 6.4])
    apart = np.zeros(4, dtype=bool)
    of_units, of_millions = (
        still(Glance(("a", "b", "c", "d"), np.arange(4), np.ones(4, int), x, x, x, apart, None, NEUTRAL, "income"))
        for x in (value, 1_234_567 * value)
    )
    assert [tick.label for tick in of_units.below] == ["1", "2", "3", "4", "5", "6"]
    assert [tick.label for tick in of_millions.below] == ["2,000,000", "4,000,000", "6,000,000", "8,000,000"]


def test_labels_are_cut_and_escaped() -> None:
    page = build_page(hostile_case().context)
    assert page.hero is not None
    assert page.hero.still is not None
    assert max(len(tick.label) for tick in page.hero.still.left) <= 24, "and two marks around one from right to left"
    picture = _picture(render_report(page, "plotly.js"))
    assert "&lt;script" in picture
    tags = set(re.findall(r"<(\w+)", picture))
    assert tags <= {"div", "ul", "li", "i", "span", "p", "svg", "path", "g", "polygon"}
    assert not re.search(r"\son\w+=", picture)


@pytest.mark.parametrize(("n_groups", "most_bytes"), [(MOST_WHISKERS, 20_000), (2_000, 60_000)])
def test_it_is_small(n_groups: int, most_bytes: int) -> None:
    page = build_page(many_groups_case(n_groups).context)
    assert len(_picture(render_report(page, "plotly.js")).encode()) <= most_bytes


def _picture(html: str) -> str:
    found = re.search(r'<div class="still".*?</p>\n</div>', html, re.DOTALL)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (181.9, 225.1, [190, 200, 210, 220]),
        (-0.02, 0.013, [-0.02, -0.015, -0.01, -0.005, 0, 0.005, 0.01]),
        (0, 10_000, [0, 2_000, 4_000, 6_000, 8_000, 10_000]),
        (1e9, 1.4e9, [1e9, 1.1e9, 1.2e9, 1.3e9, 1.4e9]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks_between(low, high, 6.7) == pytest.approx(expected, abs=1e-12)
