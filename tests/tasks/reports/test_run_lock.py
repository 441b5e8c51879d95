"""One run of a study at a time; a dead one is found by what it left."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.reports.run_lock import dead_run, is_running, only_run
from tasks.study.errors import PoolwiseError
from tests.privileges import held_to_permissions

HOLDER = """
import sys
from pathlib import Path
from tasks.reports.run_lock import only_run
with only_run(Path(sys.argv[1]), "s") as hold:
    hold.note("run-1", "flow-1")
    print("held", flush=True)
    sys.stdin.read()  # until killed, or until the test has ended
"""


def hold_elsewhere(reports: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(reports)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_study_that_nobody_ever_ran_is_free(tmp_path: Path) -> None:
    assert not is_running(tmp_path, "s")
    with dead_run(tmp_path, "s") as dead:
        assert dead is None


def test_held_study_is_running_and_makes_others_wait(tmp_path: Path) -> None:
    holder = hold_elsewhere(tmp_path)
    try:
        assert is_running(tmp_path, "s")
        assert not is_running(tmp_path, "t")
        with dead_run(tmp_path, "s") as dead:
            assert dead is None
        with pytest.raises(PoolwiseError, match="Another run of s"), only_run(tmp_path, "s", patience_seconds=0.2):
            pass
    finally:
        holder.kill()
        holder.wait()


def test_killed_holder_is_found_dead_once(tmp_path: Path) -> None:
    holder = hold_elsewhere(tmp_path)
    holder.kill()
    holder.wait()
    assert not is_running(tmp_path, "s")
    with dead_run(tmp_path, "s") as dead:
        assert dead is not None
        assert (dead.run_id, dead.flow_run_id, dead.pid) == ("run-1", "flow-1", holder.pid)
    with dead_run(tmp_path, "s") as dead:
        assert dead is None


def test_dead_run_stays_to_be_healed_when_healing_fails(tmp_path: Path) -> None:
    holder = hold_elsewhere(tmp_path)
    holder.kill()
    holder.wait()
    with pytest.raises(ConnectionError), dead_run(tmp_path, "s"):
        raise ConnectionError
    with dead_run(tmp_path, "s") as dead:
        assert dead is not None


def test_next_holder_hears_of_the_dead_one(tmp_path: Path) -> None:
    holder = hold_elsewhere(tmp_path)
    holder.kill()
    holder.wait()
    with only_run(tmp_path, "s") as hold:
        assert hold.left_behind is not None
        assert hold.left_behind.run_id == "run-1"
    with only_run(tmp_path, "s") as hold:
        assert hold.left_behind is None


def test_a_disk_that_cannot_lock_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(PoolwiseError, match="cannot be locked: No locks available"), only_run(tmp_path, "s"):
        pass


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with held_to_permissions(), pytest.raises(PoolwiseError, match="not allowed"), only_run(tmp_path, "s"):
        pass
