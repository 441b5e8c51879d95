"""The bundled simulated study: reproducible to the byte, and showing what it was made to show."""

from __future__ import annotations

import runpy
import warnings
from collections import Counter
from pathlib import Path

import mixedlm
import numpy as np
import pandas as pd
import pytest

from tasks.stats.bayes.simulate import COUNTIES, simulate_bounce_rates

FOLDER = Path(__file__).parents[4] / "data" / "bounce_rates"


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    drawn = simulate_bounce_rates()
    frame = pd.DataFrame({"y": drawn.bounce_time, "age": drawn.age, "county": drawn.county})
    return frame.assign(z=(frame["age"] - frame["age"].mean()) / frame["age"].std())


def rmse(residuals: pd.Series) -> float:
    return float(np.sqrt(np.mean(residuals**2)))


def slope(frame: pd.DataFrame) -> float:
    return float(np.polyfit(frame["z"], frame["y"], 1)[0])


def residuals(frame: pd.DataFrame) -> pd.Series:
    return frame["y"] - np.polyval(np.polyfit(frame["z"], frame["y"], 1), frame["z"])


def test_the_bundled_file_is_what_the_generator_writes() -> None:
    csv_text = runpy.run_path(str(FOLDER / "generate.py"))["csv_text"]
    assert (FOLDER / "bounce_rates.csv").read_bytes() == csv_text(simulate_bounce_rates()).encode()


def test_a_seed_fixes_every_value_and_another_changes_them() -> None:
    first, again, other = simulate_bounce_rates(7), simulate_bounce_rates(7), simulate_bounce_rates(8)
    assert np.array_equal(first.bounce_time, again.bounce_time)
    assert np.array_equal(first.age, again.age)
    assert not np.array_equal(first.bounce_time, other.bounce_time)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_seed_keeps_sizes_and_plausible_values(seed: int) -> None:
    drawn = simulate_bounce_rates(seed)
    assert sorted(Counter(drawn.county).values()) == [7, 22, 37, 75, 90, 112, 120, 150]
    assert drawn.age.min() >= 18
    assert drawn.age.max() <= 80
    assert drawn.bounce_time.min() > 100
    assert np.array_equal(drawn.bounce_time, np.round(drawn.bounce_time, 2))


def test_complete_pooling_shows_a_slope_that_no_county_has(visits: pd.DataFrame) -> None:
    within = visits.assign(
        y=visits["y"] - visits.groupby("county")["y"].transform("mean"),
        z=visits["z"] - visits.groupby("county")["z"].transform("mean"),
    )
    assert visits["y"].mean() == pytest.approx(200, abs=0.5)
    assert slope(visits) == pytest.approx(4.70, abs=0.01)
    assert slope(within) == pytest.approx(1.23, abs=0.01)
    assert all(slope(county) < slope(visits) for _, county in visits.groupby("county"))


def test_root_mean_squared_errors_are_near_the_published_example(visits: pd.DataFrame) -> None:
    separate = pd.concat([residuals(county) for _, county in visits.groupby("county")])
    assert rmse(residuals(visits)) == pytest.approx(14.11, abs=0.01)
    assert rmse(separate) == pytest.approx(7.88, abs=0.01)


def test_the_full_reml_fit_is_singular(visits: pd.DataFrame) -> None:
    """By an independent solver; the criterion also agrees with statsmodels' powell (4315.0369)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        fit = mixedlm.lmer("y ~ z + (z | county)", visits)
    theta_intercept, theta_slope, theta_rest = fit.theta
    assert fit.REMLcrit() == pytest.approx(4315.0369, abs=1e-3)
    assert theta_rest < 1e-6
    assert theta_intercept * fit.sigma == pytest.approx(14.01, abs=0.02)
    assert theta_slope * fit.sigma == pytest.approx(0.31, abs=0.02)
    assert fit.sigma == pytest.approx(7.946, abs=0.001)
    assert fit.fixef()["z"] == pytest.approx(1.32, abs=0.01)


def test_every_county_has_one_truth() -> None:
    assert len({county.name for county in COUNTIES}) == len(COUNTIES) == 8
    assert np.std([county.baseline for county in COUNTIES], ddof=1) == pytest.approx(14, abs=1)
