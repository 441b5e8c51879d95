"""Who is answered by a Prefect server of ours: the owner and our own processes, nobody else."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE, temporary_settings
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from flows.server.guarded_server import Guard, lasting_app
from flows.server.own_server import guarded, guarded_command
from flows.server.processes import Child, free_port, wait_until_up
from flows.server.server_key import new_key
from flows.server.short_lived_server import ShortLivedServer, instead_of_prefects


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def everything(request: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


APP = Starlette(
    routes=[
        WebSocketRoute("/socket", greet),
        Route("/{path:path}", everything, methods=["GET", "POST", "PATCH", "DELETE"]),
    ]
)


def client(public: str = "") -> TestClient:
    return TestClient(Guard(APP, public), base_url="http://127.0.0.1:4200")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("127.0.0.1:4200", 200), ("localhost:4200", 200), ("LOCALHOST", 200), ("[::1]:4200", 200)),
        *(("localhost:5000", 200), ("evil.example", 403), ("evil.example:4200", 403), ("127.0.0.1.evil.example", 403)),
        *(("", 403), ("localhost@evil.example", 403), ("[::1", 403), ("localhost.", 403), ("0.0.0.0:4200", 403)),
    ],
)
def test_only_its_own_names_are_answered(host: str, status: int) -> None:
    assert client().get("/", headers={"host": host}).status_code == status


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "origin",
    ["http://localhost:9999", "http://127.0.0.1:8765", "http://localhost:4200", "https://evil.example", "null", ""],
)
def test_pages_of_other_origins_are_refused(method: str, origin: str) -> None:
    answer = client().request(method, "/api/flows/filter", headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_its_own_pages_are_answered() -> None:
    headers = {"origin": "http://127.0.0.1:4200", "sec-fetch-site": "same-origin"}
    assert client().post("/api/flows/filter", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("site", "mode", "destination", "method", "status"),
    [
        ("none", "navigate", "document", "GET", 200),
        ("cross-site", "navigate", "document", "GET", 200),
        ("same-site", "navigate", "document", "GET", 200),
        ("cross-site", "navigate", "document", "POST", 403),
        ("cross-site", "navigate", "iframe", "GET", 403),
        ("same-site", "no-cors", "image", "GET", 403),
        ("cross-site", "no-cors", "script", "GET", 403),
        ("same-site", "cors", "empty", "POST", 403),
    ],
)
def test_from_elsewhere_only_links_lead_here(site: str, mode: str, destination: str, method: str, status: int) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": destination}
    assert client().request(method, "/runs", headers=headers).status_code == status


def test_answers_cannot_be_framed_or_read_across_origins() -> None:
    headers = client().get("/").headers
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_descriptions_that_cost_seconds_are_not_served(path: str) -> None:
    assert client().get(path).status_code == 404


@pytest.mark.parametrize("headers", [{"origin": "http://localhost:1"}, {"host": "evil.example"}])
def test_sockets_of_strangers_are_refused(headers: dict[str, str]) -> None:
    headers = {"host": "127.0.0.1:4200", **headers}
    with pytest.raises(WebSocketDisconnect), client().websocket_connect("/socket", headers=headers):
        pass
    with client().websocket_connect("/socket", headers={"host": "127.0.0.1:4200"}) as socket:
        assert socket.receive_text() == "hello"


def test_a_proxy_of_the_owners_is_answered_under_its_name() -> None:
    behind = client("https://prefect.example.org")
    headers = {"host": "prefect.example.org", "origin": "https://prefect.example.org"}
    assert behind.post("/api/flows/filter", headers=headers).status_code == 200
    assert behind.post("/api/flows/filter", headers={**headers, "origin": "https://evil.example"}).status_code == 403


def test_without_a_key_there_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)
    with pytest.raises(RuntimeError, match="would answer everybody"):
        lasting_app()


def test_the_key_is_on_no_command_line() -> None:
    key = new_key()
    assert guarded({}, 4200, key)["PREFECT_SERVER_API_AUTH_STRING"] == key
    assert key not in " ".join(guarded_command(4200))


KEY = new_key()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server as `poolwise serve` starts it, whose key is KEY."""
    port, home = free_port(), tmp_path_factory.mktemp("prefect")
    environment = {**os.environ, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    child = Child("Prefect's server", guarded_command(port), guarded(environment, port, KEY))
    child.start()
    try:
        wait_until_up(f"http://127.0.0.1:{port}/api", lambda: child.is_alive, child.last_words)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


def with_key(server: str) -> httpx.Client:
    return httpx.Client(base_url=server, auth=tuple(KEY.split(":")), timeout=120)  # type: ignore[arg-type]


def test_every_route_wants_the_key(server: str) -> None:
    with with_key(server) as owner, httpx.Client(base_url=server, timeout=120) as stranger:
        described = owner.get("/api/openapi.json").json()["paths"]
        routes = [(method, path) for path, methods in described.items() for method in methods]
        assert len(routes) > 100
        open_routes = []
        for method, path in routes:
            if stranger.request(method, f"/api{path}", json={}).status_code != 401:
                open_routes.append((method, path))
    assert open_routes == [("get", "/health"), ("get", "/ready")]


@pytest.mark.parametrize(
    "path", ["/api/docs", "/api/openapi.json", "/api/static/x", "/api/metrics", "/api/admin/settings"]
)
def test_what_is_not_described_wants_it_too(server: str, path: str) -> None:
    assert httpx.get(f"{server}/api{path}", timeout=60).status_code == 401


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json", ""])
def test_simple_requests_change_nothing(server: str, kind: str) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = httpx.post(f"{server}/api/flows/", content=b'{"name": "planted"}', headers=headers, timeout=60)
    assert answer.status_code == 401
    with with_key(server) as owner:
        assert "planted" not in owner.post("/api/flows/filter", json={}).text


def test_with_the_key_it_works_but_not_for_strangers_pages(server: str) -> None:
    with with_key(server) as owner:
        assert owner.get("/api/admin/version").status_code == 200
        assert owner.get("/api/admin/version", headers={"host": "evil.example"}).status_code == 403
        assert owner.get("/api/admin/version", headers={"origin": "http://localhost:1"}).status_code == 403


@pytest.mark.parametrize(
    "key",
    ["", "poolwise:", "poolwise:wrong", "admin:admin", pytest.param(f"x{KEY}", id="another name and the right key")],
)
def test_another_key_opens_nothing(server: str, key: str) -> None:
    user, _, password = key.partition(":")
    assert httpx.get(f"{server}/api/admin/version", auth=(user, password), timeout=60).status_code == 401


SOCKETS = ["/api/events/in", "/api/events/out", "/api/logs/out", "/api/task_runs/subscriptions/scheduled"]


async def opens(address: str, token: str | None) -> bool:
    """Whether a client that gives this token is let in."""
    try:
        async with connect(address, subprotocols=["prefect"] if token is not None else None) as socket:  # type: ignore[list-item]
            await socket.send(f'{{"type": "auth", "token": "{token or ""}"}}')
            return "auth_success" in str(await socket.recv())
    except (InvalidStatus, ConnectionClosed):
        return False


@pytest.mark.parametrize("path", SOCKETS)
def test_sockets_want_the_key(server: str, path: str) -> None:
    address = server.replace("http", "ws") + path
    assert not asyncio.run(opens(address, None))
    assert not asyncio.run(opens(address, ""))
    assert not asyncio.run(opens(address, "poolwise:wrong"))
    assert asyncio.run(opens(address, KEY))


@pytest.mark.parametrize("path", SOCKETS)
def test_pages_of_other_origins_get_no_socket(server: str, path: str) -> None:
    async def tried() -> int:
        try:
            async with connect(server.replace("http", "ws") + path, origin="http://localhost:1"):  # type: ignore[arg-type]
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    assert asyncio.run(tried()) == 403


def test_the_server_of_one_run_wants_a_key_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING"):
        monkeypatch.setenv(name, "")  # put back afterwards
    short = ShortLivedServer()
    try:
        api = short.wait()
        assert httpx.post(f"{api}/flows/filter", json={}, timeout=60).status_code == 401
        user, _, password = short.key.partition(":")
        assert httpx.post(f"{api}/flows/filter", json={}, auth=(user, password), timeout=60).status_code == 200
        short.announce()
        assert os.environ["PREFECT_API_AUTH_STRING"] == short.key
    finally:
        short._child.stop()


LEFT_TO_PREFECT = """
import threading
from flows.server.short_lived_server import instead_of_prefects
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL

server = instead_of_prefects()
def told():
    assert (PREFECT_API_URL.value(), PREFECT_API_AUTH_STRING.value()) == (server.api_url, server.key)
    print("told")
told()
thread = threading.Thread(target=told)
thread.start()
thread.join()
"""


def test_where_prefect_would_bring_a_server_ours_takes_its_place(tmp_path: Path) -> None:
    """A profile that speaks of temporary servers leaves the decision to Prefect, whose own answers everybody."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    chosen = {"PREFECT_HOME": str(tmp_path), "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true"}
    command = [sys.executable, "-c", LEFT_TO_PREFECT]
    done = subprocess.run(command, env={**kept, **chosen}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["told", "told"]


@pytest.mark.parametrize(("api_url", "may_be_temporary"), [("http://127.0.0.1:1/api", True), (None, False)])
def test_a_server_that_is_named_or_temporary_ones_forbidden_means_none_of_ours(
    api_url: str | None, may_be_temporary: bool
) -> None:
    settings = {PREFECT_API_URL: api_url, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: may_be_temporary}
    with temporary_settings(settings):
        assert instead_of_prefects() is None
