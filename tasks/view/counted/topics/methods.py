"""Methods and reproduction of a report on a counted outcome: equations, priors, code for R, versions, the study."""

from __future__ import annotations

from tasks.view.counted.context import CountedContext
from tasks.view.counted.topics.in_r import in_r
from tasks.view.counted.topics.priors_table import priors_table
from tasks.view.records import Block, Equations
from tasks.view.topic import Topic
from tasks.view.topics.methods import closing_blocks, finding, run_blocks, scaling_block


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    answer = context.findings.answer
    return (
        Equations(
            has_predictors=len(context.terms) > 1,
            family=context.findings.cells.family,
            is_overdispersed=answer is not None and answer.is_overdispersed,
        ),
        priors_table(context),
        scaling_block(context),
        *run_blocks(context),
        in_r(context),
        *closing_blocks(context),
    )


TOPIC: Topic[CountedContext] = Topic(
    id="methods",
    title="Methods and reproduction",
    finding=finding,
    blocks=_blocks,
    sources=(),
)
