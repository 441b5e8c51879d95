import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.view.catalogue.sparkline import HEIGHT, WIDTH, sparkline

NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
RUNS = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, st.booleans()), max_size=25)


def points(path):
    return [tuple(map(float, pair)) for pair in re.findall(r"(-?[\d.e+-]+) (-?[\d.e+-]+)", path)]


@given(RUNS)
def test_all_marks_lie_in_the_picture(runs):
    mean, lower, upper, marked = ([run[part] for run in runs] for part in range(4))
    drawn = sparkline(mean, lower, upper, marked)
    paths = [*points(drawn.band), *points(drawn.whiskers), *points(drawn.line)]
    for x, y in (*paths, *drawn.dots, *drawn.crosses):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert len(drawn.crosses) == len({at for at, run in enumerate(runs) if run[0] is not None and run[3]})


def test_larger_values_lie_higher_and_later_runs_to_the_right():
    drawn = points(sparkline([1, 3, 2], [0, 2, 1], [2, 4, 3], [False] * 3).line)
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert drawn[1][1] < drawn[2][1] < drawn[0][1]


def test_zero_is_drawn_where_it_lies_within():
    assert sparkline([1, 1], [-1, -1], [3, 3], [False] * 2).zero == pytest.approx(HEIGHT * 0.7)
    assert sparkline([2, 2], [1, 1], [3, 3], [False] * 2).zero is None


def test_single_run_is_a_dot_with_whiskers():
    drawn = sparkline([1], [0], [2], [False])
    assert (drawn.line, drawn.band, len(drawn.dots)) == ("", "", 1)
    assert len(points(drawn.whiskers)) == 2


def test_nothing_known_nothing_drawn():
    drawn = sparkline([None, None], [None, None], [None, None], [True, True])
    assert (drawn.line, drawn.band, drawn.whiskers, drawn.dots, drawn.crosses, drawn.zero) == ("", "", "", (), (), None)


def test_newest_run_has_the_dot_and_gaps_part_the_line():
    drawn = sparkline([1, 2, None, 3, 4], [None] * 5, [None] * 5, [False] * 5)
    assert drawn.line.count("M") == 2
    assert [x for x, _ in drawn.dots] == [WIDTH - 4]
