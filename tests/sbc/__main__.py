"""Do the Stan programs sample the posteriors that they declare? Simulation-based calibration, a table and a picture.

`python -m tests.sbc` (or `make sbc`). Parameters are drawn from the prior and rows given these; if program, sampler and
what reads its draws are right, the truth has a uniform rank among the draws (Talts et al. 2018, arXiv:1804.06788;
Modrák et al. 2023, Bayesian Anal. 20(2), for the log likelihood as a quantity).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from tests.sbc.bands import LEVEL, Uniformity
from tests.sbc.counted import FAMILIES, CountedSimulation
from tests.sbc.picture import picture
from tests.sbc.simulate import DESIGNS, KEPT, PROGRAMS, Simulation

ALL = (*PROGRAMS, *FAMILIES)
Ranks = dict[str, int] | None
Found = dict[str, Uniformity]


def main(arguments: Sequence[str] | None = None) -> int:
    """1 if ranks of some program are not uniform, as happens by chance in one run of twenty; else 0."""
    asked = _asked(arguments)
    rows = []
    for program, design in _asked_for(asked):
        ranks = _ranks(asked, program, design)
        found = _uniformity([each for each in ranks if each is not None])
        title = f"{program}, {design} groups: {len(ranks)} simulations, {ranks.count(None)} not sampled well enough"
        print(f"\n{title}\n\n{table(found)}", flush=True)
        rows.append((title, [*found.items()]))
        asked.picture.write_text(picture(rows), "utf-8")
    p_values = [one.p_value for _, panels in rows for _, one in panels]
    print(f"\nThe least of {len(p_values)} p-values is {min(p_values):.4f}. The picture is in {asked.picture}.")
    return int(min(p_values) * len(p_values) < LEVEL)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sbc", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--simulations", type=int, default=300, help="per program and design (300)")
    parser.add_argument("--programs", default=",".join(ALL), help="which, by commas (%(default)s)")
    parser.add_argument("--designs", default=",".join(DESIGNS), help="which sizes of groups (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other simulations (1)")
    parser.add_argument("--processes", type=int, default=2, help="processes (2)")
    parser.add_argument("--picture", type=Path, default=Path("sbc.svg"), help="where the picture goes (sbc.svg)")
    return parser.parse_args(arguments)


def _asked_for(asked: argparse.Namespace) -> Iterator[tuple[str, str]]:
    for program in asked.programs.split(","):
        for design in asked.designs.split(","):
            yield program, design


def _ranks(asked: argparse.Namespace, program: str, design: str) -> list[Ranks]:
    """In the order of the simulations, which are the same whichever others are made."""
    where = ALL.index(program), [*DESIGNS].index(design)
    with ProcessPoolExecutor(asked.processes) as pool:
        jobs = [
            pool.submit(_simulation(program, design, (asked.seed, *where, number)).ranks)
            for number in range(asked.simulations)
        ]
        for n_done, _ in enumerate(as_completed(jobs), start=1):
            print(f"\r{program}, {design}: {n_done:,} of {len(jobs):,}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [job.result() for job in jobs]


def _simulation(program: str, design: str, seed: tuple[int, ...]) -> Simulation | CountedSimulation:
    if program in FAMILIES:
        return CountedSimulation(program, DESIGNS[design], seed)
    return Simulation(PROGRAMS[program], DESIGNS[design], seed)


def _uniformity(ranks: Sequence[dict[str, int]]) -> Found:
    names = ranks[0] if ranks else {}
    return {name: Uniformity(np.array([each[name] for each in ranks]), KEPT) for name in names}


def table(found: Found) -> str:
    """A line per quantity. Mean rank is 0.5 and spread 1 where ranks are uniform; p is of the simultaneous band."""
    width = max(map(len, found), default=0)
    head = f"{'':{width}}{'mean rank':>11}{'spread':>8}{'farthest':>10}{'band there':>18}{'p':>8}"
    return "\n".join((head, *(_line(f"{name:{width}}", one) for name, one in found.items())))


def _line(name: str, one: Uniformity) -> str:
    lower, upper = one.band
    at = int(np.argmax(np.abs(one.difference) / np.sqrt(one.at * (1.0 - one.at))))
    band, p = f"{lower[at]:+.3f} to {upper[at]:+.3f}", one.p_value
    return f"{name}{one.mean:11.3f}{one.spread:8.2f}{one.difference[at]:+10.3f}{band:>18}{p:8.3f}{' *' * (p < LEVEL)}"


if __name__ == "__main__":
    sys.exit(main())
