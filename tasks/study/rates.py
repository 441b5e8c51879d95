"""Outcomes that are counted: their families, how their rates are shown and judged, and the targets of groups."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tasks.study.plain_text import shown
from tasks.study.settings import Finite, Frozen, Label, Positive

Family = Literal["normal", "binomial", "poisson"]
# By setting: the family that it is for, and what it names.
SIZES: dict[str, tuple[Family, str]] = {
    "trials": ("binomial", "the trials of which the outcome counts the events"),
    "exposure": ("poisson", "the exposure over which the outcome was counted"),
}


class Rates(Frozen):
    """How the rates of a counted outcome are shown, and when a group's is worth a word."""

    per: Positive | None = Field(
        default=None,
        description="Rates are shown per so many, as in 1000. Default: in percent of trials, per one of exposure.",
    )
    of: Annotated[str, Field(max_length=60)] = Field(
        default="", description='What trials or exposure are, in the plural, as in "admissions".'
    )
    least_size: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.0, description="A group with fewer trials, or less exposure, is said to have too few."
    )
    least_events: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.0, description="A group with fewer events is said to have too few."
    )
    margin: Positive = Field(
        default=1.0,
        description="A group's ratio of observed to expected events is told with the probability that it lies beyond "
        "this margin.",
    )
    worse: Literal["higher", "lower"] | None = Field(
        default=None, description="Which rates are the worse ones. Default: neither is said to be."
    )


class Targets(Frozen):
    """What a group's rate should be; of counted outcomes only."""

    all: Finite | None = Field(
        default=None,
        description="For every group that has no target of its own: a rate per trial (above 0 and below 1) or per one "
        "of exposure (above 0). Measured outcomes take no targets.",
    )
    groups: dict[Label, Finite] = Field(
        default_factory=dict, description="By group, spelt as in the data: a target of its own."
    )


def require_family(family: Family, sizes: dict[str, str | None], has_rates: bool, targets: Targets) -> None:
    """Raise ValueError for a column of trials or exposure, for rates or for targets that the family cannot have."""
    for key, (wanted, meaning) in SIZES.items():
        if (column := sizes[key]) is not None and family != wanted:
            raise ValueError(
                f'{key} names {shown(column)}, {meaning}, and these belong to family = "{wanted}", not "{family}"; '
                "correct the family, or leave the column out"
            )
    if has_rates and family == "normal":
        raise ValueError(
            'the table rates is for outcomes that are counted, with family = "binomial" or "poisson", and this one is '
            "measured; name the family, or leave the table out"
        )
    if targets != Targets() and family == "normal":
        raise ValueError(
            'targets are for outcomes that are counted, with family = "binomial" or "poisson", and this one is '
            "measured; leave the table out"
        )
    given = {"targets.all": targets.all, **{f"targets.groups, {shown(k)},": v for k, v in targets.groups.items()}}
    for place, target in given.items():
        if target is not None:
            _require_target(place, target, family)


def _require_target(place: str, target: float, family: Family) -> None:
    if family == "binomial" and not 0 < target < 1:
        raise ValueError(f"{place} is {target:g}, but the target of a share lies above 0 and below 1, as in 0.05")
    if family == "poisson" and not target > 0:
        raise ValueError(f"{place} is {target:g}, but the target of a rate lies above 0")
