"""Did the sampler do its work: attempts, diagnostics, rank plots, traces, energy."""

from __future__ import annotations

from tasks.stats.diagnostics import ebfmi_by_chain
from tasks.stats.records import Floats, PosteriorDraws, SamplingAttempt
from tasks.view import guides, numbers, text, wording
from tasks.view.context import Context
from tasks.view.figures import sampler as figures
from tasks.view.figures.histograms import ranks
from tasks.view.records import Block, Cell, Column, Figure, Fold, Panel, Panels, Paragraph, Section, Table

ID = "sampler"
MOST_QUANTITIES = 8
MOST_TRACES = 4


def section(context: Context) -> Section:
    blocks: list[Block] = [_attempts(context)]
    if context.draws is not None:
        blocks += [_ranks(context, context.draws), _energy(context, context.draws)]
        blocks.append(Fold("Traces of the chains", (_traces(context, context.draws),)))
    blocks.append(Fold("How to read this", (Paragraph(guides.SAMPLER),)))
    return Section(ID, "Did the sampler do its work?", wording.sampler_finding(context), tuple(blocks))


def _attempts(context: Context) -> Table:
    """A line per quantity and a column per attempt, so that it fits a narrow screen."""
    attempts = context.findings.bayes.attempts
    columns = (
        Column("Diagnostic", is_number=False),
        Column("Limit"),
        *(Column(f"Attempt {number}") for number in range(1, len(attempts) + 1)),
    )
    described = [_described(attempt) for attempt in attempts]
    limits = _limits(context)
    rows = tuple(
        (Cell(name), Cell(limits.get(name, "")), *(Cell(values[name]) for values in described)) for name in described[0]
    )
    last = attempts[-1].diagnostics
    note = (
        f"The last attempt is reported. R-hat and ESS were computed for {last.n_quantities:,} of {last.n_reported:,} "
        f"reported quantities; the largest R-hat belongs to {text.label(last.worst)}."
    )
    return Table("table-attempts", "Sampling attempts", columns, rows, note)


def _limits(context: Context) -> dict[str, str]:
    limits, chains = context.study.thresholds, context.findings.bayes.attempts[-1].chains
    least = f"at least {limits.ess_per_chain * chains:g}"
    return {
        "Largest R-hat": f"below {limits.rhat:g}",
        "Smallest bulk ESS": least,
        "Smallest tail ESS": least,
        "Divergent transitions": "0",
        "Transitions at the largest tree depth": "0",
        "Smallest E-BFMI": f"at least {limits.ebfmi:g}",
    }


def _described(attempt: SamplingAttempt) -> dict[str, str]:
    found = attempt.diagnostics
    return {
        "Chains": f"{attempt.chains}",
        "Warm-up and kept draws per chain": f"{attempt.warmup:,} + {attempt.draws:,}",
        "Target acceptance (adapt_delta)": f"{attempt.adapt_delta:g}",
        "Seed": f"{attempt.seed}",
        "Largest R-hat": numbers.fixed(found.rhat_max, 4),
        "Smallest bulk ESS": numbers.fixed(found.ess_bulk_min, 0),
        "Smallest tail ESS": numbers.fixed(found.ess_tail_min, 0),
        "Divergent transitions": numbers.count(found.n_divergent),
        "Transitions at the largest tree depth": numbers.count(found.n_max_treedepth),
        "Smallest E-BFMI": numbers.fixed(found.ebfmi_min, 2),
        "Judgement": numbers.listed(map(text.clean, found.failures)) or "every threshold holds",
    }


def _ranks(context: Context, draws: PosteriorDraws) -> Panels:
    quantities = _quantities(context, draws)
    panels = tuple(
        Panel(
            id=f"panel-rank-{number}",
            title=name,
            detail="",
            alternative=f"Rank plot of {name}: one line per chain over a grey band that holds 99 % under agreement.",
            spec=ranks(values),
        )
        for number, (name, values) in enumerate(quantities[:MOST_QUANTITIES])
    )
    caption = (
        "Rank plots: each chain’s draws in 20 bins of the ranks over all chains. Agreement keeps them in the band."
    )
    return Panels("panels-ranks", caption, panels)


def _energy(context: Context, draws: PosteriorDraws) -> Figure:
    by_chain = numbers.listed((numbers.fixed(float(value), 2) for value in ebfmi_by_chain(draws)), limit=8)
    least = f"{context.study.thresholds.ebfmi:g}"
    return Figure(
        id="figure-energy",
        caption="The sampler’s energy, and how much of it one step can change. Where the green curve is much narrower "
        f"than the grey one, the sampler crawls through the tails. E-BFMI by chain: {by_chain}; at least {least} is "
        "wanted.",
        alternative=f"The energy statistic E-BFMI of the chains is {by_chain}; at least {least} is wanted.",
        spec=figures.energy(draws.energy),
        height=280,
    )


def _traces(context: Context, draws: PosteriorDraws) -> Panels:
    panels = tuple(
        Panel(
            id=f"panel-trace-{number}",
            title=name,
            detail="",
            alternative=f"Trace of {name}: the values of each chain, draw after draw.",
            spec=figures.traces(values),
        )
        for number, (name, values) in enumerate(_quantities(context, draws)[:MOST_TRACES])
    )
    step = -(-draws.sigma.shape[1] // figures.TRACE_DRAWS)
    every = f"Every {step}th draw" if step > 3 else "Every draw" if step == 1 else f"One of {step} draws"
    caption = f"{every} in order, a line per chain. Chains that agree overlap, and no line drifts or gets stuck."
    return Panels("panels-traces", caption, panels)


def _quantities(context: Context, draws: PosteriorDraws) -> list[tuple[str, Floats]]:
    """The variances first: they are the hardest to sample."""
    spread = [
        (f"SD between groups: {context.term_name(term)}", draws.sigma_group[..., k])
        for k, term in enumerate(context.varying)
    ]
    fixed = [(f"Average {context.term_name(k)}", draws.beta[..., k]) for k in range(len(context.terms))]
    return [*spread, ("Residual SD", draws.sigma), *fixed]
