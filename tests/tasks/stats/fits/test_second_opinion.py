"""The second solver ends where lme4 does, and says so when the first one did not."""

from __future__ import annotations

from dataclasses import replace

import mixedlm
import numpy as np
import pandas as pd
import pytest

from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.fits.second_opinion import MOST_EFFECTS, TOLERANCE, judge_second_opinion, second_opinion
from tasks.stats.records import GroupedData, PartialPooling
from tests.datasets import bounce_rates, dyestuff, dyestuff2, grouped, model_of, simulated, sleepstudy

STUDIES = {
    "bounce rates": (bounce_rates, (0, 1)),
    "sleepstudy": (sleepstudy, (0, 1)),
    "dyestuff": (dyestuff, (0,)),
    "dyestuff2": (dyestuff2, (0,)),
    "slopes alone": (sleepstudy, (1,)),
    "two slopes": (lambda: simulated(3, [5, 9, 12, 20, 8, 7, 11, 14], beta=(1.0, 2.0, 0.5), sd=(1.0,)), (0, 1, 2)),
}


def fitted(data: GroupedData, varying: tuple[int, ...]) -> PartialPooling:
    return partial_pooling(*model_of(data), "varying_intercept_slope", varying)


@pytest.mark.parametrize("name", STUDIES)
def test_the_two_agree(name: str) -> None:
    make, varying = STUDIES[name]
    data = make()
    found = second_opinion(data, model_of(data)[1], fitted(data, varying))
    assert found is not None
    assert found.at_ours == pytest.approx(found.ours, abs=1e-7)
    assert found.best == pytest.approx(found.ours, abs=1e-3) or found.best > found.ours
    (judged,) = judge_second_opinion(found)
    assert (judged.status, judged.case, judged.against) == ("pass", "agrees", "")


@pytest.mark.parametrize("seed", range(20))
def test_no_search_of_many_finds_a_better_fit_than_ours(seed: int) -> None:
    """Regular and singular designs; the criterion at our estimates is the same to digits."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 20, rng.integers(3, 30)).tolist()
    data = simulated(seed, sizes, beta=(1.0, 2.0), sd=(float(rng.exponential()),))
    found = second_opinion(data, model_of(data)[1], fitted(data, (0, 1)))
    assert found is not None
    assert found.at_ours == pytest.approx(found.ours, rel=1e-9)
    assert found.best > found.ours - 1e-5


def test_its_criterion_is_that_of_lme4() -> None:
    """mixedlm 1.3 on the same rows."""
    data = sleepstudy()
    found = second_opinion(data, model_of(data)[1], fitted(data, (0, 1)))
    x = (data.x[:, 0] - data.x.mean()) / data.x.std(ddof=1)
    frame = pd.DataFrame({"y": data.y, "x": x, "g": data.group_index.astype(str)})
    assert found is not None
    assert found.best == pytest.approx(mixedlm.lmer("y ~ x + (x | g)", frame).deviance, abs=1e-3)


def test_a_fit_that_is_no_optimum_is_found_out() -> None:
    data = sleepstudy()
    wrong = replace(fitted(data, (0, 1)), theta=np.array([0.1, 0.0, 0.1]))
    found = second_opinion(data, model_of(data)[1], replace(wrong, criterion_value_scaled=np.nan))
    assert found is not None
    found = replace(found, ours=found.at_ours)
    (judged,) = judge_second_opinion(found)
    assert (judged.status, judged.case, judged.against) == ("fail", "better fit", "partial_pooling")
    assert judged.value == pytest.approx(found.at_ours - found.best)
    assert judged.value > 1.0


def test_a_criterion_that_is_not_the_rows_is_found_out() -> None:
    data = sleepstudy()
    fit = fitted(data, (0, 1))
    wrong = replace(fit, criterion_value_scaled=fit.criterion_value_scaled + 2 * TOLERANCE)
    (judged,) = judge_second_opinion(second_opinion(data, model_of(data)[1], wrong))
    assert (judged.status, judged.case, judged.against) == ("fail", "other criterion", "partial_pooling")


@pytest.mark.parametrize(("apart", "is_told"), [(1e5, True), (1e8, False)])
def test_rounding_is_no_disagreement(apart: float, is_told: bool) -> None:
    """Groups that lie millions of residual SDs apart cost either solver the digits of the criterion."""
    rng = np.random.default_rng(7)
    index = np.repeat(np.arange(30), 2)
    y = apart * rng.standard_normal(30)[index] + rng.standard_normal(60)
    data = grouped(y, index, (rng.standard_normal(60) > 0).astype(float))
    found = second_opinion(data, model_of(data)[1], fitted(data, (0, 1)))
    assert (found is not None) == is_told
    assert {one.case for one in judge_second_opinion(found)} <= {"agrees"}


def test_where_data_are_too_many_or_there_is_no_fit_there_is_no_second_opinion() -> None:
    data = grouped(np.arange(2.0 * MOST_EFFECTS + 2), np.repeat(np.arange(MOST_EFFECTS + 1), 2))
    fit = fitted(data, (0,))
    assert second_opinion(data, model_of(data)[1], fit) is None
    small = sleepstudy()
    assert second_opinion(small, model_of(small)[1], replace(fitted(small, (0, 1)), converged=False)) is None
    assert judge_second_opinion(None) == ()
