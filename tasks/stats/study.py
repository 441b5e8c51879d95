"""A study: what is asked of which columns, and the limits the answer has to keep.

One frozen model, the same whether it came from a `study.toml` or from the command line. Every field
but the columns' names has a default that suits most data.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from tasks.stats.plain_text import listed, shown, visible
from tasks.stats.setting_words import option_of, set_by_option, set_in_file

# Nothing to see around a label or a column's name: whitespace, direction marks, joiners, byte order marks.
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
# Where a row came from, what else it says, and what is wrong with all of it.
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


class Labels(Frozen):
    """Which labels of the group are one group, though they are not written alike."""

    join: tuple[LabelKind, ...] = Field(default=(), description="labels that differ in nothing else are one group")
    pad: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="width to which labels of digits are filled with zeros"
    )
    distinct: tuple[Label, ...] = Field(
        default=(), description="labels that are right as they are, whatever they look like"
    )


class Rules(Frozen):
    """What a row must satisfy, and how many may fail before the run stops."""

    ranges: dict[ColumnName, Range] = Field(default_factory=dict)
    groups: tuple[Label, ...] | None = Field(default=None, description="allowed group labels; default: any")
    unique: tuple[ColumnName, ...] = Field(default=(), description="columns whose values together name a row")
    copies: Literal["keep", "drop"] | None = Field(
        default=None, description="rows that are exact copies of an earlier one; default: kept, and said"
    )
    max_rejected_share: Share = 0.05
    min_rows: Annotated[int, Field(ge=1)] = 1


class NormalPrior(Frozen):
    """A normal prior in the outcome's unit, on centre-scaled predictors."""

    mean: Finite = 0.0
    sd: Positive


class Priors(Frozen):
    """Overrides; what is left out follows the data's scale (see `tasks.stats.priors`)."""

    intercept: NormalPrior | None = None
    slopes: dict[ColumnName, NormalPrior] = Field(default_factory=dict)
    sigma_group_sd: dict[str, Positive] = Field(
        default_factory=dict, description='half-normal scale per varying term; "intercept" names the intercept'
    )
    sigma_residual_mean: Positive | None = Field(default=None, description="mean of the exponential prior")
    correlation_lkj: Positive = 2.0


class SamplerSettings(Frozen):
    """How Stan's sampler is run first; failed diagnostics make it run longer and more carefully."""

    chains: Annotated[int, Field(ge=2, le=64)] = 4
    warmup: Annotated[int, Field(ge=150, le=100_000)] = 1000
    draws: Annotated[int, Field(ge=100, le=100_000, description="kept per chain")] = 1000
    adapt_delta: Annotated[float, Field(gt=0, lt=1)] = 0.8
    max_treedepth: Annotated[int, Field(ge=5, le=20)] = 10
    max_minutes: Annotated[
        float, Field(gt=0, le=10_080, description="for all attempts together; then the run stops")
    ] = 10.0
    seed: Annotated[int, Field(ge=1, lt=2**31)] | None = Field(
        default=None, description="default: derived from the study's name and the data"
    )


class Thresholds(Frozen):
    """Where a check turns from pass to review or fail. Defaults are the field's own."""

    rhat: Annotated[float, Field(gt=1)] = 1.01
    ess_per_chain: Positive = 100.0
    ebfmi: Positive = 0.3
    pareto_k: Positive | None = Field(default=None, description="default: min(1 - 1/log10(S), 0.7)")
    singular_tolerance: Positive = 1e-4
    collapsed_ratio: Annotated[float, Field(gt=0, lt=1)] = 0.5
    few_groups: Annotated[int, Field(ge=2)] = 5
    predictive_tail: Annotated[float, Field(gt=0, lt=0.5)] = 0.025
    influence: Annotated[
        float, Field(gt=0, description="standard errors by which one group may move an estimate for the average group")
    ] = 1.0
    prior_predictive_tail: Annotated[float, Field(gt=0, lt=0.5)] = 0.005
    prior_sensitivity: Positive = 0.05
    equal_spread_p: Annotated[float, Field(gt=0, lt=1)] = 0.01
    equal_spread_ratio: Annotated[float, Field(ge=1, description="largest to smallest group SD that matters")] = 2.0
    rankability: Annotated[float, Field(gt=0, lt=1, description="least for a league table")] = 0.75
    size_trend: Annotated[
        float, Field(ge=0, description="group SDs between small and large groups that matter; 0: any clear trend")
    ] = 0.5


