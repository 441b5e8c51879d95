"""The same fits of a counted outcome in R: the twin of `tasks.view.topics.in_r`.

lme4 has as many quadrature points as asked for only where one effect varies by group; else one, which is Laplace's
approximation. Its log likelihood with several points leaves out a constant, so it is not set beside the one found here.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.counted.priors import resolve_counted_priors
from tasks.stats.records import Floats
from tasks.view.counted.context import CountedContext
from tasks.view.counted.topics.priors_table import plain_model
from tasks.view.records import Code, Fold
from tasks.view.topics.in_r import column, number, quoted, r_name, rows_in_r, terms_in_r

POINTS = 25
LAPLACE = (
    "# nAGQ = 1 is Laplace's approximation, all that lme4 has where several effects vary by group.",
    "# What is found here has {} points and differs the more, the fewer events groups have.",
)


def in_r(context: CountedContext) -> Fold:
    return Fold(
        "The same fits in R",
        (
            Code("Partial pooling, with lme4; beside each line, what is found here", lme4_code(context)),
            Code("The Bayesian model, with brms; beside each line, what is found here", brms_code(context)),
        ),
    )


def formula(context: CountedContext, fit: CountedPartialPooling) -> str:
    """lme4's formula of a flavour: names as in the data, in backticks if they are no names in R."""
    study = context.study
    outcome, size = r_name(study.outcome), r_name(study.size_column) if study.size_column else ""
    left = f"cbind({outcome}, {size} - {outcome})" if study.trials else outcome
    offset = f"offset(log({size}))" if study.exposure else ""
    return f"{left} ~ {terms_in_r(context, fit.varying, offset)}"


def lme4_code(context: CountedContext) -> str:
    lines = ["library(lme4)", *rows_in_r(context), ""]
    for name, fit in context.findings.fits.partial.items():
        points = POINTS if len(fit.varying) == 1 else 1
        fixed = ", ".join(number(float(value), 4) for value in _at_references(context, fit))
        lines += [
            *([] if points > 1 else [line.format(fit.n_points) for line in LAPLACE]),
            f"{name} <- glmer({formula(context, fit)},",
            f"  data = rows, family = {context.findings.cells.family}, nAGQ = {points})",
            f"fixef({name})  # {fixed}",
            f"VarCorr({name})  # {_spreads(fit)}",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _at_references(context: CountedContext, fit: CountedPartialPooling) -> Floats:
    """(p,) the fixed effects with the intercept at the reference of each category, as in R; here it is at their mix."""
    levels = [term for term in range(1, len(context.terms)) if context.is_level(term)]
    moved = sum(float(fit.fixef[term]) * context.raw_center(term) for term in levels)
    return np.append(fit.fixef[0] - moved, fit.fixef[1:])


def _spreads(fit: CountedPartialPooling) -> str:
    """SDs of the group effects in the order of the formula, and their correlation if there is one."""
    sds = ", ".join(number(float(sd), 4) for sd in fit.sigma_group)
    has_correlation = len(fit.varying) == 2 and np.isfinite(fit.correlation[1, 0])
    return f"SD {sds}{f'; correlation {fit.correlation[1, 0]:.2f}' if has_correlation else ''}"


def brms_code(context: CountedContext) -> str:
    """The columns get plain names first: brms makes names of its own from those of its data."""
    study, attempt = context.study, context.findings.bayes.attempts[-1]
    settings = study.sampler if attempt.is_resampled else attempt
    names = [f"x{k}" for k in range(1, len(study.predictors) + 1)]
    inside = " + ".join(["1", *(names[k - 1] for k in context.varying if k)])
    left, right, family = _parts(context)
    columns = [
        f"y = rows${r_name(study.outcome)}",
        *([f"n = rows${r_name(study.size_column)}"] if study.size_column else []),
        f"g = factor(rows${r_name(study.group)})",
        *(f"{short} = as.vector({column(context, term, 'rows$')})" for term, short in enumerate(names, 1)),
    ]
    sds = ", ".join(number(float(sd), 4) for sd in context.findings.bayes.sigma_group.median)
    return "\n".join(
        [
            "library(brms)",
            *rows_in_r(context),
            f"scaled <- data.frame({', '.join(columns)})",
            "priors <- c(",
            ",\n".join(f"  {prior}" for prior in _priors(context, names)),
            ")",
            f"fit <- brm({left} ~ {' + '.join(names or ['1'])}{right} + ({inside} | g),",
            f"  data = scaled, family = {family}, prior = priors,",
            f"  chains = {settings.chains}, warmup = {settings.warmup}, iter = {settings.warmup + settings.draws},",
            f"  control = list(adapt_delta = {settings.adapt_delta:g}), seed = {context.findings.run.seed})",
            f"summary(fit, robust = TRUE)  # medians: SD {sds}",
            "",
        ]
    )


def _parts(context: CountedContext) -> tuple[str, str, str]:
    """Left side, offset and family of the formula for brms."""
    if context.is_binomial:
        return ("y | trials(n)", "", "binomial()") if context.study.trials else ("y", "", "bernoulli()")
    return "y", " + offset(log(n))" if context.study.exposure else "", "poisson()"


def _priors(context: CountedContext, names: list[str]) -> list[str]:
    """One `set_prior` a parameter. SDs are positive there, so a normal is a half-normal."""
    priors = resolve_counted_priors(context.study.priors, plain_model(context))
    normals = [
        f"normal({number(float(m))}, {number(float(s))})" for m, s in zip(priors.beta_mean, priors.beta_sd, strict=True)
    ]
    effects = ["Intercept", *names]
    correlation = [f'set_prior("lkj({priors.lkj:g})", class = "cor")'] if len(context.varying) > 1 else []
    return [
        f'set_prior({quoted(normals[0])}, class = "Intercept")',
        *(
            f'set_prior({quoted(normal)}, class = "b", coef = "{name}")'
            for normal, name in zip(normals[1:], names, strict=True)
        ),
        *(
            f'set_prior("normal(0, {number(float(sd))})", class = "sd", group = "g", coef = "{effects[term]}")'
            for term, sd in zip(context.varying, priors.sigma_group_sd, strict=True)
        ),
        *correlation,
    ]
