"""The context for words about rows and predictors: the study, findings from before any fit, and names with units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tasks.stats.records import Scaling
from tasks.stats.rows.data_findings import DataFindings
from tasks.study.model import Study
from tasks.view.words import numbers, text

PERCENT = {"%", "percent", "per cent", "pct"}


@dataclass(frozen=True)
class LevelWords:
    """A level of a category beside the one that it is compared with, as shown."""

    column: str
    name: str
    reference: str


@dataclass(frozen=True)
class RowContext:
    study: Study
    rows: DataFindings

    @property
    def scaling(self) -> Scaling:
        """Centre and scale of the predictors. Raises ValueError if the rows cannot carry the model."""
        if self.rows.scaling is None:
            raise ValueError("the rows cannot carry the model, so its predictors have no scale")
        return self.rows.scaling

    @property
    def outcome(self) -> str:
        return text.readable(self.study.outcome)

    @property
    def unit(self) -> str:
        return text.clean(self.study.outcome_unit)

    @property
    def difference_unit(self) -> str:
        """The unit of differences and spreads of the outcome: 2 % more of a percentage would be another number."""
        return "percentage points" if self.unit.lower() in PERCENT else self.unit

    def outcome_titled(self, title: str) -> str:
        """A title for something in the outcome's unit: `Adjusted level (s)`."""
        return text.sentence_case(f"{title} ({self.unit})" if self.unit else title)

    @property
    def group(self) -> str:
        return text.readable(self.study.group)

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """(p,) terms as shown; a level with its category: `channel: app`."""
        return tuple(
            f"{level.column}: {level.name}" if level else text.readable(term)
            for term, level in zip(self.study.terms, self.levels, strict=True)
        )

    @cached_property
    def levels(self) -> tuple[LevelWords | None, ...]:
        """(p,) what a term compares, where it is a level of a category."""
        found = {
            term: LevelWords(text.readable(each.column), text.label(level.name), text.label(each.reference.name))
            for each in self.rows.categories
            for term, level in zip(each.terms, each.others, strict=True)
        }
        return tuple(found.get(term) for term in self.study.terms)

    @cached_property
    def predictors(self) -> tuple[str, ...]:
        """The columns that the study names, as shown."""
        named = zip(self.levels, self.terms, strict=True)
        return tuple(dict.fromkeys(level.column if level else term for level, term in named))[1:]

    def is_level(self, term: int) -> bool:
        """Whether a term compares a level of a category with its reference."""
        return self.levels[term] is not None

    @property
    def numeric_terms(self) -> tuple[int, ...]:
        """Positions of the predictors that are numbers."""
        return tuple(term for term in range(1, len(self.terms)) if not self.is_level(term))

    def predictor_unit(self, term: int) -> str:
        """One raw unit of a predictor, in words: `year`, or `unit of age`."""
        name = self.study.terms[term]
        return text.singular(self.given_unit(term)) or f"unit of {text.readable(name)}"

    def given_unit(self, term: int) -> str:
        """A predictor's unit as the study gives it; empty when it does not."""
        return text.clean(self.study.predictor_units.get(self.study.terms[term], ""))

    def one_more(self, term: int) -> str:
        """`one more year of age`; `one more day` if unit and predictor have the same name; `app rather than web`."""
        if level := self.levels[term]:
            return f"{level.column} “{level.name}” rather than “{level.reference}”"
        name, unit = self.terms[term], text.singular(self.given_unit(term))
        if not unit:
            return f"one unit more of {name}"
        return f"one more {unit}" if text.singular(name.lower()) == unit.lower() else f"one more {unit} of {name}"

    def position(self, term: str) -> int:
        """The position of a term that an analysis names."""
        return self.study.terms.index(term)

    def compared(self, term: int) -> str:
        """`age`; of a level, what it is compared with too: `channel: app rather than web`."""
        level = self.levels[term]
        return f"{self.terms[term]} rather than {level.reference}" if level else self.terms[term]

    def term_name(self, term: int) -> str:
        return "level" if term == 0 else f"effect of {self.compared(term)}"

    def term_title(self, term: int) -> str:
        return text.sentence_case(self.compared(term) if self.is_level(term) else self.term_name(term))

    def slope_name(self, term: int) -> str:
        """`slope of age`; of a level there is a difference, and no slope."""
        return f"{'difference' if self.is_level(term) else 'slope'} of {self.compared(term)}"

    def term_unit(self, term: int) -> str:
        """Unit of a coefficient as fitted: on the centre-scaled predictor, which a level is not."""
        if self.is_level(term):
            return self.difference_unit
        return self.unit if term == 0 else f"{self.difference_unit or 'units'} per SD of {self.terms[term]}"

    def raw_unit(self, term: int) -> str:
        """Unit of a coefficient per raw unit of its predictor, as readers think of it; of a level, of a difference."""
        if self.is_level(term):
            return self.difference_unit
        return f"{self.difference_unit or 'units'} per {self.predictor_unit(term)}" if term else self.unit

    def raw_scale(self, term: int) -> float:
        """One SD of a predictor in its raw units; a slope divided by it is per one raw unit. 1 for the level."""
        return float(self.scaling.scale[term - 1]) if term else 1.0

    def raw_center(self, term: int) -> float:
        return float(self.scaling.center[term - 1])

    @property
    def level_meaning(self) -> str:
        return "expected outcome"

    @property
    def level_note(self) -> str:
        """A sentence that says at which values of the predictors the level of a group is taken."""
        if len(self.terms) == 1:
            return f"The level is a group’s {self.level_meaning}."
        scaling = self.scaling
        mixed = [text.readable(each.column) for each in self.rows.categories]
        mix = f"{numbers.listed(mixed)} as mixed in all rows" if mixed else ""
        means = [
            f"{self.terms[term]} {numbers.estimate(scaling.center[term - 1], scaling.scale[term - 1] / 10)}"
            for term in self.numeric_terms
        ]
        where = ", ".join(filter(None, [*means, mix]))
        return f"The level is a group’s {self.level_meaning} at the average of the predictors ({where})."
