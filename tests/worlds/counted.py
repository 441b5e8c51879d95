"""Worlds of counted outcomes: those on which limits were chosen, those held back, and a trial of either."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.special import logit

from tasks.stats.counted.added_terms import group_sizes
from tasks.stats.counted.model import CountedModel
from tasks.stats.records import Floats
from tasks.study.model import Study
from tests import counted_worlds
from tests.counted_decided import CountedDecided, decided_counted
from tests.counted_worlds import Made, simulate
from tests.worlds.worlds import Kind

STEP = 1e-4
DRAWS = {"chains": 2, "warmup": 300, "draws": 400}
LIMITS = {"ess_per_chain": 40, "rhat": 1.05}  # of few draws


@dataclass(frozen=True)
class CountedWorld:
    name: str
    kind: Kind
    design: counted_worlds.World
    varies: bool = True  # the study lets the slope vary by group


World = partial(counted_worlds.World, is_skewed=True)
TRIALS = World("binomial", rows=(3, 12), trials=(5, 60), slope_sd=0.3)
YES_OR_NO = World("binomial", groups=40, rows=(10, 50), slope_sd=0.5)
COUNTS = World(groups=40, rows=(5, 40), trials=(1, 10), slope_sd=0.25, level=0.0)
LEAGUE = World("binomial", groups=150, rows=(1, 1), trials=(5, 2000), level=-2.0)
EVENTS = World("binomial", rows=(4, 20), trials=(5, 40))

COUNTED_CHOSEN = (
    CountedWorld("0/1 rows", "good", YES_OR_NO),
    CountedWorld("events of trials", "good", TRIALS),
    CountedWorld("counts with exposure", "good", COUNTS),
    CountedWorld("a row a group", "good", LEAGUE, varies=False),
    CountedWorld("12 groups", "open", World("binomial", groups=12, rows=(8, 40), trials=(2, 20)), varies=False),
    CountedWorld("no differences", "open", World("binomial", rows=(3, 12), trials=(5, 60), level_sd=0.0), varies=False),
    CountedWorld(
        "rare events", "open", World("binomial", groups=80, rows=(2, 10), trials=(50, 800), level=-6.2), varies=False
    ),
    CountedWorld(
        "quiet groups", "open", World("binomial", is_binary=True, rows=(10, 60), level=-4.5, slope=2.5, slope_sd=0.3)
    ),
    CountedWorld(
        "small groups worse",
        "answerable",
        World("binomial", groups=300, rows=(1, 1), trials=(5, 2000), level=-2.0, level_sd=0.3, per_doubling=-0.12),
        varies=False,
    ),
    CountedWorld("context", "answerable", replace(EVENTS, context=-0.8), varies=False),
    CountedWorld("curve", "answerable", replace(EVENTS, curve=0.25), varies=False),
    CountedWorld("beta-binomial", "answerable", replace(EVENTS, groups=40, dispersion=0.15), varies=False),
    CountedWorld("negative binomial", "answerable", replace(COUNTS, slope_sd=0.0, dispersion=0.4), varies=False),
    CountedWorld("zero-inflated", "hopeless", replace(COUNTS, level=1.0, zeros=0.25)),
    CountedWorld("serial .8", "hopeless", replace(EVENTS, serial=0.8), varies=False),
    CountedWorld("serial .8, 0/1 rows", "open", replace(YES_OR_NO, serial=0.8)),
)
# Nothing was chosen here.
COUNTED_HELD_BACK = (
    CountedWorld(
        "good: 0/1 rows", "good", World("binomial", groups=60, rows=(10, 50), level=0.3, level_sd=0.8, slope_sd=0.5)
    ),
    CountedWorld(
        "good: events of trials",
        "good",
        World("binomial", groups=40, rows=(5, 15), trials=(10, 100), level=-1.8, level_sd=0.4, slope_sd=0.25),
    ),
    CountedWorld(
        "good: counts with exposure",
        "good",
        World(groups=50, rows=(4, 30), trials=(1, 20), level=-0.5, level_sd=0.4, slope_sd=0.3),
    ),
    CountedWorld(
        "good: a row a group",
        "good",
        World(groups=200, rows=(1, 1), trials=(10, 1500), level=-3.0, level_sd=0.4),
        varies=False,
    ),
    CountedWorld(
        "good: large cells",
        "good",
        World("binomial", groups=80, rows=(20, 200), digits=0, level=-1.5, level_sd=0.6),
        varies=False,
    ),
    CountedWorld("10 groups", "open", World(groups=10, rows=(5, 20), trials=(1, 5)), varies=False),
    CountedWorld("no differences, counts", "open", World(groups=40, rows=(3, 12), level_sd=0.0), varies=False),
    CountedWorld("slopes alike", "open", World("binomial", groups=50, rows=(5, 15), trials=(5, 40))),
    CountedWorld(
        "rare events, 0.2 %",
        "open",
        World("binomial", groups=100, rows=(2, 8), trials=(50, 800), level=-6.2, level_sd=0.4),
        varies=False,
    ),
    CountedWorld(
        "rare events, a row a group",
        "open",
        World("binomial", groups=120, rows=(1, 1), trials=(100, 6000), level=-6.2, level_sd=0.5),
        varies=False,
    ),
    CountedWorld(
        "quiet groups, counts",
        "open",
        World(groups=50, is_binary=True, rows=(8, 40), level=-4.0, slope=2.0, slope_sd=0.2),
    ),
    CountedWorld(
        "small groups worse, counts",
        "answerable",
        World(groups=200, rows=(2, 8), trials=(1, 200), level=-2.5, level_sd=0.3, per_doubling=-0.3),
        varies=False,
    ),
    CountedWorld(
        "context, counts", "answerable", World(groups=50, rows=(4, 20), trials=(1, 6), context=0.7), varies=False
    ),
    CountedWorld("curve, counts", "answerable", World(groups=40, rows=(6, 30), curve=-0.2), varies=False),
    CountedWorld("curve, 0/1 rows", "answerable", World("binomial", groups=40, rows=(10, 60), curve=0.4, slope_sd=0.3)),
    CountedWorld(
        "beta-binomial .08",
        "answerable",
        World("binomial", groups=50, rows=(4, 15), trials=(10, 60), level=-1.2, dispersion=0.08),
        varies=False,
    ),
    CountedWorld(
        "negative binomial .8",
        "answerable",
        World(groups=60, rows=(4, 20), trials=(1, 4), level=0.5, dispersion=0.8),
        varies=False,
    ),
    CountedWorld(
        "zero-inflated events",
        "hopeless",
        World("binomial", groups=40, rows=(5, 30), trials=(10, 40), level=-0.5, zeros=0.3),
        varies=False,
    ),
    CountedWorld("serial .7, counts", "hopeless", World(groups=40, rows=(10, 60), serial=0.7), varies=False),
)


@dataclass(frozen=True)
class CountedTrial:
    decided: CountedDecided
    truth: Floats  # (J, p)
    sizes: Floats  # (J,) trials or exposure


def counted_study(world: CountedWorld) -> Study:
    fields = {"name": "world", "title": world.name, "outcome": "y", "group": "g", "predictors": ["x1"]}
    varying = ["x1"] if world.varies else []
    return Study.model_validate(
        {**fields, "family": world.design.family, "varying": varying, "sampler": DRAWS, "thresholds": LIMITS}
    )


def truth_of(made: Made, model: CountedModel) -> tuple[Floats, Floats]:
    """(J,) probabilities or rates at the predictor's mean over all rows; (J, 1) slopes per SD on the link's scale."""
    centre, scale = float(model.scaling.center[0]), float(model.scaling.scale[0])
    link = logit if made.world.family == "binomial" else np.log
    slope = (link(made.expected(centre + STEP)) - link(made.expected(centre - STEP))) / (2.0 * STEP)
    return made.expected(centre), scale * slope[:, None]


def counted_trial(world: CountedWorld, seed: tuple[int, ...]) -> CountedTrial:
    """Simulate and report."""
    made = simulate(world.design, int(np.random.default_rng(seed).integers(2**31)))
    model = made.model((0, 1) if world.varies else (0,))
    drawn = decided_counted(made.data, counted_study(world), model)
    return CountedTrial(drawn, np.column_stack(truth_of(made, model)), group_sizes(model.cells))
