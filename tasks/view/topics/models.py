"""All fits side by side: the flavours of partial pooling, and the error of every model."""

from __future__ import annotations

import numpy as np

from tasks.stats.judged.cross_validation import CrossValidation, ModelError
from tasks.stats.records import Floats, PartialPooling
from tasks.view.context import MODEL_NAMES, Context
from tasks.view.records import Block, Cell, Column, Paragraph, Table
from tasks.view.summary.held_out import CrossValidationSummary, cross_validation_of
from tasks.view.summary.second_opinion import SecondOpinionSummary, second_opinion_of
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, messages
from tasks.view.topics.in_r import formula
from tasks.view.topics.predictors import PREDICTORS
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, listed, percent, with_unit

NAMED = 0.01  # relative to the best error: smaller differences are not named
GUIDE = (
    "A smaller error on the rows that a model was fitted to is no proof of a better model: more flexible models always "
    "come closer to their own rows. It is shown because it is often asked for. What decides is the error on new rows: "
    "a part of the rows is held out in turn, every model is fitted to the rest, and predicts the part it has not seen. "
    "The difference to the best model comes with its standard error; a difference of less than two of these may be "
    f"chance, and one of less than {percent(NAMED)} of the error is too small to choose a model by."
)
# A difference counts as clear if it exceeds this many of its standard errors.
CLEAR = 2.0
COUNTS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Several")
LITTLE = 0.05  # relative to the best error: smaller clear differences hardly matter
UNCLEAR = 0.1  # relative: larger differences that are not clear are called uncertain
FLAVOURS = {
    "varying_intercept": "Varying intercepts",
    "varying_slope": "Varying slopes",
    "varying_intercept_slope": "Both, correlated",
}


def _blocks(context: Context) -> tuple[Block, ...]:
    second = messages(context, [SECOND_OPINION])
    told = (Paragraph(second),) if second else ()
    return (_errors(context), how_to_read(GUIDE), _flavours(context), *told, _fixed_effects(context))


def _errors(context: Context) -> Table:
    findings, places = context.findings, _rmse_places(context)
    scores = findings.answer_scores
    named = [
        ("complete_pooling", "complete_pooling", findings.complete.rmse),
        ("no_pooling", "no_pooling", findings.no_pooling.rmse),
        *((f"partial_pooling.{name}", "partial_pooling", fit.rmse) for name, fit in findings.partial.items()),
        ("bayes", "bayes", findings.bayes.rmse),
        *((("bayes_extended", "bayes", scores.rmse),) if scores else ()),
    ]
    found, quoted = findings.cross_validation, findings.recommended.model if findings.recommended else ""
    rows = tuple(
        (
            Cell(_model(path), "recommended" if path == quoted else ""),
            Cell(numbers.fixed(rmse, places)),
            *_new_rows(context, found, path),
        )
        for path, _, rmse in sorted(named, key=lambda one: one[0] != quoted)
    )
    columns = (
        Column("Model", is_number=False),
        Column("On its own rows", context.unit),
        *((Column("On new rows", context.unit), Column("More than the best", context.unit)) if found else ()),
    )
    note = "On its own rows: in-sample, on the rows that the model was fitted to."
    if not findings.no_pooling.is_fitted.all():
        note += " No pooling: over the rows of the groups that can carry a fit of their own."
    return Table(
        "table-rmse", "Typical error of each model (RMSE)", columns, rows, f"{note} {_how_held_out(context, found)}"
    )


def _new_rows(context: Context, found: CrossValidation | None, path: str) -> tuple[Cell, ...]:
    """The error on rows held out, and its difference to the best model's."""
    if found is None:
        return ()
    if not found.has(path):
        return Cell("–"), Cell("–")
    error, places = found.of(path), error_places(context, found)
    doubtful = path.startswith("bayes") and found.pareto_k_max > found.pareto_k_threshold
    rmse = Cell(numbers.fixed(error.rmse, places), status="review" if doubtful else None)
    if path == found.best:
        return rmse, Cell("best")
    shown = numbers.fixed(error.difference_se, places)
    se = shown if any(digit in shown for digit in "123456789") else f"below {numbers.fixed(10.0**-places, places)}"
    return rmse, Cell(numbers.fixed(error.difference, places), f"SE {se}")


