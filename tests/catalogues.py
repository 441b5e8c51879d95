"""Catalogues of many studies in memory: weekly runs of every verdict, some stale, rejected or damaged."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from tasks.stats.past.earlier import Question
from tasks.view.catalogue.catalogue import Catalogue, DamagedRun, RejectedRun, RunEntry, catalogue_of
from tasks.view.catalogue.trends import KeyEstimate

WEEK = timedelta(days=7)
QUESTION = Question("bounce_time", "s", "county", ("age",), {"age": "year"})
HEADLINES = {
    "trust": "Partial pooling can be trusted here.",
    "use": "Use the Bayesian partial-pooling model: plain partial pooling cannot be trusted here.",
    "none": "No model here can be trusted as it stands: the sampler’s chains disagree.",
}
STATUSES = ("trust", "trust", "use", "trust", "trust", "trust", "use", "trust", "none", "trust")


def catalogue_of_many(n_studies: int, now: datetime, n_runs: int = 20) -> Catalogue:
    """Studies of 1 to `n_runs` runs, and one without a report; the data of two were rejected, a run of one damaged."""
    runs = [run for study in range(n_studies - 1) for run in weekly_runs(study, study % n_runs + 1, now)]
    latest = now.strftime("%Y%m%dT%H%M%S.999999Z-ffffff")
    rejected = [RejectedRun(name, latest, f"{name}/rejected/{latest}.csv") for name in ("region_001", "without_report")]
    damaged = [DamagedRun(f"region_002/{latest}", "summary.json is damaged: Expecting value: line 1 column 1")]
    return catalogue_of(runs, rejected, damaged)


def weekly_runs(seed: int, n: int, now: datetime) -> list[RunEntry]:
    """The newest within a week before `now`, or half a year earlier for every 40th study."""
    last = now - timedelta(hours=5 * (seed % 30)) - (26 * WEEK if seed % 40 == 25 else 0 * WEEK)
    return [_run(seed, number, last - (n - 1 - number) * WEEK) for number in range(n)]


def _run(seed: int, number: int, started: datetime) -> RunEntry:
    name = f"region_{seed:03d}"
    status = STATUSES[(seed + number // 7) % len(STATUSES)]
    run_id = f"{started:%Y%m%dT%H%M%S}.{seed:06d}Z-{seed:06x}"
    effect = 0.11 + 0.05 * math.sin(seed + number / 3)
    return RunEntry(
        study=name,
        title=f"Does age change the time on site? – region: {name.removeprefix('region_')}",
        run_id=run_id,
        started_at=started.isoformat(),
        status=status,  # type: ignore[arg-type]
        headline=HEADLINES[status],
        recommended_model="bayes",
        n_rows=613 + 40 * number,
        n_groups=8,
        n_rejected=number % 4,
        engine="embedded",
        folder=f"{name}/{run_id}",
        answer=(
            "Groups differ in bounce time, typically by 14.6\u202fs from their average; one more year of age goes "
            f"with {effect:.3f}\u202fs more bounce time (95\u202f% interval {effect / 2:.3f} to {effect * 2:.3f})."
        ),
        estimates=(
            KeyEstimate("level", "intercept", "s", 202.7 + number, 198.0 + number, 207.0 + number),
            KeyEstimate("slope", "age", "s per year", effect, effect / 2, effect * 2),
            KeyEstimate("group_sd", "intercept", "s", 14.6, 9.0, 22.0 - number / 10),
            KeyEstimate("group_sd", "age", "s per year", 0.035, 0.002, 0.09),
            KeyEstimate("icc", "", "", 0.77, 0.5, 0.9),
        ),
        question=QUESTION,
    )
