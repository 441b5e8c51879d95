"""A Dask scheduler and workers, each a process of its own, as a user starts them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.parts.servers import folder_for, free_ports, listens, running


@dataclass
class DaskCluster:
    address: str
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_worker(self) -> subprocess.Popen[bytes]:
        """One that runs one task at a time, without a nanny: killed, it stays dead."""
        name = f"worker-{len(self.processes)}"
        command = [sys.executable, "-m", "dask", "worker", self.address, "--nthreads", "1", "--no-nanny"]
        command += ["--no-dashboard", "--local-directory", str(self.folder / name), "--name", name]
        with (self.folder / f"{name}.txt").open("wb") as said:
            self.processes.append(subprocess.Popen(command, cwd=self.folder, stdout=said, stderr=said))
        return self.processes[-1]


@pytest.fixture(scope="session")
def dask_cluster() -> Iterator[DaskCluster]:
    with dask_started() as cluster:
        yield cluster


@contextmanager
def dask_started() -> Iterator[DaskCluster]:
    """A scheduler on loopback and two workers."""
    pytest.importorskip("distributed")
    with folder_for(None) as folder, ExitStack() as ends:
        (port,) = free_ports(1)
        command = [sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", str(port)]
        ends.enter_context(running([*command, "--no-dashboard"], lambda: listens(port), folder))
        cluster = DaskCluster(f"tcp://127.0.0.1:{port}", folder)
        try:
            for _ in range(2):
                cluster.start_worker()
            yield cluster
        finally:
            for process in cluster.processes:
                process.kill()
                process.wait()