class Schedule(Frozen):
    """When to run without being asked: exactly one of the three, in a time zone."""

    cron: str | None = Field(default=None, description='five fields, such as "0 6 * * 1"')
    interval_minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    rrule: str | None = Field(default=None, description='an iCalendar rule, such as "FREQ=WEEKLY;BYDAY=MO"')
    timezone: str = "UTC"

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sum(value is not None for value in (self.cron, self.interval_minutes, self.rrule)) != 1:
            raise ValueError("give exactly one of cron, interval_minutes and rrule")
        if self.timezone not in available_timezones():
            raise ValueError(f"{shown(self.timezone)} is no time zone; use a name such as Europe/London")
        return self


def _within_the_study(folder: str, key: str) -> str:
    """Raises ValueError for a path that may lead out of the study's folder, or that no system can have."""
    leaves = ".." in re.split(r"[/\\]", folder) or re.match(r"[/\\~]|[A-Za-z]:", folder)
    if leaves or visible(folder) != folder:
        raise ValueError(f'it has to be a folder within the study\'s, as in: {key} = "{key}"')
    return folder


class Trigger(Frozen):
    """New data start a run: files in `watch`, a folder in the study's, belong to the study's data."""

    watch: Annotated[str, Field(min_length=1)] = "incoming"
    stable_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=1.0, description="a file is complete when it has not changed for so long"
    )

    @field_validator("watch")
    @classmethod
    def _inside(cls, watch: str) -> str:
        return _within_the_study(watch, "watch")


class Notify(Frozen):
    """Whom to tell, and when. Addresses are Apprise's: mailto://, slack://, json:// and many more.

    They are secrets: tokens and passwords are part of them. Dumped as JSON they are stars.
    """

    to: tuple[SecretStr, ...] = Field(default=(), description="${NAME} is replaced by that environment variable")
    on: tuple[Literal["worse", "rejected", "stale", "failed"], ...] = ("worse", "rejected", "stale", "failed")
    rejected_share: Share = Field(default=0.02, description="tell when more rows than this were rejected")
    max_age_days: Positive | None = Field(default=None, description="tell when the newest file is older")


class Report(Frozen):
    """What the report looks like."""

    look: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="a folder in the study's: templates, colours.toml, extra.css; default: Poolwise's"
    )

    @field_validator("look")
    @classmethod
    def _inside(cls, look: str | None) -> str | None:
        return None if look is None else _within_the_study(look, "look")


