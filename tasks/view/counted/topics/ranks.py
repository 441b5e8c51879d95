"""Can the groups be ranked by their rates? Ranks with their uncertainty; the funnel stands beside them."""

from __future__ import annotations

import numpy as np

from tasks.view.counted.context import CountedContext
from tasks.view.records import Block
from tasks.view.summary.ranks import RanksSummary, ranks_of
from tasks.view.topic import Entry, Topic, how_to_read
from tasks.view.topics.rank_blocks import Sizes, league_table, rank_figure, rank_table
from tasks.view.topics.ranks import GUIDE
from tasks.view.words import text


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    found = context.findings.ranks
    sizes = Sizes(text.sentence_case(context.size_noun), np.rint(context.sizes).astype(np.int64))
    figure = rank_figure(context, found, found.terms[0], 0, "rate", sizes)
    return (figure, how_to_read(GUIDE), rank_table(context, found, ["rate"], sizes))


TOPIC: Topic[CountedContext] = Topic(
    id="ranks",
    title="Can the groups be ranked?",
    finding=lambda context: league_table(context, context.findings.ranks.terms[0], "rate", "above"),
    blocks=_blocks,
    sources=("ranks", "rates", "checks"),
    guide=(GUIDE,),
    summary=(
        Entry(
            "ranks",
            RanksSummary,
            "Which place each group’s rate on the same mix of cases takes among all",
            lambda context: ranks_of(context.findings.ranks, context.findings.labels),
        ),
    ),
)