def _how_held_out(context: Context, found: CrossValidation | None) -> str:
    if found is None:
        return "Too few rows to hold any out."
    sample = (
        f"a random {found.n_rows:,} of {context.findings.run.n_rows:,} rows, held out"
        if found.n_rows < context.findings.run.n_rows
        else f"{found.n_rows:,} rows, held out"
    )
    repeated = f", repeated {found.n_repeats} times and averaged" if found.n_repeats > 1 else ""
    fallback = (
        f" No pooling predicts {numbers.plural(found.n_fallback_rows, 'row')} by complete pooling, as the rest of "
        "their groups cannot carry a fit."
        if found.n_fallback_rows
        else ""
    )
    extended = (
        " The extended model’s rows are not normal and independent, so that sums cannot cross-validate it; its section "
        "compares the two row by row."
        if context.findings.answer_scores and not found.has("bayes_extended")
        else ""
    )
    reliable = (
        ""
        if found.pareto_k_max <= found.pareto_k_threshold
        else f" The error of Bayes is uncertain: Pareto k of a fold is {numbers.fixed(found.pareto_k_max, 2)}, above "
        f"{numbers.fixed(found.pareto_k_threshold, 2)}."
    )
    return (
        f"On new rows: {found.n_folds}-fold cross-validation{repeated}, {sample} at random within groups; each model "
        f"has seen all other rows.{fallback}{extended}{reliable}"
    )


def _model(path: str) -> str:
    return text.sentence_case(MODEL_NAMES[path].removeprefix("the "))


def _flavours(context: Context) -> Table:
    fits = context.findings.partial
    criterion = context.findings.fullest.criterion.upper()
    columns = (
        Column("Partial pooling", is_number=False),
        *(Column(FLAVOURS[name], model="partial_pooling") for name in fits),
    )
    described = [_described(context, fit) for fit in fits.values()]
    names = list(dict.fromkeys(name for values in reversed(described) for name in values))
    rows = tuple((Cell(name), *(values.get(name, Cell(numbers.MISSING)) for values in described)) for name in names)
    scaled = " on scaled predictors" if len(context.terms) > 1 else ""
    note = (
        f"Fitted by {criterion}{scaled}; code that runs is under Methods and reproduction. Singular and converged are "
        "separate: a singular fit can be a proper optimum."
    )
    return Table("table-flavours", "The flavours of partial pooling", columns, rows, note)


def _described(context: Context, fit: PartialPooling) -> dict[str, Cell]:
    sds = {
        f"SD between groups: {context.term_name(term)} ({context.term_unit(term) or 'no unit'})": Cell(
            numbers.fixed(float(sd), _sd_places(context, term))
        )
        for term, sd in zip(fit.varying, fit.sigma_group, strict=True)
    }
    return {
        "Formula in R, for lme4": Cell(formula(context, fit)),
        f"{fit.criterion.upper()} criterion (−2 log-likelihood)": Cell(numbers.fixed(fit.criterion_value_scaled, 2)),
        **sds,
        **_correlations(context, fit),
        f"Residual SD ({context.unit or 'no unit'})": Cell(numbers.fixed(fit.sigma, _sd_places(context, None))),
        "Singular": Cell("yes", status="review") if fit.is_singular else Cell("no"),
        "Converged": Cell("yes") if fit.converged else Cell("no", status="fail"),
        "RMSE": Cell(numbers.fixed(fit.rmse, _rmse_places(context))),
    }


def _sd_places(context: Context, term: int | None) -> int:
    """Decimal places of an effect's SD between groups, or of the residual SD: three digits of the largest."""
    fits = context.findings.partial.values()
    if term is None:
        return numbers.decimals_for(max(fit.sigma for fit in fits), 3)
    sds = [float(sd) for fit in fits for k, sd in zip(fit.varying, fit.sigma_group, strict=True) if k == term]
    return numbers.decimals_for(max(sds), 3)


