"""The report on the bundled hospitals: small ones are truly worse, and it must not call them average."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.stats.counted.simulate import simulate_hospitals
from tasks.stats.records import Floats
from tests.shelf import Shelf


@pytest.fixture(scope="module")
def run(shelf: Shelf) -> Path:
    return shelf.run("hospital_mortality")


@pytest.fixture(scope="module")
def summary(run: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((run / "summary.json").read_text("utf-8"))
    return told


def of_hospitals(summary: dict[str, Any], entry: str) -> Floats:
    """(J,) in the order of `simulate_hospitals().names`."""
    groups = summary["rates"]["groups"]
    return np.array([groups[name][entry] for name in simulate_hospitals().names], dtype=float)


def test_the_verdict_is_to_use_bayes_with_volume(summary: dict[str, Any]) -> None:
    assert summary["verdict"]["status"] == "use"
    assert summary["verdict"]["recommended_model"] == "bayes_extended"
    assert summary["fits"]["bayes_extended"]["extensions"] == ["size"]
    assert summary["verdict"]["headline"].startswith("Use the Bayesian model with the number of admissions")
    assert [one["kind"] for one in summary["checks"] if one["status"] != "pass"] == ["group_sizes", "size_trend"]


def test_recommended_rates_hold_the_truth_also_of_small_hospitals(summary: dict[str, Any]) -> None:
    truth, sizes = simulate_hospitals().true_rate, of_hospitals(summary, "size")
    held = (of_hospitals(summary, "rate_lower") <= truth) & (truth <= of_hospitals(summary, "rate_upper"))
    small = sizes <= np.quantile(sizes, 0.25)
    assert held.mean() >= 0.92
    assert held[small].mean() >= 0.90


def test_plain_partial_pooling_would_have_called_small_hospitals_average(summary: dict[str, Any]) -> None:
    """Each group predicted as one that has not been seen: before, and with size."""
    smallest = summary["size_trend"]["quarters"][0]
    assert smallest["observed"] > 1.4 * smallest["expected"]
    assert abs(smallest["observed"] / smallest["expected_with_size"] - 1.0) < 0.05


def test_hospitals_are_named_and_none_that_has_too_few_admissions(run: Path, summary: dict[str, Any]) -> None:
    page = (run / "report.html").read_text("utf-8")
    which = page.split("Which groups?")[1].split("Can I trust it?")[0]
    groups = summary["rates"]["groups"]
    named = [name for name in groups if name in which]
    assert len(named) >= 6
    assert not [name for name in named if groups[name]["too_few"]]
    for name in named:
        assert groups[name]["above_average"] >= 0.975 or groups[name]["above_average"] <= 0.025
