"""Heavy and lopsided rows are told from normal ones, in groups of any size, and from groups of unlike spread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.stats.fits.mean_structure import mean_structure, refit
from tasks.stats.judged import row_shape as module
from tasks.stats.judged.row_shape import RowShape, judge_row_shape, row_shape
from tasks.stats.judgement import Judgement
from tasks.stats.records import GroupedData
from tests.datasets import model_of
from tests.worlds.simulate import Design, simulate

HEAVY = Design(groups=20, rows=(20, 60), noise="t", shape=3.0)


def found(data: GroupedData, seed: int = 1) -> RowShape:
    products, scaling = model_of(data)
    return row_shape(data, refit(mean_structure(products), (0, 1)), scaling, seed)


@pytest.mark.parametrize("seed", range(3))
def test_each_shape_is_told(seed: int) -> None:
    assert found(simulate(HEAVY, (seed,)).data).shape == "heavy"
    assert found(simulate(replace(HEAVY, noise="exponential"), (seed,)).data).shape == "skewed"
    assert found(simulate(replace(HEAVY, noise="lognormal", shape=0.7), (seed,)).data).shape == "skewed"
    assert found(simulate(replace(HEAVY, noise="normal"), (seed,)).data).shape == "normal"


def test_moments_of_a_large_sample_are_the_distributions() -> None:
    """Exponential rows: skewness 2, excess kurtosis 6. The own SD of a large group takes little away."""
    design = Design(groups=10, rows=(1500, 1500), slope_sd=0.0, noise="exponential")
    one = found(simulate(design, (1,)).data)
    assert one.skewness == pytest.approx(2.0, abs=0.25)
    assert one.kurtosis == pytest.approx(6.0, abs=1.6)


def test_upside_down_only_the_sign_of_the_skewness_changes() -> None:
    data = simulate(replace(HEAVY, noise="exponential"), (2,)).data
    one, other = found(data), found(replace(data, y=-data.y))
    assert one.skewness > 1.0
    assert other.skewness == pytest.approx(-one.skewness, abs=0.05)
    assert other.kurtosis == pytest.approx(one.kurtosis, rel=1e-6)
    assert other.shape == "skewed"


def test_groups_of_unlike_spread_are_no_heavy_tails() -> None:
    """Together their rows have heavy tails: an excess kurtosis of 3 (exp(4 v) - 1) = 11."""
    data = simulate(replace(HEAVY, noise="normal", spread=0.6, groups=40), (3,)).data
    assert found(data).shape == "normal"


def test_small_groups_of_heavy_rows_are_seen_by_the_models_sd() -> None:
    data = simulate(Design(groups=300, rows=(2, 4), noise="t", shape=2.5), (4,)).data
    assert found(data).shape == "heavy"


def test_at_most_so_many_rows_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    data = simulate(HEAVY, (1,)).data
    monkeypatch.setattr(module, "ROWS_LIMIT", 300)
    some, again, others = found(data, 5), found(data, 5), found(data, 6)
    assert (some.n_rows_used, some) == (300, again)
    assert some.kurtosis != others.kurtosis


@pytest.mark.parametrize(
    ("skewness", "skewness_p", "kurtosis", "kurtosis_p", "shape"),
    [
        (0.7, 0.005, 0.5, 0.5, "skewed"),
        (-0.7, 0.005, 0.5, 0.5, "skewed"),
        (0.69, 0.005, 0.5, 0.5, "normal"),
        (0.7, 0.01, 0.5, 0.5, "normal"),
        (0.0, 0.5, 1.5, 0.005, "heavy"),
        (0.0, 0.5, 1.49, 0.005, "normal"),
        (0.0, 0.5, 1.5, 0.01, "normal"),
        (1.0, 0.005, 3.0, 0.005, "heavy"),  # 1 is not above 0.35 times 3: a few far rows of symmetric tails
        (1.0, 0.005, 2.8, 0.005, "skewed"),
    ],
)
def test_limits_and_the_judgement(
    skewness: float, skewness_p: float, kurtosis: float, kurtosis_p: float, shape: str
) -> None:
    one = RowShape(skewness, kurtosis, skewness_p, kurtosis_p, 100)
    expected = {
        "skewed": Judgement("row_shape", "review", "skewed", value=skewness, limit=0.7),
        "heavy": Judgement("row_shape", "review", "heavy", value=kurtosis, limit=1.5, against="partial_pooling"),
        "normal": Judgement("row_shape", "pass", "normal", value=kurtosis, limit=1.5),
    }
    assert one.shape == shape
    assert judge_row_shape(one) == (expected[shape],)
