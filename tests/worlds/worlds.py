"""The worlds: those on which limits were chosen, and those that were held back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.worlds.simulate import Design

# good: partial pooling is right, and should be trusted. answerable: another model that is fitted here is right.
# hopeless: no model that is fitted here is right, and the report should say so. open: any answer that keeps the
# promise.
Kind = Literal["good", "answerable", "hopeless", "open"]


@dataclass(frozen=True)
class World:
    name: str
    kind: Kind
    design: Design


# Small hospitals are truly worse, and their own few rows do not show it.
HOSPITALS = {"predictors": 0, "level_sd": 0.6, "size_effect": 1.2, "sigma": 8.0}
MIXED = {"level_sd": 1.0, "slope_sd": 0.5, "size_effect": 1.5, "context": 6.0, "sigma": 6.0}

# Limits and margins of the verdict were chosen here.
CHOSEN = (
    World("regular", "good", Design(slope_sd=2.5)),
    World("60 groups", "good", Design(groups=60)),
    World("two clusters of groups", "good", Design(groups=24, level_sd=1.0, clusters=5.0)),
    World("0/1 predictor", "good", Design(is_binary_predictor=True, between_sd=0.3, slope_sd=5.0)),
    World("no predictor", "good", Design(groups=20, predictors=0)),
    World("two predictors", "good", Design(groups=20, predictors=2, slope_sd=2.0)),
    World("equal groups", "good", Design(groups=18, rows=(10, 10), slope_sd=3.0)),
    World("slopes alike", "open", Design(slope_sd=0.0)),
    World("4 groups", "open", Design(groups=4)),
    World("40 of 50 groups of one row", "open", Design(groups=50, singletons=40)),
    World("one group far off", "open", Design(outlier=30.0)),
    World("near-collinear predictors", "open", Design(groups=20, predictors=2, slope_sd=0.5, close=0.999)),
    World("serial correlation .2", "open", Design(serial=0.2)),
    World("curve", "answerable", Design(curve=1.5)),
    World("context", "answerable", Design(groups=30, rows=(3, 12), context=6.0, slope_sd=0.7)),
    World("small groups worse", "answerable", Design(**HOSPITALS, groups=300, rows=(3, 150))),
    World("unequal spread", "answerable", Design(spread=0.7)),
    World("heavy tails", "answerable", Design(noise="t", shape=2.5)),
    World("curve and unequal spread", "answerable", Design(curve=2.0, spread=0.7)),
    World("size and context", "answerable", Design(**MIXED, groups=80, rows=(3, 40))),
    World("exponential rows", "open", Design(noise="exponential")),
    World("log-normal rows", "open", Design(noise="lognormal", shape=1.0)),
    World("log-normal outcome", "open", Design(outcome="positive", shape=0.5)),
    World("serial correlation .8", "hopeless", Design(serial=0.8)),
    World("yes or no", "hopeless", Design(outcome="yes or no")),
    World("counts", "hopeless", Design(outcome="count")),
)
# Nothing was chosen here: other sizes, other strengths, other kinds.
HELD_BACK = (
    World("good: 15 groups", "good", Design(groups=15, rows=(10, 40), slope_sd=1.5)),
    World("good: 100 groups", "good", Design(groups=100, rows=(5, 30), slope_sd=1.2)),
    World("good: two clusters", "good", Design(groups=30, rows=(10, 50), level_sd=1.5, clusters=6.0, slope_sd=1.5)),
    World("good: no predictor", "good", Design(groups=12, rows=(5, 100), predictors=0)),
    World("good: three predictors", "good", Design(groups=40, rows=(15, 60), predictors=3, slope_sd=1.5)),
    World("good: 300 groups", "good", Design(groups=300, rows=(5, 60), slope_sd=1.2)),
    World("slopes alike, 8 groups", "open", Design(groups=8, rows=(7, 150), slope_sd=0.0)),
    World("6 groups", "open", Design(groups=6, rows=(10, 30))),
    World("60 of 80 groups of one row", "open", Design(groups=80, singletons=60)),
    World("two groups far off", "open", Design(groups=20, level_sd=2.0, outlier=-25.0)),
    World("serial correlation .15", "open", Design(groups=20, serial=0.15)),
    World("uniform group sizes 2 to 5", "open", Design(groups=60, rows=(2, 5))),
    World("weak curve", "answerable", Design(groups=20, curve=0.8)),
    World("strong curve", "answerable", Design(groups=10, rows=(20, 60), curve=3.0)),
    World("context, 50 groups", "answerable", Design(groups=50, rows=(2, 20), context=-5.0, level_sd=1.0, sigma=6.0)),
    World("small hospitals worse", "answerable", Design(**{**HOSPITALS, "sigma": 6.0}, groups=200, rows=(2, 100))),
    World("unequal spread .5", "answerable", Design(groups=25, rows=(6, 50), spread=0.5)),
    World("t with 3 df", "answerable", Design(groups=20, noise="t", shape=3.0)),
    World("size, curve and spread", "answerable", Design(groups=60, size_effect=2.0, curve=1.5, spread=0.5)),
    World("log-normal .7", "open", Design(groups=20, noise="lognormal", shape=0.7)),
    World("log-normal outcome, 25 groups", "open", Design(groups=25, outcome="positive", shape=0.7)),
    World("serial correlation .6", "hopeless", Design(groups=20, serial=0.6)),
    World("yes or no, 40 groups", "hopeless", Design(groups=40, outcome="yes or no")),
    World("counts, 30 groups", "hopeless", Design(groups=30, outcome="count", slope=1.0)),
)
