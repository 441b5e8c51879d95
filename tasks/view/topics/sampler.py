"""Did the sampler do its work: attempts, diagnostics, rank plots, traces, energy."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.stats.bayes.diagnostics import Diagnostic, against_limits, ebfmi_by_chain
from tasks.stats.draws import Draws
from tasks.stats.records import Floats, PosteriorDraws, SamplingAttempt
from tasks.view.figures import sampler as figures
from tasks.view.figures.histograms import beyond_band, ranks
from tasks.view.records import Block, Cell, Column, Figure, Fold, Panel, Panels, Table
from tasks.view.report_context import ReportContext
from tasks.view.topic import Case, CheckSpec, Topic, how_to_read
from tasks.view.words import numbers, text
from tasks.view.words.sampler_words import missed_in_words

GUIDE = (
    "Several chains explore the possible values independently. In a rank plot every chain’s line should keep mostly "
    "to the grey band, which holds about 99 of 100 bins if all have found the same answer. A chain whose line leaves "
    "it far, or in many bins side by side, says that they disagree. The sampler moves like a ball whose speed is drawn "
    "anew at each step: if one step changes its energy far less than energies differ, it is slow to reach rare values."
)
RESAMPLED_GUIDE = (
    "With this many groups the possible values of the averages and spreads are almost normally distributed. So they "
    "were not explored by chains: candidates were drawn around the most probable values, each was weighed by how "
    "probable it really is, and draws were taken in proportion to the weights. Pareto k says how uneven the weights "
    "are: below 0.7 the draws can be used as any others."
)
ROWS: dict[str, str] = {
    "weights": "Pareto k of the importance weights",
    "rhat": "Largest R-hat",
    "ess_bulk": "Smallest bulk ESS",
    "ess_tail": "Smallest tail ESS",
    "divergences": "Divergent transitions",
    "treedepth": "Transitions at the largest tree depth",
    "ebfmi": "Smallest E-BFMI",
}
MOST_QUANTITIES = 8
MOST_TRACES = 4


def _blocks(context: ReportContext) -> tuple[Block, ...]:
    findings = context.findings
    blocks: list[Block] = [_attempts(context, "table-attempts", "Sampling attempts", findings.bayes.attempts)]
    if findings.answer_attempts:
        title = "Sampling attempts of the extended model"
        blocks.append(_attempts(context, "table-attempts-extended", title, findings.answer_attempts))
    if context.draws is not None and context.draws.from_chains:
        blocks += [_ranks(context, context.draws), _energy(context, context.draws)]
        blocks.append(Fold("Traces of the chains", (_traces(context, context.draws),)))
    return (*blocks, how_to_read(RESAMPLED_GUIDE if findings.bayes.attempts[-1].is_resampled else GUIDE))


def _attempts(context: ReportContext, name: str, title: str, attempts: Sequence[SamplingAttempt]) -> Table:
    """A line per quantity and a column per attempt, so that it fits a narrow screen."""
    columns = (
        Column("Diagnostic", is_number=False),
        Column("Limit"),
        *(Column(f"Attempt {number}") for number in range(1, len(attempts) + 1)),
    )
    described = [_described(context, attempt) for attempt in attempts]
    limits = _limits(context)
    rows = tuple(
        (Cell(what), Cell(limits.get(what, "")), *(Cell(values[what]) for values in described)) for what in described[0]
    )
    return Table(name, title, columns, rows, _note(context, attempts[-1]))


def _note(context: ReportContext, last: SamplingAttempt) -> str:
    found = last.diagnostics
    worst = quantity_in_words(context, found.worst)
    if last.is_resampled:
        return (
            f"Effective sizes (ESS) are of {found.n_quantities:,} quantities, from which all {found.n_reported:,} that "
            f"are reported follow exactly; the smallest is that of the {worst}."
        )
    return (
        f"The last attempt is reported. R-hat and ESS were computed for {found.n_quantities:,} of "
        f"{found.n_reported:,} reported quantities; the largest R-hat is that of the {worst}."
    )


def quantity_in_words(context: ReportContext, name: str) -> str:
    """A quantity as the report calls it elsewhere; its name among the diagnostics if it is none of these."""
    terms = context.findings.terms
    words = {term: f"average {context.term_name(k)}" for k, term in enumerate(terms)}
    words |= {
        f"group SD {k}": f"SD between groups of the {context.term_name(term)}"
        for k, term in enumerate(context.varying, 1)
    }
    words |= {
        f"{term} of {label}": f"{context.term_name(k)} of {context.named(j)}"
        for k, term in enumerate(terms)
        for j, label in enumerate(context.findings.labels)
        if name.endswith(label)
    }
    return words.get(name, text.label(name))


def _limits(context: ReportContext) -> dict[str, str]:
    last, limits = context.findings.bayes.attempts[-1], context.study.thresholds
    found = {one.name: one for one in against_limits(last.diagnostics, limits, last.chains)}
    return {ROWS[name]: _limit(one) for name, one in found.items()}


def _limit(one: Diagnostic) -> str:
    below = "below " if one.name in ("rhat", "weights") else "at least " if one.limit else ""
    return f"{below}{one.limit:g}"


def _described(context: ReportContext, attempt: SamplingAttempt) -> dict[str, str]:
    found = attempt.diagnostics
    missed = missed_in_words(found, context.study.thresholds, attempt.chains)
    if attempt.is_resampled:
        return {
            "Method": "importance resampling",
            "Candidates": numbers.count(attempt.n_proposed),
            "Draws": numbers.count(attempt.chains * attempt.draws),
            "Seed": f"{attempt.seed}",
            ROWS["weights"]: numbers.fixed(found.pareto_k or 0.0, 2),
            ROWS["ess_bulk"]: numbers.fixed(found.ess_bulk_min, 0),
            ROWS["ess_tail"]: numbers.fixed(found.ess_tail_min, 0),
            "Judgement": numbers.listed(missed) or "every threshold holds",
        }
    return {
        "Chains": f"{attempt.chains}",
        "Warm-up and kept draws per chain": f"{attempt.warmup:,} + {attempt.draws:,}",
        "Target acceptance (adapt_delta)": f"{attempt.adapt_delta:g}",
        "Seed": f"{attempt.seed}",
        ROWS["rhat"]: numbers.fixed(found.rhat_max, 4),
        ROWS["ess_bulk"]: numbers.fixed(found.ess_bulk_min, 0),
        ROWS["ess_tail"]: numbers.fixed(found.ess_tail_min, 0),
        ROWS["divergences"]: numbers.count(found.n_divergent),
        ROWS["treedepth"]: numbers.count(found.n_max_treedepth),
        ROWS["ebfmi"]: numbers.fixed(found.ebfmi_min, 2),
        "Judgement": numbers.listed(missed) or "every threshold holds",
    }


def _ranks(context: ReportContext, draws: Draws) -> Panels:
    quantities = _quantities(context, draws)[:MOST_QUANTITIES]
    panels = tuple(
        Panel(
            id=f"panel-rank-{number}",
            title=name,
            detail="",
            alternative=f"Rank plot of {name}: one line per chain over a grey band that holds 99 of 100 bins.",
            spec=ranks(values),
        )
        for number, (name, values) in enumerate(quantities)
    )
    outside, bins = (sum(each) for each in zip(*(beyond_band(values) for _, values in quantities), strict=True))
    are = "is" if outside == 1 else "are"
    caption = (
        "Rank plots: each chain’s draws in 20 bins of the ranks over all chains. The band holds a bin in 99 of 100 "
        f"cases if the chains agree and draws are independent. Of the {bins:,} bins here {outside:,} {are} outside; "
        f"chance alone gives {numbers.about(0.01 * bins)}."
    )
    return Panels("panels-ranks", caption, panels)


def _energy(context: ReportContext, draws: Draws) -> Figure:
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


def _traces(context: ReportContext, draws: Draws) -> Panels:
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
    step = -(-draws.energy.shape[1] // figures.TRACE_DRAWS)
    every = f"Every {step}th draw" if step > 3 else "Every draw" if step == 1 else f"One of {step} draws"
    caption = f"{every} in order, a line per chain. Chains that agree overlap, and no line drifts or gets stuck."
    return Panels("panels-traces", caption, panels)


def _quantities(context: ReportContext, draws: Draws) -> list[tuple[str, Floats]]:
    """Names and draws of the quantities shown, SDs between groups first: they are the hardest to sample."""
    spread = [
        (f"SD between groups: {context.term_name(term)}", draws.sigma_group[..., k])
        for k, term in enumerate(context.varying)
    ]
    fixed = [(f"Average {context.term_name(k)}", draws.beta[..., k]) for k in range(len(context.terms))]
    residual = [("Residual SD", draws.sigma)] if isinstance(draws, PosteriorDraws) else []
    return [*spread, *residual, *fixed]


def _finding(context: ReportContext) -> str:
    found, attempts = context.findings.bayes.diagnostics, context.findings.bayes.attempts
    when = "at the first attempt" if len(attempts) == 1 else f"at attempt {len(attempts)}"
    if found.failures:
        missed = numbers.listed(missed_in_words(found, context.study.thresholds, attempts[-1].chains))
        return f"The sampler did not reach its thresholds: {missed}."
    if attempts[-1].is_resampled:
        return (
            "No sampler was needed: with this many groups, draws were taken by importance resampling. Pareto k of the "
            f"weights is {numbers.fixed(found.pareto_k or 0.0, 2)}, and the draws are worth about "
            f"{numbers.fixed(min(found.ess_bulk_min, found.ess_tail_min), 0)} independent ones or more."
        )
    return (
        f"The sampler reached every threshold {when}. The largest R-hat is {found.rhat_max:.3f}, and the draws are "
        f"worth about {numbers.fixed(min(found.ess_bulk_min, found.ess_tail_min), 0)} independent ones or more."
    )


def _check(kind: str, title: str, measure: str, holds: str) -> CheckSpec[ReportContext]:
    missed = Case[ReportContext](f"The sampler missed its threshold: {title}.", "Do not use the posterior.")
    return CheckSpec(kind, title, {"holds": Case(holds), "missed": missed}, measure)


TOPIC = Topic(
    id="sampler",
    title="Did the sampler do its work?",
    finding=_finding,
    blocks=_blocks,
    sources=("fits", "checks"),
    guide=(GUIDE,),
    checks=(
        _check("weights", "Importance weights (Pareto k)", "{value}, below {limit}", "The weights are even enough."),
        _check("rhat", "Chains agree (R-hat)", "{value}, below {limit}", "The chains agree."),
        _check("ess", "Enough draws (ESS)", "{value} draws, at least {limit}", "There are enough independent draws."),
        _check("divergences", "Divergences", "{value}, none allowed", "The sampler followed the posterior everywhere."),
        _check("treedepth", "Tree depth", "{value}, none allowed", "No trajectory was cut short."),
        _check("ebfmi", "Energy (E-BFMI)", "{value}, at least {limit}", "The tails were explored."),
    ),
)
