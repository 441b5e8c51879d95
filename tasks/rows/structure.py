"""Checks that the good rows as a whole can carry the study's model, from their sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tasks.rows.category_columns import one_level
from tasks.rows.counted_structure import is_repeated, nothing_to_compare
from tasks.rows.exact_relations import nothing_left, out_of_range, same_predictors
from tasks.rows.hints import hint
from tasks.stats.fits.cells import Cells
from tasks.stats.fits.cross_products import CrossProducts, centre_scaled, scaling_of
from tasks.stats.records import GroupedData, Scaling
from tasks.stats.rows.categories import Category, resolved
from tasks.stats.rows.extremes import Extremes
from tasks.stats.rows.usable_varying import with_spread
from tasks.study.errors import DataRejected, Rejection
from tasks.study.model import Study
from tasks.study.plain_text import brief, shown

CONSTANT_TOLERANCE = 1e-12  # standard deviation relative to size
MOST_REASONS = 3
SET_ASIDE = "set aside"  # the rule against row 0 of a file that could not be used


def require_enough_rows(n_read: int, n_good: int, study: Study, rejections: tuple[Rejection, ...]) -> None:
    """Raise DataRejected if no row was read, too large a share failed, or too few are left."""
    n_rejected, rules = n_read - n_good, study.rules
    if n_read == 0:
        raise DataRejected("The data has no rows, only column names. Check that the export was complete.")
    if n_rejected > rules.max_rejected_share * n_read:
        raise DataRejected(
            f"{n_rejected:,} of {n_read:,} rows ({_percent(n_rejected / n_read)}) were rejected; at most "
            f"{_percent(rules.max_rejected_share)} may be ({study.named('rules.max_rejected_share')})."
            f"{_reasons(rejections)}{_what_to_do(hint(rejections, study))}",
            rejections,
        )
    if n_good < max(rules.min_rows, 1):
        raise DataRejected(
            f"{_rows(n_good)} of {n_read:,} can be used, and at least {max(rules.min_rows, 1):,} are asked for "
            f"({study.named('rules.min_rows')}).{_reasons(rejections)}{hint(rejections, study)} Add data, or lower it.",
            rejections,
        )


def require_structure(
    products: CrossProducts,
    sample: GroupedData,
    extremes: Extremes,
    asked: Study,
    categories: Sequence[Category],
    rejections: tuple[Rejection, ...],
    cells: Cells | None = None,
) -> None:
    """Raise DataRejected if the model cannot be fitted to these rows; `cells` are those of a counted outcome.

    The least is 2 groups, as many rows as the full model has parameters, in the outcome and each predictor
    some variation that no other predictor repeats, and in the outcome some that follows from nothing. A counted
    outcome may follow from anything, but there has to be an event, and of trials one that is none.
    """
    n_rows = products.n_rows
    problem = (
        _too_few_groups(products.labels, n_rows, asked, cells)
        or one_level(categories, n_rows)
        or out_of_range(sample, study := resolved(asked, products, categories))
        or _too_few_rows(n_rows, study)
        or (nothing_to_compare(cells, asked) if cells else "")
        or _constant(scaling := scaling_of(products), extremes, n_rows, asked)
    )
    if not problem:
        model = centre_scaled(products, scaling := with_spread(scaling))
        problem = same_predictors(model, scaling, study)
        problem = problem or ("" if cells else nothing_left(model, scaling, sample, asked))
    if problem:
        raise DataRejected(problem + _before(rejections), rejections)


def _what_to_do(hint: str) -> str:
    return f"{hint} {'Otherwise correct' if hint else 'Correct'} the rows, or what rejects them."


def _before(rejections: Sequence[Rejection]) -> str:
    """How many rows had been rejected, and why; empty if none."""
    n_rows = len({(each.file, each.row) for each in rejections if each.row})
    return f" Rows rejected before: {n_rows:,}.{_reasons(rejections)}" if n_rows else ""


def n_parameters(study: Study) -> int:
    """The number of parameters of the fullest model: p fixed effects, q (q + 1) / 2 covariances, the residual SD.

    A counted outcome has no residual SD.
    """
    q = 1 + len(study.varying_columns)
    return len(study.terms) + q * (q + 1) // 2 + (not study.is_counted)


def _too_few_groups(labels: Sequence[str], n_rows: int, study: Study, cells: Cells | None) -> str:
    if len(labels) < 2:
        return (
            f"Every usable row ({n_rows:,} in all) has the same {brief(study.group)}, {shown(labels[0])}. Comparing "
            "groups takes at least 2. Check that it is the right column and that no file is left out."
        )
    if len(labels) == n_rows and not (cells and is_repeated(cells)):
        return (
            f"Every one of the {n_rows} usable rows has a {brief(study.group)} of its own, so groups cannot be told "
            "from chance. Check that it is the right column; a group has to hold several rows."
        )
    return ""


def _too_few_rows(n_rows: int, study: Study) -> str:
    needed = n_parameters(study)
    if n_rows >= needed:
        return ""
    return (
        f"{n_rows} usable rows are fewer than the {needed} parameters of the fullest model. "
        "Add data, or ask for fewer predictors or fewer varying ones."
    )


def _constant(scaling: Scaling, extremes: Extremes, n_rows: int, study: Study) -> str:
    """Names the first column that does not vary, or by less than a fit can tell; empty if there is none."""
    names = (study.outcome, *scaling.predictors)
    levels = (scaling.outcome_center, *scaling.center)
    spreads = (scaling.outcome_scale, *scaling.scale)
    for i, name in enumerate(study.numeric_columns):
        is_outcome_counted = study.is_counted and name == study.outcome
        if name not in names or is_outcome_counted:  # a category, or the size; see `nothing_to_compare`
            continue
        level, spread = levels[names.index(name)], spreads[names.index(name)]
        role = "outcome" if i == 0 else "predictor"
        low, high = float(extremes.low[i, 0]), float(extremes.high[i, 0])
        if extremes.is_constant[i]:
            advice = ", or leave it out of the predictors" if i else ""
            return (
                f"The {role} {shown(name)} is {low:.15g} in all {n_rows} usable rows, and a constant explains "
                f"nothing. Check that it is the right column and the data is complete{advice}."
            )
        found = f"The {role} {shown(name)} lies between {low:.17g} and {high:.17g}"
        if spread <= CONSTANT_TOLERANCE * max(abs(level), spread):
            return (
                f"{found}: against their size its values differ by too little to compute with. Subtract a "
                f"constant from it in the data, such as {low:.17g}."
            )
    return ""


def rule_kind(rule: str) -> str:
    """The rule without what is particular to one case: the place of the first row, why a file was set aside."""
    return SET_ASIDE if rule.startswith(SET_ASIDE) else rule.split(" of row ")[0]


def _reasons(rejections: Sequence[Rejection]) -> str:
    """The most frequent reasons, each with its first case."""
    cases: dict[tuple[str, str], list[Rejection]] = defaultdict(list)
    for each in rejections:
        cases[each.column, rule_kind(each.rule)].append(each)
    frequent = sorted(cases.items(), key=lambda item: -len(item[1]))[:MOST_REASONS]
    if not frequent:
        return ""
    return f" Most often: {'; '.join(_reason(rule, found) for (_, rule), found in frequent)}."


def _reason(rule: str, found: Sequence[Rejection]) -> str:
    first = found[0]
    if rule == SET_ASIDE:
        return f"{first.rule} ({len(found):,} {'file' if len(found) == 1 else 'files'})"
    value = f"{shown(first.value, 40)} " if first.value.strip() else ""
    column = f"{brief(first.column)}: " if first.column else ""
    return f"{column}{rule} in {_rows(len(found))} (first: {value}in row {first.row} of {first.file})"


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
