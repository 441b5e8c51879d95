"""The table of a study file that says which predictors are categories."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tasks.study.settings import ColumnName, Frozen, Label


class Categories(Frozen):
    """Which predictors are categories, and what their levels are compared with."""

    columns: tuple[ColumnName, ...] = Field(
        default=(),
        description="Predictors whose numbers are codes for categories, such as the number of a ward. Predictors of "
        "text, or of true and false, are categories without being named.",
    )
    numbers: tuple[ColumnName, ...] = Field(
        default=(),
        description="Predictors that are numbers, whatever their files hold: a word in one is rejected, and true and "
        "false are read as 1 and 0.",
    )
    reference: dict[ColumnName, Label] = Field(
        default_factory=dict,
        description="By predictor: the level that its other levels are compared with. Default: the one with most rows. "
        "Name it where reports recur, as another level may one day have more.",
    )
    most_levels: Annotated[int, Field(ge=2, le=100)] = Field(
        default=12, description="Levels that a predictor may have. With more the run stops with exit code 3."
    )
    few_rows: Annotated[int, Field(ge=1)] = Field(
        default=10, description="A check asks for review of a level that has fewer rows."
    )
