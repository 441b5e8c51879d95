"""Made-up files with the columns of published data sets, and their kind of numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd


def high_school_and_beyond(seed: int = 3) -> pd.DataFrame:
    """Pupils in 160 schools; `size`, `sector` and `meanses` are the school's."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(160), rng.integers(14, 67, 160))
    n = school.size
    number = np.sort(rng.choice(np.arange(1200, 9600), 160, replace=False))
    ses = np.round((rng.normal(0, 0.4, 160)[school] + rng.normal(0, 0.66, n)) * 50) / 50
    return pd.DataFrame(
        {
            "school": number[school],
            "minority": (rng.random(n) < 0.27).astype(int),
            "female": rng.integers(0, 2, n),
            "ses": ses,
            "mathach": np.round(12 + 3 * rng.normal(size=160)[school] + 2.2 * ses + rng.normal(0, 6, n), 3),
            "size": rng.integers(100, 2700, 160)[school],
            "sector": rng.integers(0, 2, 160)[school],
            "meanses": np.round(pd.Series(ses).groupby(school).transform("mean"), 3),
        }
    )


def growing_pigs(seed: int = 3) -> pd.DataFrame:
    """72 pigs of 24 litters, weighed 12 times; vitamin E and copper are a pig's, `Feed` is missing the first time."""
    rng = np.random.default_rng(seed)
    pig, time = np.repeat(np.arange(72), 12), np.tile(np.arange(1, 13), 72)
    level, growth = rng.normal(0, 2.4, 72)[pig], rng.normal(0, 0.5, 72)[pig]
    eaten = np.round(pd.Series(rng.normal(12 + 2 * time, 1.5)).groupby(pig).cumsum(), 5)
    return pd.DataFrame(
        {
            "Weight": np.round(18 + level + (6.9 + growth) * time + rng.normal(0, 1.5, pig.size), 5),
            "Feed": eaten.where(time > 1),
            "Time": time,
            "Pig": 4600 + 3 * pig,
            "Evit": [f"Evit{each % 3 * 100:03d}" for each in pig],
            "Cu": [f"Cu{(0, 35, 175)[each // 3 % 3]:03d}" for each in pig],
            "Litter": pig // 3 + 1,
            "Start": np.round(rng.normal(25, 3, 72), 2)[pig],
        }
    )


def contraception(seed: int = 3) -> pd.DataFrame:
    """Women of 60 districts, whose number is the row's."""
    rng = np.random.default_rng(seed)
    n = 1934
    district = np.sort(rng.integers(1, 61, n))
    chance = 1 / (1 + np.exp(0.5 - rng.normal(0, 0.5, 61)[district]))
    return pd.DataFrame(
        {
            "woman": np.arange(1, n + 1),
            "district": district,
            "use": np.where(rng.random(n) < chance, "Y", "N"),
            "livch": rng.choice(["0", "1", "2", "3+"], n),
            "age": np.round(rng.integers(-13, 20, n) + 0.44, 2),
            "urban": np.where(rng.random(n) < 0.3, "Y", "N"),
        }
    )


def exam_scores(seed: int = 3) -> pd.DataFrame:
    """Pupils of 65 schools, numbered within their school."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(20, 110, 65)
    school = np.repeat(np.arange(65), sizes)
    n = school.size
    intake = np.round(rng.normal(size=n) * 8) / 8
    return pd.DataFrame(
        {
            "school": school + 1,
            "normexam": np.round(0.56 * intake + rng.normal(0, 0.3, 65)[school] + rng.normal(0, 0.75, n), 7),
            "schgend": rng.choice(["mixed", "boys", "girls"], 65)[school],
            "schavg": np.round(pd.Series(intake).groupby(school).transform("mean"), 7),
            "vr": rng.choice(["mid 50%", "top 25%", "bottom 25%"], 65)[school],
            "standLRT": intake,
            "gender": rng.choice(["F", "M"], n),
            "student": np.concatenate([np.arange(1, size + 1) for size in sizes]),
        }
    )


def hospital_stays(seed: int = 3) -> pd.DataFrame:
    """Patients of 30 hospitals in no order, each once."""
    rng = np.random.default_rng(seed)
    n = 900
    hospital = rng.integers(0, 30, n)
    stay = np.exp(1.2 + 0.3 * rng.normal(size=30)[hospital] + 0.5 * rng.normal(size=n))
    return pd.DataFrame(
        {
            "patient_id": rng.permutation(n) + 100_000,
            "hospital": [f"H{each:02d}" for each in hospital],
            "admitted": [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(n)],
            "age": rng.integers(18, 95, n),
            "sex": rng.choice(["f", "m"], n),
            "los": np.round(stay, 1),
        }
    )
