"""`poolwise serve`, one command for everything that recurs: Prefect's server, schedules, new data, the catalogue.

Prefect's server (unless one is configured) and the runner of deployments are child processes, restarted when they end.
Intake and the catalogue run in this process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_SERVER_API_AUTH_STRING,
    temporary_settings,
)
from starlette.applications import Starlette

from flows.serve.intake import Intake, incoming_folders
from flows.serve.requests import crash_silent_runs, request_run
from flows.serve.troubles import Troubles, forget_told, told
from flows.server.open_server import warn_of_open_server
from flows.server.own_server import guarded, guarded_command
from flows.server.processes import Child, free_port, supervise, wait_until_up
from flows.server.server_key import kept_key, key_file
from flows.steps.claims import heal
from tasks.disk.layout import serve_lock
from tasks.disk.locks import try_lock
from tasks.disk.mirror import mirror_of
from tasks.engines.engines import EngineName
from tasks.notify.notify import BASE_ADDRESS, notify_failure
from tasks.opening.studies import OpenedStudy
from tasks.reports.holding import RunningRun
from tasks.reports.ledger import Ledger
from tasks.reports.refresh import refresh
from tasks.site.app import catalogue_app
from tasks.site.guard import LOOPBACK_NAMES
from tasks.site.server import serve_catalogue
from tasks.study.errors import PoolwiseError
from tasks.view.catalogue.search import Trouble

PREFECT_PORT = 4200
HEARTBEAT_SECONDS = "30"
SECONDS_BETWEEN_REFRESHES = 5.0  # of a catalogue whose reports are in an object store


@dataclass(frozen=True)
class Addresses:
    """What is printed when serving begins. `key`: where the key to Prefect's pages is; empty if it is not ours."""

    catalogue: str
    prefect: str
    key: str
    watched: tuple[Path, ...]


@dataclass(frozen=True)
class Server:
    """Prefect's server: a configured one, or one of our own with its key and its process."""

    api_url: str
    key: str = ""
    key_place: str = ""
    child: Child | None = None

    @property
    def settings(self) -> dict[Any, Any]:
        """Settings for Prefect's clients in this process."""
        return {PREFECT_API_URL: self.api_url, **({PREFECT_API_AUTH_STRING: self.key} if self.key else {})}

    @property
    def pages(self) -> dict[str, str]:
        """A variable that says where links to a run lead. Our own server's pages ask for the key below /v2 only."""
        return {"PREFECT_UI_URL": f"{self.api_url.removesuffix('/api')}/v2"} if self.child else {}

    @property
    def environment(self) -> dict[str, str]:
        """Variables for Prefect's clients in other processes; no other user can read them."""
        return {"PREFECT_API_URL": self.api_url, **({"PREFECT_API_AUTH_STRING": self.key} if self.key else {})}