def _correlations(context: Context, fit: PartialPooling) -> dict[str, Cell]:
    names = [context.term_name(term) for term in fit.varying]
    return {
        f"Correlation: {names[m]}, {names[k]}": Cell(numbers.fixed(float(fit.correlation[k, m]), 2))
        for k in range(len(names))
        for m in range(k)
    }


def _fixed_effects(context: Context) -> Table:
    complete, part, bayes = context.findings.complete, context.findings.fullest, context.findings.bayes.fixef
    columns = (
        Column("Term", is_number=False),
        Column("Unit", is_number=False),
        Column("Complete pooling", model="complete_pooling"),
        Column("Partial pooling", model="partial_pooling"),
        Column("Bayes", model="bayes"),
    )
    rows = []
    for term in range(len(context.terms)):
        scales = [(context.term_unit(term) or "–", 1.0)]
        if term and not context.is_level(term):
            scales.append((context.raw_unit(term), context.raw_scale(term)))
        for unit, scale in scales:
            places = numbers.decimals_for(float(bayes.sd[term]) / scale)
            values = (
                _estimate(complete.coef[term], complete.lower[term], complete.upper[term], scale, places),
                _plain(part.fixef[term], part.se[term], scale, places),
                _estimate(bayes.mean[term], bayes.lower[term], bayes.upper[term], scale, places),
            )
            rows.append((Cell(context.term_title(term)), Cell(unit), *values))
    note = f"{context.level_note} Below: 95 % interval (complete pooling, Bayes) or standard error (partial pooling)."
    return Table("table-fixed", "Estimates for the average group", columns, tuple(rows), note)


def _estimate(value: float, lower: float, upper: float, scale: float, places: int) -> Cell:
    return Cell(numbers.fixed(value / scale, places), numbers.interval(lower / scale, upper / scale, places))


def _plain(value: float, se: float, scale: float, places: int) -> Cell:
    return Cell(numbers.fixed(value / scale, places), f"SE {numbers.fixed(se / scale, places)}")


def _finding(context: Context) -> str:
    """Which model predicts new rows best: the error on rows held out decides, with its paired standard error."""
    found = context.findings.cross_validation
    if found is None:
        return _in_sample(context)
    tied, unclear, worse = standings(found)
    slightly = [error for error in worse if error.difference < LITTLE * found.of(found.best).rmse]
    worse = [error for error in worse if error not in slightly]
    best = with_unit(fixed(found.of(found.best).rmse, error_places(context, found)), context.difference_unit)
    return " ".join(
        filter(
            None,
            [
                _best_sentence(found, tied, best),
                f"Worse: {_each(context, found, worse)}." if worse else "",
                f"Worse by little, but measurably: {_each(context, found, slightly)}." if slightly else "",
                f"Worse, but not clearly so: {_each(context, found, unclear)}." if unclear else "",
            ],
        )
    )


def _best_sentence(found: CrossValidation, tied: list[ModelError], best: str) -> str:
    if not tied:
        return f"{text.sentence_case(MODEL_NAMES[found.best])} predicts new rows best, typically off by {best}."
    names = listed([MODEL_NAMES[found.best], *(MODEL_NAMES[error.model] for error in tied)], limit=6)
    return (
        f"{COUNTS[min(len(tied) + 1, len(COUNTS) - 1)]} models predict new rows about equally well, typically "
        f"off by {best}. They are {names}, with no clear difference of {percent(NAMED)} or more between them."
    )


def standings(found: CrossValidation) -> tuple[list[ModelError], list[ModelError], list[ModelError]]:
    """The models other than the best, in three lists: no difference to speak of, a large uncertain one, clearly worse.

    Below NAMED a difference is not spoken of, however clear: many rows make any difference clear.
    """
    best = found.of(found.best).rmse
    others = sorted((e for e in found.models if e.model != found.best), key=lambda error: error.rmse)
    worse = [error for error in others if error.difference > max(CLEAR * error.difference_se, NAMED * best)]
    rest = [error for error in others if error not in worse]
    # A large difference can be uncertain, if a few rows decide it.
    unclear = [error for error in rest if error.difference > UNCLEAR * best]
    return [error for error in rest if error not in unclear], unclear, worse


