"""Can the groups be ranked? Ranks with their uncertainty, and the funnel that shows who stands apart."""

from __future__ import annotations

from tasks.stats.judged.ranks import RankedTerm
from tasks.view.context import Context
from tasks.view.records import Block, Paragraph
from tasks.view.summary.funnel import FunnelSummary, funnel_of
from tasks.view.summary.ranks import RanksSummary, ranks_of
from tasks.view.topic import Entry, Topic, how_to_read
from tasks.view.topics.funnel import funnel_figure, funnel_finding
from tasks.view.topics.rank_blocks import MOST_TERMS, Sizes, league_table, rank_figure, rank_table
from tasks.view.words import numbers

GUIDE = (
    "Ranks look more certain than they are: a small change in one group’s estimate moves it past many others. Each "
    "line holds a group’s rank with probability 95 %. Long lines mean that the data do not say where the group "
    "belongs. Rankability is the share of the variation between the groups’ own estimates that is more than chance; "
    "below 50 % ranks are mostly noise, and only from 75 % on is it called high (van Dishoeck and others, 2011). A "
    "league table is called justified here where rankability is high and at least half of the groups lie in one half "
    "of the table with 95 % certainty."
)
FUNNEL_OPENS = "Means of few rows vary more by chance, so the limits open towards small groups like a funnel."
FUNNEL = (
    "A group inside the grey limits need not differ from the average group at all. One inside the gold limits "
    "differs no more than groups usually do. One outside them is worth a look: at its rows first, then at what it "
    "does. Chance puts about one group in 20 outside the dashed lines and one in 500 outside the solid ones."
)


def _blocks(context: Context) -> tuple[Block, ...]:
    found, funnel = context.findings.ranks, context.findings.funnel
    sizes = Sizes("Rows", context.findings.group_sizes)
    names = [context.term_name(context.findings.terms.index(one.term)) for one in found.terms]
    return (
        *(
            rank_figure(context, found, one, term, context.term_name(term), sizes)
            for one in found.terms[:MOST_TERMS]
            for term in [context.findings.terms.index(one.term)]
        ),
        Paragraph(funnel_finding(context, funnel)),
        funnel_figure(context, funnel),
        how_to_read(GUIDE, _funnel_guide(context)),
        rank_table(context, found, names, sizes),
    )


def _funnel_guide(context: Context) -> str:
    """How to read the funnel; its opening is left out if all groups have as many rows, where limits are level lines."""
    sizes = context.findings.group_sizes
    return FUNNEL if sizes.min() == sizes.max() else f"{FUNNEL_OPENS} {FUNNEL}"


def _finding(context: Context) -> str:
    level, *effects = context.findings.ranks.terms
    slopes = (_effect_ranks(context, one) for one in effects)
    return " ".join([league_table(context, level, "level", "below"), *slopes])


def _effect_ranks(context: Context, one: RankedTerm) -> str:
    name = context.term_name(context.findings.terms.index(one.term))
    share = numbers.estimate(float(one.rankability.median), float(one.rankability.sd))
    placed = f"{one.n_placed:,} of {context.n_groups:,}" if one.n_placed else "none"
    verdict = "a ranking with intervals can be defended" if one.is_defensible else "do not rank by it"
    return f"By the {name}, {placed} can be placed (rankability {share}): {verdict}."


TOPIC = Topic(
    id="ranks",
    title="Can the groups be ranked?",
    finding=_finding,
    blocks=_blocks,
    sources=("ranks", "funnel", "checks"),
    guide=(GUIDE, FUNNEL),
    summary=(
        Entry(
            "ranks",
            RanksSummary,
            "Which place each group takes among all",
            lambda context: ranks_of(context.findings.ranks, context.findings.labels),
        ),
        Entry(
            "funnel",
            FunnelSummary,
            "Group levels against group size",
            lambda context: funnel_of(context.findings),
        ),
    ),
)
