"""Where the first sentence of a finding ends."""

from __future__ import annotations

import pytest

from tasks.view.words.text import first_sentence


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One thing holds. Another does not.", "One thing holds."),
        ("It moves by 0.47\u202fs. Half of the groups do not.", "It moves by 0.47\u202fs."),
        ("Not 95\u202f%. Partial pooling is singular.", "Not 95\u202f%."),
        ("Medians look alike. 0 of 8 groups are off.", "Medians look alike."),
        ("The most moves St. Ives, by 3.", "The most moves St. Ives, by 3."),
        ("Only one.", "Only one."),
        ("Nothing is outside it. By chance one would be.", "Nothing is outside it."),
        ("It moves Dr. No most. Half move less.", "It moves Dr. No most."),
        ("It changes by 2 (−1 to 6.2). With size it does not.", "It changes by 2 (−1 to 6.2)."),
        ("It is 2 units per unit of x1. There is no sign.", "It is 2 units per unit of x1."),
        ("It is 2 <s>. There is no sign.", "It is 2 <s>."),
        ("It moves Mass.\u00a0General most. Half move less.", "It moves Mass.\u00a0General most."),
        ("", ""),
    ],
)
def test_first_sentence(text: str, first: str) -> None:
    found, rest = first_sentence(text)
    assert found == first
    assert f"{found} {rest}".strip() == text
