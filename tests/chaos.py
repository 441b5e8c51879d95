"""Drops files while killing the serving process at random, then shows that files, ledger and reports agree.

`python tests/chaos.py [DROPS] [SEED]` (or `make chaos`): every file has to be counted exactly once and none
missed. Kills are SIGKILL, to the serving process or to a run, so nothing gets to tidy up.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tasks.reports.ledger import Arrival, Ledger
from tests.serving import ROWS_PER_FILE, Serving

PATIENCE_SECONDS = 240.0


def main(drops: int, seed: int) -> int:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="poolwise-chaos-") as scratch:
        started = time.monotonic()
        serving = Serving(Path(scratch)).start()
        drop_and_kill(serving, drops, chance)
        wait_until_counted(serving, drops)
        serving.stop()
        return show(serving, drops, time.monotonic() - started)


def drop_and_kill(serving: Serving, drops: int, chance: random.Random) -> None:
    dropped = 0
    while dropped < drops:
        for _ in range(min(chance.choice([1, 1, 2, 5, 10]), drops - dropped)):
            drop(serving, dropped, chance)
            dropped += 1
        time.sleep(chance.uniform(0.5, 8.0))
        fate = chance.random()
        if fate < 0.1:
            serving.kill()
            time.sleep(chance.uniform(0.0, 2.0))
            serving.start()
        elif fate < 0.4:
            serving.kill_a_run()


def drop(serving: Serving, number: int, chance: random.Random) -> None:
    """Some files are written slowly, some come a second time under another name."""
    path = serving.drop(number, chance, slowly=number % 10 == 0)
    if number % 17 == 0:
        path.with_name(f"{number:04d}-again.csv").write_bytes(path.read_bytes())


def wait_until_counted(serving: Serving, drops: int) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        if serving.n_counted() == drops:
            return
        time.sleep(1.0)


def show(serving: Serving, drops: int, seconds: float) -> int:
    rows = Ledger(serving.reports).rows()
    runs = serving.summaries()
    reported = [{file["sha256"] for file in run["run"]["files"]} for run in runs]
    latest = runs[-1]["run"] if runs else {"n_rows": 0}
    left = [path.name for path in (serving.reports / "study").glob(".staging-*")]
    facts = [
        ("files dropped (distinct contents)", drops, drops),
        ("contents in the ledger", len(rows), drops),
        ("... counted", sum(row.state == "counted" for row in rows), drops),
        ("contents in the latest report", len(reported[-1]) if reported else 0, drops),
        ("rows in the latest report", latest["n_rows"], drops * ROWS_PER_FILE),
        ("reports that lost a content of the one before", losses(reported), 0),
        ("runs the ledger names that published nothing", unpublished(rows, runs), 0),
    ]
    print(f"{'':50}{'found':>8}{'due':>8}")
    for what, found, due in facts:
        print(f"{what:50}{found:8}{due:8}{'' if found == due else '   <-- differs'}")
    print(f"\n{len(runs)} reports, {dict(serving.kills)} killed, {len(left)} half-made folders left, {seconds:.0f} s")
    return int(any(found != due for _, found, due in facts))


def losses(reported: Sequence[set[str]]) -> int:
    return sum(not before <= after for before, after in pairwise(reported))


def unpublished(rows: Sequence[Arrival], runs: Sequence[dict[str, dict[str, str]]]) -> int:
    return len({row.run_id for row in rows} - {run["run"]["id"] for run in runs})


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(given + [200, 1][len(given) :])))
