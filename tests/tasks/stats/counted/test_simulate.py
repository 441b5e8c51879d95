"""The bundled study of hospitals: reproducible to the byte, and showing what it was made to show."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tasks.stats.counted.added_terms import counted_model
from tasks.stats.counted.partial_pooling import partial_pooling_of
from tasks.stats.counted.predictors import scaling_of
from tasks.stats.counted.simulate import AGE_BANDS, N_HOSPITALS, SEVERITIES, Hospitals, simulate_hospitals
from tasks.stats.fits.cells import Cells, cells_of
from tasks.stats.fits.mean_structure import Added

FOLDER = Path(__file__).parents[4] / "data" / "hospital_mortality"
LEVELS = ("18-49", "50-64", "75-84", "85+", "high", "low")  # beside 65-74 and moderate
# lme4 1.1.31, nAGQ = 25: SD between hospitals, then the coefficients of LEVELS; without and with log2 admissions.
PLAIN = (0.30215, -1.2694085, -0.5996024, 0.5279554, 0.9472905, 1.0925011, -0.9009961)
WITH_SIZE = (0.18513, -1.2689645, -0.5985733, 0.5280237, 0.9477991, 1.0955909, -0.9079237, -0.1224697)


@pytest.fixture(scope="module")
def hospitals() -> Hospitals:
    return simulate_hospitals()


def cells(found: Hospitals) -> Cells:
    place = {name: j for j, name in enumerate(found.names)}
    group = np.array([place[name] for name in found.hospital])
    kinds = zip(found.age_band, found.severity, strict=True)
    x = np.array([[level in kind for level in LEVELS] for kind in kinds], dtype=float)
    events, size = found.deaths.astype(float), found.admissions.astype(float)
    return cells_of("binomial", events, size, x, group, found.names, ("intercept", *LEVELS))


def test_the_bundled_file_is_what_the_generator_writes(hospitals: Hospitals) -> None:
    csv_text = runpy.run_path(str(FOLDER / "generate.py"))["csv_text"]
    assert (FOLDER / "hospital_mortality.csv").read_bytes() == csv_text(hospitals).encode()


def test_a_seed_fixes_every_value_and_another_changes_them() -> None:
    first, again, other = simulate_hospitals(7), simulate_hospitals(7), simulate_hospitals(8)
    assert np.array_equal(first.deaths, again.deaths)
    assert not np.array_equal(first.admissions.shape, other.admissions.shape) or not np.array_equal(
        first.deaths, other.deaths
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_any_seed_keeps_the_shape(seed: int) -> None:
    found = simulate_hospitals(seed)
    assert len(set(found.names)) == N_HOSPITALS == len(set(found.hospital))
    assert set(found.age_band) == {*AGE_BANDS}
    assert set(found.severity) == {*SEVERITIES}
    assert (found.deaths <= found.admissions).all()
    volume = Counter[str]()
    for name, n in zip(found.hospital, found.admissions.tolist(), strict=True):
        volume[name] += n
    sizes = np.array([volume[name] for name in found.names])
    assert sizes.min() >= 5
    assert sizes.max() <= 5000
    small = sizes <= np.quantile(sizes, 0.25)
    assert found.true_rate[small].mean() > 1.3 * found.true_rate[~small].mean()


def test_partial_pooling_is_lme4s(hospitals: Hospitals) -> None:
    of_all = cells(hospitals)
    plain = partial_pooling_of(counted_model(of_all, scaling_of(of_all), (0,)), "varying_intercept")
    raw = plain.fixef[1:] / plain.scaling.scale
    np.testing.assert_allclose([*plain.sigma_group, *raw], PLAIN, rtol=1e-4)
    model = counted_model(of_all, scaling_of(of_all), (0,), (Added("size"),))
    sized = partial_pooling_of(model, "varying_intercept")
    raw = sized.fixef[1:] / np.append(model.scaling.scale[:-1], 1.0)
    np.testing.assert_allclose([*sized.sigma_group, *raw], WITH_SIZE, rtol=1e-4)
