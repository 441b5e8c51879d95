"""A study: the question, the columns it is asked of, and the limits that data and fits have to keep.

One frozen model, the same whether it came from a `study.toml` or from the command line. Every field
but the columns' names has a default that suits most data.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, ModelWrapValidatorHandler, Tag, field_validator, model_validator

from tasks.study.addresses import is_remote, require_no_password
from tasks.study.categories import Categories
from tasks.study.column_rules import each_once, known, not_reserved, require_date_format
from tasks.study.plain_text import shown, visible
from tasks.study.rates import Family, Rates, Targets, require_family
from tasks.study.setting_words import option_of, set_by_option, set_in_file
from tasks.study.settings import (
    RESERVED_TERMS,
    Affix,
    ColumnName,
    Finite,
    Frozen,
    Labels,
    Notify,
    Priors,
    Query,
    Report,
    Rules,
    SamplerSettings,
    Schedule,
    Thresholds,
    Trigger,
)


def _kind(source: object) -> str:
    """Which of the two kinds of `source` is meant."""
    return "table" if isinstance(source, dict | Query) else "text"


class Study(Frozen):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = Field(
        description="What the folder of its reports is called: lowercase letters, digits, `-` and `_`. "
        "Default: like the study's folder.",
    )
    title: Annotated[str, Field(min_length=1, max_length=300)] = Field(
        description="The question, in one line. The report's title."
    )
    source: Annotated[
        Annotated[str, Field(min_length=1), Tag("text")] | Annotated[Query, Tag("table")], Discriminator(_kind)
    ] = Field(
        default="*.csv",
        description="The data: a file or a pattern in the study's folder, or an absolute path; or objects in a store, "
        "as in `s3://bucket/visits/*.parquet`. CSV (.csv, .txt, .tsv) or .parquet. A table `[source]` asks a database.",
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
    family: Family = Field(
        default="normal",
        description="What the outcome is: a measurement (`normal`); 0 or 1, or events of so many trials (`binomial`); "
        "a count (`poisson`).",
    )
    trials: ColumnName | None = Field(
        default=None,
        description="The column that says of how many trials the outcome counts the events; for `binomial`. "
        "Default: each row is one trial, and its outcome 0 or 1.",
    )
    exposure: ColumnName | None = Field(
        default=None,
        description="The column that says over how much the outcome was counted, as person-years, or events to be "
        "expected; for `poisson`. Default: the same in every row.",
    )
    group: ColumnName = Field(description="The column that says which group a row belongs to.")
    predictors: tuple[ColumnName, ...] = Field(
        default=(),
        description="Columns that may explain the outcome. Numbers are centre-scaled before fitting. Text, and true "
        "and false, are categories, whose levels are compared with one of them.",
    )
    predictor_units: dict[ColumnName, str] = Field(
        default_factory=dict, description='By predictor: its unit, in the plural, as in "years".'
    )
    varying: tuple[ColumnName, ...] = Field(
        default=(),
        description="Predictors whose effect may differ between groups. Default: numbers that differ within groups.",
    )
    order: ColumnName | None = Field(
        default=None,
        description="The column that rows of a group follow one another by, as a week or a date; numbers, or text such "
        "as 2026-W07. Default: as rows stand in their file.",
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
    categories: Categories = Categories()
    rules: Rules = Rules()
    rates: Rates = Rates()
    targets: Targets = Targets()
    priors: Priors = Priors()
    sampler: SamplerSettings = SamplerSettings()
    thresholds: Thresholds = Thresholds()
    schedule: Schedule | None = None
    trigger: Trigger = Trigger()
    notify: Notify = Notify()
    report: Report = Report()

    @model_validator(mode="wrap")
    @classmethod
    def _vary_all_by_default(cls, values: object, validated: ModelWrapValidatorHandler[Self]) -> Self:
        """Of a study that names none, all predictors vary, and `varying` does not count as set."""
        if not isinstance(values, dict) or values.get("varying") is not None:
            return validated(values)
        study = validated({**values, "varying": values.get("predictors", ())})
        study.model_fields_set.discard("varying")
        return study

    @field_validator("source")
    @classmethod
    def _within_its_folder(cls, source: str | Query) -> str | Query:
        if isinstance(source, Query):
            return source
        if visible(source) != source:
            raise ValueError("it holds a character that cannot be seen, which no file's name should")
        if is_remote(source):
            require_no_password(source)
            return source
        if ".." in re.split(r"[/\\]", source):
            raise ValueError("it has to stay within the study's folder; for files elsewhere give an absolute path")
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
            require_date_format(date_format)
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
        each_once([self.outcome, self.group, *self.predictors, *self._size])
        each_once([self.outcome, self.group, *self._order])
        not_reserved(self.columns)
        known(self.varying, self.predictors, "varying")
        known(self.predictor_units, self.predictors, "predictor_units")
        known(self.priors.slopes, self.predictors, "priors.slopes")
        known(self.priors.sigma_group_sd, ("intercept", *self.varying), "priors.sigma_group_sd")
        known(self.rules.ranges, self.numeric_columns, "rules.ranges")
        known(self.codes, self.numeric_columns, "codes")
        known(self.dates, tuple(name for name in self.numeric_columns if name not in self.codes), "dates")
        self._require_one_reading()
        sizes = {"trials": self.trials, "exposure": self.exposure}
        require_family(self.family, sizes, self.rates != Rates(), self.targets)
        if isinstance(self.source, Query) and self.notify.max_age_days is not None:
            raise ValueError(
                "notify.max_age_days asks how old the data are, which a database does not say of its rows; leave it "
                "out, or read files"
            )
        if self.thousands and self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; they have to differ")
        return self

    def _require_one_reading(self) -> None:
        """Raise ValueError unless each predictor that is named as a category is one, and no number."""
        categories = self.categories
        for name in ("columns", "numbers", "reference"):
            known(getattr(categories, name), self.predictors, f"categories.{name}")
        for column in dict.fromkeys((*categories.columns, *categories.reference)):
            if place := next((place for place, names in self._read_as_numbers.items() if column in names), None):
                raise ValueError(
                    f"categories names {shown(column)}, which {place} makes a number; leave it out of one of the two"
                )

    @property
    def _read_as_numbers(self) -> dict[str, Iterable[str]]:
        return {
            "codes": self.codes,
            "dates": self.dates,
            "rules.ranges": self.rules.ranges,
            "categories.numbers": self.categories.numbers,
        }

    def is_always_number(self, column: str) -> bool:
        """Whether a column is a number whatever its files hold: outcome, size, and what a setting makes one."""
        return column in (self.outcome, *self._size) or any(column in names for names in self._read_as_numbers.values())

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
        """The outcome, the predictors and the size: a file may show that some predictors are categories."""
        return (self.outcome, *self.predictors, *self._size)

    @property
    def is_counted(self) -> bool:
        return self.family != "normal"

    @property
    def size_column(self) -> str | None:
        """The column of trials or exposure; None if the study names none."""
        return self.trials or self.exposure

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column a row must have, in the order outcome, group, predictors, size, order, then keys."""
        named = (self.outcome, self.group, *self.predictors, *self._size, *self._order, *self.rules.unique)
        return tuple(dict.fromkeys(named))

    @property
    def _size(self) -> tuple[str, ...]:
        return (self.size_column,) if self.size_column else ()

    @property
    def _order(self) -> tuple[str, ...]:
        return (self.order,) if self.order else ()

    @classmethod
    def setting(cls, line: str) -> str:
        """Advice to make a setting, in the words of whoever wrote this study.

        `line` is a line at the top of a study file, `decimal = ","` or `rules.min_rows = 3`; what comes back
        begins with a verb and fits into a sentence: `set decimal = "," in the study file`.
        """
        return set_in_file(line)

    @classmethod
    def named(cls, key: str) -> str:
        """A key as the writer of this study types it: `rules.max_rejected_share`."""
        return key


class StudyOfFlags(Study):
    """A study given by options on the command line, for one data file, without a study file."""

    @classmethod
    def setting(cls, line: str) -> str:
        """As `Study.setting`, for the command line: `` add `--set decimal=,` ``."""
        return set_by_option(line)

    @classmethod
    def named(cls, key: str) -> str:
        """As `Study.named`, for the command line: `--max-rejected-share`."""
        return option_of(key)


def study_name(text: str) -> str:
    """A name that suits folders and addresses, from any text: lowercase, digits, `_` and `-`."""
    name = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:64]
    return name or "study"
