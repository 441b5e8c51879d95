"""Four machines, played by processes that share no folder: Prefect's server, two workers, and one that serves.

Each has a home, a cache and a copy of the study of its own. What they share is a PostgreSQL database and an S3 server,
both real; rows and reports are in the bucket.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from flows.server.processes import free_port
from tests.parts.object_store import BUCKET, ObjectStore
from tests.parts.postgres import new_database
from tests.waiting import until

PROGRAMS = Path(sys.executable).parent
POOL = "machines"
ROWS_PER_FILE = 12
STUDY = f"""title = "Small"
name = "small"
source = "s3://{BUCKET}/dropped/*.csv"
outcome = "y"
group = "g"
[trigger]
poll_seconds = 1
[sampler]
warmup = 500
draws = 500
"""


class Machines:
    """Everything that goes on; `folder` is scratch. Processes are ended by `stop`."""

    def __init__(self, folder: Path, store: ObjectStore, postgres: int) -> None:
        self.folder, self.store = folder, store
        self.reports = f"s3://{BUCKET}/reports-{secrets.token_hex(4)}"
        self.database = new_database(postgres)
        self.port, self.catalogue = free_port(4200), 0
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.kills: Counter[str] = Counter()
        key = f"team:{secrets.token_hex(8)}"
        self.shared = {
            **store.environment,
            "POOLWISE_DATABASE_URL": self.database,
            "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
            "PREFECT_API_AUTH_STRING": key,
            "PREFECT_SERVER_API_AUTH_STRING": key,
            "PREFECT_SERVER_API_PORT": str(self.port),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": new_database(postgres).replace("+psycopg", "+asyncpg"),
            "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": "60",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "DO_NOT_TRACK": "1",
        }

    def environment(self, machine: str) -> dict[str, str]:
        """Of a machine with nothing but its own folder and what all share."""
        home = self.folder / machine
        if not home.exists():
            (home / "data" / "small").mkdir(parents=True)
            (home / "data" / "small" / "study.toml").write_text(STUDY)
            (home / "tmp").mkdir()
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
        own = {"HOME": str(home), "TMPDIR": str(home / "tmp"), "POOLWISE_STUDIES": str(home / "data")}
        return {**kept, **own, **self.shared}

    def begin(self, machine: str, *command: str) -> None:
        environment = self.environment(machine)
        with (self.folder / f"{machine}.log").open("ab") as said:
            self.processes[machine] = subprocess.Popen(
                command, cwd=self.folder / machine, env=environment, stdout=said, stderr=said, start_new_session=True
            )

    def do(self, machine: str, *command: str) -> str:
        environment, cwd = self.environment(machine), self.folder / machine
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> Machines:
        self.begin("prefect", str(PROGRAMS / "prefect"), "server", "start", "--host", "127.0.0.1")
        until(lambda: "ready" in self._said("prefect"))
        self.do("serving", str(PROGRAMS / "prefect"), "work-pool", "create", POOL, "--type", "process")
        poolwise = str(PROGRAMS / "poolwise")
        self.do("serving", poolwise, "deploy", "data/small", "--pool", POOL, "--out", self.reports)
        self.catalogue = free_port(8765)
        where = ("--port", str(self.catalogue), "--out", self.reports)
        self.begin("serving", poolwise, "serve", "data/small", "--no-runner", *where)
        for worker in ("one", "two"):
            self.start_worker(worker)
        until(lambda: "Stop with Ctrl-C" in self._said("serving"))
        return self

    def start_worker(self, machine: str) -> None:
        self.begin(machine, str(PROGRAMS / "prefect"), "worker", "start", "--pool", POOL, "--limit", "1")

    def _said(self, machine: str) -> str:
        """What it said so far; raises AssertionError if it ended."""
        said = (self.folder / f"{machine}.log").read_text("utf-8", "replace")
        if self.processes[machine].poll() is not None:
            raise AssertionError(f"{machine} ended:\n{said[-3000:]}")
        return "ready" if machine == "prefect" and self._is_up() else said

    def _is_up(self) -> bool:
        import urllib.request

        try:
            with urllib.request.urlopen(f"{self.shared['PREFECT_API_URL']}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self, machine: str) -> None:
        """As if its plug were pulled: the worker and the run that it has started."""
        worker = self.processes[machine]
        for pid in (worker.pid, *_below(worker.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        worker.wait()
        self.kills[f"worker {machine}"] += 1

    def is_busy(self, machine: str) -> bool:
        return bool(_below(self.processes[machine].pid))

    def stop(self) -> None:
        for machine in ("one", "two", "serving", "prefect"):
            if (process := self.processes.get(machine)) and process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)

    def drop(self, number: int, chance: random.Random) -> None:
        rows = [f"{chance.choice('abcd')},{chance.gauss(10, 1):.6f}\n" for _ in range(ROWS_PER_FILE)]
        self.store.files.pipe(f"{BUCKET}/dropped/{number:04d}.csv", "".join(["g,y\n", *rows]).encode())

    def states(self) -> Counter[str]:
        """How many contents the ledger has in which state."""
        engine = create_engine(self.database, poolclass=NullPool)
        with engine.connect() as connection:
            found = connection.execute(text("select state, count(*) from arrival group by state")).all()
        return Counter(dict(map(tuple, found)))

    def objects(self) -> set[str]:
        root = self.reports.removeprefix("s3://")
        return {name[len(root) + 1 :] for name in self.store.files.find(root)}

    def summaries(self) -> list[dict[str, Any]]:
        """Of every run in the bucket, oldest first."""
        names = sorted(name for name in self.objects() if name.startswith("small/2") and name.endswith("/summary.json"))
        return [json.loads(self.store.files.cat(f"{self.reports}/{name}")) for name in names]


def _below(pid: int) -> list[int]:
    """All processes that this one has started, and those that these have."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return [below for child in map(int, found) for below in (child, *_below(child))]
