"""Guessing the catalogue's password is slow, costs no memory, and shuts out nobody who reads."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tasks.site.app import catalogue_app
from tasks.site.guard import GUESSES_AT_ONCE, SECONDS_PER_GUESS, Brake


class Clock:
    """Seconds; goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> TestClient:
    return TestClient(catalogue_app(tmp_path, password="right", brake=Brake(clock)), base_url="http://127.0.0.1")


def tried(app: TestClient, password: str, *, cookies: dict[str, str] | None = None) -> int:
    app.cookies.clear()
    app.cookies.update(cookies or {})
    basic = base64.b64encode(f"x:{password}".encode()).decode()
    return int(app.get("/", headers={"authorization": f"Basic {basic}"}).status_code)


def exhausted(app: TestClient) -> None:
    assert [tried(app, f"guess {k}") for k in range(GUESSES_AT_ONCE)] == [401] * GUESSES_AT_ONCE


def test_guesses_are_few_at_once_then_one_in_a_while(app: TestClient, clock: Clock) -> None:
    exhausted(app)
    assert [tried(app, "another") for _ in range(50)] == [429] * 50
    clock.now += SECONDS_PER_GUESS
    assert [tried(app, "another"), tried(app, "another")] == [401, 429]
    clock.now += 3600.0
    exhausted(app)
    assert tried(app, "another") == 429


def test_a_guess_is_not_answered_while_the_brake_holds(app: TestClient) -> None:
    """Else the right one would show among the refused."""
    exhausted(app)
    assert tried(app, "right") == 429


def test_who_waits_gets_in(app: TestClient, clock: Clock) -> None:
    exhausted(app)
    app.cookies.clear()
    basic = base64.b64encode(b"x:wrong").decode()
    answer = app.get("/", headers={"authorization": f"Basic {basic}"})
    assert answer.status_code == 429
    clock.now += float(answer.headers["retry-after"])
    assert tried(app, "right") == 200


def test_who_reads_already_is_never_shut_out(app: TestClient) -> None:
    assert tried(app, "right") == 200
    known = dict(app.cookies)
    exhausted(app)
    assert [tried(app, "guess") for _ in range(5)] == [429] * 5
    assert [tried(app, "right", cookies=known) for _ in range(5)] == [200] * 5


def test_right_passwords_cost_nothing(app: TestClient) -> None:
    assert {tried(app, "right") for _ in range(10 * GUESSES_AT_ONCE)} == {200}


def test_the_cookie_opens_nothing(app: TestClient) -> None:
    tried(app, "right")
    known = dict(app.cookies)
    assert tried(app, "wrong", cookies=known) == 401
    app.cookies.update(known)
    assert app.get("/").status_code == 401


@pytest.mark.parametrize("forged", ["", "x", "é"])
def test_a_forged_cookie_is_no_exemption(app: TestClient, forged: str) -> None:
    exhausted(app)
    headers = {"authorization": "Basic " + base64.b64encode(b"x:guess").decode()}
    headers_with_cookie = {**headers, "cookie": f"poolwise_reader={forged}".encode("latin-1")}
    assert app.get("/", headers=headers_with_cookie).status_code == 429  # type: ignore[arg-type]


def test_the_cookie_is_for_no_script_and_no_other_site(app: TestClient) -> None:
    basic = base64.b64encode(b"x:right").decode()
    said = app.get("/", headers={"authorization": f"Basic {basic}"}).headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=Strict" in said
    assert "right" not in said


def test_asking_without_a_password_is_no_guess(app: TestClient) -> None:
    for _ in range(10 * GUESSES_AT_ONCE):
        assert app.get("/").status_code == 401
        assert app.get("/", headers={"authorization": "Basic !!!"}).status_code == 401
    assert tried(app, "right") == 200


def test_a_monitor_is_answered_all_the_same(app: TestClient) -> None:
    exhausted(app)
    assert app.get("/health").status_code == 200


def test_a_clock_that_goes_back_harms_nobody(clock: Clock) -> None:
    brake = Brake(clock)
    clock.now -= 1e6
    assert brake.wait() == 0.0


def test_memory_stays_the_same(clock: Clock) -> None:
    brake = Brake(clock)
    before = sys.getsizeof(brake.__dict__)
    for _ in range(10_000):
        brake.was_wrong()
    assert sys.getsizeof(brake.__dict__) == before
    assert len(vars(brake)) == 3
