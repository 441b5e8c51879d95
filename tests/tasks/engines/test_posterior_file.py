"""`posterior.nc` comes back as it went in: draws, names, units, and any label."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import arviz_base
import numpy as np
import pytest
import xarray as xr

import tasks.engines.posterior_file
from tasks.engines.posterior_file import write_posterior
from tasks.stats.records import GroupedData
from tests.factories import Case, hostile_case, intercept_only_case, singular_case, two_predictors_case


def written(tmp_path: Path, case: Case, observed: GroupedData | None = None) -> xr.DataTree:
    path = tmp_path / "posterior.nc"
    assert case.draws is not None
    write_posterior(path, case.draws, case.study, case.findings, observed)
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()


@pytest.mark.parametrize("make", [singular_case, intercept_only_case, two_predictors_case])
def test_draws_come_back_unchanged(tmp_path: Path, make: Callable[[], Case]) -> None:
    case = make()
    posterior = written(tmp_path, case)["posterior"]
    assert case.draws is not None
    np.testing.assert_array_equal(posterior["fixef"], case.draws.beta)
    np.testing.assert_array_equal(posterior["sigma_group"], case.draws.sigma_group)
    np.testing.assert_array_equal(posterior["correlation"], case.draws.correlation)
    np.testing.assert_array_equal(posterior["sigma_residual"], case.draws.sigma)
    np.testing.assert_array_equal(posterior["group_estimate"], case.draws.group_coef)


def test_dimensions_carry_the_studys_names(tmp_path: Path) -> None:
    case = two_predictors_case()
    posterior = written(tmp_path, case)["posterior"]
    assert posterior["group_estimate"].dims == ("chain", "draw", "group", "term")
    assert posterior["fixef"].term.values.tolist() == ["intercept", "age", "severity"]
    assert posterior["sigma_group"].varying_term.values.tolist() == ["intercept", "severity"]
    one = posterior["group_estimate"].sel(group="clinic C", term="severity", chain=1, draw=7)
    assert case.draws is not None
    assert float(one) == case.draws.group_coef[1, 7, 2, 2]


def test_arviz_reads_it(tmp_path: Path) -> None:
    tree = written(tmp_path, singular_case())
    stacked = arviz_base.extract(tree, var_names=["fixef", "group_estimate"])
    assert stacked.sizes["sample"] == 2000
    assert arviz_base.extract(tree, group="sample_stats", var_names="diverging").dtype == bool
    assert set(tree["sample_stats"].data_vars) == {
        "diverging",
        "energy",
        "tree_depth",
        "acceptance_rate",
        "n_steps",
    }


def test_attributes_say_where_it_comes_from(tmp_path: Path) -> None:
    case = singular_case()
    tree = written(tmp_path, case)
    assert tree.attrs["study"] == "bounce_rates"
    assert tree.attrs["seed"] == 1234
    assert tree.attrs["outcome_unit"] == "s"
    assert json.loads(tree.attrs["versions"]) == case.findings.run.versions
    assert tree["posterior"]["fixef"].attrs["units"] == "s; slopes per SD of their predictor"


def test_rows_stand_beside_the_draws_when_given(tmp_path: Path) -> None:
    case = singular_case()
    tree = written(tmp_path, case, observed=case.data)
    np.testing.assert_array_equal(tree["observed_data"]["y"], case.data.y)
    np.testing.assert_array_equal(tree["constant_data"]["group_index"], case.data.group_index)
    np.testing.assert_array_equal(tree["constant_data"]["x"].sel(predictor="age"), case.data.x[:, 0])
    assert "observed_data" not in written(tmp_path, case)


def test_too_many_rows_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.engines.posterior_file, "ROWS_BYTES_LIMIT", 1000)
    case = singular_case()
    assert "observed_data" not in written(tmp_path, case, observed=case.data)


def test_hostile_labels_survive(tmp_path: Path) -> None:
    case = hostile_case()
    assert tuple(written(tmp_path, case)["posterior"].group.values) == case.findings.labels


@pytest.mark.parametrize("awkward", ["", " ", "nan", "None", "a\nb", "=1+1", "\ufeffx", "x" * 100_000])
def test_awkward_labels_survive(tmp_path: Path, awkward: str) -> None:
    group = written(tmp_path, labelled(awkward))["posterior"].group
    assert group.values[0] == awkward
    assert group.attrs == {}


@pytest.mark.parametrize("impossible", ["nul\0nul", "\0", "\udc80"])
def test_labels_that_netcdf_cannot_hold_survive_as_json(tmp_path: Path, impossible: str) -> None:
    case = labelled(impossible)
    group = written(tmp_path, case)["posterior"].group
    assert group.attrs["label_encoding"] == "json"
    assert tuple(json.loads(label) for label in group.values) == case.findings.labels


def labelled(first: str) -> Case:
    case = singular_case()
    return replace(case, findings=replace(case.findings, labels=(first, *case.findings.labels[1:])))


def test_large_group_estimates_are_thinned_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = singular_case()
    assert case.draws is not None
    monkeypatch.setattr(tasks.engines.posterior_file, "GROUP_BYTES_LIMIT", case.draws.group_coef.nbytes // 3 + 1)
    tree = written(tmp_path, case)
    kept = tree["posterior_thinned"]["group_estimate"]
    assert "group_estimate" not in tree["posterior"]
    assert tree["posterior"]["fixef"].sizes["draw"] == 500
    assert kept.draw.values.tolist() == list(range(0, 500, 3))
    np.testing.assert_array_equal(kept.sel(draw=9), case.draws.group_coef[:, 9])
    assert "one draw in 3 of each chain" in tree["posterior"].attrs["thinning"]


def test_group_estimates_drawn_for_some_draws_keep_their_draws_numbers(tmp_path: Path) -> None:
    case = singular_case()
    assert case.draws is not None
    thinned = replace(case.draws, group_coef=case.draws.group_coef[:, ::5], group_thin=5)
    kept = written(tmp_path, replace(case, draws=thinned))["posterior_thinned"]["group_estimate"]
    assert kept.draw.values.tolist() == list(range(0, 500, 5))
    np.testing.assert_array_equal(kept.sel(draw=10), case.draws.group_coef[:, 10])


def test_file_stays_under_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.engines.posterior_file, "GROUP_BYTES_LIMIT", 50_000)
    case = singular_case()
    assert case.draws is not None
    written(tmp_path, case)
    others = case.draws.beta.nbytes + case.draws.correlation.nbytes + 8 * case.draws.sigma.nbytes
    assert (tmp_path / "posterior.nc").stat().st_size < 50_000 + others + 60_000


def test_disk_that_refuses_is_an_error_not_a_crash(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            written(tmp_path, singular_case())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
