"""Nothing over the network is needed or tried: every process of a real run is watched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

# Runs in every Python process of the run, Prefect's own server included.
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
sys.addaudithook(watch)
"""


def test_a_run_talks_to_this_machine_only(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    watched = tmp_path / "watched.jsonl"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "DO_NOT_TRACK"))}
    environment |= {
        "WATCHED": str(watched),
        "PYTHONPATH": str(tmp_path),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    command = [sys.executable, "-m", "flows.cli", "run", "data/bounce_rates", "--out", str(tmp_path / "reports")]
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    addresses = {json.loads(line)[1] for line in watched.read_text().splitlines()}
    assert addresses & {"127.0.0.1", "localhost"}, "the watch saw nothing at all"
    assert addresses <= {"127.0.0.1", "localhost", "::1", "0.0.0.0", None}
