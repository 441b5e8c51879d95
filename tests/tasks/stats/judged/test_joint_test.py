"""Categories are fitted and tested as R does it with factors, and what is fitted does not hang on the reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import statsmodels.formula.api as smf

from tasks.opening.studies import OpenedStudy
from tasks.rows.collect import Collected, collect_afresh
from tasks.stats.fits.cross_products import centre_scaled, scaling_of
from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.judged.joint_test import JointTest, joint_tests
from tasks.stats.judged.missing_terms import missing_terms
from tasks.stats.records import PartialPooling
from tasks.study.model import Study
from tests.datasets import classic

# cake of lme4, Cook (1938), in R 4 with lme4 and nlme, where `late` is TRUE for replicates 8 to 15:
#   lmer(angle ~ scale(temp) + recipe + late + (1 | replicate)), late <- relevel(factor(late), ref = "true")
#   anova(lme(angle ~ scale(temp) + recipe + late, random = ~ 1 | replicate), type = "marginal")
FIXEF = {"temp": 2.703917768, "recipe: B": -1.477777778, "recipe: C": -1.522222222, "late: false": 7.017857143}
SE = {"temp": 0.2934376035, "recipe: B": 0.7174401051, "recipe: C": 0.7174401051, "late: false": 2.8093053806}
SD_GROUP, SD_ROWS, REML = 5.308238911, 4.812734534, 1648.81313531
F = {"recipe": (2, 252, 2.916122875, 0.0559727937), "late": (1, 13, 6.240381595, 0.0266854424)}


@pytest.fixture(scope="module")
def cake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame = classic("cake")
    frame = frame.assign(late=frame["replicate"].astype(int) > 7)[["angle", "replicate", "temp", "recipe", "late"]]
    folder = tmp_path_factory.mktemp("cake")
    frame.to_csv(folder / "cake.csv", index=False)
    return folder


def read(folder: Path, **categories: object) -> Collected:
    predictors = ("temp", "recipe", "late")
    study = Study.model_validate(
        {"name": "s", "title": "t", "outcome": "angle", "group": "replicate", "predictors": predictors}
        | {"categories": categories}
    )
    return collect_afresh(OpenedStudy(study, folder, ""))


def fitted(rows: Collected) -> tuple[PartialPooling, tuple[JointTest, ...]]:
    scaling = scaling_of(rows.products)
    products = centre_scaled(rows.products, scaling)
    fit = partial_pooling(products, scaling, "varying_intercept", (0,))
    return fit, joint_tests(products, fit)


def test_a_fit_with_three_levels_and_a_true_false_is_that_of_lme4(cake: Path) -> None:
    rows = read(cake)
    fit, _ = fitted(rows)
    assert rows.products.terms[1:] == tuple(FIXEF)
    np.testing.assert_allclose(fit.fixef[1:], [*FIXEF.values()], rtol=1e-7)
    np.testing.assert_allclose(fit.se[1:], [*SE.values()], rtol=1e-6)
    assert (fit.sigma_group[0], fit.sigma) == pytest.approx((SD_GROUP, SD_ROWS), rel=1e-6)
    assert fit.criterion_value_scaled == pytest.approx(REML, abs=1e-6)


def test_the_joint_tests_are_those_of_nlme(cake: Path) -> None:
    for test, (df, df_residual, f, p_value) in zip(fitted(read(cake))[1], F.values(), strict=True):
        assert (test.df, test.df_residual) == (df, df_residual)
        assert (test.f, test.p_value) == pytest.approx((f, p_value), rel=1e-5)


def test_statsmodels_has_the_same_joint_test(cake: Path) -> None:
    frame = classic("cake").astype({"angle": float, "temp": float})
    frame = frame.assign(late=frame["replicate"].astype(int) > 7, group=frame["replicate"].astype(str))
    peer = smf.mixedlm("angle ~ temp + C(recipe) + C(late)", frame, groups="group").fit(reml=True)
    found = peer.wald_test_terms(scalar=True).table
    for test, name in zip(fitted(read(cake))[1], ("C(recipe)", "C(late)"), strict=True):
        assert test.f * test.df == pytest.approx(float(found.loc[name, "statistic"]), rel=1e-4)


@pytest.mark.parametrize("reference", ["A", "B", "C"])
def test_another_reference_changes_the_contrasts_and_nothing_else(cake: Path, reference: str) -> None:
    (fit, (test, _)), (other, (same, _)) = fitted(read(cake)), fitted(read(cake, reference={"recipe": reference}))
    assert same.f == pytest.approx(test.f, rel=1e-8)
    assert other.criterion_value_scaled == pytest.approx(fit.criterion_value_scaled, abs=1e-8)
    np.testing.assert_allclose(other.coef[:, 0], fit.coef[:, 0], rtol=1e-9)  # at the same mix of levels


def test_levels_are_centred_and_not_scaled(cake: Path) -> None:
    scaling = scaling_of(read(cake).products)
    assert scaling.scale[1:].tolist() == [1.0, 1.0, 1.0]
    np.testing.assert_allclose(scaling.center[1:], [1 / 3, 1 / 3, 7 / 15])


def test_no_curve_is_looked_for_in_levels(cake: Path) -> None:
    rows = read(cake)
    scaling = scaling_of(rows.products)
    products = centre_scaled(rows.products, scaling)
    found = missing_terms(products, partial_pooling(products, scaling, "varying_intercept", (0,)), 0.5)
    assert {one.added.column for one in found if one.added.kind == "curve"} == {1}


def test_too_few_groups_for_a_category_of_the_groups_give_no_p_value(cake: Path) -> None:
    rows = read(cake)
    scaling = scaling_of(rows.products)
    products = centre_scaled(rows.products, scaling)
    fit = partial_pooling(products, scaling, "varying_intercept", (0,))
    few = replace(products, labels=products.labels[:2], gram=products.gram[[0, -1]])
    assert np.isnan(joint_tests(few, fit)[1].p_value)
