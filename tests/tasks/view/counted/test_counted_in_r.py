"""The code for R of a counted outcome is R, and lme4 finds with it what is found here."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from shutil import which

import numpy as np
import pandas as pd
import pytest

from tasks.view.counted.topics.in_r import brms_code, formula, lme4_code
from tests.counted_reports import CASES, CountedCase, counts_case, hospitals_case, shares_case, zero_one_case

NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


@cache
def has_lme4() -> bool:
    return (
        bool(which("Rscript"))
        and not subprocess.run(["Rscript", "-e", "library(lme4)"], capture_output=True).returncode
    )


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (shares_case, "cbind(returned, sold - returned) ~ scale(price) + (1 + scale(price) | shop)"),
        (zero_one_case, "passed ~ course + scale(hours) + (1 | school)"),
        (counts_case, "falls ~ 1 + offset(log(patient_days)) + (1 | ward)"),
        (hospitals_case, "cbind(deaths, admissions - deaths) ~ severity + (1 | hospital)"),
    ],
)
def test_the_formula_is_of_the_study_s_columns(make, expected: str) -> None:
    assert formula(make().context, make().findings.fits.fullest) == expected


def test_points_are_lme4s_own_where_one_effect_varies_and_laplace_is_told_elsewhere() -> None:
    code = lme4_code(shares_case().context)
    assert re.findall(r"nAGQ = (\d+)\)", code) == ["25", "25", "1"]
    assert "Laplace" in code
    assert "Laplace" not in lme4_code(counts_case().context)


def rows_of(case: CountedCase) -> pd.DataFrame:
    """The rows as they were read, for studies of numeric predictors."""
    data, study = case.data, case.study
    columns = {study.outcome: data.y, study.group: np.array(data.labels)[data.group_index]}
    columns |= {name: data.x[:, at] for at, name in enumerate(study.predictors)}
    return pd.DataFrame(columns | ({study.size_column: data.size} if study.size_column else {}))


@pytest.mark.parametrize("make", [shares_case, counts_case])
def test_lme4_finds_what_is_found_here(make, tmp_path: Path) -> None:
    if not has_lme4():
        pytest.skip("needs R with lme4")
    case = make()
    rows_of(case).to_csv(tmp_path / f"{case.study.name}.csv", index=False)
    asked = "\n".join(
        [lme4_code(case.context), *(f"cat('told', fixef({name}), '\\n')" for name in case.findings.fits.partial)]
    )
    asked += "\n" + "\n".join(
        f"cat('told', attr(VarCorr({name})[[1]], 'stddev'), '\\n')" for name in case.findings.fits.partial
    )
    (tmp_path / "fits.R").write_text(asked, "utf-8")
    done = subprocess.run(["Rscript", "fits.R"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("told ")]
    said = [list(map(float, line[1:])) for line in lines]
    fits = list(case.findings.fits.partial.values())
    for found, fit in zip(said[: len(fits)], fits, strict=True):
        np.testing.assert_allclose(found, fit.fixef, atol=0.02 if fit.n_points > 25 else 2e-3)
    for found, fit in zip(said[len(fits) :], fits, strict=True):
        np.testing.assert_allclose(found, fit.sigma_group, rtol=0.02 if fit.n_points > 25 else 5e-3)


@pytest.mark.parametrize("name", ["shares", "zero_one", "counts", "hostile_counts"])
def test_the_code_is_r(name: str, tmp_path: Path) -> None:
    if not has_lme4():
        pytest.skip("needs R")
    context = CASES[name]().context
    (tmp_path / "fit.R").write_text(lme4_code(context) + brms_code(context), "utf-8")
    asked = ["Rscript", "-e", 'invisible(parse("fit.R", encoding = "UTF-8"))']
    assert not subprocess.run(asked, cwd=tmp_path, check=False).returncode


def test_brms_gets_the_family_the_offset_and_the_priors() -> None:
    shares, counts, single = (brms_code(make().context) for make in (shares_case, counts_case, zero_one_case))
    assert "brm(y | trials(n) ~ x1 + (1 + x1 | g)," in shares
    assert "family = binomial()" in shares
    assert 'set_prior("lkj(2)", class = "cor")' in shares
    assert "brm(y ~ 1 + offset(log(n)) + (1 | g)," in counts
    assert "family = poisson()" in counts
    assert "family = bernoulli()" in single
    assert single.count('class = "b"') == 3
    (mean,) = re.findall(rf'"normal\(({NUMBER}), 1.5\)", class = "Intercept"', counts)
    context = counts_case().context
    assert float(mean) == pytest.approx(np.log(context.overall_rate), abs=0.01)


def test_the_intercept_beside_the_code_is_at_the_reference_levels() -> None:
    """R's is, where categories are compared with a reference; the one found here is at the mix of all rows."""
    case = hospitals_case()
    fit, shares = case.findings.fits.fullest, case.findings.scaling.center
    (told,) = re.findall(rf"fixef\(varying_intercept\)  # ({NUMBER}),", lme4_code(case.context))
    assert float(told) == pytest.approx(fit.fixef[0] - fit.fixef[1:] @ shares, abs=1e-3)
