"""Nothing over the network is needed or tried: every process of a real run is watched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

# Runs in every Python process of the run, the sampler and Prefect's own server included.
WATCH = """
import json, os, sys
def watch(event, args):
    if event == "socket.getaddrinfo":
        address = args[0]
    elif event in ("socket.connect", "socket.sendto"):
        address = args[1][0] if isinstance(args[1], tuple) else None
    else:
        return
    address = address.decode() if isinstance(address, bytes) else address
    with open(os.environ["WATCHED"], "a") as file:
        file.write(json.dumps([event, address]) + chr(10))
with open(os.environ["WATCHED"], "a") as file:
    file.write(json.dumps(["start", None]) + chr(10))
sys.addaudithook(watch)
"""


HERE = {"127.0.0.1", "localhost", "::1", "0.0.0.0"}


def asked_by(tmp_path: Path, *arguments: str) -> set[str | None]:
    """The addresses that the command and its processes looked up or talked to."""
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    watched = tmp_path / "watched.jsonl"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "DO_NOT_TRACK"))}
    environment |= {
        "WATCHED": str(watched),
        "PYTHONPATH": str(tmp_path),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    command = [sys.executable, "-m", "flows.cli", *arguments, "--out", str(tmp_path / "reports")]
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    seen = [json.loads(line) for line in watched.read_text().splitlines()]
    assert sum(event == "start" for event, _ in seen) >= 2, "the run and its sampler are watched"
    return {address for event, address in seen if event != "start"}


def test_a_run_by_hand_talks_to_nobody(tmp_path: Path) -> None:
    assert asked_by(tmp_path, "run", "data/bounce_rates") <= {None}


def test_a_portfolio_talks_to_this_machine_only(tmp_path: Path) -> None:
    study = tmp_path / "studies" / "one"
    shutil.copytree(REPOSITORY / "data" / "bounce_rates", study)
    addresses = asked_by(tmp_path, "portfolio", str(study.parent))
    assert addresses & HERE, "Prefect's server was not talked to"
    assert addresses <= {*HERE, None}
