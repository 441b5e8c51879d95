"""A real server on a loopback port: starts within a loop or without one, and stops without a trace."""

from __future__ import annotations

import asyncio
import http.client
import logging
import signal
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tasks.site.app import catalogue_app
from tasks.site.server import catalogue_server, serve_catalogue
from tasks.study.errors import PoolwiseError
from tests.run_folders import OUTSIDE, add_run, hide_things
from tests.waiting import PATIENCE_SECONDS, until


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    add_run(tmp_path / "reports", "a", "r1")
    (tmp_path / "secret.csv").write_text("secret")
    return tmp_path / "reports"


def read(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
        return answer.read()


def is_free(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) != 0


def test_within_a_running_loop(reports: Path) -> None:
    async def use() -> tuple[str, bytes]:
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        async with catalogue_server(catalogue_app(reports)) as address:
            assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
            return address, await asyncio.to_thread(read, f"{address}a/latest/")

    address, page = asyncio.run(use())
    assert page == b"report"
    assert address.startswith("http://127.0.0.1:")
    assert is_free(urlsplit(address).port or 0)


def test_on_a_thread_of_its_own(reports: Path) -> None:
    before = set(threading.enumerate())
    with serve_catalogue(catalogue_app(reports)) as address:
        assert b"Question of a" in read(address)
        assert b"Question of a" in read(address.replace("127.0.0.1", "localhost"))
    until(lambda: set(threading.enumerate()) <= before)
    with pytest.raises(urllib.error.URLError):
        read(address)


def test_starts_again_on_the_same_port_at_once(reports: Path) -> None:
    with serve_catalogue(catalogue_app(reports)) as address:
        read(address)
    with serve_catalogue(catalogue_app(reports), port=urlsplit(address).port or 0) as again:
        assert again == address
        read(again)


def test_port_in_use_is_explained(reports: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(PoolwiseError, match=f"port {port}.*choose another"),
            serve_catalogue(catalogue_app(reports), port=port),
        ):
            pass


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.1"])
def test_host_that_is_not_ours_is_explained(reports: Path, host: str) -> None:
    with pytest.raises(PoolwiseError, match="cannot be served"), serve_catalogue(catalogue_app(reports), host):
        pass


def test_stops_while_a_reader_keeps_the_connection(reports: Path) -> None:
    with serve_catalogue(catalogue_app(reports)) as address:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_SECONDS)
        connection.request("GET", "/")
        connection.getresponse().read()
    connection.close()


def test_error_in_the_body_stops_it(reports: Path) -> None:
    with pytest.raises(RuntimeError, match="ours"), serve_catalogue(catalogue_app(reports)) as address:
        raise RuntimeError("ours")
    assert is_free(urlsplit(address).port or 0)


def test_says_nothing(reports: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.INFO), serve_catalogue(catalogue_app(reports)) as address:
        read(address)
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a catalogue is served whose reports folder has secrets in it and around it."""
    folder = tmp_path_factory.mktemp("careless")
    add_run(folder / "reports", "a", "r1")
    (folder / "secret.csv").write_text("secret")
    hide_things(folder / "reports")
    with serve_catalogue(catalogue_app(folder / "reports")) as address:
        yield urlsplit(address).netloc


@pytest.mark.parametrize("address", OUTSIDE)
def test_nothing_else_leaves(careless: str, address: str) -> None:
    """Most clients tidy an address before they send it; this one does not."""
    connection = http.client.HTTPConnection(careless, timeout=PATIENCE_SECONDS)
    connection.request("GET", address)
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"secret" not in answer.read()
    connection.close()


def test_what_is_hidden_is_there(careless: str) -> None:
    assert read(f"http://{careless}/a/r1/report.html") == b"report"


def test_head_and_streaming_on_the_wire(reports: Path) -> None:
    content = bytes(range(256)) * 20_000
    (reports / "a" / "r1" / "posterior.nc").write_bytes(content)
    with serve_catalogue(catalogue_app(reports)) as address:
        assert read(f"{address}a/r1/posterior.nc") == content
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_SECONDS)
        for path in ("/a/r1/posterior.nc", "/", "/nowhere"):  # one connection: a body sent would show
            connection.request("HEAD", path)
            answer = connection.getresponse()
            assert answer.read() == b""
            assert int(answer.headers["content-length"]) > 0
            assert "server" not in answer.headers
        connection.close()
