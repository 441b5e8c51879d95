"""The same fits in R: code for lme4 and for brms that can be run as it stands, with the numbers that it gives.

Predictors are scaled as here: a model whose slopes vary without correlation to the level, or alone, depends on where
a predictor has its 0, and so do the criterion and the SD of the level of every other.
"""

from __future__ import annotations

import re

from tasks.stats.bayes.priors import ResolvedPriors, resolve_priors
from tasks.stats.records import PartialPooling
from tasks.stats.rows.categories import Category, Level
from tasks.study.model import Study
from tasks.view.context import Context
from tasks.view.records import Code, Fold
from tasks.view.report_context import ReportContext
from tasks.view.words import text

# https://cran.r-project.org/doc/manuals/r-release/R-lang.html#Identifiers, and its reserved words
R_NAME = re.compile(r"(?:[A-Za-z]|\.(?![0-9]))[A-Za-z0-9._]*")
RESERVED = {
    *("if", "else", "repeat", "while", "function", "for", "next", "break", "TRUE", "FALSE", "NULL", "Inf", "NaN"),
    *("NA", "NA_integer_", "NA_real_", "NA_complex_", "NA_character_", "in", "...", "."),
}
MOST_FILES = 20
DEFAULTS = {name: field.get_default(call_default_factory=True) for name, field in Study.model_fields.items()}
DIGITS = 6


def in_r(context: Context) -> Fold:
    return Fold(
        "The same fits in R",
        (
            Code("Partial pooling, with lme4; beside each line, what is found here", lme4_code(context)),
            Code("The Bayesian model, with brms; beside each line, what is found here", brms_code(context)),
        ),
    )


def formula(context: Context, fit: PartialPooling) -> str:
    """lme4's formula of a flavour: names as in the data, in backticks if they are no names in R."""
    return f"{r_name(context.study.outcome)} ~ {terms_in_r(context, fit.varying)}"


def terms_in_r(context: ReportContext, varying: tuple[int, ...], offset: str = "") -> str:
    """The right side of lme4's formula; `offset` stands before the groups' effects."""
    study, levels = context.study, levels_of(context)
    fixed = [
        r_name(levels[name][0].column) if name in levels else f"scale({r_name(name)})" for name in study.predictors
    ]
    inside = [*(["1"] if 0 in varying else ["0"]), *(column(context, k) for k in varying if k)]
    terms = [" + ".join(dict.fromkeys(fixed)) or "1", *([offset] if offset else [])]
    return f"{' + '.join(terms)} + ({' + '.join(inside)} | {r_name(study.group)})"


def levels_of(context: ReportContext) -> dict[str, tuple[Category, Level]]:
    """The category and the level of each term that has one."""
    return {
        term: (each, level)
        for each in context.rows.categories
        for term, level in zip(each.terms, each.others, strict=True)
    }


def column(context: ReportContext, term: int, rows: str = "") -> str:
    """A term's column as it is fitted here: scaled, or 0/1 and centred. `rows` stands before the column's name."""
    name = context.study.terms[term]
    if name not in (levels := levels_of(context)):
        return f"scale({rows}{r_name(name)})"
    category, level = levels[name]
    return f"scale({rows}{r_name(category.column)} == {quoted(level.name)}, scale = FALSE)"


