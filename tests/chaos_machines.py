"""Drops files into a bucket while workers' machines are killed at random, then shows that everything agrees.

`python -m tests.chaos_machines [DROPS] [KILLS] [SEED]` (part of `make chaos`): two workers without a common disk, a
machine that serves, PostgreSQL and an S3 server. Every file has to be counted exactly once, and no half report seen.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tests.machines import ROWS_PER_FILE, Machines
from tests.parts.object_store import object_store_started
from tests.parts.postgres import postgres_started

PATIENCE_SECONDS = 900.0
OF_A_RUN = {"report.html", "summary.json", "estimates.csv", "posterior.nc", "study.toml"}


def main(drops: int, kills: int, seed: int) -> int:
    chance = random.Random(seed)
    with (
        tempfile.TemporaryDirectory(prefix="poolwise-machines-") as scratch,
        object_store_started() as store,
        postgres_started() as postgres,
    ):
        started, machines = time.monotonic(), Machines(Path(scratch), store, postgres)
        try:
            machines.start()
            drop_and_kill(machines, drops, kills, chance)
            wait_until_counted(machines, drops)
            return show(machines, drops, time.monotonic() - started)
        finally:
            machines.stop()


def drop_and_kill(machines: Machines, drops: int, kills: int, chance: random.Random) -> None:
    """Files come in small groups; at random ones of these moments a worker dies, and comes back after a while."""
    deadly = set(chance.sample(range(drops), kills))
    dropped = 0
    while dropped < drops:
        n = min(chance.choice([1, 1, 2, 5, 10]), drops - dropped)
        for number in range(dropped, dropped + n):
            machines.drop(number, chance)
        if deadly & set(range(dropped, dropped + n)):
            kill_one(machines, chance)
        dropped += n
        time.sleep(chance.uniform(0.5, 8.0))


def kill_one(machines: Machines, chance: random.Random) -> None:
    """One that is at work, if one is within some seconds, at a random moment of it; every other time, not before more
    has been counted since the last death, so that there are reports in between.
    """
    if sum(machines.kills.values()) % 2:
        before, ends = machines.states()["counted"], time.monotonic() + 240.0
        while machines.states()["counted"] <= before and time.monotonic() < ends:
            time.sleep(1.0)
    ends = time.monotonic() + 40.0
    while not (busy := [each for each in ("one", "two") if machines.is_busy(each)]) and time.monotonic() < ends:
        time.sleep(0.2)
    time.sleep(chance.uniform(0.0, 15.0))
    victim = chance.choice(busy or ["one", "two"])
    machines.kill(victim)
    time.sleep(chance.uniform(0.0, 5.0))
    machines.start_worker(victim)


def wait_until_counted(machines: Machines, drops: int) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends and machines.states()["counted"] < drops:
        time.sleep(1.0)


def show(machines: Machines, drops: int, seconds: float) -> int:
    states, runs, objects = machines.states(), machines.summaries(), machines.objects()
    reported = [[file["sha256"] for file in run["run"]["files"]] for run in runs]
    latest = runs[-1]["run"] if runs else {"n_rows": 0, "id": ""}
    whole = [{name.split("/")[-1] for name in objects if f"/{run['run']['id']}/" in name} for run in runs]
    listed = machines.store.files.cat(f"{machines.reports}/catalogue.json").decode()
    facts = [
        ("files dropped (distinct contents)", drops, drops),
        ("contents in the shared ledger", sum(states.values()), drops),
        ("... counted", states["counted"], drops),
        ("contents in the latest report", len(set(reported[-1])) if reported else 0, drops),
        ("rows in the latest report", latest["n_rows"], drops * ROWS_PER_FILE),
        ("contents that a report has twice", sum(len(each) - len(set(each)) for each in reported), 0),
        ("reports that lost a content of the one before", losses([set(each) for each in reported]), 0),
        ("reports in the bucket that are not whole", sum(not each >= OF_A_RUN for each in whole), 0),
        ("reports that the bucket's catalogue lacks", sum(run["run"]["id"] not in listed for run in runs), 0),
        ("the served catalogue shows the latest", int(latest["id"] in served(machines)), 1),
    ]
    print(f"{'':50}{'found':>8}{'due':>8}")
    for what, found, due in facts:
        print(f"{what:50}{found:8}{due:8}{'' if found == due else '   <-- differs'}")
    print(f"\n{len(runs)} reports, {dict(machines.kills)} killed, {seconds:.0f} s")
    return int(any(found != due for _, found, due in facts))


def served(machines: Machines) -> str:
    """What the machine that serves tells programs, once it has looked at the bucket again."""
    time.sleep(10.0)
    with urllib.request.urlopen(f"http://127.0.0.1:{machines.catalogue}/catalogue.json", timeout=30) as answer:
        return str(answer.read().decode())


def losses(reported: Sequence[set[str]]) -> int:
    return sum(not before <= after for before, after in pairwise(reported))


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(given + [200, 8, 1][len(given) :])))
