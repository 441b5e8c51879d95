"""`poolwise run` as a process that is told to stop: what it says, and what it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tasks.reports.ledger import Ledger

LINE = "Stopped. Interrupted; nothing was published."


class Run:
    """Its study, its reports and its temporary files lie in `folder`, and nothing else does."""

    def __init__(self, folder: Path, more: str = "", n_rows: int = 240, environment: dict[str, str] | None = None):
        self.folder, self.study, self.reports = folder, folder / "study", folder / "reports"
        self.scratch = folder / "tmp"
        for made in (self.study, self.scratch):
            made.mkdir(parents=True)
        write_rows(self.study / "rows.csv", n_rows)
        (self.study / "study.toml").write_text(f'title = "T"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n{more}')
        self.environment = {
            **os.environ,
            "TMPDIR": str(self.scratch),
            "XDG_STATE_HOME": str(folder / "state"),
            **(environment or {}),
        }
        self.said = folder / "said.txt"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, what: str = "run", folder: Path | None = None) -> Run:
        command = [sys.executable, "-m", "flows.cli", what, str(folder or self.study), "--out", str(self.reports)]
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(command, env=self.environment, stdout=said, stderr=said)
        return self

    def until(self, holds: Callable[[], bool]) -> Run:
        """Wait for an event; the run has to be going on still when it comes."""
        ends = time.monotonic() + 240
        while not holds():
            assert self.process is not None
            assert self.process.poll() is None, self.words()
            assert time.monotonic() < ends, self.words()
            time.sleep(0.01)
        return self

    def until_step(self, name: str) -> Run:
        return self.until(lambda: f"✓ {name} " in self.words())

    def until_sampling(self) -> Run:
        return self.until(lambda: bool(self.samplers()))

    def samplers(self) -> list[Path]:
        return list(self.scratch.glob("poolwise-*"))

    def words(self) -> str:
        return self.said.read_text(encoding="utf-8")

    def stop(self, *signs: signal.Signals) -> float:
        """Send the signals; returns the seconds until the process has ended."""
        assert self.process is not None
        started = time.monotonic()
        for sign in signs:
            self.process.send_signal(sign)
            time.sleep(0.02)
        self.process.wait(60)
        return time.monotonic() - started

    def left(self) -> list[str]:
        """Files that should not be there: half-made ones, notes of a run that goes on, temporary ones."""
        found = [path for path in self.reports.rglob(".*") if path.name.startswith((".staging-", ".latest-"))]
        found += [path for path in self.reports.rglob(".running") if path.stat().st_size]
        found += self.samplers()
        return [str(path) for path in found]

    def processes(self) -> str:
        """Processes that were started by the run: their environment names its folder."""
        return "\n".join(_whose_environment_names(str(self.scratch)))

    def until_alone(self) -> str:
        """What still runs after a while: the system may take a moment to end what was killed."""
        ends = time.monotonic() + 60
        while (found := self.processes()) and time.monotonic() < ends:
            time.sleep(0.05)
        return found

    def states(self) -> list[str]:
        return [row.state for row in Ledger(self.reports).rows()]

    def published(self) -> list[Path]:
        return list(self.reports.glob("study/2*/report.html"))


def write_rows(path: Path, n_rows: int, n_groups: int = 12) -> None:
    rng = np.random.default_rng(5)
    g, x = rng.integers(0, n_groups, n_rows), rng.normal(size=n_rows)
    y = rng.normal(size=n_groups)[g] + x + rng.normal(size=n_rows)
    rows = (f"g{a},{b:.6f},{c:.6f}\n" for a, b, c in zip(g, x, y, strict=True))
    path.write_text("g,x,y\n" + "".join(rows))


def _whose_environment_names(text: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [command for command in found if command]