def serve_studies(
    folders: Sequence[Path],
    reports: Path,
    engine: EngineName,
    limit: int | None,
    catalogue_port: int,
    announce: Callable[[Addresses], None],
    say: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM.

    `limit` is how many studies may run at once; None leaves all runs to the workers of a server that is configured.
    `announce` is called once everything is up, `say` with each problem that does not stop the others. Raises
    PoolwiseError when the folder is served already, Prefect's server does not come up, or nobody would run anything.
    """
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    troubles = Troubles(say)
    with only_server(reports), contextlib.ExitStack() as running:
        forget_told(reports)
        if limit is None:
            _require_server()
        app = catalogue_for_readers(reports, troubles.now)
        catalogue = running.enter_context(serve_catalogue(app, port=free_port(catalogue_port)))
        server = _prefect_server(running, stop)
        children = [server.child] if server.child else []
        if limit is not None:
            children.insert(0, runner_child(folders, reports, engine, limit, server, catalogue))
            running.callback(children[0].stop)
            children[0].start()
        listen = partial(_listen_to_runner, troubles, reports)
        supervising = threading.Thread(target=supervise, args=(children, stop, say, listen), daemon=True)
        supervising.start()
        running.callback(supervising.join)  # before the children are stopped, or it would start them again
        running.callback(stop.set)
        announce(Addresses(catalogue, server.api_url.removesuffix("/api"), server.key_place, _watched(folders)))
        if mirror_of(reports):
            _keep_refreshed(reports, stop, partial(troubles.found, "reports"))
        with temporary_settings(server.settings):
            warn_of_open_server(say)
            report = partial(troubles.found, "intake")
            Intake(reports, folders, request_run, _heal_and_tell, crash_silent_runs, report).keep_looking(stop)


def _keep_refreshed(reports: Path, stop: threading.Event, found: Callable[[str, str], None]) -> None:
    """List what others publish in the object store, in a thread, until `stop` is set."""

    def keep() -> None:
        while not stop.is_set():
            try:
                refresh(reports)
            except (PoolwiseError, OSError) as error:
                found("Reports", str(error))
            else:
                found("Reports", "")
            stop.wait(SECONDS_BETWEEN_REFRESHES)

    threading.Thread(target=keep, name="poolwise-reports", daemon=True).start()


def _listen_to_runner(troubles: Troubles, reports: Path) -> None:
    """Take over the troubles that the runner has told of."""
    troubles.found_all("runner", told(reports))


def _watched(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Incoming folders of the studies that can be read."""
    found = []
    for folder in folders:
        with contextlib.suppress(PoolwiseError, OSError):
            found += incoming_folders(folder)[1:]
    return tuple(found)


def _heal_and_tell(ledger: Ledger, dead: RunningRun, opened: OpenedStudy) -> None:
    """Clean up after a run that was killed, and notify whom the study names."""
    heal(ledger, dead)
    notify_failure(
        opened, PoolwiseError(f"The run {dead.run_id} was killed or its machine went down; it is run again.")
    )


def catalogue_for_readers(reports: Path, troubles: Callable[[], Sequence[Trouble]] = tuple) -> Starlette:
    """The catalogue, answering to this machine's names and to the host in BASE_ADDRESS, such as a proxy's."""
    public = urlsplit(os.environ.get(BASE_ADDRESS, "")).hostname
    hosts = (*LOOPBACK_NAMES, *([public] if public else []))
    return catalogue_app(reports, allowed_hosts=hosts, troubles=troubles)


@contextlib.contextmanager
def only_server(reports: Path) -> Iterator[None]:
    """Hold the reports folder's lock for serving. Raises PoolwiseError, which names the process that holds it."""
    reports.mkdir(parents=True, exist_ok=True)
    with serve_lock(reports).open("a+") as file:
        if not try_lock(file):
            file.seek(0)
            raise PoolwiseError(
                f"{reports} is being served already, by process {file.read().strip() or 'unknown'}. Use that one, "
                "stop it first, or serve another folder with --out."
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def server_child(port: int, key: str) -> Child:
    """Prefect's server on this port, with this key, not started yet."""
    return Child("Prefect's server", guarded_command(port), guarded(os.environ, port, key))


def runner_child(
    folders: Sequence[Path], reports: Path, engine: EngineName, limit: int, server: Server, catalogue: str
) -> Child:
    """The runner, not started yet. Links and messages name `catalogue`, unless BASE_ADDRESS is set."""
    command = [
        sys.executable,
        "-m",
        "flows.serve.runner",
        str(reports.resolve()),
        engine,
        str(limit),
        *map(str, folders),
    ]
    defaults = {
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": HEARTBEAT_SECONDS,
        BASE_ADDRESS: catalogue,
        **server.pages,
    }
    return Child("the runner", command, {**defaults, **os.environ, **server.environment})


def _prefect_server(running: contextlib.ExitStack, stop: threading.Event) -> Server:
    """The configured server, or one of our own, up, which `running` will stop. Raises PoolwiseError."""
    configured = PREFECT_API_URL.value()
    if configured:
        return Server(str(configured))
    port = free_port(PREFECT_PORT)
    key, place = _key()
    child = server_child(port, key)
    running.callback(child.stop)
    child.start()
    api_url = f"http://127.0.0.1:{port}/api"
    wait_until_up(api_url, lambda: child.is_alive and not stop.is_set(), child.last_words)
    return Server(api_url, key, place, child)


def _require_server() -> None:
    """Raises PoolwiseError when no server is configured, whose workers could run what is asked for."""
    if not PREFECT_API_URL.value():
        raise PoolwiseError(
            "Without a runner nobody runs the studies: PREFECT_API_URL names no Prefect server whose workers could. "
            "Set it, and register the studies with `poolwise deploy`; or leave out --no-runner."
        )


def _key() -> tuple[str, str]:
    """The key to our own server, and where its owner finds it: in their settings, or in a file."""
    chosen = PREFECT_SERVER_API_AUTH_STRING.value()
    if chosen:
        return str(chosen), "PREFECT_SERVER_API_AUTH_STRING of your settings"
    return kept_key(key_file()), str(key_file())
