"""Is the verdict's promise kept? Simulates worlds of known truth, reports on each, and prints a table.

`python -m tests.worlds` (or `make worlds`). The promise: where a model is recommended, its 95 % intervals hold 92 to
98 % of the true levels and slopes, and 90 % or more of the levels of the smallest quarter of the groups; otherwise the
verdict is "none" in 90 % of cases or more; and partial pooling is trusted in 90 % or more of the good worlds.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from datetime import UTC, datetime

from tests.worlds.counted import COUNTED_CHOSEN, COUNTED_HELD_BACK, CountedWorld
from tests.worlds.measure import AnyWorld, Result, Trial, heading, line, trial
from tests.worlds.simulate import of_size
from tests.worlds.worlds import CHOSEN, HELD_BACK

SETS: dict[str, Sequence[AnyWorld]] = {
    "chosen": CHOSEN,
    "held-back": HELD_BACK,
    "counted-chosen": COUNTED_CHOSEN,
    "counted": COUNTED_HELD_BACK,
}


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _asked(arguments)
    worlds = [_of_size(world, asked) for world in _named(asked)]
    print(f"{datetime.now(UTC):%Y-%m-%d}: {asked.simulations} simulations a world, seed {asked.seed}.\n", flush=True)
    print(heading(), flush=True)
    results = []
    for result in _run(worlds, asked.simulations, asked.seed, asked.processes):
        results.append(result)
        print(line(result), flush=True)
    if asked.details:
        print("\n" + "\n".join(_details(result) for result in results))
    n_kept = sum(not result.misses for result in results)
    print(f"\nThe promise is kept in {n_kept} of {len(results)} worlds.")


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.worlds", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--set", choices=[*SETS, "all"], default="held-back", help="which worlds (held-back)")
    parser.add_argument("--worlds", default="", help="only worlds whose names hold this text; several by commas")
    parser.add_argument("--simulations", type=int, default=24, help="per world (24)")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other simulations (1)")
    parser.add_argument("--groups", type=int, help="number of groups instead of each world's own")
    parser.add_argument("--rows", type=_rows, help="smallest and largest number of rows of a group, as 5-40")
    parser.add_argument("--processes", type=int, default=2, help="processes (2)")
    parser.add_argument("--details", action="store_true", help="models recommended, and what spoke against others")
    return parser.parse_args(arguments)


def _rows(text: str) -> tuple[int, int]:
    low, high = text.split("-")
    return int(low), int(high)


def _of_size(world: AnyWorld, asked: argparse.Namespace) -> AnyWorld:
    """With the sizes that were asked for."""
    if isinstance(world, CountedWorld):
        design = replace(world.design, groups=asked.groups or world.design.groups, rows=asked.rows or world.design.rows)
        return replace(world, design=design)
    return replace(world, design=of_size(world.design, asked.groups, asked.rows))


def _named(asked: argparse.Namespace) -> list[AnyWorld]:
    worlds = [world for each in SETS.values() for world in each] if asked.set == "all" else [*SETS[asked.set]]
    parts = asked.worlds.split(",")
    return [world for world in worlds if any(part.strip() in world.name for part in parts)]


def _run(worlds: Sequence[AnyWorld], simulations: int, seed: int, processes: int) -> Iterator[Result]:
    """Results in the order of the worlds. Simulations of a world are the same whichever others are run."""
    trials = defaultdict[int, dict[int, Trial]](dict)
    with ProcessPoolExecutor(processes) as pool:
        jobs = {
            pool.submit(trial, world, (seed, zlib.crc32(world.name.encode()), number)): (at, number)
            for at, world in enumerate(worlds)
            for number in range(simulations)
        }
        n_told = 0
        for n_done, job in enumerate(as_completed(jobs), start=1):
            at, number = jobs[job]
            trials[at][number] = job.result()
            print(f"\r{n_done:,} of {len(jobs):,} simulations", end="", file=sys.stderr, flush=True)
            while n_told < len(worlds) and len(trials[n_told]) == simulations:
                yield Result(worlds[n_told], tuple(trials[n_told][number] for number in range(simulations)))
                n_told += 1
    print(file=sys.stderr)


def _details(result: Result) -> str:
    models, reasons = (
        ", ".join(f"{name} {n}" for name, n in counted) for counted in (result.models(), result.reasons())
    )
    return f"{result.world.name}: {models or 'no model'}; against: {reasons or 'nothing'}"


if __name__ == "__main__":
    main()
