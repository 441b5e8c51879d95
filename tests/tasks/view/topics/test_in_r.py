"""The code for R names columns as R wants them, and lme4 finds with it what is found here."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tasks.stats.bayes.priors import resolve_priors
from tasks.view.context import Context
from tasks.view.topics import methods
from tasks.view.topics.in_r import brms_code, formula, lme4_code, r_name
from tests import factories
from tests.datasets import simulated
from tests.posteriors import Sampled, sampled_of, study_of
from tests.said import context_of_sampled

NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


@cache
def has_lme4() -> bool:
    return (
        bool(shutil.which("Rscript"))
        and not subprocess.run(["Rscript", "-e", "library(lme4)"], capture_output=True).returncode
    )


@pytest.mark.parametrize(
    ("name", "in_r"),
    [
        ("age", "age"),
        ("bounce_time", "bounce_time"),
        (".x", ".x"),
        ("time on site", "`time on site`"),
        ("2nd", "`2nd`"),
        (".2nd", "`.2nd`"),
        ("_x", "`_x`"),
        ("if", "`if`"),
        ("TRUE", "`TRUE`"),
        ("größe", "`größe`"),
        ("a`b\\c", "`a\\`b\\\\c`"),
    ],
)
def test_names_are_in_backticks_where_they_are_none_in_r(name: str, in_r: str) -> None:
    assert r_name(name) == in_r


def test_the_formula_is_of_scaled_predictors_and_of_the_study_s_columns() -> None:
    case = factories.two_predictors_case()
    assert [formula(case.context, fit) for fit in case.findings.partial.values()] == [
        "stay ~ scale(age) + scale(severity) + (1 | clinic)",
        "stay ~ scale(age) + scale(severity) + (0 + scale(severity) | clinic)",
        "stay ~ scale(age) + scale(severity) + (1 + scale(severity) | clinic)",
    ]


def test_brms_gets_the_priors_and_the_sampler_s_settings() -> None:
    case = factories.two_predictors_case()
    code, priors = brms_code(case.context), resolve_priors(case.study, case.findings.scaling)
    normals = [tuple(map(float, found)) for found in re.findall(rf'"normal\(({NUMBER}), ({NUMBER})\)"', code)]
    spreads = [(0.0, sd) for sd in priors.sigma_group_sd]
    expected = [*zip(priors.beta_mean, priors.beta_sd, strict=True), *spreads]
    np.testing.assert_allclose(normals, expected, rtol=1e-5, atol=1e-12)
    (rate,) = re.findall(rf'"exponential\(({NUMBER})\)"', code)
    assert 1 / float(rate) == pytest.approx(priors.sigma_mean, rel=1e-5)
    assert f'"lkj({priors.lkj:g})"' in code
    assert "brm(y ~ x1 + x2 + (1 + x2 | g)" in code
    assert 'coef = "x2")' in code
    assert f"adapt_delta = {case.findings.bayes.attempts[-1].adapt_delta:g}" in code
    assert "library(lme4)" in str(list(methods.TOPIC.blocks(case.context)))


@cache
def oddly_named() -> Sampled:
    """Columns whose names are none in R; slopes differ, and depend on where the predictor has its 0."""
    data = simulated(11, [12, 9, 15, 20, 8, 14, 11, 10])
    data = replace(data, x=40 + 7 * data.x, terms=("intercept", "time of day (h)"))
    return sampled_of(data, study_of(data, outcome="blood `sugar`", group="if"))


def run_in_r(context: Context, have: Sampled, folder: Path) -> str:
    with (folder / f"{have.study.name}.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([have.study.outcome, have.study.group, *have.study.predictors])
        rows.writerows(
            [y, have.data.labels[j], *x]
            for y, j, x in zip(have.data.y, have.data.group_index, have.data.x, strict=True)
        )
    (folder / "fits.R").write_text(lme4_code(context), "utf-8")
    asked = ["Rscript", "-e", 'source("fits.R", echo = TRUE, encoding = "UTF-8")']
    done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_lme4_finds_what_is_found_here(tmp_path: Path) -> None:
    if not has_lme4():
        pytest.skip("needs R with lme4")
    have = oddly_named()
    said = run_in_r(context_of_sampled(have), have, tmp_path)
    criteria = [float(value) for value in re.findall(r"\[1\] ([\d.]+)", said)]
    fits = list(have.partial.values())
    np.testing.assert_allclose(criteria, [fit.criterion_value_scaled for fit in fits], atol=0.01)
    residuals = [float(value) for value in re.findall(r"Residual\s+([\d.]+)", said)]
    np.testing.assert_allclose(residuals, [fit.sigma for fit in fits], rtol=2e-3)
    slopes = [float(value) for value in re.findall(r"scale\(`time of day \(h\)`\)\s+([\d.]+)", said)]
    np.testing.assert_allclose(slopes, [fit.sigma_group[-1] for fit in fits[1:]], rtol=5e-3)


def test_what_stands_beside_the_code_is_what_was_found() -> None:
    have = oddly_named()
    code = lme4_code(context_of_sampled(have))
    assert "data = rows" in code
    assert "`blood \\`sugar\\`` ~ scale(`time of day (h)`)" in code
    told = [float(value) for value in re.findall(rf"REMLcrit\(\w+\)  # ({NUMBER})", code)]
    assert told == [round(fit.criterion_value_scaled, 2) for fit in have.partial.values()]
    assert f"residual SD {have.fullest.sigma:.4g}" in code


def test_the_code_for_brms_is_r(tmp_path: Path) -> None:
    if not has_lme4():
        pytest.skip("needs R")
    (tmp_path / "fit.R").write_text(brms_code(context_of_sampled(oddly_named())), "utf-8")
    asked = ["Rscript", "-e", 'invisible(parse("fit.R"))']
    assert not subprocess.run(asked, cwd=tmp_path, check=False).returncode


def test_the_code_reads_files_as_the_study_says() -> None:
    case = factories.singular_case()
    study = case.study.model_copy(
        update={"delimiter": ";", "decimal": ",", "missing": ("-9",), "codes": {"age": {"old": 80.0}}}
    )
    lines = lme4_code(replace(case, study=study).context).splitlines()
    assert "# Leave out the rows that rejected.csv names." in lines
    assert "# Do first what the study file says under codes." in lines
    how = 'check.names = FALSE, sep = ";", dec = ",", na.strings = c("", "NA", "-9")'
    assert f'rows <- read.csv("bounce_rates.csv", {how})' in lines
    files = tuple(replace(case.findings.run.files[0], name=name) for name in ("a.csv", 'b"c.csv'))
    run = replace(case.findings.run, files=files, n_rejected=0)
    several = lme4_code(replace(case, findings=replace(case.findings, run=run)).context)
    assert 'rows <- do.call(rbind, lapply(c("a.csv", "b\\"c.csv"), read.csv, check.names = FALSE))' in several
    assert "#" not in several.splitlines()[1]
