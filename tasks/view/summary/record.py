"""What the records of `summary.json` are made of: the base class, and the kinds of entry.

A record describes every entry of a part of the document and is filled from the run's findings.
Arrays become lists, NaN and infinities become null.
"""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation, WithJsonSchema

from tasks.view.plain import plain

NULLABLE = {"type": ["number", "null"]}
NUMBERS = {"type": "array", "items": NULLABLE}
ROWS_OF_NUMBERS = {"type": "array", "items": NUMBERS}
COEFFICIENTS = (
    "p values, intercept first, on centre-scaled predictors: the intercept in the outcome's unit at the predictors' "
    "means, slopes in outcome units per SD of their predictor"
)


class Record(BaseModel):
    """One object of the document, frozen; its docstring and its fields' descriptions make the schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)

    @classmethod
    def given(cls, **entries: Any) -> Self:
        """From entries as they are found: arrays and tuples for lists, NaN for null."""
        return cls(**entries)

    @classmethod
    def of(cls, source: object, /, **more: Any) -> Self:
        """Filled from the source's attributes of the same names; `more` are the entries that it lacks."""
        return cls(**{name: getattr(source, name) for name in cls.model_fields if name not in more}, **more)

    def told(self) -> dict[str, Any]:
        """As dicts and lists, by published name. Entries that were never given are left out."""
        fields = type(self).model_fields.items()
        return {
            field.alias or name: _told(getattr(self, name)) for name, field in fields if name in self.model_fields_set
        }


def _told(value: Any) -> Any:
    """Whatever holds no record is passed on as it is: entries by group are many."""
    if isinstance(value, Record):
        return value.told()
    if isinstance(value, list) and any(isinstance(entry, Record) for entry in value):
        return [_told(entry) for entry in value]
    if isinstance(value, dict) and any(isinstance(entry, Record) for entry in value.values()):
        return {key: _told(entry) for key, entry in value.items()}
    return value


T = TypeVar("T")

# Records by group label (or by term). Given as plain dicts, which are not validated: at 10^4 groups that would
# take longer than all the rest. Tests hold them against the schema.
ByLabel = Annotated[dict[str, T], SkipValidation]

# Limits stand before the conversion: after it, pydantic leaves them out of the schema.
Flag = Annotated[bool, BeforeValidator(plain)]
Count = Annotated[int, Field(ge=0), BeforeValidator(plain)]
Positive = Annotated[int, Field(ge=1), BeforeValidator(plain)]

Number = Annotated[int | float | None, BeforeValidator(plain), WithJsonSchema(NULLABLE)]
Seconds = Annotated[float | None, BeforeValidator(plain), WithJsonSchema({**NULLABLE, "minimum": 0})]
# Never undefined, says the schema; should one be all the same, the run publishes null rather than nothing.
Amount = Annotated[float | None, BeforeValidator(plain), WithJsonSchema({"type": "number", "minimum": 0})]
Share = Annotated[float | None, BeforeValidator(plain), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]

Vector = Annotated[list[float | None], BeforeValidator(plain), WithJsonSchema(NUMBERS)]
Matrix = Annotated[list[list[float | None]], BeforeValidator(plain), WithJsonSchema(ROWS_OF_NUMBERS)]
# A number, or nested lists of numbers.
Shaped = Annotated[Any, BeforeValidator(plain), WithJsonSchema({"anyOf": [NULLABLE, NUMBERS, ROWS_OF_NUMBERS]})]


class EstimateSummary(Record):
    """A posterior; the four entries share one shape."""

    mean: Shaped = Field(description="posterior mean")
    sd: Shaped = Field(description="posterior SD")
    lower: Shaped = Field(description="2.5 % quantile of the posterior")
    upper: Shaped = Field(description="97.5 % quantile of the posterior")


class MedianEstimateSummary(EstimateSummary):
    """A posterior with its median; the five entries share one shape."""

    median: Shaped = Field(
        description="posterior median: what the report quotes of SDs and shares, whose posteriors are skewed"
    )
