"""The tables of a study file, each a frozen model: labels, rules, priors, sampler, thresholds, schedule and others."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from tasks.study.addresses import require_no_password
from tasks.study.plain_text import shown, visible

# Cannot be seen around a label or a column's name: whitespace, direction marks, joiners, byte order marks.
UNSEEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
SURROUNDING = "".join(re.findall(rf"[\s{UNSEEN}]", "".join(map(chr, range(0x10000)))))


def clean_label(text: str) -> str:
    """A label or a column's name as it is compared: composed Unicode (NFC), nothing blank or invisible around it."""
    return unicodedata.normalize("NFC", text).strip(SURROUNDING)


ColumnName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(clean_label)]
Label = Annotated[str, AfterValidator(clean_label)]
LabelKind = Literal["case", "space", "zeros", "decimals"]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Affix = Annotated[str, Field(min_length=1, max_length=20)]

RESERVED_TERMS = ("intercept", "sigma")
# Poolwise's own columns: where a row came from, what else it says, and what is wrong with the row as a whole.
RESERVED_COLUMNS = ("_file", "_row", "_rest", "_others", "_rule", "_record")


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Range(Frozen):
    """Closed limits for a numeric column, in the column's own unit; `None` leaves a side open."""

    min: Finite | None = None
    max: Finite | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class Query(Frozen):
    """Rows that a database gives."""

    sql: Annotated[str, Field(min_length=1)] = Field(
        description="One `select` whose columns are the study's; others are not looked at, but for copies of rows."
    )
    database: Annotated[str, Field(min_length=1)] = Field(
        description="The database's address in SQLAlchemy's form. `${NAME}` stands for that environment variable, "
        "`${secret:NAME}` for that Secret block of Prefect's; a password may stand in no other way. A path of SQLite's "
        "or DuckDB's is relative to the study's folder."
    )
    partition: ColumnName | None = Field(
        default=None,
        description="A column of the query, as a week: when rows are added or changed, only its parts that hold them "
        "are read anew. Default: all rows are read anew.",
    )

    @field_validator("sql")
    @classmethod
    def _one_query(cls, sql: str) -> str:
        sql = sql.rstrip("; \n\t")
        if ";" in re.sub(r"'[^']*'|\"[^\"]*\"|--[^\n]*", "", sql):
            raise ValueError("it should be one query, without a semicolon inside")
        return sql

    @field_validator("database")
    @classmethod
    def _without_secrets(cls, database: str) -> str:
        require_no_password(database)
        return database


class Labels(Frozen):
    """Which differently written labels name the same group."""

    join: tuple[LabelKind, ...] = Field(
        default=(),
        description="Labels that differ in nothing else are one group: in capitals (`case`), in spaces and invisible "
        "characters (`space`), in leading zeros (`zeros`), in a trailing .0 (`decimals`).",
    )
    pad: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="Labels made of digits get leading zeros up to this width: with 5, 1001 is 01001."
    )
    distinct: tuple[Label, ...] = Field(
        default=(),
        description="Labels that are right as they are. They are never joined, and no check asks about them.",
    )


class Rules(Frozen):
    """What a row must satisfy, and how many may fail before the run stops."""

    ranges: dict[ColumnName, Range] = Field(
        default_factory=dict,
        description="By numeric column: the smallest value allowed, the largest, or both, in the column's own unit.",
    )
    groups: tuple[Label, ...] | None = Field(
        default=None, description="The group labels that are allowed. Default: every label."
    )
    unique: tuple[ColumnName, ...] = Field(
        default=(), description="Columns that together name a row. Of rows with the same values only the first is used."
    )
    copies: Literal["keep", "drop"] | None = Field(
        default=None,
        description="What becomes of rows that are exact copies of an earlier row, in any file. "
        "Default: they are kept, and a check asks for review.",
    )
    max_rejected_share: Share = Field(
        default=0.05, description="The share of rows that may be rejected. Beyond it the run stops with exit code 3."
    )
    min_rows: Annotated[int, Field(ge=1)] = Field(
        default=1, description="The rows that have to be left. With fewer the run stops with exit code 3."
    )


class NormalPrior(Frozen):
    """A normal prior in the outcome's unit, on centre-scaled predictors."""

    mean: Finite = 0.0
    sd: Positive


