"""Labels in the order a reader expects."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.disk.natural_order import natural_key


def test_numbers_by_size_then_text_with_its_numbers_by_size() -> None:
    expected = ["-3", "2", "2.5", "10", "Bed 2", "bed 10", "bed 10b", "west", "ötz", "😀"]
    assert (
        sorted(["bed 10b", "😀", "10", "west", "Bed 2", "2.5", "ötz", "bed 10", "-3", "2"], key=natural_key) == expected
    )


@given(st.lists(st.text(), unique=True).flatmap(lambda labels: st.tuples(st.just(labels), st.permutations(labels))))
def test_any_labels_have_one_order(labels: tuple[list[str], list[str]]) -> None:
    one, other = labels
    assert sorted(one, key=natural_key) == sorted(other, key=natural_key)


@given(st.lists(st.integers(-(10**15), 10**15), unique=True))
def test_whole_numbers_keep_their_order(numbers: list[int]) -> None:
    assert sorted(map(str, numbers), key=natural_key) == [str(number) for number in sorted(numbers)]
