import math

import pytest

from tasks.view.words import numbers


@pytest.mark.parametrize(
    ("value", "se", "shown"),
    [
        (199.7134, 4.93, "199.7"),
        (0.07234, 0.0424, "0.072"),
        (1526.83, 18.2, "1,527"),
        (123_456.0, 1530.0, "123,500"),
        (-3.14159, 0.096, "−3.142"),
        (2.0, 0.0996, "2.00"),  # 0.0996 rounds to 0.10: its second digit stands in the second place
        (-0.001, 0.5, "0.00"),
    ],
)
def test_an_estimate_is_rounded_to_two_digits_of_its_standard_error(value, se, shown):
    assert numbers.estimate(value, se) == shown


def test_tiny_and_huge_numbers_keep_their_digits():
    assert numbers.estimate(1.234e-9, 2.1e-11).replace(numbers.THIN_SPACE, " ") == "1.234 × 10⁻⁹"
    assert numbers.estimate(1.234e12, 2.1e10).replace(numbers.THIN_SPACE, " ") == "1.234 × 10¹²"


def test_what_is_missing_is_a_dash_and_gets_no_unit():
    assert numbers.fixed(math.nan, 2) == numbers.MISSING
    assert numbers.interval(math.nan, 1.0, 2) == numbers.MISSING
    assert numbers.with_unit(numbers.MISSING, "s") == numbers.MISSING


def test_a_column_takes_the_median_uncertainty_and_ignores_gaps():
    assert numbers.common_decimals([math.nan, 0.0, 0.42, 0.37, 55.0]) == numbers.decimals_for(0.42)
    assert numbers.common_decimals([math.nan]) == 3


def test_a_share_that_is_not_none_or_all_never_reads_so():
    assert numbers.percent(0.004).startswith("<")
    assert numbers.percent(0.996).startswith(">")
    assert numbers.percent(0.0) == f"0{numbers.THIN_SPACE}%"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "0.5"), (8, "8"), (1900, "1,900"), (1725.7, "1,726"), (0.00625, "0.00625"), (0, "0"), (1.0041, "1.004")],
)
def test_limits_are_plain(value, shown):
    assert numbers.plain(value) == shown


def test_lists_read_as_english():
    assert numbers.listed(["a"]) == "a"
    assert numbers.listed("abc") == "a, b and c"
    assert numbers.listed("abcdefg", limit=5) == "a, b, c, d, e and 2 more"


@pytest.mark.parametrize(
    ("value", "uncertainty", "shown"), [(5.0042, 0.001, "5.00"), (15.43, 3.9, "15.4"), (0.11134, 0.031, "0.111")]
)
def test_sentences_need_no_more_than_three_digits(value, uncertainty, shown):
    assert numbers.rounded(value, uncertainty) == shown


def test_verbs_and_expectations_go_with_their_number():
    assert [numbers.be(n) for n in (0, 1, 2)] == ["are", "is", "are"]
    assert numbers.be(1, "has", "have") == "has"
    assert [numbers.about(n) for n in (0.4, 1.0, 15.0, 104.0)] == [
        "fewer than one",
        "about 1",
        "about 15",
        "about 100",
    ]
