"""How often the alarm that a group has moved rings in weekly reports: while nothing moves, and after a move.

`python tests/weekly_reports.py [YEARS]` (or `make weekly`): groups differ by an SD of 1 and get new rows every week.
The first report has the rows of a quarter. For each design it prints the false alarms a year over all groups, with a
95 % limit; and for one group that moves by 2 SDs half-way the share of moves seen by the end of the year, and the
median number of reports until then. Counted outcomes' groups differ by an SD of 0.5 on the link's scale.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import chi2

sys.path.insert(0, str(Path(__file__).parent.parent))

from tasks.stats.counted.links import link_of, mean_of
from tasks.stats.fits.cells import Cells, Family, added, cells_of, of_some_groups
from tasks.stats.past.counted_increments import Slopes, counted_increments
from tasks.stats.past.evidence import EFFECTS, gathered
from tasks.stats.past.increments import RowShape, increments
from tasks.stats.records import Floats, Integers

GROUPS, WEEKS, FIRST_WEEKS, MOVED_BY, MARGIN = 50, 52, 13, 2.0, 0.5
YEARS = 1 / WEEKS


@dataclass(frozen=True)
class Design:
    """`rows` a week are a Poisson mean per group; `sigma` is the SD of rows in SDs between groups."""

    name: str
    rows: float
    sigma: float
    slope_sd: float = 0.0  # 0: no predictor
    spread: float = 0.0  # SD of the logarithm of the groups' own sigma
    tails: str = "normal"
    week_sd: float = 0.0  # of what the rows of a group share in a week
    margin: float = MARGIN


DESIGNS = (
    Design("20 rows a week", 20, 1.0),
    Design("the same, any move matters", 20, 1.0, margin=0.0),
    Design("noisy rows", 20, 5.0, margin=0.0),
    Design("noisy rows, with the margin", 20, 5.0),
    Design("2 rows a week", 2, 2.0, margin=0.0),
    Design("with slopes", 10, 2.0, slope_sd=0.3, margin=0.0),
    Design("groups of unequal spread", 10, 2.0, spread=0.5, margin=0.0),
    Design("skewed rows", 10, 2.0, tails="skewed", margin=0.0),
    Design("heavy tails", 10, 2.0, tails="heavy", margin=0.0),
    Design("ups and downs of 0.1 SD", 20, 1.0, week_sd=0.1),
    Design("the same, any move matters", 20, 1.0, week_sd=0.1, margin=0.0),
)


@dataclass(frozen=True)
class CountedDesign:
    """Each group has about `size` trials, or units of exposure, a week: a Poisson number of rows of one."""

    name: str
    family: Family
    rate: float
    size: float
    slope_sd: float = 0.0  # 0: no predictor
    level_sd: float = 0.5
    margin: float = 0.0  # in SDs between groups


COUNTED_DESIGNS = (
    CountedDesign("1 event in 20 trials a week", "binomial", 0.05, 20),
    CountedDesign("10 events in 200 trials a week", "binomial", 0.05, 200),
    CountedDesign("the same, with the margin", "binomial", 0.05, 200, margin=MARGIN),
    CountedDesign("1 event in 4 weeks", "binomial", 0.01, 25),
    CountedDesign("half of 20 trials a week", "binomial", 0.5, 20),
    CountedDesign("half of 20, with slopes", "binomial", 0.5, 20, slope_sd=0.3),
    CountedDesign("2 counts a week", "poisson", 2.0, 1),
    CountedDesign("20 counts a week", "poisson", 2.0, 10),
)


def main(years: int) -> None:
    print(f"{GROUPS} groups, {WEEKS} weekly reports a year, {years} simulated years a row\n")
    print(f"{'design':<32}{'margin':>7}{'false alarms a year':>21}{'moves seen':>12}{'after':>7} reports")
    for number, design in enumerate((*DESIGNS, *COUNTED_DESIGNS)):
        false, seen = 0, []
        for year in range(years):
            rng = np.random.default_rng([number, year])
            false += int((one_year(design, rng, moves=False) > 0).sum())
            weeks = np.flatnonzero(one_year(design, rng, moves=True)[WEEKS // 2 :, 0])
            seen.append(weeks[0] + 1 if weeks.size else np.inf)
        limit = chi2.ppf(0.95, 2 * (false + 1)) / 2 / years
        share = np.isfinite(seen).mean()
        print(
            f"{design.name:<32}{design.margin:7.1f}{false / years:10.2f} (below {limit:.2f}){share:11.0%}"
            f"{np.median(seen):8.0f}",
            flush=True,
        )


def one_year(design: Design | CountedDesign, rng: np.random.Generator, *, moves: bool) -> np.ndarray:
    """(WEEKS, GROUPS) whether the alarm rang. If `moves`, the first group moves half-way."""
    return (_counted_year if isinstance(design, CountedDesign) else _normal_year)(design, rng, moves)


def _counted_year(design: CountedDesign, rng: np.random.Generator, moves: bool) -> np.ndarray:
    levels = float(link_of(design.family, np.array(design.rate))) + design.level_sd * rng.normal(size=GROUPS)
    slopes = (1.0 + design.slope_sd * rng.normal(size=GROUPS))[:, None][:, : int(design.slope_sd > 0)]
    known = Slopes(slopes, np.zeros_like(slopes))
    earlier = _cells(design, rng, levels, slopes, FIRST_WEEKS)
    evidence, rang = np.zeros((GROUPS, EFFECTS.size)), np.zeros((WEEKS, GROUPS), dtype=bool)
    for week in range(WEEKS):
        if moves and week == WEEKS // 2:
            levels = levels + MOVED_BY * design.level_sd * (np.arange(GROUPS) == 0)
        new = _cells(design, rng, levels, slopes, 1)
        found = counted_increments(earlier, new, known)
        at = found.positions
        now = gathered(evidence[at], found.scores(design.margin * design.level_sd), YEARS)
        evidence[at], rang[week, at] = now.values, now.rings
        earlier = of_some_groups(added([earlier, new]), np.flatnonzero(~rang[week]))
    return rang


def _cells(design: CountedDesign, rng: np.random.Generator, levels: Floats, slopes: Floats, weeks: int) -> Cells:
    index: Integers = np.repeat(np.arange(GROUPS), rng.poisson(design.size * weeks, GROUPS))
    x = np.round(rng.normal(size=(index.size, slopes.shape[1])), 1)
    mean = mean_of(design.family, levels[index] + (x * slopes[index]).sum(axis=1))
    events = rng.binomial(1, mean) if design.family == "binomial" else rng.poisson(mean)
    labels, terms = [str(j) for j in range(GROUPS)], ("intercept", "x")[: 1 + slopes.shape[1]]
    return cells_of(design.family, events.astype(float), np.ones(index.size), x, index, labels, terms)


def _normal_year(design: Design, rng: np.random.Generator, moves: bool) -> np.ndarray:
    levels = rng.normal(size=GROUPS)
    slopes = 1.0 + design.slope_sd * rng.normal(size=GROUPS)
    sigma = design.sigma * np.exp(design.spread * rng.normal(size=GROUPS))
    slope_cov = np.full((int(design.slope_sd > 0),) * 2, design.slope_sd**2)
    shape = _shape(design.tails, sigma)
    sums = _sums(design, rng, levels, slopes, sigma, FIRST_WEEKS)
    since = np.zeros_like(sums)
    evidence, rang = np.zeros((GROUPS, EFFECTS.size)), np.zeros((WEEKS, GROUPS), dtype=bool)
    for week in range(WEEKS):
        if moves and week == WEEKS // 2:
            levels = levels + MOVED_BY * (np.arange(GROUPS) == 0)
        added = _sums(design, rng, levels, slopes, sigma, 1)
        found = increments(sums - since, added, slope_cov, shape)
        at = found.positions
        now = gathered(evidence[at], found.scores(design.margin), YEARS)
        evidence[at], rang[week, at] = now.values, now.rings
        sums = sums + added
        since[rang[week]] = sums[rang[week]]
    return rang


def _sums(
    design: Design, rng: np.random.Generator, levels: Floats, slopes: Floats, sigma: Floats, weeks: int
) -> Floats:
    """Cross-products (GROUPS, p + 1, p + 1) of the rows of some weeks."""
    index: Integers = np.repeat(np.arange(GROUPS), rng.poisson(design.rows * weeks, GROUPS))
    shared = design.week_sd * rng.normal(size=(GROUPS, weeks))
    y = (levels[:, None] + shared)[index, rng.integers(0, weeks, index.size)] + sigma[index] * _noise(
        design.tails, rng, index.size
    )
    columns = [np.ones(index.size), y]
    if design.slope_sd > 0:
        x = rng.normal(size=index.size) + 0.5 * levels[index]
        columns = [columns[0], x, y + slopes[index] * x]
    gram = np.empty((GROUPS, len(columns), len(columns)))
    for i, left in enumerate(columns):
        for k, right in enumerate(columns):
            gram[:, i, k] = np.bincount(index, weights=left * right, minlength=GROUPS)
    return gram


def _shape(tails: str, sigma: Floats) -> RowShape:
    """Of all rows together, as a report sees them."""
    mixed = float((sigma**4).mean() / (sigma**2).mean() ** 2)
    skewness, kurtosis = {"skewed": (2.0, 6.0), "heavy": (0.0, 6.0)}.get(tails, (0.0, 0.0))
    return RowShape(skewness, (kurtosis + 3.0) * mixed - 3.0)


def _noise(tails: str, rng: np.random.Generator, n: int) -> Floats:
    """(n,) with mean 0 and SD 1."""
    if tails == "skewed":
        return rng.exponential(size=n) - 1.0
    if tails == "heavy":
        return np.asarray(rng.standard_t(5, size=n) / np.sqrt(5.0 / 3.0))
    return rng.normal(size=n)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:] or ["200"]))
