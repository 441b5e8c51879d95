"""Runs every step of the Dockerfile in a clean root of Debian's, then a study and the catalogue in what it made.

`python -m tests.image [DEBIAN]` (or `make image`), as root: DEBIAN is a root that `debootstrap` has made; without
one, it is made. No image is pulled and no container made: a step runs in a changed root with its user and its
variables alone, sharing the machine's network.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from flows.server.quiet import set_defaults
from tests.parts.dockerfile_steps import Built, build

ROOT = Path(__file__).parent.parent
BASE = ["debootstrap", "--variant=minbase", "bookworm"]
NOT_WANTED = ("cc", "gcc", "g++", "c++", "clang", "ld", "make", "pip", "pip3", "uv", "curl", "wget")
PATIENCE_SECONDS = 180.0


def main(debian: Path | None) -> int:
    if os.geteuid() != 0:
        print("Only root may change roots: sudo make image", file=sys.stderr)
        return 1
    set_defaults()
    from prefect.testing.utilities import prefect_test_harness

    with tempfile.TemporaryDirectory(prefix="poolwise-image-", dir="/var/tmp") as scratch:
        place = Path(scratch)
        images = _built(debian or _debian(place / "debian"), place)
        with prefect_test_harness(server_startup_timeout=120):
            checks = [_told(*check) for check in _checks(images["job"], images["serve"])]
    return 0 if all(checks) else 1


def _checks(job: Built, serve: Built) -> Iterator[tuple[str, bool]]:
    yield from _looks(job)
    yield _report(job)
    yield _run_of_a_pool(job)
    yield _catalogue(serve)


def _told(said: str, is_well: bool) -> bool:
    print(f"{'ok  ' if is_well else 'FAIL'}  {said}", flush=True)
    return is_well


def _debian(place: Path) -> Path:
    if shutil.which(BASE[0]) is None:
        raise SystemExit("debootstrap is missing (Debian: apt-get install debootstrap)")
    subprocess.run([*BASE, place], check=True, stdout=subprocess.DEVNULL)
    return place


def _built(debian: Path, place: Path) -> dict[str, Built]:
    images, size, began = {}, _megabytes(debian), time.monotonic()
    print(f"{size:6.0f} MB          debian")
    for stage, step, image in build(ROOT / "Dockerfile", debian, place):
        images[stage] = image
        print(f"{_megabytes(image.root):6.0f} MB {time.monotonic() - began:5.0f} s  {stage}: {step[:90]}", flush=True)
        began = time.monotonic()
    return images


def _megabytes(root: Path) -> float:
    told = subprocess.run(["du", "--summarize", "--bytes", "--one-file-system", root], capture_output=True, text=True)
    return int(told.stdout.split()[0]) / 1e6


def _looks(image: Built) -> Iterator[tuple[str, bool]]:
    found = [name for name in NOT_WANTED for folder in _path(image) if (folder / name).exists()]
    yield f"no compiler, no installer: {found or 'none'}", not found
    told = _said(image, ["find", "/srv/poolwise/app", "/usr", "/etc", "-writable", "-not", "-type", "l"])
    yield f"the user may write to the program: {told.splitlines()[:3] or 'no'}", not told.strip()
    app = image.root / "srv/poolwise/app"
    sources = [path for path in app.rglob("*.py") if "/tests/" not in str(path)]
    without = [path for path in sources if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))]
    yield (
        f"bytecode: {len(sources) - len(without)} of {len(sources)} modules compiled",
        len(without) < 0.01 * len(sources),
    )


def _path(image: Built) -> list[Path]:
    return [image.root / folder.lstrip("/") for folder in f"{image.environment['PATH']}:/usr/sbin:/sbin".split(":")]


def _said(image: Built, command: list[str]) -> str:
    return subprocess.run(image.line(command), capture_output=True, text=True).stdout


def _report(image: Built) -> tuple[str, bool]:
    began = time.monotonic()
    done = subprocess.run(image.line(["poolwise", "run", "data/bounce_rates"]), capture_output=True, text=True)
    seconds = time.monotonic() - began
    runs = _published(image, "bounce_rates")
    is_well = done.returncode == 0 and len(runs) == 1 and {path.stat().st_uid for path in runs} == {int(image.user)}
    tail = "" if is_well else f"\n{done.stdout}{done.stderr}"
    return f"poolwise run data/bounce_rates as user {image.user}: {len(runs)} report in {seconds:.0f} s{tail}", is_well


def _published(image: Built, study: str) -> list[Path]:
    return list((image.root / "srv/poolwise/reports" / study).glob("2*/report.html"))


def _run_of_a_pool(image: Built) -> tuple[str, bool]:
    """What a worker of a Docker pool starts: the command, and the variables, with which it makes a container."""
    from prefect import get_client

    _prefect(
        "work-pool", "create", "poolwise-docker", "--type", "docker", "--base-job-template", "docs/job-docker.json"
    )
    _prefect("--no-prompt", "deploy", "--all", "--prefect-file", "docs/prefect-docker.yaml")
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("pooling-report/sleepstudy")
        run = client.create_flow_run_from_deployment(deployment.id)
        variables = {**_server(), "PREFECT__FLOW_RUN_ID": str(run.id)}
        done = subprocess.run(image.line(["prefect", "flow-run", "execute"], variables), capture_output=True, text=True)
        state = client.read_flow_run(run.id).state
    is_well = state is not None and state.is_completed() and len(_published(image, "sleepstudy")) == 1
    tail = "" if is_well else f"\n{done.stdout}{done.stderr}"
    return f"a run of a Docker pool's deployment: {state.name if state else 'none'}{tail}", is_well


def _prefect(*arguments: str) -> None:
    environment = {**os.environ, **_server(), "IMAGE": "poolwise", "REPORTS": "reports"}
    program = Path(sys.executable).parent / "prefect"
    subprocess.run([program, *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def _server() -> dict[str, str]:
    from prefect.settings import PREFECT_API_URL

    return {"PREFECT_API_URL": str(PREFECT_API_URL.value())}


def _catalogue(image: Built) -> tuple[str, bool]:
    """Its command serves, and its healthcheck says so."""
    if subprocess.run(image.line(image.health), capture_output=True).returncode == 0:
        return "another process serves where the catalogue would: its healthcheck was not tried", False
    said = image.root / "tmp" / "said.txt"
    with said.open("wb") as file:
        process = subprocess.Popen(image.line(image.command, _server()), stdout=file, stderr=file)
    began = time.monotonic()
    try:
        while (answer := subprocess.run(image.line(image.health), capture_output=True).returncode) != 0:
            if process.poll() is not None or time.monotonic() - began > PATIENCE_SECONDS:
                break
            time.sleep(1.0)
    finally:
        _first_within(process, signal.SIGTERM)
        process.wait(60)
    tail = "" if answer == 0 else f"\n{said.read_text('utf-8')}"
    return f"{' '.join(image.command)}: healthy after {time.monotonic() - began:.0f} s{tail}", answer == 0


def _first_within(process: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    """Signal the first process of a container, as Docker does; `unshare` itself listens to none."""
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(child), sign)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
