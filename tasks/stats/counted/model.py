"""A model of a counted outcome as every fit of it takes it: cells with a column per term, and whose effects vary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasks.stats.counted.predictors import centre_scaled
from tasks.stats.fits.cells import Cells
from tasks.stats.fits.mean_structure import Added
from tasks.stats.records import Floats, Scaling


@dataclass(frozen=True)
class CountedModel:
    """The study's own terms, then those that were added, as `tasks.stats.fits.mean_structure` describes them.

    Added columns are on the basis that is fitted: their centre is 0 and their scale 1. A group's size is log2 of its
    trials or exposure, about the mean over groups.
    """

    cells: Cells  # with the added columns, after the study's predictors
    scaling: Scaling  # of all columns
    varying: tuple[int, ...]  # q
    added: tuple[Added, ...] = ()  # in the order of their columns
    is_overdispersed: bool = False  # beta-binomial or negative binomial; a cell is then one row

    @property
    def n_own(self) -> int:
        """p, the study's own terms."""
        return len(self.cells.terms) - len(self.added)

    @cached_property
    def design(self) -> Floats:
        """(C, p + added) the intercept's ones first."""
        return centre_scaled(self.cells, self.scaling)

    @cached_property
    def group_values(self) -> Floats:
        """(J, added) what each added term contributes where the group's own predictors have the means of all rows.

        That is 0 for a curve; of size and context it is the group's value. 0 for groups without a cell.
        """
        values = np.zeros((self.cells.n_groups, len(self.added)))
        for at, each in enumerate(self.added):
            if each.kind != "curve":
                values[self.cells.group_index, at] = self.cells.x[:, self.n_own - 1 + at]
        return values