class Study(Frozen):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    title: Annotated[str, Field(min_length=1, max_length=300)]
    source: Annotated[str, Field(min_length=1)] = "*.csv"
    encoding: str | None = Field(default=None, description="of files that are not UTF-8; default: there are none")
    delimiter: Literal[",", ";", "\t", "|"] | None = Field(default=None, description="default: found by sniffing")
    decimal: Literal[".", ","] | None = Field(default=None, description="where a column's numbers do not show it")
    thousands: Literal[",", ".", " ", "\u00a0", "\u2009", "\u202f", "'", "\u2019"] | None = Field(
        default=None, description='between groups of three digits; " " is any space'
    )
    affixes: tuple[Affix, ...] = Field(
        default=(), description="taken off before or after a number, nothing else: 12 % is read as 12"
    )
    missing: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(), description="words that stand for a missing value; numbers do so in columns of numbers only"
    )
    comment: Annotated[str, Field(min_length=1, max_length=10)] | None = Field(
        default=None, description="what a line begins with that is no row"
    )
    outcome: ColumnName
    outcome_unit: str = ""
    group: ColumnName
    predictors: tuple[ColumnName, ...] = ()
    predictor_units: dict[ColumnName, str] = Field(default_factory=dict)
    varying: tuple[ColumnName, ...] = Field(default=(), description="default: every predictor that varies in groups")
    labels: Labels = Labels()
    codes: dict[ColumnName, Annotated[dict[str, Finite], Field(min_length=1)]] = Field(
        default_factory=dict, description="numbers for words, by column; other values are read as numbers still"
    )
    dates: dict[ColumnName, str] = Field(
        default_factory=dict, description="strptime's format of a column of dates, read as days since 1970-01-01"
    )
    rules: Rules = Rules()
    priors: Priors = Priors()
    sampler: SamplerSettings = SamplerSettings()
    thresholds: Thresholds = Thresholds()
    schedule: Schedule | None = None
    trigger: Trigger = Trigger()
    notify: Notify = Notify()
    report: Report = Report()

    @model_validator(mode="before")
    @classmethod
    def _vary_all_by_default(cls, values: object) -> object:
        if isinstance(values, dict) and values.get("varying") is None:
            return {**values, "varying": values.get("predictors", ())}
        return values

    @field_validator("source")
    @classmethod
    def _within_its_folder(cls, source: str) -> str:
        if ".." in re.split(r"[/\\]", source):
            raise ValueError("it has to stay within the study's folder; for files elsewhere give an absolute path")
        if visible(source) != source:
            raise ValueError("it holds a character that cannot be seen, which no file's name should")
        return source

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        try:
            "".encode(encoding or "utf-8")
            codecs.getincrementaldecoder(encoding or "utf-8")
        except (LookupError, ValueError):
            raise ValueError('it is no known text encoding; common ones: "utf-8", "cp1252", "latin-1"') from None
        return encoding

    @field_validator("affixes")
    @classmethod
    def _no_part_of_a_number(cls, affixes: tuple[str, ...]) -> tuple[str, ...]:
        for affix in affixes:
            if re.search(r"\d", affix) or not re.search(r"[^\s.,+-]", affix):
                raise ValueError(
                    f'{shown(affix)} could be part of a number; give a sign or a unit, as in: affixes = ["%"]'
                )
        return affixes

    @field_validator("dates")
    @classmethod
    def _formats_of_dates(cls, dates: dict[str, str]) -> dict[str, str]:
        for date_format in dates.values():
            _require_date_format(date_format)
        return dates

    @field_validator("predictors")
    @classmethod
    def _no_reserved_names(cls, predictors: tuple[str, ...]) -> tuple[str, ...]:
        for name in predictors:
            if name in RESERVED_TERMS:
                raise ValueError(f"{shown(name)} names a term of the model; rename the column")
        return predictors

    @model_validator(mode="after")
    def _columns_fit_together(self) -> Self:
        _each_once([self.outcome, self.group, *self.predictors])
        _not_reserved(self.columns)
        _known(self.varying, self.predictors, "varying")
        _known(self.predictor_units, self.predictors, "predictor_units")
        _known(self.priors.slopes, self.predictors, "priors.slopes")
        _known(self.priors.sigma_group_sd, ("intercept", *self.varying), "priors.sigma_group_sd")
        _known(self.rules.ranges, self.numeric_columns, "rules.ranges")
        _known(self.codes, self.numeric_columns, "codes")
        _known(self.dates, tuple(name for name in self.numeric_columns if name not in self.codes), "dates")
        if self.thousands and self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; they have to differ")
        return self

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the p fixed effects, intercept first."""
        return ("intercept", *self.predictors)

    @property
    def varying_columns(self) -> tuple[int, ...]:
        """Positions in `terms` of the predictors whose slope may differ by group."""
        varying = set(self.varying)
        return tuple(position for position, name in enumerate(self.predictors, 1) if name in varying)

    @property
    def numeric_columns(self) -> tuple[str, ...]:
        return (self.outcome, *self.predictors)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column a row must have, in the order outcome, group, predictors, then keys."""
        return tuple(dict.fromkeys((self.outcome, self.group, *self.predictors, *self.rules.unique)))

    @classmethod
    def setting(cls, line: str) -> str:
        """Advice to make a setting, in the words of whoever wrote this study.

        `line` is a line at the top of a study file, `decimal = ","` or `rules.min_rows = 3`; what comes back
        begins with a verb and fits into a sentence: `set decimal = "," in the study file`.
        """
        return set_in_file(line)

    @classmethod
    def named(cls, key: str) -> str:
        """A setting as its writer calls it: `rules.max_rejected_share`."""
        return key


class StudyOfFlags(Study):
    """A study that is written on the command line, for one data file; there is no study file to speak of."""

    @classmethod
    def setting(cls, line: str) -> str:
        """As of a `Study`: `` add `--set decimal=,` ``."""
        return set_by_option(line)

    @classmethod
    def named(cls, key: str) -> str:
        """As of a `Study`: `--max-rejected-share`."""
        return option_of(key)


def study_name(text: str) -> str:
    """A name that suits folders and addresses, from any text: lowercase, digits, `_` and `-`."""
    name = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:64]
    return name or "study"


def _require_date_format(date_format: str) -> None:
    """Raise ValueError unless it reads what it writes, a year at least."""
    day = datetime(2003, 12, 31, 17, 58, 59)
    try:
        is_one = datetime.strptime(day.strftime(date_format), date_format).year == day.year
    except (ValueError, re.error):  # re.error: a directive stands twice
        is_one = False
    if not is_one:
        raise ValueError(f'{shown(date_format)} is no format of dates; common ones: "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y"')


def _each_once(columns: list[str]) -> None:
    for column, times in Counter(columns).items():
        if times > 1:
            raise ValueError(f"column {shown(column)} is named twice among outcome, group and predictors")


def _not_reserved(columns: tuple[str, ...]) -> None:
    for column in columns:
        if column in RESERVED_COLUMNS:
            raise ValueError(f"column {shown(column)} has a name that Poolwise keeps for itself; rename the column")


def _known(names: Iterable[str], allowed: tuple[str, ...], where: str) -> None:
    known = set(allowed)
    for name in names:
        if name not in known:
            raise ValueError(f"{where} names {shown(name)}, which is none of {listed(allowed) or '(no predictors)'}")