class Priors(Frozen):
    """Priors that replace the defaults; what is left out follows the data's scale (see `tasks.stats.bayes.priors`)."""

    intercept: NormalPrior | None = Field(
        default=None,
        description="Normal prior of the average group's level, where every predictor is at its mean. "
        "Default: the outcome's mean, and 2.5 times its SD.",
    )
    slopes: dict[ColumnName, NormalPrior] = Field(
        default_factory=dict,
        description="By predictor: normal prior of its effect in the average group, per SD of the predictor. "
        "Default: 0, and 2.5 times the outcome's SD.",
    )
    sigma_group_sd: dict[str, Positive] = Field(
        default_factory=dict,
        description="By varying predictor, and `intercept` for the level: scale of the half-normal prior of the SD "
        "between groups. Default: the outcome's SD.",
    )
    sigma_residual_mean: Positive | None = Field(
        default=None,
        description="Mean of the exponential prior of the SD between rows of a group. Default: the outcome's SD.",
    )
    correlation_lkj: Positive = Field(
        default=2.0,
        description="Shape of the LKJ prior of the correlations between a group's level and effects: 1 is flat, and "
        "the larger it is, the more it favours weak correlations.",
    )


class SamplerSettings(Frozen):
    """How Stan's sampler is run first; failed diagnostics make it run longer and more carefully."""

    chains: Annotated[int, Field(ge=2, le=64)] = Field(
        default=4, description="Independent runs of the sampler. That they agree is checked."
    )
    warmup: Annotated[int, Field(ge=150, le=100_000)] = Field(
        default=1000, description="Steps of each chain that tune the sampler and are thrown away."
    )
    draws: Annotated[int, Field(ge=100, le=100_000)] = Field(
        default=1000, description="Draws that are kept of each chain."
    )
    adapt_delta: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.8, description="The acceptance rate that the sampler aims at. Nearer to 1, it is slower and safer."
    )
    max_treedepth: Annotated[int, Field(ge=5, le=20)] = Field(
        default=10, description="The longest way from one draw to the next: 2 to this power small steps."
    )
    max_minutes: Annotated[float, Field(gt=0, le=10_080)] = Field(
        default=10.0, description="Time for all attempts together. Then the run stops with exit code 4."
    )
    seed: Annotated[int, Field(ge=1, lt=2**31)] | None = Field(
        default=None,
        description="Where the random numbers begin. Default: it follows from the study's name and the data, so that "
        "the same input gives the same numbers.",
    )


class Thresholds(Frozen):
    """Where a check turns from pass to review or fail. Defaults are those customary in statistics."""

    rhat: Annotated[float, Field(gt=1)] = Field(
        default=1.01, description="R-hat of every quantity has to be below it, or no report is published."
    )
    ess_per_chain: Positive = Field(
        default=100.0,
        description="Effective draws per chain that every quantity needs, or no report is published.",
    )
    ebfmi: Positive = Field(default=0.3, description="Least E-BFMI of a chain, or no report is published.")
    pareto_k: Positive | None = Field(
        default=None,
        description="A row with a higher Pareto k decides its own predictive score. "
        "Default: 1 − 1/log10(number of draws), at most 0.7.",
    )
    singular_tolerance: Positive = Field(
        default=1e-4,
        description="A fit is singular when its groups differ in some direction by less than this many residual SDs.",
    )
    collapsed_ratio: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.5, description="An interval has collapsed when it is narrower than this share of the Bayesian one."
    )
    few_groups: Annotated[int, Field(ge=2)] = Field(
        default=5, description="With fewer groups the REML fits are not recommended."
    )
    predictive_tail: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        default=0.025,
        description="The data are unlike data simulated from the model when a smaller share of these is as far out, on "
        "one side. The four statistics of all rows share it.",
    )
    influence: Annotated[float, Field(gt=0)] = Field(
        default=1.0,
        description="Standard errors by which leaving out one group may move an estimate for the average group.",
    )
    prior_predictive_tail: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        default=0.005,
        description="The priors rule the data out when a smaller share of data simulated from them is as far out.",
    )
    prior_sensitivity: Positive = Field(
        default=0.05,
        description="Power-scaling sensitivity from which on the priors have a noticeable say. "
        "Twice as much is allowed for the spread between groups.",
    )
    equal_spread_p: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.01,
        description="Rows scatter more in some groups than in others when the test's p-value is below it and the "
        "ratio reaches `equal_spread_ratio`.",
    )
    equal_spread_ratio: Annotated[float, Field(ge=1)] = Field(
        default=2.0, description="Ratio of the largest to the smallest SD of a group's rows that matters."
    )
    rankability: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.75, description="Share of the differences between groups that has to be real before they are ranked."
    )
    size_trend: Annotated[float, Field(ge=0)] = Field(
        default=0.5,
        description="Difference in level between small and large groups that matters, in SDs between groups. "
        "With 0, any clear trend does.",
    )
    change_margin: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.5,
        description="Move of a group since the last report that matters, in SDs between groups. A group is named when "
        "its new rows show that it moved by more. With 0, any move does.",
    )