def _each(context: Context, found: CrossValidation, errors: list[ModelError]) -> str:
    places = error_places(context, found)
    return listed(
        (f"{MODEL_NAMES[e.model]} ({with_unit(fixed(e.rmse, places), context.difference_unit)})" for e in errors),
        limit=6,
    )


def error_places(context: Context, found: CrossValidation) -> int:
    """Decimal places of the error on rows held out: two significant digits of its standard error, RMSE / sqrt(2 N)."""
    return numbers.decimals_for(found.of(found.best).rmse / np.sqrt(2 * found.n_rows))


def _in_sample(context: Context) -> str:
    findings = context.findings
    pooled = fixed(findings.complete.rmse, _rmse_places(context))
    others: Floats = np.array([findings.fullest.rmse, findings.bayes.rmse])
    partial, bayes = (fixed(float(value), _rmse_places(context)) for value in others)
    return (
        "On the rows they were fitted to, complete pooling is typically off by "
        f"{with_unit(pooled, context.difference_unit)}, partial pooling by {partial} and Bayes by "
        f"{with_unit(bayes, context.difference_unit)}."
    )


def _rmse_places(context: Context) -> int:
    """Decimal places of an RMSE: two significant digits of its standard error, about RMSE / sqrt(2 N)."""
    return numbers.decimals_for(context.findings.fullest.rmse / np.sqrt(2 * context.findings.run.n_rows))


CONVERGENCE: CheckSpec[Context] = CheckSpec(
    kind="convergence",
    title="Convergence",
    measure="fits without a proven minimum: {value}",
    cases={
        "converged": Case("Every partial-pooling fit reached a proven minimum."),
        "not converged": Case(
            lambda context, judged: (
                f"The search for the REML optimum did not end in a proven minimum for {_not_converged(context)}."
            ),
            "Do not use these fits; the Bayesian fit does not depend on them.",
            reason="the REML fit did not converge",
        ),
    },
)


DISAGREES = "Do not use the REML fit, and report this as a fault of Poolwise; the Bayesian fit does not depend on it."
SECOND_OPINION: CheckSpec[Context] = CheckSpec(
    kind="second_opinion",
    title="Second opinion on the REML fit",
    measure="deviance that the two differ by: {value} (limit {limit})",
    cases={
        "agrees": Case(
            "A second solver, on rows and without derivatives, has the same REML criterion and finds no better fit."
        ),
        "other criterion": Case(
            "A second solver has another REML criterion for the same estimates.",
            DISAGREES,
            reason="a second solver disagrees with the REML fit",
        ),
        "better fit": Case(
            "A second solver finds a better REML fit than the one reported.",
            DISAGREES,
            reason="a second solver disagrees with the REML fit",
        ),
    },
)


def _not_converged(context: Context) -> str:
    fits = context.findings.partial.items()
    return numbers.listed(MODEL_NAMES[f"partial_pooling.{name}"] for name, fit in fits if not fit.converged)


TOPIC = Topic(
    id="models",
    title="All models side by side",
    finding=_finding,
    blocks=_blocks,
    sources=("fits", "cross_validation", "second_opinion"),
    guide=(GUIDE,),
    checks=(*PREDICTORS, CONVERGENCE, SECOND_OPINION),
    summary=(
        Entry(
            "cross_validation",
            CrossValidationSummary | None,
            "K-fold cross-validation of every model on the same rows; null where rows are too few",
            lambda context: cross_validation_of(context.findings.cross_validation),
        ),
        Entry(
            "second_opinion",
            SecondOpinionSummary | None,
            "The fullest REML fit by a second solver, from rows; null where data are too many for it",
            lambda context: second_opinion_of(context.findings.second_opinion),
        ),
    ),
)
