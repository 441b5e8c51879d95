"""Children: started again when they end, ever later; their last lines are kept, and said when they are news."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from flows.server.processes import KEPT_LINES, Child, supervise, wait_until_up
from tasks.study.errors import PoolwiseError
from tests.waiting import PATIENCE_SECONDS


class Clock:
    """Stands still until it is told to go on; in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def child_that(program: str, clock: Clock) -> Child:
    return Child("the runner", [sys.executable, "-u", "-c", program], dict(os.environ), clock)


def ended(child: Child) -> Child:
    assert child.process is not None
    child.process.wait(PATIENCE_SECONDS)
    return child


def lives(child: Child, clock: Clock, n: int) -> Iterator[str]:
    """What is said in n lives, each begun as soon as it may."""
    child.start()
    for _ in range(n):
        ended(child)
        yield child.keep_alive()
        while child.process is None:
            clock.now += 1.0
            assert child.keep_alive() == "", "waiting is no news"
    child.stop()


def test_an_end_is_said_with_its_last_lines(clock: Clock) -> None:
    (said,) = lives(child_that("print('first'); print('no such table'); raise SystemExit(3)", clock), clock, 1)
    assert said == "The runner ended (exit 3) and is started again. Its last lines: first | no such table"


def test_again_and_again_is_said_once(clock: Clock) -> None:
    said = list(lives(child_that("import os; print('died as', os.getpid()); raise SystemExit(1)", clock), clock, 6))
    assert [bool(news) for news in said] == [True, False, True, False, False, False]
    assert said[2].startswith("The runner ended (exit 1) 3 times in ")
    assert "died as" in said[2]


def test_another_end_is_said_anew(clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> None:
    mark = tmp_path_factory.mktemp("mark") / "mark"
    program = f"""
import pathlib
mark = pathlib.Path({str(mark)!r})
if mark.exists():
    raise SystemExit('something else')
mark.touch()
raise SystemExit('the first reason')
"""
    said = list(lives(child_that(program, clock), clock, 2))
    assert "the first reason" in said[0]
    assert "2 times" in said[1]
    assert "something else" in said[1]


def test_waits_longer_the_more_often_it_ends(clock: Clock) -> None:
    child, waits = child_that("raise SystemExit(1)", clock), []
    child.start()
    for _ in range(5):
        ended(child)
        child.keep_alive()
        before = clock.now
        while child.process is None:
            clock.now += 1.0
            child.keep_alive()
        waits.append(clock.now - before)
    child.stop()
    assert waits == sorted(waits)
    assert waits[-1] > 4 * waits[0]


def test_after_a_long_life_an_end_is_the_first_again(clock: Clock) -> None:
    child = child_that("raise SystemExit(1)", clock)
    for _ in range(2):
        child.start()
        clock.now += 500.0
        assert ended(child).keep_alive().startswith("The runner ended (exit 1) and is")


def test_a_signal_is_named(clock: Clock) -> None:
    child = child_that("import time; time.sleep(600)", clock)
    child.start()
    assert child.process is not None
    os.kill(child.process.pid, signal.SIGKILL)
    assert ended(child).keep_alive() == "The runner ended (killed by signal 9) and is started again, without a word."


def test_a_flood_of_words_keeps_little_and_blocks_nobody(clock: Clock) -> None:
    child = child_that("import sys; [print('x' * 1000) for _ in range(3000)]; sys.exit('the end')", clock)
    child.start()
    said = ended(child).keep_alive()
    assert said.endswith("the end")
    assert len(said) < 3000
    assert len(child.last_lines) <= KEPT_LINES


def test_what_it_wrote_comes_as_one_line(clock: Clock) -> None:
    child = child_that(r"import sys; sys.stdout.buffer.write(b'a\tb\xff\n\n\nc'); sys.exit(1)", clock)
    child.start()
    assert ended(child).keep_alive().endswith("Its last lines: a b\ufffd | c")


def test_supervising_says_what_happened(clock: Clock) -> None:
    child, stop, said = child_that("raise SystemExit('why')", clock), threading.Event(), []

    def say(text: str) -> None:
        said.append(text)
        stop.set()

    child.start()
    ended(child)
    supervise([child], stop, say, lambda: None)
    child.stop()
    assert said == ["The runner ended (exit 1) and is started again. Its last lines: why"]


def test_a_server_that_does_not_come_up_has_the_last_word(clock: Clock) -> None:
    child = child_that("raise SystemExit('no such table: flow_run')", clock)
    child.start()
    ended(child)
    with pytest.raises(PoolwiseError, match=r"did not come up.*PREFECT_API_URL.*no such table: flow_run"):
        wait_until_up("http://127.0.0.1:9/api", lambda: child.is_alive, child.last_words)
