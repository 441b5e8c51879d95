"""One command for everything that recurs: Prefect's server, schedules, new data, the catalogue.

`serve_studies` supervises. Prefect's server (unless one is configured) and the runner of deployments are
processes of their own, started again when they end; intake and the catalogue run here.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from prefect.settings import PREFECT_API_URL, temporary_settings
from starlette.applications import Starlette

from flows.claims import heal
from flows.intake import Intake, incoming_folders
from flows.processes import Child, free_port, supervise, wait_until_up
from flows.requests import crash_silent_runs, request_run
from tasks.engines import EngineName
from tasks.ledger import Ledger
from tasks.notify import BASE_ADDRESS, notify_failure
from tasks.run_lock import RunningRun
from tasks.site import LOOPBACK_NAMES, catalogue_app, serve_catalogue
from tasks.stats.errors import PoolwiseError
from tasks.studies import OpenedStudy

PREFECT_PORT, CATALOGUE_PORT = 4200, 8765
HEARTBEAT_SECONDS = "30"
LOCK = ".serve.lock"


@dataclass(frozen=True)
class Addresses:
    catalogue: str
    prefect: str
    watched: tuple[Path, ...]


def serve_studies(
    folders: Sequence[Path],
    reports: Path,
    engine: EngineName,
    limit: int,
    catalogue_port: int,
    announce: Callable[[Addresses], None],
) -> None:
    """Until SIGINT or SIGTERM: schedules fire, new files make reports, the catalogue answers.

    `limit` is how many studies may run at once. Raises PoolwiseError when the folder is served already or
    Prefect's server does not come up.
    """
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    with only_server(reports), contextlib.ExitStack() as running:
        catalogue = running.enter_context(
            serve_catalogue(catalogue_for_readers(reports), port=free_port(catalogue_port))
        )
        api_url, children = _prefect_server(running, stop)
        runner = runner_child(folders, reports, engine, limit, api_url, catalogue)
        running.callback(runner.stop)
        runner.start()
        threading.Thread(target=supervise, args=([*children, runner], stop), daemon=True).start()
        watched = tuple(incoming for folder in folders for incoming in incoming_folders(folder)[1:])
        announce(Addresses(catalogue, api_url.removesuffix("/api"), watched))
        with temporary_settings({PREFECT_API_URL: api_url}):
            Intake(reports, folders, request_run, _heal_and_tell, once=crash_silent_runs).keep_looking(stop)


def _heal_and_tell(ledger: Ledger, dead: RunningRun, opened: OpenedStudy) -> None:
    """A run that was killed could tell nobody itself."""
    heal(ledger, dead)
    notify_failure(
        opened, PoolwiseError(f"The run {dead.run_id} was killed or its machine went down; it is run again.")
    )


def catalogue_for_readers(reports: Path) -> Starlette:
    """Answers to this machine's names, and to the one that BASE_ADDRESS gives readers, such as a proxy's."""
    public = urlsplit(os.environ.get(BASE_ADDRESS, "")).hostname
    return catalogue_app(reports, allowed_hosts=(*LOOPBACK_NAMES, *([public] if public else [])))


@contextlib.contextmanager
def only_server(reports: Path) -> Iterator[None]:
    """Only one process serves a reports folder; a second one is told which."""
    reports.mkdir(parents=True, exist_ok=True)
    with (reports / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise PoolwiseError(
                f"{reports} is being served already, by process {file.read().strip() or 'unknown'}. Use that one, "
                "stop it first, or serve another folder with --out."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def server_child(port: int) -> Child:
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    # The port a second time, as a setting: the UI would call 4200 otherwise.
    return Child("Prefect's server", command, {**os.environ, "PREFECT_SERVER_API_PORT": str(port)})


def runner_child(
    folders: Sequence[Path], reports: Path, engine: EngineName, limit: int, api_url: str, catalogue: str
) -> Child:
    """`catalogue` is where readers find the reports; links and messages name it, unless BASE_ADDRESS is set."""
    command = [sys.executable, "-m", "flows.runner", str(reports.resolve()), engine, str(limit), *map(str, folders)]
    defaults = {
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": HEARTBEAT_SECONDS,
        BASE_ADDRESS: catalogue,
    }
    return Child("the runner", command, {**defaults, **os.environ, "PREFECT_API_URL": api_url})


def _prefect_server(running: contextlib.ExitStack, stop: threading.Event) -> tuple[str, list[Child]]:
    """The configured server's address, or that of one of our own, which `running` will end."""
    configured = PREFECT_API_URL.value()
    if configured:
        return str(configured), []
    port = free_port(PREFECT_PORT)
    server = server_child(port)
    running.callback(server.stop)
    server.start()
    wait_until_up(f"http://127.0.0.1:{port}/api", lambda: not stop.is_set())
    return f"http://127.0.0.1:{port}/api", [server]
