"""Uvicorn around the catalogue: within a running event loop, or on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import Future

import uvicorn
from starlette.types import ASGIApp

from tasks.study.errors import PoolwiseError

LOOPBACK = "127.0.0.1"
SHUTDOWN_SECONDS = 5
POLL_SECONDS = 0.01


class _Server(uvicorn.Server):
    """Installs no signal handlers: the caller has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@contextlib.asynccontextmanager
async def catalogue_server(app: ASGIApp, host: str = LOOPBACK, port: int = 0) -> AsyncIterator[str]:
    """Serve within the running event loop while the context lasts; yields the address, ending in `/`.

    Port 0 takes any free one. Answers under way get a few seconds to end. Raises PoolwiseError when the
    address is taken.
    """
    listening = _listen(host, port)
    server = _Server(_config(app))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started and not serving.done():
            await asyncio.sleep(POLL_SECONDS)
        if serving.done():
            serving.result()
        yield _address(host, listening)
    finally:
        server.should_exit = True
        await serving
        listening.close()


@contextlib.contextmanager
def serve_catalogue(app: ASGIApp, host: str = LOOPBACK, port: int = 0) -> Iterator[str]:
    """As `catalogue_server`, on a thread of its own, for callers without an event loop."""
    address: Future[str] = Future()
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_until(stop, address, app, host, port)), name="catalogue")
    thread.start()
    try:
        yield address.result()
    finally:
        stop.set()
        thread.join()


async def _until(stop: threading.Event, address: Future[str], app: ASGIApp, host: str, port: int) -> None:
    try:
        async with catalogue_server(app, host, port) as url:
            address.set_result(url)
            await asyncio.to_thread(stop.wait)
    except BaseException as error:
        if address.done():
            raise
        address.set_exception(error)


def _config(app: ASGIApp) -> uvicorn.Config:
    """Logs warnings and errors only, to the `uvicorn.error` logger."""
    return uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise PoolwiseError(
            f"The catalogue cannot be served at {host}, port {port}: {error.strerror or error}. "
            "Stop what listens there, or choose another port."
        ) from error


def _address(host: str, listening: socket.socket) -> str:
    """The address for a browser on this machine."""
    name = {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}.get(host, host)
    port = listening.getsockname()[1]
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"
