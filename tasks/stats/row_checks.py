"""What rows give reason to look at before anything is fitted: the checks that `poolwise validate` tells, too."""

from __future__ import annotations

from tasks.stats.collinearity import check_collinearity, collinearity
from tasks.stats.copy_checks import check_copies
from tasks.stats.cross_products import CrossProducts, centre_scaled, scaling_of
from tasks.stats.label_checks import check_labels
from tasks.stats.reading_notes import check_reading
from tasks.stats.records import Check, DataNotes
from tasks.stats.study import Study
from tasks.stats.usable_varying import check_group_level, group_level_terms


def row_checks(notes: DataNotes, study: Study, n_rows: int, n_rejected: int) -> tuple[Check, ...]:
    """What was noticed while the files were read. `n_rows` are those in use."""
    return (
        *check_labels(notes.labels, study),
        *check_copies(notes.copies, study, n_rows),
        *check_reading(notes.reading, study, n_rows, n_rejected),
    )


def predictor_checks(products: CrossProducts, study: Study) -> tuple[Check, ...]:
    """What the predictors' sums show. The rows have to carry the model (`tasks.structure`)."""
    scaling = scaling_of(products)
    model = centre_scaled(products, scaling)
    return (
        *check_collinearity(collinearity(model), scaling, study.outcome_unit),
        *check_group_level(group_level_terms(model)),
    )
