"""The model that answers what was found, beside the plain one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tasks.stats.bayes.answer import AnswerFit
from tasks.stats.fits.intervals import excludes_zero
from tasks.view.context import Context
from tasks.view.records import Block, Cell, Column, Paragraph, Table
from tasks.view.selection import TABLE_LIMIT
from tasks.view.topic import Topic, how_to_read, messages
from tasks.view.topics.model_words import ANSWER, extended_model
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, interval

GUIDE = (
    "A model is extended when the data show that the plain one lacks something that bears on the groups’ estimates. "
    "The table lists the groups whose level the extension moves most. Where the two models disagree, the extended one "
    "is recommended: it has what the plain one lacks, and was tested to have it for a reason."
)


def _blocks(context: Context) -> tuple[Block, ...]:
    fit = context.findings.answer
    assert fit is not None
    return (_terms(context, fit), how_to_read(GUIDE), Paragraph(_foretold(context)), _moved(context, fit))


def _foretold(context: Context) -> str:
    """How well both models predict rows that they have not seen."""
    scores = context.findings.answer_scores
    if scores is None or scores.loo is None:
        return "Rows that follow one another cannot be left out one by one, so the two are not compared by new rows."
    places = numbers.decimals_for(scores.difference_se)
    more = f"{fixed(abs(scores.difference), places)} (standard error {fixed(scores.difference_se, places)})"
    density = "log predictive density, summed over all rows, each left out in turn,"
    if not scores.is_clear:
        return f"New rows are foretold about equally well by both: their {density} differs by {more}."
    which = "The extended model" if scores.difference > 0 else "The plain model"
    return f"{which} foretells new rows better: its {density} is higher by {more}."


def _terms(context: Context, fit: AnswerFit) -> Table:
    columns = (Column("Term", is_number=False), Column("Plain"), Column("Extended"), Column("95 % interval"))
    return Table("table-extended-terms", "The average group, and what was added", columns, tuple(_rows(context, fit)))


def _rows(context: Context, fit: AnswerFit) -> Iterator[tuple[Cell, ...]]:
    plain = context.findings.bayes.fixef
    for k, term in enumerate(fit.terms):
        scale = context.raw_scale(k) if k < plain.mean.size else 1.0
        sd = float(fit.fixef.sd[k]) / scale
        places = numbers.decimals_for(sd)
        before = fixed(float(plain.mean[k]) / scale, places) if k < plain.mean.size else "–"
        ends = interval(float(fit.fixef.lower[k]) / scale, float(fit.fixef.upper[k]) / scale, places)
        name = context.term_title(k) if k < plain.mean.size else text.readable(term)
        yield Cell(name), Cell(before), Cell(fixed(float(fit.fixef.mean[k]) / scale, places)), Cell(ends)


def _moved(context: Context, fit: AnswerFit) -> Table:
    plain = context.findings.bayes.groups
    moved = np.abs(fit.groups.mean[:, 0] - plain.mean[:, 0])
    chosen = np.argsort(-moved, kind="stable")[:TABLE_LIMIT]
    places = numbers.common_decimals(fit.groups.sd[chosen, 0])
    columns = (
        Column("Group", is_number=False),
        Column("Rows"),
        Column("Plain", context.unit),
        Column("Extended", context.unit),
        Column("95 % interval", context.unit),
    )
    rows = tuple(
        (
            Cell(context.labels[j]),
            Cell(numbers.count(int(context.findings.group_sizes[j]))),
            Cell(fixed(float(plain.mean[j, 0]), places)),
            Cell(fixed(float(fit.groups.mean[j, 0]), places)),
            Cell(interval(float(fit.groups.lower[j, 0]), float(fit.groups.upper[j, 0]), places)),
        )
        for j in chosen
    )
    return Table("table-extended-groups", "Groups whose level moves most", columns, rows)


def _finding(context: Context) -> str:
    fit = context.findings.answer
    assert fit is not None
    plain = context.findings.bayes.groups
    outside = (plain.mean[:, 0] < fit.groups.lower[:, 0]) | (plain.mean[:, 0] > fit.groups.upper[:, 0])
    n_outside, groups = int(outside.sum()), numbers.plural(outside.size, "group")
    named = f" ({_named(context, np.flatnonzero(outside))})" if n_outside else ""
    return (
        f"{text.sentence_case(extended_model(context))} answers what was found. Of {groups}, "
        f"{numbers.count(n_outside) if n_outside else 'none'} {'have' if n_outside > 1 else 'has'} a level that the "
        f"plain model puts outside the extended one’s 95 % interval{named}.{_slopes(context, fit)} "
        f"{messages(context, [ANSWER])}"
    )


def _slopes(context: Context, fit: AnswerFit) -> str:
    """For each slope, the groups in which it differs from 0 by one of the two models only."""
    plain, told = context.findings.bayes.groups, ""
    for term in filter(None, context.varying):
        said = (excludes_zero(each.lower[:, term], each.upper[:, term]) for each in (plain, fit.groups))
        divided = np.flatnonzero(np.ptp([*said], axis=0))
        if divided.size:
            told += f" Whether the {context.term_name(term)} differs from 0 changes in {_named(context, divided)}."
    return told


def _named(context: Context, groups: np.ndarray) -> str:
    return numbers.listed(context.named(int(group)) for group in groups)


TOPIC = Topic(
    id="extended",
    title="The model that answers what was found",
    finding=_finding,
    blocks=_blocks,
    sources=("fits", "checks"),
    guide=(GUIDE,),
    checks=(ANSWER,),
    is_shown=lambda context: context.findings.answer is not None,
)
