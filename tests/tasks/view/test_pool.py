import json

from hypothesis import given
from hypothesis import strategies as st

from tasks.view.figures.pool import SHORT, Pool
from tests.pooled import unpooled

LABELS = [f"group {number}" for number in range(40)]
TEXTS = st.sampled_from([*LABELS[:5], "1.0 to 2.0", "−3 to 4", "a to b to c", "", "–"])
NUMBERS = st.one_of(st.none(), st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False))
LISTS = st.one_of(
    st.lists(TEXTS, max_size=60),
    st.lists(NUMBERS, max_size=60),
    st.lists(st.tuples(NUMBERS, TEXTS).map(list), max_size=60),
    st.lists(st.lists(NUMBERS, max_size=20), max_size=30),
)


def stored(pool):
    return json.loads(pool.json_text())


@given(st.dictionaries(st.text(max_size=3), LISTS, max_size=5))
def test_nothing_is_lost(spec):
    pool = Pool(LABELS)
    assert unpooled(pool.refer(spec), stored(pool)) == spec


def test_equal_lists_stand_once_whatever_they_belong_to():
    pool, x = Pool(), list(range(100))
    first = pool.refer({"data": [{"x": x, "meta": {"groups": x}}]})
    assert pool.refer({"other": tuple(x)})["other"] == first["data"][0]["x"] == first["data"][0]["meta"]["groups"]
    assert stored(pool) == [x]


def test_whole_numbers_and_others_differ():
    pool = Pool()
    assert pool.refer([1] * 20) != pool.refer([1.0] * 20)


def test_short_lists_stay_where_they_are():
    short = [[0.5] * SHORT, ["a"], {"range": [0, 1]}]
    pool = Pool(LABELS[:3])
    assert pool.refer(short) == short
    assert stored(pool) == []


def test_labels_in_another_order_cost_no_more_than_the_positions_that_stand_there_anyway():
    pool, groups = Pool(LABELS), list(range(39, -1, -1))
    trace = pool.refer({"text": [LABELS[group] for group in groups], "meta": {"groups": groups}})
    assert pool.json_text().count("group 7") == 1
    assert len(stored(pool)) == 3
    assert stored(pool)[trace["text"]["pooled"]]["at"] == trace["meta"]["groups"]


def test_rows_share_their_columns_with_other_lists():
    pool, n = Pool(), list(range(50))
    pool.refer({"x": n, "customdata": [[size, size / 2] for size in n]})
    assert len(stored(pool)) == 3
    assert pool.json_text().count("48,49]") == 1


def test_labels_that_are_not_different_are_no_key():
    pool = Pool(["same"] * 30)
    assert unpooled(pool.refer(["same"] * 30), stored(pool)) == ["same"] * 30
