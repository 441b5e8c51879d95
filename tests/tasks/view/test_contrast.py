"""Two groups can be compared on the page: the draws that it gets give the differences of the draws there are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.view import contrast as module
from tasks.view.contrast import contrast
from tests.factories import intercept_only_case, singular_case


def test_differences_are_those_of_the_draws() -> None:
    context = singular_case().context
    made, draws = contrast(context), context.group_draws
    assert made is not None
    assert draws is not None
    assert [len(term.draws) for term in made.terms] == [context.n_groups] * 2
    for term, k in zip(made.terms, context.varying, strict=True):
        coded = np.array(term.draws) * term.step
        every = np.linspace(0, len(draws) - 1, coded.shape[1]).round().astype(int)
        apart = (draws[every, 0, k] - draws[every, 1, k]) / context.raw_scale(k)
        np.testing.assert_allclose(coded[0] - coded[1], apart, atol=1.01 * term.step)
        assert term.step <= 0.02 * apart.std()


def test_without_predictors_levels_alone_are_compared() -> None:
    made = contrast(intercept_only_case().context)
    assert made is not None
    assert len(made.terms) == 1


def test_not_without_draws_nor_for_too_many_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    context = singular_case().context
    assert contrast(replace(context, draws=None, answer_draws=None)) is None
    monkeypatch.setattr(module, "MOST_VALUES", context.n_groups * 2 * 10)
    assert contrast(context) is None
