"""Yes and no, and small counts, are told from measurements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tasks.stats.judged.outcome_kind import OutcomeKind, judge_outcome_kind, outcome_kind
from tasks.stats.judgement import Judgement
from tests.datasets import bounce_rates, dyestuff, grouped, sleepstudy

Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]
LABELS = np.repeat([f"g{j}" for j in range(12)], 25)


def found(draw: Draw, seed: int = 1) -> OutcomeKind:
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.uniform(0.7, 1.3, 12), 25)
    return outcome_kind(grouped(np.asarray(draw(rng, level), dtype=float), LABELS))


@pytest.mark.parametrize(
    ("draw", "kind"),
    [
        (lambda rng, level: rng.random(300) < 0.3 * level, "two values"),
        (lambda rng, level: np.where(rng.random(300) < 0.5, -4.5, 17.0), "two values"),
        (lambda rng, level: rng.poisson(2.0 * level), "counts"),
        (lambda rng, level: rng.negative_binomial(2, 0.5, 300), "counts"),
        (lambda rng, level: rng.binomial(8, 0.3 * level / 1.3), "counts"),
        (lambda rng, level: rng.poisson(9.0 * level), "measured"),  # large ones are nearly normal
        (lambda rng, level: rng.poisson(2.0 * level) - 1.0, "measured"),  # below 0
        (lambda rng, level: rng.poisson(2.0 * level) + 0.5, "measured"),  # no integers
        (lambda rng, level: np.rint(3.0 + 0.6 * rng.standard_normal(300)), "measured"),  # a scale of whole points
        (lambda rng, level: rng.poisson(2.0 * level) * 10, "measured"),
        (lambda rng, level: 50 + rng.standard_normal(300), "measured"),
    ],
)
def test_kinds(draw: Draw, kind: str) -> None:
    assert {found(draw, seed).kind for seed in range(3)} == {kind}


@pytest.mark.parametrize("data", [bounce_rates, dyestuff, sleepstudy])
def test_measurements_of_the_classics(data) -> None:
    assert outcome_kind(data()).kind == "measured"


def test_dispersion_is_the_variance_within_groups_over_the_mean() -> None:
    """Not that of all rows: groups of unlike rates are counts all the same."""
    y = np.array([0, 1, 2, 1, 6, 4, 5, 5, 8, 2.0])
    labels = ["a"] * 4 + ["b"] * 6
    within = 3 * np.var(y[:4], ddof=1) + 5 * np.var(y[4:], ddof=1)
    one = outcome_kind(grouped(y, labels))
    assert one.kind == "counts"
    assert one.dispersion == pytest.approx(within / 8 / y.mean())
    assert np.isnan(found(lambda rng, level: rng.random(300)).dispersion)


def test_the_judgement() -> None:
    assert judge_outcome_kind(OutcomeKind("measured", 3.0, 1.0)) == (Judgement("outcome_kind", "pass", "measured"),)
    assert judge_outcome_kind(OutcomeKind("two values", 0.25, float("nan"))) == (
        Judgement("outcome_kind", "fail", "two values", value=0.25, against="every model"),
    )
    assert judge_outcome_kind(OutcomeKind("counts", 2.0, 1.1)) == (
        Judgement("outcome_kind", "fail", "counts", value=1.1, against="every model"),
    )