class Schedule(Frozen):
    """When runs start by themselves: exactly one of cron, interval_minutes and rrule, in a time zone."""

    cron: str | None = Field(
        default=None, description='Five fields: minute, hour, day, month, weekday. "0 6 * * 1" is Mondays at 6:00.'
    )
    interval_minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Minutes from one run to the next."
    )
    rrule: str | None = Field(
        default=None, description='A rule in iCalendar\'s form: "FREQ=WEEKLY;BYDAY=MO" is every Monday.'
    )
    timezone: str = Field(default="UTC", description="Where the schedule's clock stands, as in Europe/London.")

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sum(value is not None for value in (self.cron, self.interval_minutes, self.rrule)) != 1:
            raise ValueError("give exactly one of cron, interval_minutes and rrule")
        if self.timezone not in available_timezones():
            raise ValueError(f"{shown(self.timezone)} is no time zone; use a name such as Europe/London")
        return self


def _within_the_study(folder: str, key: str) -> str:
    """Raises ValueError for a path that may lead out of the study's folder, or that has invisible characters."""
    leaves = ".." in re.split(r"[/\\]", folder) or re.match(r"[/\\~]|[A-Za-z]:", folder)
    if leaves or visible(folder) != folder:
        raise ValueError(f'it has to be a folder within the study\'s, as in: {key} = "{key}"')
    return folder


class Trigger(Frozen):
    """New data start a run: files in `watch`, a folder in the study's folder, belong to the study's data."""

    watch: Annotated[str, Field(min_length=1)] = Field(
        default="incoming",
        description="A folder in the study's folder. Files in it belong to the data; a new one starts a run of "
        "`poolwise serve`.",
    )
    stable_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=1.0, description="A file is complete when it has not changed for this many seconds."
    )
    poll_seconds: Annotated[float, Field(ge=1, le=86_400)] = Field(
        default=30.0,
        description="An object store or a database is asked for what is new this often by `poolwise serve`.",
    )

    @field_validator("watch")
    @classmethod
    def _inside(cls, watch: str) -> str:
        return _within_the_study(watch, "watch")


class Notify(Frozen):
    """Whom to tell, and when. Addresses are Apprise's: mailto://, slack://, json:// and many more.

    Addresses are secrets: they contain tokens and passwords. In JSON they are replaced by stars.
    """

    to: tuple[SecretStr, ...] = Field(
        default=(), description="Addresses in Apprise's form. `${NAME}` stands for that environment variable."
    )
    on: tuple[Literal["worse", "moved", "rejected", "stale", "failed"], ...] = Field(
        default=("worse", "moved", "rejected", "stale", "failed"),
        description="When to tell: the verdict is worse (`worse`), a group has moved (`moved`), too many rows were "
        "rejected (`rejected`), the newest file is too old (`stale`), a run published nothing (`failed`).",
    )
    rejected_share: Share = Field(default=0.02, description="Tell when a larger share of the rows was rejected.")
    max_age_days: Positive | None = Field(
        default=None,
        description="Tell when the newest file is older than this many days. Then a check asks for review, too. "
        "Default: no limit.",
    )


class Report(Frozen):
    """What the report looks like."""

    look: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="A folder in the study's folder with a look of your own. Default: Poolwise's look."
    )

    @field_validator("look")
    @classmethod
    def _inside(cls, look: str | None) -> str | None:
        return None if look is None else _within_the_study(look, "look")
