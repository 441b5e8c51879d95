"""What a predictor goes with is said as a difference of rates that reads as a sentence, whatever rates are shown in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tasks.view.counted.compared import effect


def context(middle: float, lower: float, upper: float, scale: float, unit: str) -> Any:
    parts = {"difference": middle, "difference_lower": lower, "difference_upper": upper}
    return SimpleNamespace(
        findings=SimpleNamespace(effects=SimpleNamespace(**{name: np.array([part]) for name, part in parts.items()})),
        rate_scale=scale,
        difference_unit=unit,
        outcome="falls",
        one_more=lambda term: "one more year of age",
        compared=lambda term: "age",
    )


@pytest.mark.parametrize(
    ("numbers", "scale", "unit", "said"),
    [
        (
            (0.0023, 0.0015, 0.0031),
            1000,
            "per 1,000 stays",
            "2.3 more falls per 1,000 stays (95 % interval 1.5 to 3.1)",
        ),
        ((-0.023, -0.031, -0.015), 100, "percentage points", "2.3 percentage points fewer falls (95 % interval"),
    ],
)
def test_a_clear_effect_is_so_many_more_or_fewer(numbers, scale: float, unit: str, said: str) -> None:
    assert f"one more year of age goes with {said}" in effect(context(*numbers, scale, unit), 1)


def test_an_effect_that_may_be_none_is_said_to_be_unclear() -> None:
    assert effect(context(0.001, -0.001, 0.003, 100, "percentage points"), 1).startswith("no clear effect of age (0.1")
