"""Told to stop, a run ends wherever it is: one line, exit code 1, nothing left behind, its files waiting again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from uuid import UUID

import pytest

from tests.stopping import LINE, Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

LONG = "[sampler]\nwarmup = 100000\ndraws = 100000\n"
SHORT = "[sampler]\nwarmup = 500\ndraws = 500\n"


def check_it_ended_well(run: Run) -> None:
    """Whatever had been published when the signal came is whole, counted, and named."""
    assert run.process is not None
    assert run.process.returncode == 1, run.words()
    assert "Traceback" not in run.words()
    (last,) = [line for line in run.words().splitlines() if line.startswith("Stopped.")]
    if run.published():
        assert last.startswith("Stopped. Interrupted after the report was published: "), last
        assert set(run.states()) == {"counted"}
    else:
        assert last == LINE
        assert set(run.states()) <= {"waiting"}
    assert run.until_alone() == ""
    assert run.left() == []


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=lambda sign: sign.name)
@pytest.mark.usefixtures("prefect_server")
def test_while_sampling(tmp_path: Path, sign: signal.Signals) -> None:
    run = Run(tmp_path, LONG).start().until_sampling()
    run.stop(sign)
    check_it_ended_well(run)
    assert "sample" not in run.words(), "the step had not ended"
    assert run.states() == ["waiting"]


@pytest.mark.parametrize("step", ["find files", "no pooling", "sample", "look back", "write"])
@pytest.mark.usefixtures("prefect_server")
def test_after_any_step(tmp_path: Path, step: str) -> None:
    run = Run(tmp_path, SHORT, n_rows=20_000 if step == "find files" else 240).start().until_step(step)
    run.stop(signal.SIGTERM)
    check_it_ended_well(run)


@pytest.mark.usefixtures("prefect_server")
def test_a_second_signal_changes_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path, LONG).start().until_sampling()
    run.stop(signal.SIGINT, signal.SIGINT, signal.SIGTERM)
    check_it_ended_well(run)


@pytest.mark.usefixtures("prefect_server")
def test_prefect_learns_of_it(tmp_path: Path) -> None:
    from prefect import get_client

    run = Run(tmp_path, LONG).start().until_sampling()
    note = json.loads((run.reports / "study" / ".running").read_text())
    run.stop(signal.SIGTERM)
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(UUID(note["flow_run_id"])).state
    assert state is not None
    assert state.type.value in ("CRASHED", "CANCELLED")


@pytest.mark.parametrize("moment", ["starting", "sampling"])
def test_without_prefect(tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    run = Run(tmp_path, LONG, environment={"PREFECT_HOME": str(tmp_path / "prefect")}).start()
    if moment == "sampling":
        run.until_sampling()
    else:
        run.until(lambda: "Poolwise" in run.words())
    run.stop(signal.SIGTERM)
    check_it_ended_well(run)


def test_a_portfolio_with_a_server_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    run = Run(tmp_path / "studies", LONG, environment={"PREFECT_HOME": str(tmp_path / "prefect")})
    run.start("portfolio", run.folder).until_sampling()
    run.stop(signal.SIGTERM)
    assert run.process is not None
    assert run.process.returncode == 1, run.words()
    assert run.published() == []
    assert run.until_alone() == ""


@pytest.mark.usefixtures("prefect_server")
def test_after_publication_what_was_published_stands(tmp_path: Path) -> None:
    """The message goes to somebody who never answers; the run is stopped while it waits."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        to = f'[notify]\nto = ["json://127.0.0.1:{deaf.getsockname()[1]}"]\nrejected_share = 0.0\n'
        run = Run(tmp_path, SHORT + to)
        with (run.study / "rows.csv").open("a") as rows:
            rows.write("g1,?,1.5\n")
        run.start()
        deaf.settimeout(240)
        connection, _ = deaf.accept()
        with connection:
            run.stop(signal.SIGTERM)
    check_it_ended_well(run)
    assert len(run.published()) == 1


def test_a_signal_that_is_lost_ends_the_process_all_the_same(tmp_path: Path) -> None:
    """An exception in a C library's callback goes nowhere, as Prefect's did in the sampler's."""
    script = textwrap.dedent(f"""
        import ctypes, time
        from pathlib import Path
        from flows.steps.stopping import stoppable
        from tasks.disk.leftovers import undone_if_cut_short

        COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)

        @COMPARE
        def slowly(a, b):
            print("comparing", flush=True)
            time.sleep(0.2)
            return 0

        with stoppable(), undone_if_cut_short(lambda: Path({str(tmp_path / "undone")!r}).touch()):
            ctypes.CDLL(None).qsort((ctypes.c_int * 100_000)(), 100_000, 4, slowly)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.splitlines()[-1] == LINE
    assert (tmp_path / "undone").exists()


def test_a_signal_raised_where_nothing_can_catch_it_prints_no_traceback() -> None:
    """In a finaliser or a weak reference's callback Python prints what is lost, which is news for errors only."""
    code = textwrap.dedent(
        """
        from prefect.exceptions import TerminationSignal
        from flows.steps.stopping import Interrupted, stoppable

        class Lost:
            def __init__(self, error):
                self.error = error
            def __del__(self):
                raise self.error

        with stoppable():
            Lost(Interrupted()), Lost(TerminationSignal(signal=15)), Lost(ValueError("news"))
        """
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr.count("Traceback") == 1
    assert "ValueError: news" in ended.stderr


@pytest.mark.bench
@pytest.mark.usefixtures("prefect_server")
def test_how_long_it_takes(tmp_path: Path) -> None:
    """Seconds from SIGTERM to the end of the process."""
    for step in ("find files", "no pooling", "sampling", "sample", "look back", "write"):
        run = Run(tmp_path / step, LONG if step == "sampling" else SHORT, n_rows=20_000).start()
        run.until_sampling() if step == "sampling" else run.until_step(step)
        seconds = run.stop(signal.SIGTERM)
        print(f"{'while sampling' if step == 'sampling' else 'after ' + step:20}{seconds:6.2f} s")
        assert seconds < 2.0