def r_name(name: str) -> str:
    name = text.clean(name)
    if R_NAME.fullmatch(name) and name not in RESERVED:
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def lme4_code(context: Context) -> str:
    lines = ["library(lme4)", *rows_in_r(context), ""]
    for name, fit in context.findings.partial.items():
        by_reml = fit.criterion == "reml"
        value = f"REMLcrit({name})" if by_reml else f"-2 * c(logLik({name}))"
        lines += [
            f"{name} <- lmer({formula(context, fit)}, data = rows{'' if by_reml else ', REML = FALSE'})",
            f"{value}  # {fit.criterion_value_scaled:.2f}",
            f"VarCorr({name})  # {_spreads(fit)}",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _spreads(fit: PartialPooling) -> str:
    """SDs of the group effects in the order of the formula, their correlation if there is one, and the residual SD."""
    sds = ", ".join(number(float(sd), 4) for sd in fit.sigma_group)
    correlation = f"; correlation {fit.correlation[1, 0]:.2f}" if len(fit.varying) == 2 else ""
    return f"SD {sds}{correlation}; residual SD {number(fit.sigma, 4)}"


def rows_in_r(context: ReportContext) -> list[str]:
    """The lines that read the study's rows, after what R has to be told of them by hand."""
    files = [file.name for file in context.findings.run.files if not file.set_aside] or ["rows.csv"]
    rejected = ["# Leave out the rows that rejected.csv names."] if context.findings.run.n_rejected else []
    settings = _by_hand(context.study)
    by_hand = [f"# Do first what the study file says under {', '.join(settings)}."] if settings else []
    reader, how = ("arrow::read_parquet", "") if files[0].endswith(".parquet") else ("read.csv", _how(context.study))
    factors = [_factor(each) for each in context.rows.categories]
    if len(files) == 1:
        return [*rejected, *by_hand, f"rows <- {reader}({quoted(files[0])}{how})", *factors]
    named = f"c({', '.join(map(quoted, files))})" if len(files) <= MOST_FILES else 'dir(pattern = "[.]csv$")'
    return [*rejected, *by_hand, f"rows <- do.call(rbind, lapply({named}, {reader}{how}))", *factors]


def _factor(category: Category) -> str:
    """R reads true and false as TRUE and FALSE, and compares with the first level in the alphabet unless it is told."""
    column = f"rows${r_name(category.column)}"
    is_truth = {level.name for level in category.levels} <= {"true", "false"}
    values = f"factor({f'tolower({column})' if is_truth else column})"
    return f"{column} <- relevel({values}, ref = {quoted(category.reference.name)})"


def _by_hand(study: Study) -> list[str]:
    """Settings of how values are read that `read.csv` has no word for."""
    return [
        name for name in ("thousands", "affixes", "codes", "dates", "labels") if getattr(study, name) != DEFAULTS[name]
    ]


def _how(study: Study) -> str:
    """Arguments of `read.csv`, each after a comma."""
    missing = ", ".join(map(quoted, ("", "NA", *study.missing)))
    given = (
        ("sep", study.delimiter if study.delimiter != "," else None),
        ("dec", study.decimal if study.decimal != "." else None),
        ("fileEncoding", study.encoding),
        ("comment.char", study.comment),
    )
    told = [f"{name} = {quoted(value)}" for name, value in given if value]
    return "".join(
        f", {one}" for one in ["check.names = FALSE", *told, *([f"na.strings = c({missing})"] if study.missing else [])]
    )


def quoted(name: str) -> str:
    return '"' + text.clean(name).replace("\\", "\\\\").replace('"', '\\"') + '"' if name != "\t" else '"\\t"'


def brms_code(context: Context) -> str:
    """The columns get plain names first: brms makes names of its own from those of its data."""
    study, found, attempt = context.study, context.findings.bayes, context.findings.bayes.attempts[-1]
    settings = study.sampler if attempt.is_resampled else attempt
    names = [f"x{k}" for k in range(1, len(study.predictors) + 1)]
    inside = " + ".join(["1", *(names[k - 1] for k in context.varying if k)])
    columns = [
        f"y = rows${r_name(study.outcome)}",
        f"g = factor(rows${r_name(study.group)})",
        *(f"{short} = as.vector({column(context, term, 'rows$')})" for term, short in enumerate(names, 1)),
    ]
    sds = ", ".join(number(float(sd), 4) for sd in found.sigma_group.median)
    return "\n".join(
        [
            "library(brms)",
            *rows_in_r(context),
            f"scaled <- data.frame({', '.join(columns)})",
            "priors <- c(",
            ",\n".join(f"  {prior}" for prior in _priors(context, names)),
            ")",
            f"fit <- brm(y ~ {' + '.join(names or ['1'])} + ({inside} | g), data = scaled, prior = priors,",
            f"  chains = {settings.chains}, warmup = {settings.warmup}, iter = {settings.warmup + settings.draws},",
            f"  control = list(adapt_delta = {settings.adapt_delta:g}), seed = {context.findings.run.seed})",
            f"summary(fit, robust = TRUE)  # medians: SD {sds}; residual SD {number(float(found.sigma.median), 4)}",
            "",
        ]
    )


def _priors(context: Context, names: list[str]) -> list[str]:
    """One `set_prior` a parameter. SDs and the residual SD are positive there, so a normal is a half-normal."""
    priors: ResolvedPriors = resolve_priors(context.study, context.findings.scaling)
    normals = [
        f"normal({number(float(m))}, {number(float(s))})" for m, s in zip(priors.beta_mean, priors.beta_sd, strict=True)
    ]
    effects = ["Intercept", *names]
    correlation = [f'set_prior("lkj({priors.lkj:g})", class = "cor")'] if len(context.varying) > 1 else []
    return [
        f'set_prior("{normals[0]}", class = "Intercept")',
        *(
            f'set_prior("{normal}", class = "b", coef = "{name}")'
            for normal, name in zip(normals[1:], names, strict=True)
        ),
        *(
            f'set_prior("normal(0, {number(float(sd))})", class = "sd", group = "g", coef = "{effects[term]}")'
            for term, sd in zip(context.varying, priors.sigma_group_sd, strict=True)
        ),
        f'set_prior("exponential({number(1.0 / priors.sigma_mean)})", class = "sigma")',
        *correlation,
    ]


def number(value: float, digits: int = DIGITS) -> str:
    """The number as R reads it."""
    return f"{value:.{digits}g}"
