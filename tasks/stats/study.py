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
    """Overrides; what is left out follows the data's scale (see `tasks.stats.priors`)."""

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
    """Where a check turns from pass to review or fail. Defaults are the field's own."""

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


class Schedule(Frozen):
    """When to run without being asked: exactly one of the three, in a time zone."""

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
    """Raises ValueError for a path that may lead out of the study's folder, or that no system can have."""
    leaves = ".." in re.split(r"[/\\]", folder) or re.match(r"[/\\~]|[A-Za-z]:", folder)
    if leaves or visible(folder) != folder:
        raise ValueError(f'it has to be a folder within the study\'s, as in: {key} = "{key}"')
    return folder


class Trigger(Frozen):
    """New data start a run: files in `watch`, a folder in the study's, belong to the study's data."""

    watch: Annotated[str, Field(min_length=1)] = Field(
        default="incoming",
        description="A folder in the study's folder. Files in it belong to the data; a new one starts a run of "
        "`poolwise serve`.",
    )
    stable_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=1.0, description="A file is complete when it has not changed for this many seconds."
    )

    @field_validator("watch")
    @classmethod
    def _inside(cls, watch: str) -> str:
        return _within_the_study(watch, "watch")


class Notify(Frozen):
    """Whom to tell, and when. Addresses are Apprise's: mailto://, slack://, json:// and many more.

    They are secrets: tokens and passwords are part of them. Dumped as JSON they are stars.
    """

    to: tuple[SecretStr, ...] = Field(
        default=(), description="Addresses in Apprise's form. `${NAME}` stands for that environment variable."
    )
    on: tuple[Literal["worse", "rejected", "stale", "failed"], ...] = Field(
        default=("worse", "rejected", "stale", "failed"),
        description="When to tell: the verdict is worse (`worse`), too many rows were rejected (`rejected`), the "
        "newest file is too old (`stale`), a run published nothing (`failed`).",
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


class Study(Frozen):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = Field(
        description="What the folder of its reports is called: lowercase letters, digits, `-` and `_`. "
        "Default: like the study's folder.",
    )
    title: Annotated[str, Field(min_length=1, max_length=300)] = Field(
        description="The question, in one line. The report's title."
    )
    source: Annotated[str, Field(min_length=1)] = Field(
        default="*.csv",
        description="The data: a file or a pattern in the study's folder, or an absolute path. CSV (.csv, .txt, .tsv) "
        "or .parquet.",
    )
    encoding: str | None = Field(
        default=None,
        description='The encoding of files that are not UTF-8 and have no byte order mark, as in "cp1252". '
        "Default: such files are refused.",
    )
    delimiter: Literal[",", ";", "\t", "|"] | None = Field(
        default=None, description="What stands between columns. Default: found file by file."
    )
    decimal: Literal[".", ","] | None = Field(
        default=None, description="The decimal mark of columns whose numbers do not show it."
    )
    thousands: Literal[",", ".", " ", "\u00a0", "\u2009", "\u202f", "'", "\u2019"] | None = Field(
        default=None, description='What stands between groups of three digits. `" "` is any space.'
    )
    affixes: tuple[Affix, ...] = Field(
        default=(),
        description="Signs and units before or after a number that are taken off, and nothing else: with `%`, 12 % is "
        "read as 12.",
    )
    missing: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(),
        description="What stands for a missing value, beside empty cells, NA, N/A, NaN, null and none. Words do so "
        "everywhere, numbers in columns of numbers only.",
    )
    comment: Annotated[str, Field(min_length=1, max_length=10)] | None = Field(
        default=None, description='What a line begins with that is no row, as in "#".'
    )
    outcome: ColumnName = Field(description="The column to explain; numbers.")
    outcome_unit: str = Field(default="", description="The outcome's unit, shown with its numbers.")
    group: ColumnName = Field(description="The column that says which group a row belongs to.")
    predictors: tuple[ColumnName, ...] = Field(
        default=(), description="Columns that may explain the outcome; numbers. They are centre-scaled before fitting."
    )
    predictor_units: dict[ColumnName, str] = Field(
        default_factory=dict, description='By predictor: its unit, in the plural, as in "years".'
    )
    varying: tuple[ColumnName, ...] = Field(
        default=(),
        description="Predictors whose effect may differ between groups. Default: all that differ within groups.",
    )
    labels: Labels = Labels()
    codes: dict[ColumnName, Annotated[dict[str, Finite], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="By column: a number for each word. Other values are read as numbers. Columns of true and false "
        "need none.",
    )
    dates: dict[ColumnName, str] = Field(
        default_factory=dict,
        description="By column of dates: how they are written, in strptime's form. They are read as days since "
        "1970-01-01.",
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
