"""A whole run of events of trials that have everything against them, and the refusal of one group alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flows.report import pooling_report
from tasks.study.errors import DataRejected
from tests.reports import write_study

KEYS = {
    "title": "Hostile",
    "outcome": "deaths",
    "trials": "cases",
    "family": "binomial",
    "group": "clinic",
    "predictors": ["ward"],
    "varying": [],
    "sampler": {"chains": 2, "warmup": 300, "draws": 500},
}


def hostile() -> pd.DataFrame:
    """A million cases beside clinics of one; clinics without a death, one of nothing else, a ward of one clinic."""
    rng = np.random.default_rng(12)
    deaths = rng.binomial(1, 0.1, 50)
    single = pd.DataFrame({"clinic": [f"one {j:02d}" for j in range(50)], "deaths": deaths, "cases": 1})
    none = pd.DataFrame({"clinic": [f"none {j:02d}" for j in range(30)], "deaths": 0, "cases": 12})
    cases = [600_000, 400_000, 9]
    odd = pd.DataFrame({"clinic": ["huge", "huge", "all"], "deaths": [60_000, 41_000, 9], "cases": cases})
    frame = pd.concat([single, none, odd], ignore_index=True)
    return frame.assign(ward=["a", "b"] * 41 + ["only here"])


def test_hostile_counts_are_reported_with_a_verdict_and_reasons(prefect_server: None, tmp_path: Path) -> None:
    opened = write_study(tmp_path / "hostile", {"rows.csv": hostile()}, **KEYS)
    outcome = pooling_report(opened, tmp_path / "reports")
    summary = json.loads((outcome.folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["verdict"]["status"] in ("use", "none")
    assert any(check["status"] != "pass" for check in summary["checks"])
    assert (outcome.folder / "report.html").stat().st_size > 0


def test_one_group_alone_is_refused_in_words(prefect_server: None, tmp_path: Path) -> None:
    opened = write_study(tmp_path / "single", {"rows.csv": hostile().assign(clinic="the only one")}, **KEYS)
    with pytest.raises(DataRejected, match="group"):
        pooling_report(opened, tmp_path / "reports")
