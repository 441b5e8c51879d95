"""Methods and reproduction: equations, priors, versions, hashes, the study."""

from __future__ import annotations

from tasks.stats.bayes.priors import resolve_priors
from tasks.view.context import Context
from tasks.view.records import Block, Cell, Code, Column, Definitions, Equations, Fold, Paragraph, Table
from tasks.view.report_context import ReportContext
from tasks.view.topic import Topic
from tasks.view.topics.in_r import in_r
from tasks.view.words import numbers, text
from tasks.view.words.glossary import GLOSSARY

OWN_LOOK = (
    "This report has a look of the study’s own: templates, colours or styles from the study’s folder took the place of "
    "Poolwise’s. The numbers are the same with either; what of them the page shows, and how, is the look’s."
)

TOTAL = "total, until this page was made"  # the summary, written last, has that of the whole run


def _blocks(context: Context) -> tuple[Block, ...]:
    return (
        Equations(has_predictors=len(context.terms) > 1),
        _priors(context),
        scaling_block(context),
        *run_blocks(context),
        in_r(context),
        *closing_blocks(context),
    )


def run_blocks(context: ReportContext) -> tuple[Block, ...]:
    """What the report was made from, and where the time went."""
    return (
        reproduction(context),
        *([Paragraph(OWN_LOOK)] if context.findings.run.look_sha256 else []),
        *([timings(context)] if context.findings.timings else []),
    )


def closing_blocks(context: ReportContext) -> tuple[Block, ...]:
    return (
        Fold("The study file", (Code("The study as it was run", study_text(context)),)),
        Fold("Glossary", (Definitions(GLOSSARY),)),
    )


def finding(context: ReportContext) -> str:
    run = context.findings.run
    return (
        f"Every number here follows from the data, the study file and the seed {run.seed}: the same input gives the "
        "same report."
    )


def _priors(context: Context) -> Table:
    priors = resolve_priors(context.study, context.findings.scaling)
    columns = (Column("Parameter", is_number=False), Column("Unit", is_number=False), Column("Prior", is_number=False))
    average = [
        (f"Average {context.term_name(k)}", context.term_unit(k), f"normal({_n(mean)}, {_n(sd)})")
        for k, (mean, sd) in enumerate(zip(priors.beta_mean, priors.beta_sd, strict=True))
    ]
    spread = [
        (f"SD between groups: {context.term_name(term)}", context.term_unit(term), f"half-normal({_n(sd)})")
        for term, sd in zip(context.varying, priors.sigma_group_sd, strict=True)
    ]
    rest = [("Residual SD", context.unit, f"exponential, mean {_n(priors.sigma_mean)}")]
    if len(context.varying) > 1:
        rest.append(("Correlations of the group effects", "", f"LKJ({priors.lkj:g})"))
    rows = tuple((Cell(name), Cell(unit or "–"), Cell(prior)) for name, unit, prior in [*average, *spread, *rest])
    return Table("table-priors", "Priors of the Bayesian model", columns, rows, "normal(mean, SD).")


def _n(value: float) -> str:
    return numbers.significant(float(value), 3)


def scaling_block(context: ReportContext) -> Table | Paragraph:
    scaling = context.findings.scaling
    if not scaling.predictors:
        return Paragraph("There is no predictor: each model estimates a level only.")
    columns = (
        Column("Predictor", is_number=False),
        Column("Unit", is_number=False),
        Column("Average"),
        Column("Standard deviation"),
    )
    rows = tuple(
        (
            Cell(context.terms[term]),
            Cell("share" if context.is_level(term) else context.given_unit(term) or "–"),
            Cell(numbers.percent(center) if context.is_level(term) else numbers.estimate(center, scale / 10)),
            Cell("not scaled" if context.is_level(term) else numbers.significant(scale, 3)),
        )
        for term, (center, scale) in enumerate(zip(scaling.center, scaling.scale, strict=True), 1)
    )
    note = "Models are fitted on (value − average) / SD; effects per raw unit are those divided by the SD."
    if context.rows.categories:
        note += " Levels of categories are 1 or 0, less their share of the rows, and not divided."
    return Table("table-scaling", "Scaling of the predictors", columns, rows, note)


def reproduction(context: ReportContext) -> Table:
    run = context.findings.run
    entries = (
        ("Run", run.id),
        ("Started", run.started_at),
        ("Posterior drawn by", run.engine),
        ("Seed", f"{run.seed}"),
        ("Data, SHA-256", run.data_sha256),
        ("Study, SHA-256", run.study_sha256),
        *([("Look, SHA-256", run.look_sha256)] if run.look_sha256 else []),
        ("Fingerprint of data, study and program", run.fingerprint),
        *((f"Version of {name}", version) for name, version in sorted(run.versions.items())),
    )
    columns = (Column("What", is_number=False), Column("Value", is_number=False))
    rows = tuple((Cell(name), Cell(text.clean(value))) for name, value in entries)
    return Table("table-reproduction", "What this report was made from", columns, rows)


def timings(context: ReportContext) -> Table:
    columns = (Column("Step", is_number=False), Column("Time", "s"))
    rows = tuple(
        (Cell(TOTAL if name == "total" else text.clean(name)), Cell(f"{time:.2f}"))
        for name, time in context.findings.timings.items()
    )
    return Table("table-timings", "Where the time went", columns, rows)


def study_text(context: ReportContext) -> str:
    return context.study_text or context.study.model_dump_json(indent=2)


TOPIC = Topic(
    id="methods",
    title="Methods and reproduction",
    finding=finding,
    blocks=_blocks,
    sources=(),
)
