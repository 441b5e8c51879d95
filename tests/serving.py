"""`poolwise serve` as a process on a small study, for tests that start, kill and restart it."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from flows.server.processes import free_port
from tasks.reports.ledger import Ledger
from tasks.reports.run_folders import read_summary, run_folders
from tests.shelf import alone
from tests.waiting import PATIENCE_SECONDS, until

STUDY = """title = "Small"
source = "*.csv"
outcome = "y"
group = "g"
[trigger]
stable_seconds = 0.3
[sampler]
warmup = 500
draws = 500
"""
ROWS_PER_FILE = 12
PORTS = Path(tempfile.gettempdir()) / f"poolwise-tests-{os.getuid()}.lock"


class Serving:
    """The process, its study and what it has published; `folder` is scratch."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder, self.study, self.reports = folder, folder / "study", folder / "reports"
        self.incoming = self.study / "incoming"
        self.incoming.mkdir(parents=True, exist_ok=True)
        (self.study / "study.toml").write_text(STUDY + more)
        self.studies = [self.study]
        self.process: subprocess.Popen[bytes] | None = None
        self.kills: Counter[str] = Counter()

    def start(self, **environment: str) -> Serving:
        """Starts it, and waits until it serves. One at a time on a machine: two could take the same free port."""
        with alone(PORTS):
            starts = self._n_starts()
            self._begin(environment)
            until(lambda: self._n_starts() > starts or self.process.poll() is not None)
        return self

    def _begin(self, environment: dict[str, str]) -> None:
        kept = {key: value for key, value in os.environ.items() if key not in ("PREFECT_API_URL", "PREFECT_PROFILE")}
        kept |= {"PREFECT_HOME": str(self.folder / "prefect"), "XDG_STATE_HOME": str(self.folder / "state")}
        where = ["--port", str(free_port()), "--out", str(self.reports)]
        command = [sys.executable, "-m", "flows.cli", "serve", *where, *map(str, self.studies)]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(command, env={**kept, **environment}, stdout=output, stderr=output)

    def _n_starts(self) -> int:
        return self.log.read_text().count("Stop with Ctrl-C") if self.log.exists() else 0

    def also(self, name: str, text: str) -> Path:
        """One more study, served from the next start on."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "study.toml").write_text(text)
        self.studies.append(folder)
        return folder

    @property
    def key(self) -> str:
        """To Prefect's pages, as its owner finds it."""
        return (self.folder / "state" / "poolwise" / "prefect.key").read_text().strip()

    def children(self, module: str) -> list[int]:
        """Process ids of what was started with this module."""
        assert self.process is not None
        found = subprocess.run(["pgrep", "-P", str(self.process.pid), "-f", module], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    @property
    def log(self) -> Path:
        return self.folder / "serve.log"

    def addresses(self) -> dict[str, str]:
        """What was printed: `Catalogue`, `Prefect` and `Watching`, of the latest start; without a slash at the end."""
        lines = [line.rstrip("/").split() for line in self.log.read_text().splitlines()]
        return {line[0]: line[1] for line in lines if len(line) == 2 and line[0][0].isupper()}

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.kills["the serving process"] += 1

    def kill_a_run(self) -> bool:
        """Kill the process that holds the study, if one does just now."""
        try:
            pid = json.loads((self.reports / "study" / ".running").read_text())["pid"]
            os.kill(pid, signal.SIGKILL)
        except (OSError, ValueError, KeyError):
            return False
        self.kills["a run"] += 1
        return True

    def stop(self) -> int:
        """Exit code after SIGTERM."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)

    def n_counted(self) -> int:
        return sum(row.state == "counted" for row in Ledger(self.reports).rows())

    def summaries(self) -> list[dict[str, Any]]:
        """Of every published run, oldest first."""
        return [read_summary(folder) for folder in reversed(run_folders(self.reports / "study"))]

    def drop(self, number: int, chance: random.Random, slowly: bool = False) -> Path:
        """A file of ROWS_PER_FILE rows, at once or line by line with pauses."""
        rows = [f"{chance.choice('abcd')},{chance.gauss(10, 1):.6f}\n" for _ in range(ROWS_PER_FILE)]
        path = self.incoming / f"{number:04d}.csv"
        with path.open("w") as file:
            for line in ["g,y\n", *rows]:
                file.write(line)
                file.flush()
                time.sleep(0.05 if slowly else 0.0)
        return path

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Prefect's API, with the key; the answer's JSON."""
        address = f"{self.addresses()['Prefect']}/api{path}"
        request = urllib.request.Request(address, json.dumps(body).encode() if body is not None else None)
        request.method = method or request.get_method()
        request.add_header("content-type", "application/json")
        request.add_header("authorization", "Basic " + base64.b64encode(self.key.encode()).decode())
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return json.loads(answer.read() or "null")
